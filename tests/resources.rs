//! What engines, modules and stores take, they give back: memory, mappings, files, threads, code space.

mod accounting;
mod address_space;
mod contents;
mod large;
mod metrics;

use std::any::Any;

use upshift::{Config, Engine, Instance, Linker, Module, Store, Strategy};

use crate::child;
use crate::held::Held;

/// Nothing of note has come since. (The allocator keeps some of what was freed, and may cut mappings up; a worker of an engine
/// that lives may have begun late.)
fn assert_back(before: Held, what: &str) {
    let now = Held::now();
    assert!(now.resident < before.resident + (12 << 20), "{what}: {before:?}, then {now:?}");
    assert!(now.mappings <= before.mappings + 8, "{what}: {before:?}, then {now:?}");
    assert!(now.files <= before.files && now.threads <= before.threads + 1, "{what}: {before:?}, then {now:?}");
}

const MODULE: &str = r#"(module
    (import "host" "f" (func $f (param i32) (result i32)))
    (memory (export "memory") 2)
    (table 10 funcref)
    (elem (i32.const 1) $twice $f)
    (data (i32.const 100) "some data")
    (func $twice (export "twice") (param i32) (result i32)
        (call_indirect (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)) (i32.const 2)))
    (func (export "fill") (memory.fill (i32.const 0) (i32.const 7) (i32.const 131072))))"#;

/// A module that no other round has had, so that nothing is found again.
fn module(engine: &Engine, round: usize) -> Module {
    let text = MODULE.replace("some data", &format!("round {round}"));
    Module::new(engine, text).unwrap()
}

fn linker(engine: &Engine) -> Linker<()> {
    let mut linker = Linker::new(engine);
    linker.func_wrap("host", "f", |n: i32| n + 1).unwrap();
    linker
}

fn use_module(engine: &Engine, module: &Module) {
    let mut store = Store::new(engine, ());
    let instance = linker(engine).instantiate(&mut store, module).unwrap();
    let twice = instance.get_typed_func::<i32, i32>(&mut store, "twice").unwrap();
    assert_eq!(twice.call(&mut store, 21).unwrap(), 43);
    instance.get_typed_func::<(), ()>(&mut store, "fill").unwrap().call(&mut store, ()).unwrap();
}

#[test]
fn a_thousand_stores_leave_nothing() {
    child::within("resources::a_thousand_stores_leave_nothing", || {
        let engine = Engine::default();
        let module = module(&engine, 0);
        (0..50).for_each(|_| use_module(&engine, &module));
        let (before, code) = (Held::now(), engine.code_bytes());
        (0..1000).for_each(|_| use_module(&engine, &module));
        assert_back(before, "1000 stores");
        assert_eq!(engine.code_bytes(), code);
    });
}

#[test]
fn modules_leave_nothing() {
    child::within("resources::modules_leave_nothing", || {
        let engine = Engine::new(Config::new().strategy(Strategy::Eager)).unwrap();
        let round = |round| {
            let module = module(&engine, round);
            // From the second instance on there is an image, which is a file.
            (0..2).for_each(|_| use_module(&engine, &module));
        };
        (0..20).for_each(round);
        let (before, code) = (Held::now(), engine.code_bytes());
        for number in 0..300 {
            let module = module(&engine, number);
            assert!(engine.code_bytes() > code);
            drop(module);
            round(number);
            assert_eq!(engine.code_bytes(), code, "round {number}");
        }
        assert_back(before, "300 modules");
    });
}

#[test]
fn the_last_handle_takes_everything() {
    child::within("resources::the_last_handle_takes_everything", || {
        (0..3).for_each(|_| (0..24).for_each(drop_in_order));
        let before = Held::now();
        for round in 0..3 {
            for order in 0..24 {
                drop_in_order(order);
                let now = Held::now();
                assert!(now.threads <= before.threads, "round {round}, order {order}: {before:?}, then {now:?}");
            }
        }
        assert_back(before, "engines");
    });
}

/// Makes an engine with all that belongs to one, and drops the parts in an order given by its number.
fn drop_in_order(order: usize) {
    let engine = Engine::new(Config::new().strategy(Strategy::Eager).threads(3)).unwrap();
    let module = module(&engine, order);
    let linker = linker(&engine);
    let mut store = Store::new(&engine, ());
    for _ in 0..2 {
        let instance = linker.instantiate(&mut store, &module).unwrap();
        let twice = instance.get_typed_func::<i32, i32>(&mut store, "twice").unwrap();
        assert_eq!(twice.call(&mut store, 1).unwrap(), 3);
    }
    assert!(engine.code_bytes() > 0);
    let weak = engine.weak();
    let mut parts: Vec<Box<dyn Any>> = vec![Box::new(engine), Box::new(module), Box::new(linker), Box::new(store)];
    let mut number = order;
    for left in (1..=4).rev() {
        assert!(weak.upgrade().is_some());
        drop(parts.swap_remove(number % left));
        number /= left;
    }
    assert!(weak.upgrade().is_none(), "order {order}");
}

#[test]
fn a_store_works_without_other_handles() {
    let mut store = {
        let engine = Engine::default();
        Store::new(&engine, ())
    };
    let module =
        Module::new(&store.engine().clone(), r#"(module (func (export "f") (result i32) i32.const 5))"#).unwrap();
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    drop(module);
    assert_eq!(instance.get_typed_func::<(), i32>(&mut store, "f").unwrap().call(&mut store, ()).unwrap(), 5);
}
