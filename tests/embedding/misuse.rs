//! The wrong store, the wrong engine, the wrong type.

use upshift::{
    Config, Engine, Extern, ExternRef, Func, FuncType, Global, GlobalType, HeapType, Instance, Linker, Memory,
    MemoryType, Module, Mutability, Ref, RefType, Store, Strategy, Table, TableType, Val, ValType,
};

use super::panic_of;

const ITEMS: &str = r#"(module
    (memory (export "m") 1)
    (table (export "t") 2 funcref)
    (global (export "g") (mut i32) (i32.const 1))
    (func (export "f") (param i32) (result i32) local.get 0))"#;

fn two_stores() -> (Store<()>, Store<()>, Instance) {
    let engine = Engine::default();
    let module = Module::new(&engine, ITEMS).unwrap();
    let (mut one, two) = (Store::new(&engine, ()), Store::new(&engine, ()));
    let instance = Instance::new(&mut one, &module, &[]).unwrap();
    (one, two, instance)
}

#[test]
fn an_item_of_another_store_panics() {
    let (mut one, mut two, instance) = two_stores();
    let memory = instance.get_memory(&mut one, "m").unwrap();
    let table = instance.get_table(&mut one, "t").unwrap();
    let global = instance.get_global(&mut one, "g").unwrap();
    let func = instance.get_func(&mut one, "f").unwrap();
    let typed = func.typed::<i32, i32>(&one).unwrap();
    let two = &mut two;
    let messages = [
        panic_of(|| instance.get_export(&mut *two, "m")),
        panic_of(|| instance.exports(&mut *two).count()),
        panic_of(|| memory.data(&*two).len()),
        panic_of(|| memory.data_mut(&mut *two).len()),
        panic_of(|| memory.grow(&mut *two, 1)),
        panic_of(|| memory.read(&*two, 0, &mut [0])),
        panic_of(|| memory.write(&mut *two, 0, &[0])),
        panic_of(|| table.get(&mut *two, 0)),
        panic_of(|| table.set(&mut *two, 0, Ref::Func(None))),
        panic_of(|| table.grow(&mut *two, 1, Ref::Func(None))),
        panic_of(|| global.get(&mut *two)),
        panic_of(|| global.set(&mut *two, Val::I32(1))),
        panic_of(|| func.call(&mut *two, &[Val::I32(1)], &mut [Val::I32(0)])),
        panic_of(|| func.ty(&*two)),
        panic_of(|| func.typed::<i32, i32>(&*two)),
        panic_of(|| typed.call(&mut *two, 1)),
        panic_of(|| Table::new(&mut *two, TableType::new(RefType::FUNCREF, 1, None), Ref::Func(Some(func)))),
    ];
    for message in messages {
        assert_eq!(message, "object used with the wrong store");
    }
    // Both stores are as they were.
    assert_eq!(typed.call(&mut one, 7).unwrap(), 7);
    assert_eq!(memory.size(&one), 1);
}

#[test]
fn imports_and_references_of_another_store_panic() {
    let (mut one, mut two, instance) = two_stores();
    let func = instance.get_func(&mut one, "f").unwrap();
    let module = Module::new(one.engine(), r#"(module (import "" "f" (func (param i32) (result i32))))"#).unwrap();
    panic_of(|| Instance::new(&mut two, &module, &[func.into()]));
    let mut linker = Linker::new(one.engine());
    linker.define(&one, "", "f", func).unwrap();
    panic_of(|| linker.instantiate(&mut two, &module));
    let takes = Func::wrap(&mut two, |_: Option<Func>| {});
    panic_of(|| takes.call(&mut two, &[Val::FuncRef(Some(func))], &mut []));
    panic_of(|| takes.typed::<Option<Func>, ()>(&two).unwrap().call(&mut two, Some(func)));
    let value = ExternRef::new(&mut one, 5).unwrap();
    let takes = Func::new(&mut two, FuncType::new(one.engine(), [ValType::EXTERNREF], []), |_, _, _| Ok(()));
    panic_of(|| takes.call(&mut two, &[Val::ExternRef(Some(value))], &mut []));
    assert!(value.data(&two).is_err());
    // A host function of the second store that gives a function of the first.
    let gives = Func::wrap(&mut two, move || Some(func));
    panic_of(|| gives.typed::<(), Option<Func>>(&two).unwrap().call(&mut two, ()));
}

#[test]
fn engines_may_not_be_mixed() {
    let (here, there) = (Engine::default(), Engine::default());
    let module = Module::new(&there, r#"(module (import "" "f" (func (param i64))))"#).unwrap();
    let mut linker = Linker::<()>::new(&here);
    linker.func_wrap("", "f", |_: i32, _: f64| {}).unwrap();
    let mut store = Store::new(&there, ());
    panic_of(|| linker.instantiate(&mut store, &module));
    panic_of(|| linker.instantiate_pre(&module));
    panic_of(|| linker.get(&mut store, "", "f"));
    panic_of(|| Instance::new(Store::new(&here, ()), &module, &[]));
    let ty = FuncType::new(&here, [ValType::I32], []);
    panic_of(|| Func::new(&mut store, ty.clone(), |_, _, _| Ok(())));
    panic_of(|| Linker::<()>::new(&there).func_new("", "f", ty.clone(), |_, _, _| Ok(())).map(drop));
    let reference = RefType::new(true, HeapType::ConcreteFunc(ty));
    panic_of(|| Table::new(&mut store, TableType::new(reference.clone(), 1, None), Ref::Func(None)));
    let global = GlobalType::new(ValType::Ref(reference.clone()), Mutability::Var);
    panic_of(|| Global::new(&mut store, global, Val::FuncRef(None)));
    panic_of(|| FuncType::new(&there, [ValType::Ref(reference)], []));
}

#[test]
fn values_of_the_wrong_type_are_errors() {
    let (mut store, _, instance) = two_stores();
    let func = instance.get_func(&mut store, "f").unwrap();
    let mut results = [Val::I32(0)];
    let wrong = [Val::I64(1), Val::F32(0), Val::FuncRef(None), Val::ExternRef(None)];
    for value in wrong {
        let error = func.call(&mut store, &[value], &mut results).unwrap_err();
        assert!(error.to_string().contains("expected a value of type i32"), "{error}");
    }
    for (params, results) in [(0, 1), (2, 1), (1, 0), (1, 2)] {
        let (params, mut results) = (vec![Val::I32(0); params], vec![Val::I32(0); results]);
        assert!(func.call(&mut store, &params, &mut results).is_err());
    }
    assert!(func.typed::<i64, i32>(&store).is_err());
    assert!(func.typed::<i32, ()>(&store).is_err());
    assert!(instance.get_typed_func::<(), ()>(&mut store, "f").is_err());
    assert!(instance.get_typed_func::<(), ()>(&mut store, "none").is_err());
    let global = instance.get_global(&mut store, "g").unwrap();
    assert!(global.set(&mut store, Val::I64(1)).is_err());
    let fixed = Global::new(&mut store, GlobalType::new(ValType::I32, Mutability::Const), Val::I32(1)).unwrap();
    assert!(fixed.set(&mut store, Val::I32(2)).is_err());
    let table = instance.get_table(&mut store, "t").unwrap();
    assert!(table.set(&mut store, 0, Ref::Extern(None)).is_err());
    assert!(table.set(&mut store, 2, Ref::Func(None)).is_err());
    assert!(table.grow(&mut store, 1, Ref::Extern(None)).is_err());
    assert!(table.fill(&mut store, 1, Ref::Func(None), u64::MAX).is_err());
    // A host function that gives something else than it said.
    let ty = FuncType::new(store.engine(), [], [ValType::I32]);
    let liar = Func::new(&mut store, ty, |_, _, results| {
        results[0] = Val::I64(1);
        Ok(())
    });
    assert!(liar.call(&mut store, &[], &mut results).is_err());
}

#[test]
fn only_functions_of_its_type_get_into_a_typed_table() {
    let text = r#"(module
        (type $unary (func (param i32) (result i32)))
        (table (export "t") 2 (ref null $unary))
        (func (export "f") (param i32) (result i32) local.get 0)
        (func (export "other"))
        (func (export "call") (result i32) (call_indirect (type $unary) (i32.const 5) (i32.const 0))))"#;
    let (mut store, instance) = super::instantiate((), text, |_| Vec::new());
    let table = instance.get_table(&mut store, "t").unwrap();
    let (good, bad) = (instance.get_func(&mut store, "f"), instance.get_func(&mut store, "other"));
    assert!(table.set(&mut store, 0, Ref::Func(bad)).is_err());
    assert!(table.fill(&mut store, 0, Ref::Func(bad), 1).is_err());
    table.set(&mut store, 0, Ref::Func(good)).unwrap();
    assert_eq!(instance.get_typed_func::<(), i32>(&mut store, "call").unwrap().call(&mut store, ()).unwrap(), 5);
    let plain = Table::new(&mut store, TableType::new(RefType::FUNCREF, 1, None), Ref::Func(bad)).unwrap();
    assert!(Table::copy(&mut store, &table, 0, &plain, 0, 1).is_err());
    assert!(Table::copy(&mut store, &plain, 0, &table, 0, 1).is_ok());
}

#[test]
fn odd_configurations_work_or_say_why_not() {
    let text = r#"(module (memory 1) (func (export "f") (param i32) (result i32) (i32.load (local.get 0))))"#;
    let run = |config: &Config| -> upshift::Result<i32> {
        let engine = Engine::new(config)?;
        let module = Module::new(&engine, text)?;
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &module, &[])?;
        instance.get_typed_func::<i32, i32>(&mut store, "f")?.call(&mut store, 1)
    };
    for bytes in [0, 1, 4096, 65536] {
        match run(Config::new().code_memory_size(bytes)) {
            Ok(value) => assert_eq!(value, 0),
            Err(error) => assert!(error.to_string().contains("code memory"), "{bytes}: {error:?}"),
        }
    }
    for bytes in [128 << 10, 1 << 20, 1 << 40] {
        assert_eq!(run(Config::new().code_memory_size(bytes)).unwrap(), 0, "{bytes}");
    }
    // A function that calls none needs no stack worth checking.
    assert!(run(Config::new().max_wasm_stack(0)).is_ok_and(|value| value == 0));
    assert_eq!(run(Config::new().max_wasm_stack(usize::MAX)).unwrap(), 0);
    for threads in [0, 1, 1000] {
        assert_eq!(run(Config::new().threads(threads).strategy(Strategy::Eager)).unwrap(), 0);
    }
    for small in [0, u64::MAX] {
        assert_eq!(run(Config::new().small_memory_maximum(small)).unwrap(), 0);
    }
}

#[test]
fn memories_past_their_limits_are_errors() {
    let mut store = Store::<()>::default();
    let memory = Memory::new(&mut store, MemoryType::new(1, Some(2))).unwrap();
    assert!(memory.grow(&mut store, 2).is_err());
    assert!(memory.grow(&mut store, u64::MAX).is_err());
    assert_eq!(memory.grow(&mut store, 0).unwrap(), 1);
    assert!(memory.read(&store, usize::MAX, &mut [0]).is_err());
    assert!(memory.read(&store, 65536, &mut []).is_ok());
    assert!(memory.write(&mut store, 65535, &[1, 2]).is_err());
    let item = Extern::from(memory);
    assert!(item.into_func().is_none() && item.into_memory().is_some());
}
