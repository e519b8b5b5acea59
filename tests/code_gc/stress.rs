//! Threads whose functions move up, lose their code and get it again, while code is collected at every occasion.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use upshift::{Config, Engine, Instance, Linker, Module, Store};

use crate::tiering::{chain, chain_result};

const THREADS: usize = 4;

/// Runs `threads` stores of a module of `count` functions, each for some rounds, beside what is done meanwhile.
fn run(engine: &Engine, module: &Module, salt: usize, rounds: usize) {
    let count = 30;
    thread::scope(|scope| {
        for number in 0..THREADS {
            scope.spawn(move || {
                for round in 0..rounds {
                    let mut store = Store::new(engine, ());
                    let instance = Instance::new(&mut store, module, &[]).unwrap();
                    let first = (number * 5 + round) % count;
                    let run = instance.get_typed_func::<i32, i32>(&mut store, &first.to_string()).unwrap();
                    for _ in 0..20 {
                        assert_eq!(run.call(&mut store, 0).unwrap(), chain_result(count - first, salt));
                    }
                }
            });
        }
    });
}

/// All code can be freed in the end. (Jobs in the background may still bring some.)
fn gone(module: &Module) {
    super::wait_for("all code to go", || {
        module.flush_code();
        let statistics = module.statistics();
        (statistics.retired_bytes, statistics.code_bytes) == (0, 0)
    });
}

#[test]
fn functions_move_up_under_stress() {
    for sync in [false, true] {
        let mut config = Config::new();
        config.tiering_budget(1000).sync_tier_up(sync).code_gc_stress(true).threads(3);
        let engine = Engine::new(&config).unwrap();
        for salt in [5, 40] {
            let module = Module::new(&engine, chain(30, salt)).unwrap();
            run(&engine, &module, salt, 8);
        }
        let statistics = engine.statistics();
        assert!(statistics.code_gc.collections > 0 && statistics.code_gc.freed > 0, "{statistics:?}");
        super::wait_for("replaced code to go", || {
            engine.collect_code();
            engine.statistics().retired_bytes == 0
        });
    }
}

#[test]
fn code_is_flushed_under_stress() {
    let mut config = Config::new();
    config.tiering_budget(1000).code_gc_stress(true).max_code_bytes(Some(20_000)).threads(2);
    let engine = Engine::new(&config).unwrap();
    let module = Module::new(&engine, chain(30, 20)).unwrap();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                engine.flush_code();
                module.flush_code();
                thread::yield_now();
            }
        });
        run(&engine, &module, 20, 8);
        done.store(true, Ordering::Relaxed);
    });
    gone(&module);
}

/// Stores that go in and out of the host, through host functions that call Wasm again, while code goes away under them.
#[test]
fn calls_nest_under_stress() {
    let mut config = Config::new();
    config.tiering_budget(300).code_gc_stress(true).threads(2);
    let engine = Engine::new(&config).unwrap();
    let module = Module::new(
        &engine,
        r#"(module (import "" "again" (func $again (param i32) (result i32)))
            (func (export "f") (param i32) (result i32)
                (if (result i32) (local.get 0)
                    (then (i32.add (call $again (i32.sub (local.get 0) (i32.const 1))) (i32.const 1)))
                    (else (i32.const 0)))))"#,
    )
    .unwrap();
    let mut linker = Linker::new(&engine);
    let same = module.clone();
    linker
        .func_wrap("", "again", move |mut caller: upshift::Caller<'_, ()>, n: i32| {
            if n % 3 == 0 {
                same.flush_code();
            }
            let f = caller.get_export("f").unwrap().into_func().unwrap().typed::<i32, i32>(&caller)?;
            f.call(&mut caller, n)
        })
        .unwrap();
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut store = Store::new(&engine, ());
                let instance = linker.instantiate(&mut store, &module).unwrap();
                let f = instance.get_typed_func::<i32, i32>(&mut store, "f").unwrap();
                for depth in 0..25 {
                    assert_eq!(f.call(&mut store, depth).unwrap(), depth);
                }
            });
        }
    });
    gone(&module);
}
