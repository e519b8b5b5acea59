//! Equality of types across modules, and their release.

use super::TypeRegistry;
use crate::module::ModuleInfo;
use crate::samples::module;
use crate::types::{
    CanonicalTypeIndex, CompositeType, FieldType, FuncType, HeapType, RecGroup, RefType, StorageType, StructType,
    SubType, TypeIndex, ValType,
};

fn reference(index: u32) -> ValType {
    ValType::Ref(RefType { nullable: true, heap: HeapType::Concrete(TypeIndex(index)) })
}

fn func(params: &[ValType]) -> SubType {
    SubType::final_func(FuncType::new(params, []))
}

/// A module of these groups; the decoder does not take recursion groups yet.
fn groups(groups: &[&[SubType]]) -> ModuleInfo {
    let mut info = ModuleInfo::default();
    for group in groups {
        let first = TypeIndex::new(info.types.len());
        info.rec_groups.push(RecGroup { first, len: group.len() as u32 });
        info.types.extend_from_slice(group);
    }
    info
}

#[test]
fn equal_signatures_are_one() {
    let registry = TypeRegistry::new();
    let a = module("(module (type (func)) (type (func (param i32) (result i64))) (type (func)))");
    let b = module("(module (type (func (param i32) (result i64))) (type (func (param i64))))");
    let (a, b) = (registry.register(&a), registry.register(&b));
    assert_eq!(a.ids()[0], a.ids()[2]);
    assert_ne!(a.ids()[0], a.ids()[1]);
    assert_eq!(a.ids()[1], b.ids()[0]);
    assert_eq!(registry.len(), 3);
    assert_eq!(registry.func_type(b.ids()[0]).to_string(), "(i32) -> (i64)");
    let host = registry.register_func(&FuncType::new([ValType::I64], []));
    assert_eq!(host.ids(), [b.ids()[1]]);
    drop(b);
    assert_eq!(registry.len(), 3);
    drop(host);
    assert_eq!(registry.len(), 2);
    drop(a);
    assert!(registry.is_empty());
}

#[test]
fn references_to_equal_types_are_equal() {
    let registry = TypeRegistry::new();
    let a = module("(module (type $f (func)) (type (func (param (ref null $f)))))");
    let b = module("(module (type (func (param i32))) (type $f (func)) (type (func (param (ref null $f)))))");
    let (a, b) = (registry.register(&a), registry.register(&b));
    assert_eq!(a.ids()[1], b.ids()[2]);
    let ValType::Ref(param) = registry.func_type(b.ids()[2]).params()[0] else { panic!() };
    assert_eq!(param.heap, HeapType::Concrete(TypeIndex(b.ids()[1].0)));
    assert_eq!(b.canonical_val_type(reference(1)), reference(b.ids()[1].0));
    // The second type keeps the first alive through its group.
    drop(b);
    assert_eq!(registry.len(), 2);
    drop(a);
    assert!(registry.is_empty());
}

#[test]
fn groups_are_equal_as_wholes() {
    let registry = TypeRegistry::new();
    let alone = registry.register(&groups(&[&[func(&[reference(0)])]]));
    // The same recursion two types further on.
    let shifted = groups(&[&[func(&[ValType::I32])], &[func(&[])], &[func(&[reference(2)])]]);
    let shifted = registry.register(&shifted);
    assert_eq!(alone.ids()[0], shifted.ids()[2]);
    // In a pair it is another type.
    let pair = [func(&[reference(1)]), func(&[reference(0)])];
    let pair = registry.register(&groups(&[&pair]));
    assert_ne!(pair.ids()[0], alone.ids()[0]);
    assert_ne!(pair.ids()[0], pair.ids()[1]);
    // An empty group has no types and is no matter.
    let empty = registry.register(&groups(&[&[], &[func(&[])]]));
    assert_eq!(empty.ids(), [shifted.ids()[1]]);
    drop((alone, shifted, pair, empty));
    assert!(registry.is_empty());
    assert!(registry.read().groups.len() == 0);
}

#[test]
fn subtypes() {
    let open = |supertype, fields: &[FieldType]| SubType {
        is_final: false,
        supertype,
        composite: CompositeType::Struct(StructType { fields: fields.into() }),
    };
    let field = FieldType { storage: StorageType::I8, mutable: false };
    let registry = TypeRegistry::new();
    let types = registry.register(&groups(&[
        &[open(None, &[])],
        &[open(Some(TypeIndex(0)), &[field]), open(Some(TypeIndex(1)), &[field, field])],
        &[func(&[])],
    ]));
    let [a, b, c, f]: [CanonicalTypeIndex; 4] = types.ids().try_into().expect("four types");
    assert!(registry.is_subtype(c, c) && registry.is_subtype(c, b) && registry.is_subtype(c, a));
    assert!(!registry.is_subtype(a, c) && !registry.is_subtype(f, a));
    let nullable = |heap| ValType::Ref(RefType { nullable: true, heap });
    let concrete = |id: CanonicalTypeIndex| nullable(HeapType::Concrete(TypeIndex(id.0)));
    let matches = |sub, sup| registry.val_type_matches(sub, sup);
    assert!(matches(concrete(c), concrete(a)) && !matches(concrete(a), concrete(c)));
    assert!(matches(concrete(c), nullable(HeapType::Eq)));
    assert!(matches(concrete(f), ValType::FUNCREF) && !matches(concrete(f), nullable(HeapType::Any)));
    assert!(matches(nullable(HeapType::None), concrete(c)));
    assert!(!matches(nullable(HeapType::None), concrete(f)));
    assert!(matches(nullable(HeapType::NoFunc), concrete(f)));
    let some = ValType::Ref(RefType { nullable: false, heap: HeapType::Func });
    assert!(matches(some, ValType::FUNCREF) && !matches(ValType::FUNCREF, some));
    assert!(!matches(ValType::I32, ValType::I64));
}

#[test]
fn indices_are_used_again() {
    let registry = TypeRegistry::new();
    let keep = registry.register_func(&FuncType::new([], []));
    for round in 0..1000_usize {
        let params = vec![ValType::I32; round % 7 + 1];
        let types = registry.register_func(&FuncType::new(params, []));
        assert!(types.ids()[0].0 < 2);
    }
    assert_eq!(registry.len(), 1);
    drop(keep);
}

#[test]
fn a_long_chain_is_released() {
    // Each type names the one before it.
    let types: Vec<_> = (0..50_000u32)
        .map(|index| match index.checked_sub(1) {
            Some(before) => vec![func(&[reference(before)])],
            None => vec![func(&[])],
        })
        .collect();
    let lists: Vec<&[SubType]> = types.iter().map(|list| &list[..]).collect();
    let registry = TypeRegistry::new();
    let registered = registry.register(&groups(&lists));
    assert_eq!(registry.len(), 50_000);
    drop(registered);
    assert!(registry.is_empty());
}

#[test]
fn threads_share_a_registry() {
    let registry = TypeRegistry::new();
    let a = module("(module (type $f (func)) (type (func (param (ref $f)))))");
    let b = module("(module (type (func (param i32))) (type $f (func)) (type (func (param (ref $f)))))");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..500 {
                    let (a, b) = (registry.register(&a), registry.register(&b));
                    assert_eq!(a.ids()[1], b.ids()[2]);
                }
            });
        }
    });
    assert!(registry.is_empty());
}
