//! Many stores in many threads, with one engine and one module.

use std::sync::Barrier;
use std::thread;

use upshift::{Config, Engine, Instance, Module, Store, Strategy, Trap};

const THREADS: usize = 4;

/// Functions that call each other, so that one call compiles all of them.
fn chain(functions: usize, salt: usize) -> String {
    let mut text = String::from(r#"(module (memory 1) (global $g (mut i32) (i32.const 0)) "#);
    for n in 0..functions {
        let next = if n + 1 == functions { "(i32.const 1)".into() } else { format!("(call {} (local.get 0))", n + 1) };
        text += &format!(
            r#"(func (export "{n}") (param i32) (result i32)
                (global.set $g (i32.add (global.get $g) (i32.const 1)))
                (i32.store (i32.const {n}) (local.get 0))
                (i32.add (i32.const {salt}) {next}))"#
        );
    }
    text + r#"(func (export "count") (result i32) (global.get $g)) (func (export "trap") (unreachable)))"#
}

fn use_store(engine: &Engine, module: &Module, first: usize, expected: i32) {
    let mut store = Store::new(engine, ());
    let instance = Instance::new(&mut store, module, &[]).unwrap();
    let run = instance.get_typed_func::<i32, i32>(&mut store, &first.to_string()).unwrap();
    assert_eq!(run.call(&mut store, 5).unwrap(), expected);
    let trap = instance.get_typed_func::<(), ()>(&mut store, "trap").unwrap();
    let error = trap.call(&mut store, ()).unwrap_err();
    assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::UnreachableCodeReached));
    assert!(instance.get_typed_func::<(), i32>(&mut store, "count").unwrap().call(&mut store, ()).unwrap() > 0);
}

#[test]
fn the_same_functions_are_compiled_by_many_threads_at_once() {
    let engine = Engine::default();
    for round in 1..6 {
        let module = Module::new(&engine, chain(60, round)).unwrap();
        let barrier = Barrier::new(THREADS);
        thread::scope(|scope| {
            for number in 0..THREADS {
                let (engine, module, barrier) = (&engine, &module, &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    let first = number * 7;
                    use_store(engine, module, first, ((60 - first) * round) as i32 + 1);
                });
            }
        });
        assert_eq!(module.statistics().compiled, 62, "round {round}");
    }
}

#[test]
fn modules_come_and_go_while_others_run() {
    let engine = Engine::new(Config::new().strategy(Strategy::Eager).threads(2)).unwrap();
    thread::scope(|scope| {
        for number in 0..THREADS {
            let engine = engine.clone();
            scope.spawn(move || {
                for round in 0..12 {
                    let functions = 3 + (number + round) % 5;
                    let module = Module::new(&engine, chain(functions, round)).unwrap();
                    (0..3).for_each(|_| use_store(&engine, &module, 0, (functions * round) as i32 + 1));
                }
            });
        }
    });
}

#[test]
fn the_last_handles_may_be_dropped_by_any_thread() {
    for round in 0..20 {
        let engine = Engine::new(Config::new().strategy(Strategy::Eager).threads(2)).unwrap();
        let module = Module::new(&engine, chain(8, round)).unwrap();
        let handles: Vec<_> = (0..THREADS)
            .map(|_| {
                let (engine, module) = (engine.clone(), module.clone());
                thread::spawn(move || {
                    use_store(&engine, &module, 0, (8 * round) as i32 + 1);
                    let store = Store::new(&engine, ());
                    drop(engine);
                    drop(module);
                    drop(store);
                })
            })
            .collect();
        drop(engine);
        drop(module);
        handles.into_iter().for_each(|handle| handle.join().unwrap());
    }
}

#[test]
fn a_store_moves_between_threads() {
    let engine = Engine::default();
    let module = Module::new(&engine, chain(5, 2)).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let run = instance.get_typed_func::<i32, i32>(&mut store, "0").unwrap();
    for size in [256 << 10, 4 << 20, 256 << 10] {
        let work = move || {
            assert_eq!(run.call(&mut store, 1).unwrap(), 11);
            store
        };
        store = thread::Builder::new().stack_size(size).spawn(work).unwrap().join().unwrap();
    }
}
