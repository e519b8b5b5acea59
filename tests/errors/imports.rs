//! The commonest mistake: an import for which there is nothing, or the wrong thing. The whole texts, as goldens.

use std::fmt::Write as _;

use upshift::{
    Engine, Error, Extern, Func, FuncType, Global, GlobalType, HeapType, Instance, LinkError, LinkErrorKind, Linker,
    Memory, MemoryType, MemoryTypeBuilder, Module, Mutability, Ref, RefType, Store, Table, TableType,
    UnknownImportError, Val, ValType,
};

use super::golden;

fn module(engine: &Engine, imports: &str) -> Module {
    Module::new(engine, format!("(module {imports})")).expect("a valid module")
}

/// What a linker with some names says of imports.
fn linked(imports: &str) -> Error {
    let engine = Engine::default();
    let mut linker = Linker::<()>::new(&engine);
    for (module, name) in [
        ("env", "memory_size"),
        ("env", "print"),
        ("env", "read_line"),
        ("wasi_snapshot_preview1", "fd_read"),
        ("wasi_snapshot_preview1", "fd_write"),
        ("wasi_snapshot_preview1", "proc_exit"),
    ] {
        linker.func_wrap(module, name, || {}).unwrap();
    }
    linker.instantiate(Store::new(&engine, ()), &module(&engine, imports)).unwrap_err()
}

#[test]
fn unknown_imports() {
    let mut text = String::new();
    for imports in [
        r#"(import "wasi_snapshot_preview2" "fd_write" (func))"#,
        r#"(import "wasi_snapshot_preview2" "fd_wirte" (func))"#,
        r#"(import "wasi_snapshot_preview2" "path_open" (func (param i32)))"#,
        r#"(import "evn" "print" (func (param i32 i64) (result f32)))"#,
        r#"(import "env" "readLine" (func))"#,
        r#"(import "env" "fd_read" (func))"#,
        r#"(import "host" "print" (global (mut i64)))"#,
        r#"(import "host" "log" (memory 1 3))"#,
        r#"(import "env" "nothing like it" (table 3 externref))"#,
        r#"(import "env" "a" (func)) (import "env" "print" (func)) (import "env" "b" (func))"#,
        r#"(import "env" "a" (func)) (import "x" "b" (func)) (import "y" "c" (func)) (import "z" "d" (memory 1))"#,
        r#"(import "env" "a" (func)) (import "" "1" (func)) (import "" "2" (func)) (import "" "3" (func))
           (import "" "4" (func)) (import "" "5" (func))"#,
    ] {
        writeln!(text, "{}", linked(imports)).unwrap();
    }
    let engine = Engine::default();
    let imports = format!(r#"(import "{}" "f" (func))"#, "long ".repeat(1000));
    let error = Linker::new(&engine).instantiate(Store::new(&engine, ()), &module(&engine, &imports)).unwrap_err();
    writeln!(text, "{error}").unwrap();
    golden("unknown_imports.txt", &text);
}

/// Items to give, by name.
fn items(store: &mut Store<()>) -> Vec<(&'static str, Extern)> {
    let engine = store.engine().clone();
    let unary = FuncType::new(&engine, [ValType::I32], [ValType::I32]);
    let reference = ValType::Ref(RefType::new(true, HeapType::ConcreteFunc(unary)));
    let typed = FuncType::new(&engine, [reference], []);
    let bytes: &mut MemoryTypeBuilder = &mut MemoryType::builder();
    let bytes = bytes.min(1).page_size_log2(0).build().unwrap();
    let global = |ty, mutability| GlobalType::new(ty, mutability);
    vec![
        ("func", Func::wrap(&mut *store, |_: i32, n: i32| i64::from(n)).into()),
        ("typed", Func::new(&mut *store, typed, |_, _, _| Ok(())).into()),
        ("memory", Memory::new(&mut *store, MemoryType::new(1, Some(3))).unwrap().into()),
        ("endless", Memory::new(&mut *store, MemoryType::new(1, None)).unwrap().into()),
        ("wide", Memory::new(&mut *store, MemoryType::new64(1, None)).unwrap().into()),
        ("bytes", Memory::new(&mut *store, bytes).unwrap().into()),
        (
            "table",
            Table::new(&mut *store, TableType::new(RefType::FUNCREF, 5, Some(7)), Ref::Func(None)).unwrap().into(),
        ),
        ("const", Global::new(&mut *store, global(ValType::I32, Mutability::Const), Val::I32(1)).unwrap().into()),
        ("var", Global::new(&mut *store, global(ValType::I32, Mutability::Var), Val::I32(1)).unwrap().into()),
    ]
}

/// Name of the item given, declaration, and the kind of the error.
const WRONG: &[(&str, &str, LinkErrorKind)] = &[
    ("func", "func (param i32) (result i64)", LinkErrorKind::WrongFunction),
    ("func", "func (param i32 i64) (result i64)", LinkErrorKind::WrongFunction),
    ("func", "func (param i32 i32)", LinkErrorKind::WrongFunction),
    ("func", "func (param i32 i32) (result f32)", LinkErrorKind::WrongFunction),
    ("typed", "func (param funcref)", LinkErrorKind::WrongFunction),
    ("typed", "func (param (ref null $t))", LinkErrorKind::WrongFunction),
    ("func", "memory 1", LinkErrorKind::WrongKind),
    ("memory", "func (result i32)", LinkErrorKind::WrongKind),
    ("var", "table 0 funcref", LinkErrorKind::WrongKind),
    ("table", "global externref", LinkErrorKind::WrongKind),
    ("memory", "memory 2", LinkErrorKind::WrongMemory),
    ("memory", "memory 1 2", LinkErrorKind::WrongMemory),
    ("endless", "memory 1 2", LinkErrorKind::WrongMemory),
    ("wide", "memory 1", LinkErrorKind::WrongMemory),
    ("bytes", "memory 1", LinkErrorKind::WrongMemory),
    ("table", "table 6 funcref", LinkErrorKind::WrongTable),
    ("table", "table 1 6 funcref", LinkErrorKind::WrongTable),
    ("table", "table 1 externref", LinkErrorKind::WrongTable),
    ("table", "table i64 1 funcref", LinkErrorKind::WrongTable),
    ("const", "global i64", LinkErrorKind::WrongGlobal),
    ("const", "global (mut i32)", LinkErrorKind::WrongGlobal),
    ("var", "global i32", LinkErrorKind::WrongGlobal),
];

#[test]
fn wrong_imports() {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let items = items(&mut store);
    let mut text = String::new();
    for &(name, declared, kind) in WRONG {
        let imports = format!(r#"(type $t (func (param i64))) (import "m" "{name}" ({declared}))"#);
        let module = module(&engine, &imports);
        let item = items.iter().find(|(item, _)| *item == name).expect("an item of that name").1;
        let error = Instance::new(&mut store, &module, &[item]).unwrap_err();
        writeln!(text, "{error}").unwrap();
        let fault = error.downcast_ref::<LinkError>().expect("a link error");
        assert_eq!((fault.kind(), fault.import_index(), fault.name()), (kind, 0, name));
        assert_eq!(fault.notes().len(), usize::from(kind != LinkErrorKind::WrongKind), "{error}");
        assert!(!error.is::<UnknownImportError>());
        // A linker says the same, whether it holds the item or a host function.
        let mut linker = Linker::new(&engine);
        linker.define(&store, "m", name, item).unwrap();
        assert_eq!(linker.instantiate(&mut store, &module).unwrap_err().to_string(), error.to_string());
    }
    golden("wrong_imports.txt", &text);
}

#[test]
fn host_functions_are_checked_without_a_store() {
    let engine = Engine::default();
    let mut linker = Linker::<()>::new(&engine);
    linker.func_wrap("m", "f", |_: i32| {}).unwrap();
    let wrong = module(&engine, r#"(import "m" "f" (func (param i64)))"#);
    let early = linker.instantiate_pre(&wrong).unwrap_err();
    assert!(early.to_string().ends_with("parameter 1: expected i64, given i32"), "{early}");
    let late = linker.instantiate(Store::new(&engine, ()), &wrong).unwrap_err();
    assert_eq!(early.to_string(), late.to_string());
    let memory = module(&engine, r#"(import "m" "f" (memory 1))"#);
    let error = linker.instantiate_pre(&memory).unwrap_err();
    assert_eq!(error.downcast_ref::<LinkError>().unwrap().kind(), LinkErrorKind::WrongKind);
}

#[test]
fn an_unknown_import_is_found_by_both_types() {
    let mut error = linked(r#"(import "env" "a" (func (param i32)))"#);
    let fault = error.downcast_ref::<LinkError>().unwrap();
    assert_eq!((fault.kind(), fault.given()), (LinkErrorKind::UnknownImport, None));
    assert_eq!(fault.expected(), "function (i32) -> ()");
    let unknown = error.downcast_ref::<UnknownImportError>().unwrap();
    assert_eq!((unknown.module(), unknown.name()), ("env", "a"));
    assert_eq!(unknown.to_string(), fault.message());
    assert!(error.is::<LinkError>() && error.is::<UnknownImportError>() && !error.is::<String>());
    assert!(error.downcast_mut::<UnknownImportError>().is_some() && error.downcast_mut::<LinkError>().is_some());
    let error = error.context("outer").downcast::<String>().unwrap_err();
    assert_eq!(error.downcast::<UnknownImportError>().unwrap().ty().unwrap_func().to_string(), "(i32) -> ()");
    assert_eq!(linked(r#"(import "env" "a" (func))"#).downcast::<LinkError>().unwrap().module(), "env");
}
