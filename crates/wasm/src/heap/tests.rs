//! Estimates of allocations, and the sizes of the structs whose `heap_bytes` were written for them.

use super::*;
use crate::compile_imports::CompileTimeImports;
use crate::const_expr::ConstExpr;
use crate::module::{CustomSection, DataSegment, ElementSegment, Export, Import, ModuleInfo};
use crate::names::Names;
use crate::types::{CompositeType, FuncType, SubType};

#[test]
fn allocations_are_rounded() {
    assert_eq!([0, 1, 24, 25, 40, 41].map(block), [0, 32, 32, 48, 48, 64]);
    assert_eq!(vec(&Vec::<u64>::new()), 0);
    assert_eq!(vec(&Vec::<u64>::with_capacity(7)), 64);
    assert_eq!(slice("name".as_bytes()), 32);
    assert_eq!(shared(&[0u8; 40]), 64);
}

#[test]
fn maps_take_room_for_their_capacity() {
    let mut entries: HashMap<u64, u64> = HashMap::new();
    assert_eq!(map(&entries), 0);
    entries.extend((0..100).map(|n| (n, n)));
    // 128 places of 16 bytes and one, and a group of 16 bytes.
    assert_eq!(map(&entries), block(128 * 17 + 16));
    assert_eq!(tree::<u64, u64>(0), 0);
    assert!((1600..4000).contains(&tree::<u64, u64>(100)));
}

/// Who changes one of these structs looks at its `heap_bytes` (or at that of the struct that holds it), then here.
#[test]
fn sizes_are_those_that_heap_bytes_was_written_for() {
    let sizes = [
        ("ModuleInfo", size_of::<ModuleInfo>()),
        ("Import", size_of::<Import>()),
        ("Export", size_of::<Export>()),
        ("ElementSegment", size_of::<ElementSegment>()),
        ("DataSegment", size_of::<DataSegment>()),
        ("CustomSection", size_of::<CustomSection>()),
        ("ConstExpr", size_of::<ConstExpr>()),
        ("CompileTimeImports", size_of::<CompileTimeImports>()),
        ("Names", size_of::<Names>()),
        ("SubType", size_of::<SubType>()),
        ("CompositeType", size_of::<CompositeType>()),
        ("FuncType", size_of::<FuncType>()),
    ];
    assert_eq!(
        sizes,
        [
            ("ModuleInfo", 592),
            ("Import", 80),
            ("Export", 24),
            ("ElementSegment", 72),
            ("DataSegment", 48),
            ("CustomSection", 32),
            ("ConstExpr", 24),
            ("CompileTimeImports", 24),
            ("Names", 64),
            ("SubType", 56),
            ("CompositeType", 40),
            ("FuncType", 32)
        ]
    );
}
