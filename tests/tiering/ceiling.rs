//! Code that is dropped for want of room, or because better code took its place, is freed when no stack holds it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use upshift::{Caller, Config, Engine, Instance, Linker, Module, Store, TierChoice};

use super::{at_once, chain, chain_result, instantiate};

#[test]
fn code_stays_below_the_ceiling() {
    for tier in TierChoice::ALL {
        let engine = Engine::new(Config::new().tier(*tier).max_code_bytes(Some(60_000))).unwrap();
        let (module, mut store, instance) = instantiate(&engine, &chain(600, 3));
        // Each call runs a few functions of its own.
        for round in 0..3 {
            for first in (0..600).step_by(7).rev() {
                let run = instance.get_typed_func::<i32, i32>(&mut store, &first.to_string()).unwrap();
                if first > 590 || round == 0 && first % 100 == 0 {
                    assert_eq!(run.call(&mut store, 0).unwrap(), chain_result(600 - first, 3));
                }
            }
        }
        (0..5).for_each(|_| {
            let run = instance.get_typed_func::<i32, i32>(&mut store, "500").unwrap();
            assert_eq!(run.call(&mut store, 0).unwrap(), chain_result(100, 3));
        });
        // What was on the stack may be beyond it; after the call it can be freed.
        engine.collect_code();
        let statistics = module.statistics();
        assert!(statistics.tiering.flushed > 0 && statistics.freed_bytes > 0, "{tier:?}: {statistics:?}");
        assert_eq!(statistics.retired_bytes, 0);
        assert!(statistics.code_bytes < 60_000, "{tier:?}: {statistics:?}");
    }
}

#[test]
fn an_absurd_ceiling_is_slow_and_right() {
    for (sync, stress) in [(false, false), (false, true), (true, false), (true, true)] {
        let mut config = Config::new();
        // Under stress it is taken by the letter.
        config.max_code_bytes(Some(1)).tiering_budget(100).sync_tier_up(sync).code_gc_stress(stress);
        let engine = Engine::new(&config).unwrap();
        let (_module, mut store, instance) = instantiate(&engine, &chain(30, 10));
        let run = instance.get_typed_func::<i32, i32>(&mut store, "0").unwrap();
        (0..20).for_each(|_| assert_eq!(run.call(&mut store, 0).unwrap(), chain_result(30, 10)));
    }
}

/// A function that calls `functions` others in turn, so many times each.
fn in_turn(functions: usize, rounds: usize) -> String {
    let elements: String = (0..functions).map(|n| format!("{n} ")).collect();
    let calls = functions * rounds;
    let mut text = format!("(module (type $t (func (param i32) (result i32))) (table funcref (elem {elements}))");
    for n in 0..functions {
        text += &format!("(func (param i32) (result i32) (i32.add (local.get 0) (i32.const {n})))");
    }
    text + &format!(
        r#"(func (export "run") (result i32) (local i32 i32)
            (loop
                (local.set 0 (call_indirect (type $t) (local.get 0) (i32.rem_u (local.get 1) (i32.const {functions}))))
                (local.set 1 (i32.add (local.get 1) (i32.const 1)))
                (br_if 0 (i32.lt_u (local.get 1) (i32.const {calls}))))
            (local.get 0)))"#
    )
}

/// What the ceiling takes away is needed again at once, and yet there are many compilations to a collection.
#[test]
fn a_ceiling_far_below_what_is_needed_costs_compilations_and_little_else() {
    const LEAST: usize = 16 << 10;
    for (functions, rounds) in [(3, 2000), (1000, 4)] {
        let engine = Engine::new(Config::new().tier(TierChoice::Baseline).max_code_bytes(Some(1))).unwrap();
        let (module, mut store, instance) = instantiate(&engine, &in_turn(functions, rounds));
        let run = instance.get_typed_func::<(), i32>(&mut store, "run").unwrap();
        let expected = (0..functions).sum::<usize>() * rounds;
        assert_eq!(run.call(&mut store, ()).unwrap(), expected as i32);
        let (compiled, code_gc) = (module.statistics().baseline.compiled, engine.statistics().code_gc);
        if functions == 3 {
            assert_eq!((compiled, code_gc.collections), (4, 0));
        } else {
            // Most calls are of functions that have just lost their code.
            assert!(compiled > functions * rounds * 9 / 10, "{compiled}");
            assert!(code_gc.collections > 0 && code_gc.collections < compiled as u64 / 20, "{code_gc:?}, {compiled}");
        }
        // By the last function, and by what a collection is not worth while for.
        let bytes = module.statistics().code_bytes;
        assert!(bytes < LEAST + LEAST / 8 + 1000, "{bytes} bytes");
    }
}

#[test]
fn replaced_code_is_freed() {
    let engine = Engine::new(&at_once()).unwrap();
    let (module, mut store, instance) = instantiate(&engine, &chain(50, 30));
    let run = instance.get_typed_func::<i32, i32>(&mut store, "0").unwrap();
    (0..20).for_each(|_| assert_eq!(run.call(&mut store, 0).unwrap(), chain_result(50, 30)));
    engine.collect_code();
    let statistics = module.statistics();
    assert_eq!((statistics.retired_bytes, statistics.baseline.code_bytes, statistics.baseline.functions), (0, 0, 0));
    assert!(statistics.freed_bytes > 0);
    assert_eq!(run.call(&mut store, 0).unwrap(), chain_result(50, 30));
}

/// `outer` calls the host, which flushes and frees code while `outer` is on the stack.
#[test]
fn code_on_a_stack_stays() {
    let engine = Engine::default();
    let module = Module::new(
        &engine,
        r#"(module (import "" "host" (func $host (param i32)))
            (func $outer (export "outer") (param i32) (result i32)
                (call $host (local.get 0))
                (if (result i32) (local.get 0)
                    (then (i32.add (call $outer (i32.sub (local.get 0) (i32.const 1))) (i32.const 1)))
                    (else (i32.const 0)))))"#,
    )
    .unwrap();
    let mut linker = Linker::new(&engine);
    let same = module.clone();
    linker
        .func_wrap("", "host", move |caller: Caller<'_, ()>, _: i32| {
            same.flush_code();
            assert_eq!(caller.engine().collect_code(), 0);
        })
        .unwrap();
    let mut store = Store::new(&engine, ());
    let instance = linker.instantiate(&mut store, &module).unwrap();
    let outer = instance.get_typed_func::<i32, i32>(&mut store, "outer").unwrap();
    assert_eq!(outer.call(&mut store, 50).unwrap(), 50);
    engine.collect_code();
    assert_eq!((module.statistics().retired_bytes, module.statistics().code_bytes), (0, 0));
    assert_eq!(outer.call(&mut store, 5).unwrap(), 5);
}

#[test]
fn code_is_flushed_and_freed_under_running_threads() {
    let engine = Engine::new(Config::new().tiering_budget(3000).threads(3)).unwrap();
    let module = Module::new(&engine, chain(40, 20)).unwrap();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let runners: Vec<_> = (0..3)
            .map(|number| {
                let (engine, module) = (&engine, &module);
                scope.spawn(move || {
                    for _ in 0..40 {
                        let mut store = Store::new(engine, ());
                        let instance = Instance::new(&mut store, module, &[]).unwrap();
                        let first = number * 3;
                        let run = instance.get_typed_func::<i32, i32>(&mut store, &first.to_string()).unwrap();
                        for _ in 0..10 {
                            assert_eq!(run.call(&mut store, 0).unwrap(), chain_result(40 - first, 20));
                        }
                    }
                })
            })
            .collect();
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                module.flush_code();
                thread::yield_now();
            }
        });
        runners.into_iter().for_each(|runner| runner.join().unwrap());
        done.store(true, Ordering::Relaxed);
    });
    module.flush_code();
    assert_eq!(module.statistics().retired_bytes, 0);
    assert!(engine.statistics().code_gc.freed > 0);
}

#[test]
fn full_code_memory_makes_room() {
    let engine = Engine::new(Config::new().code_memory_size(256 << 10)).unwrap();
    for salt in 1..4 {
        // More code than fits at once.
        let (module, mut store, instance) = instantiate(&engine, &chain(4000, salt));
        for first in (0..4000).step_by(10).rev() {
            module.compile_function(first).unwrap();
        }
        let run = instance.get_typed_func::<i32, i32>(&mut store, "3900").unwrap();
        assert_eq!(run.call(&mut store, 0).unwrap(), chain_result(100, salt));
    }
}
