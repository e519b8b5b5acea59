//! Where collections happen: under stress at every safepoint, and while a store compiles, or asks its limiter, without it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use upshift::{Config, Engine, Instance, Linker, Module, ResourceLimiter, Result, Store, TierChoice};

use super::wait_for;

/// Collections so far.
fn collections(engine: &Engine) -> u64 {
    engine.statistics().code_gc.collections
}

#[test]
fn under_stress_every_safepoint_collects() {
    for (stress, expected) in [(false, [0; 4]), (true, [2, 3, 4, 7])] {
        for tier in [TierChoice::Baseline, TierChoice::Optimizing] {
            let engine = Engine::new(Config::new().tier(tier).code_gc_stress(stress)).unwrap();
            let module = Module::new(
                &engine,
                r#"(module (import "" "f" (func $f))
                    ;; No safepoint of its own, only entry and exit.
                    (func $leaf (export "leaf"))
                    (func (export "calls") (call $leaf) (call $leaf))
                    (func (export "loop") (local i32)
                        (local.set 0 (i32.const 100))
                        (call $leaf)
                        (loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
                    ;; The prologue, and each call of the host before and after.
                    (func (export "host") (call $f) (call $f)))"#,
            )
            .unwrap();
            let mut linker = Linker::new(&engine);
            linker.func_wrap("", "f", || ()).unwrap();
            let mut store = Store::new(&engine, ());
            let instance = linker.instantiate(&mut store, &module).unwrap();
            let mut count = |name| {
                let function = instance.get_typed_func::<(), ()>(&mut store, name).unwrap();
                // Compiled before, so that compilation is no occasion.
                function.call(&mut store, ()).unwrap();
                let before = collections(&engine);
                function.call(&mut store, ()).unwrap();
                collections(&engine) - before
            };
            let counts = ["leaf", "calls", "loop", "host"].map(&mut count);
            // After the prologue's, nothing offers the loop's.
            assert_eq!(counts, [expected[0], expected[1], expected[1], expected[3]], "{tier:?}");
        }
    }
}

/// A limiter that lets its store wait.
struct Waits {
    asked: Sender<()>,
    go: Receiver<()>,
}

impl ResourceLimiter for Waits {
    fn memory_growing(&mut self, current: usize, _: usize, _: Option<usize>) -> Result<bool> {
        if current > 0 {
            self.asked.send(()).unwrap();
            self.go.recv().unwrap();
        }
        Ok(true)
    }

    fn table_growing(&mut self, current: usize, _: usize, _: Option<usize>) -> Result<bool> {
        self.memory_growing(current, 0, None)
    }
}

#[test]
fn a_store_that_asks_its_limiter_is_answered_for() {
    let engine = Engine::default();
    let module = Module::new(
        &engine,
        r#"(module (memory 1) (table 1 funcref)
            (func $grow (result i32) (i32.add
                (memory.grow (i32.const 1))
                (table.grow (ref.null func) (i32.const 1))))
            (func (export "grow") (result i32) (i32.add (call $grow) (call $grow))))"#,
    )
    .unwrap();
    let ((asked, is_asked), (let_go, go)) = (channel(), channel());
    thread::scope(|scope| {
        let runs = scope.spawn(|| {
            let mut store = Store::new(&engine, Waits { asked, go });
            store.limiter(|waits| waits);
            let instance = Instance::new(&mut store, &module, &[]).unwrap();
            let grow = instance.get_typed_func::<(), i32>(&mut store, "grow").unwrap();
            assert_eq!(grow.call(&mut store, ()).unwrap(), 1 + 1 + 2 + 2);
        });
        for _ in 0..4 {
            is_asked.recv().unwrap();
            let (before, interrupted) = (collections(&engine), engine.statistics().code_gc.interrupted);
            module.flush_code();
            assert_eq!(collections(&engine), before + 1);
            assert_eq!(engine.statistics().code_gc.interrupted, interrupted);
            // What it is in stays.
            assert!(module.statistics().retired_bytes > 0);
            let_go.send(()).unwrap();
        }
        runs.join().unwrap();
    });
    module.flush_code();
    assert_eq!((module.statistics().retired_bytes, module.statistics().code_bytes), (0, 0));
}

/// A module with a function that takes long to compile.
fn long() -> String {
    let work = "(local.set 0 (i32.add (local.get 0) (i32.const 5)))".repeat(200_000);
    format!(r#"(module (func (export "f") (param i32) (result i32) {work} (local.get 0)))"#)
}

#[test]
fn a_store_that_compiles_is_answered_for() {
    let long = long();
    // On a machine that does other things as well, the moment may be missed.
    let seen = (0..10).any(|_| {
        let engine = Engine::new(Config::new().tier(TierChoice::Baseline).lazy_validation(true)).unwrap();
        let module = Module::new(&engine, &long).unwrap();
        let other = Module::new(&engine, "(module (func) (func))").unwrap();
        let begun = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut store = Store::new(&engine, ());
                let instance = Instance::new(&mut store, &module, &[]).unwrap();
                let f = instance.get_typed_func::<i32, i32>(&mut store, "f").unwrap();
                begun.store(true, Ordering::SeqCst);
                assert_eq!(f.call(&mut store, 1).unwrap(), 1_000_001);
            });
            wait_for("the call", || begun.load(Ordering::SeqCst));
            thread::sleep(Duration::from_millis(2));
            other.compile_all().unwrap();
            other.flush_code();
            let freed = other.statistics().code_bytes == 0;
            freed && engine.statistics().code_gc.interrupted == 0 && module.statistics().compiled == 0
        })
    });
    assert!(seen, "collections wait for a store that compiles");
}
