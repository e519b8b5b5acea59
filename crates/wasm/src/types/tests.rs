//! Types as text, and limits that match.

use super::{FuncType, GlobalType, HeapType, Limits64, MemoryType, RefType, TableType, TypeIndex, ValType};

#[test]
fn text() {
    let concrete = HeapType::Concrete(TypeIndex(3));
    for (nullable, heap, text) in [
        (true, HeapType::Func, "funcref"),
        (true, HeapType::Extern, "externref"),
        (true, HeapType::NoFunc, "nullfuncref"),
        (false, HeapType::Extern, "(ref extern)"),
        (true, concrete, "(ref null 3)"),
        (false, concrete, "(ref 3)"),
    ] {
        assert_eq!(ValType::Ref(RefType { nullable, heap }).to_string(), text);
    }
    let ty = FuncType::new([ValType::I32, ValType::V128], [ValType::F32]);
    assert_eq!(ty.to_string(), "(i32, v128) -> (f32)");
    assert_eq!(FuncType::new([], []).to_string(), "() -> ()");
    let table = TableType { element: RefType::FUNCREF, index64: true, min: 1, max: Some(2) };
    assert_eq!(table.to_string(), "(table i64 1 2 funcref)");
    let memory = MemoryType { index64: false, shared: false, min: 1, max: None, page_size_log2: 0 };
    assert_eq!(memory.to_string(), "(memory 1 (pagesize 0x1))");
    let global = GlobalType { content: ValType::I64, mutable: true };
    assert_eq!(global.to_string(), "(global (mut i64))");
}

#[test]
fn sizes() {
    let mut memory = MemoryType { index64: true, shared: false, min: 3, max: Some(1 << 48), page_size_log2: 16 };
    assert_eq!(memory.min_bytes(), Some(3 << 16));
    assert_eq!(memory.max_bytes(), Some(u64::MAX));
    memory.min = 1 << 48;
    assert_eq!(memory.min_bytes(), None);
    memory.page_size_log2 = 0;
    assert_eq!((memory.page_size(), memory.max_bytes()), (1, Some(1 << 48)));
}

#[test]
fn limits() {
    let limits = |min, max| Limits64 { min, max };
    assert!(limits(2, Some(5)).matches(&limits(1, Some(6))));
    assert!(limits(2, Some(5)).matches(&limits(2, None)));
    assert!(!limits(2, Some(5)).matches(&limits(3, None)));
    assert!(!limits(2, Some(5)).matches(&limits(2, Some(4))));
    assert!(!limits(2, None).matches(&limits(2, Some(4))));
}
