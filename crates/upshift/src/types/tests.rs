//! Tests of `types`.

use super::{ExternType, FuncType, GlobalType, HeapType, MemoryType, Mutability, RefType, TableType, ValType};
use crate::{Engine, Module};

#[test]
fn function_types_are_one_per_engine() {
    let engine = Engine::default();
    let ty = || FuncType::new(&engine, [ValType::I32], [ValType::F64, ValType::EXTERNREF]);
    assert_eq!(ty(), ty());
    assert!(ty().matches(&ty()));
    assert_ne!(ty(), FuncType::new(&engine, [ValType::I32], []));
    assert_ne!(ty(), FuncType::new(&Engine::default(), [ValType::I32], [ValType::F64, ValType::EXTERNREF]));
}

#[test]
fn function_types_may_name_function_types() {
    let engine = Engine::default();
    let inner = FuncType::new(&engine, [], [ValType::I32]);
    let reference = ValType::Ref(RefType::new(false, HeapType::ConcreteFunc(inner.clone())));
    let outer = FuncType::new(&engine, [reference.clone()], []);
    assert_eq!(outer.param(0), Some(reference.clone()));
    assert_eq!(outer.to_string(), "((ref (func () -> (i32)))) -> ()");
    assert!(reference.matches(&ValType::FUNCREF));
    assert!(!ValType::FUNCREF.matches(&reference));
    assert!(HeapType::NoFunc.matches(&inner.into()));
    assert!(!HeapType::NoFunc.matches(&HeapType::Extern));
}

#[test]
#[should_panic(expected = "another engine")]
fn function_types_of_two_engines_do_not_mix() {
    let inner = FuncType::new(&Engine::default(), [], []);
    FuncType::new(&Engine::default(), [ValType::Ref(RefType::new(true, inner.into()))], []);
}

#[test]
fn memory_types_have_limits() {
    assert!(MemoryType::builder().min(2).max(Some(1)).build().is_err());
    assert!(MemoryType::builder().min(65537).build().is_err());
    assert!(MemoryType::builder().min(65537).page_size_log2(0).build().is_ok());
    assert!(MemoryType::builder().min(1).page_size_log2(12).build().is_err());
    assert!(MemoryType::builder().memory64(true).max(Some(1 << 48)).build().is_ok());
    assert!(MemoryType::builder().memory64(true).max(Some((1 << 48) + 1)).build().is_err());
    assert!(MemoryType::builder().memory64(true).page_size_log2(0).max(Some(u64::MAX)).build().is_ok());
    assert_eq!(MemoryType::new64(1, None).to_string(), "(memory i64 1)");
}

#[test]
fn types_of_modules() {
    let text = r#"(module
        (type $t (func (param i64)))
        (import "a" "f" (func (type $t)))
        (import "a" "g" (global (mut (ref null $t))))
        (table (export "t") 1 2 funcref)
        (memory (export "m") i64 3)
        (func (export "v") (result v128) unreachable))"#;
    let module = Module::new(&Engine::default(), text).unwrap();
    let engine = module.engine();
    let imports: Vec<ExternType> = module.imports().map(|import| import.ty()).collect();
    let f = FuncType::new(engine, [ValType::I64], []);
    let content = ValType::Ref(RefType::new(true, f.clone().into()));
    assert_eq!(imports, [f.into(), GlobalType::new(content, Mutability::Var).into()]);
    let exports: Vec<(&str, ExternType)> = module.exports().map(|export| (export.name(), export.ty())).collect();
    let expected: [(&str, ExternType); 3] = [
        ("t", TableType::new(RefType::FUNCREF, 1, Some(2)).into()),
        ("m", MemoryType::new64(3, None).into()),
        ("v", FuncType::new(engine, [], [ValType::V128]).into()),
    ];
    assert_eq!(exports, expected);
}
