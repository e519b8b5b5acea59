//! Tests of `linker`.

use crate::{Caller, Engine, Extern, Linker, Module, Mutability, Store, Val, ValType};

#[test]
fn names_come_sorted() {
    let engine = Engine::default();
    let mut store = Store::new(&engine, 0);
    let mut linker = Linker::new(&engine);
    let global = crate::GlobalType::new(ValType::I32, Mutability::Const);
    let global = crate::Global::new(&mut store, global, Val::I32(7)).unwrap();
    linker.define(&store, "b", "x", global).unwrap();
    linker.func_wrap("b", "f", |mut caller: Caller<'_, i32>| *caller.data_mut() += 1).unwrap();
    linker.func_wrap("a", "z", || {}).unwrap();
    let items: Vec<(&str, &str, Extern)> = linker.iter(&mut store).collect();
    let names: Vec<(&str, &str)> = items.iter().map(|&(module, name, _)| (module, name)).collect();
    assert_eq!(names, [("a", "z"), ("b", "f"), ("b", "x")]);
    items[1].2.into_func().unwrap().call(&mut store, &[], &mut []).unwrap();
    assert_eq!(*store.data(), 1);
    assert_eq!(items[2].2.into_global().unwrap().get(&mut store).unwrap_i32(), 7);
}

#[test]
fn modules_have_a_default() {
    let engine = Engine::default();
    let mut store = Store::new(&engine, Vec::new());
    let mut linker = Linker::new(&engine);
    linker.func_wrap("host", "log", |mut caller: Caller<'_, Vec<i32>>, n: i32| caller.data_mut().push(n)).unwrap();
    let command = r#"(module (import "host" "log" (func $log (param i32)))
        (func (export "_start") (call $log (i32.const 1))))"#;
    let reactor = r#"(module (import "host" "log" (func $log (param i32)))
        (func (export "_start") unreachable)
        (func (export "") (call $log (i32.const 2))))"#;
    let odd = r#"(module (memory (export "_start") 1))"#;
    for (name, text) in [("command", command), ("reactor", reactor), ("odd", odd)] {
        let module = Module::new(&engine, text).unwrap();
        linker.module(&mut store, name, &module).unwrap();
    }
    for name in ["command", "reactor", "nothing"] {
        let func = linker.get_default(&mut store, name).unwrap();
        func.typed::<(), ()>(&store).unwrap().call(&mut store, ()).unwrap();
    }
    assert_eq!(*store.data(), [1, 2]);
    let error = linker.get_default(&mut store, "odd").unwrap_err();
    assert_eq!(error.to_string(), "`odd::_start` is not a function");
}
