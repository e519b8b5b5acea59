//! What other threads do to a store while its Wasm runs: post tasks to it, and end it. Programs must not notice the former,
//! whatever tier they are in, and whether they are caught in a prologue, in a loop, or in the host.

use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use upshift::{Config, Engine, Error, Func, Instance, Module, Store, StoreHandle, TierChoice, Trap, V128, Val};

use super::panic_of;

/// Both tiers alone, and together: as usual, at once, and with OSR entries that come and go.
fn engines() -> Vec<Engine> {
    let mut configs = vec![Config::new(); 6];
    configs[0].tier(TierChoice::Baseline);
    configs[1].tier(TierChoice::Optimizing);
    configs[2].tier(TierChoice::Optimizing).consume_fuel(true).epoch_interruption(true);
    configs[4].tiering_budget(1);
    configs[5].tiering_budget(1).sync_tier_up(true);
    configs.iter().map(|config| Engine::new(config).unwrap()).collect()
}

fn instantiate<T>(engine: &Engine, data: T, text: &str) -> (Store<T>, Instance) {
    let module = Module::new(engine, text).unwrap();
    let mut store = Store::new(engine, data);
    let _ = store.set_fuel(u64::MAX);
    store.set_epoch_deadline(u64::MAX);
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    (store, instance)
}

/// Does `disturb` over and over on another thread while `work` runs here.
fn disturbed<R>(disturb: impl Fn() + Sync, work: impl FnOnce() -> R) -> R {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                disturb();
            }
        });
        /// Also when `work` panics.
        struct Done<'a>(&'a AtomicBool);
        impl Drop for Done<'_> {
            fn drop(&mut self) {
                self.0.store(true, Ordering::Relaxed);
            }
        }
        let _done = Done(&done);
        work()
    })
}

fn assert_trap<R: std::fmt::Debug>(result: upshift::Result<R>, trap: Trap) {
    assert_eq!(result.unwrap_err().downcast_ref::<Trap>(), Some(&trap));
}

const ENDLESS: &str = r#"(module
    (func (export "loop") (loop (br 0)))
    (func (export "loops") (local i64)
        (loop
            (local.set 0 (i64.const 100))
            (loop (br_if 0 (i32.wrap_i64 (local.tee 0 (i64.sub (local.get 0) (i64.const 1))))))
            (br 0)))
    (func $leaf (param i32) (result i32) (i32.xor (local.get 0) (i32.const 1)))
    (func (export "leaves") (local i32)
        (loop (local.set 0 (call $leaf (local.get 0))) (br_if 0 (i32.const 1))))
    (func $tail (export "tail") (return_call $tail))
    (func $even (export "tails") (return_call $odd (i32.const 1)))
    (func $odd (param i32) (return_call $even))
    (func $fib (param i32) (result i32)
        (if (result i32) (i32.lt_u (local.get 0) (i32.const 2))
            (then (local.get 0))
            (else (i32.add
                (call $fib (i32.sub (local.get 0) (i32.const 1)))
                (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
    (func (export "recursion") (drop (call $fib (i32.const 200))))
    (table funcref (elem $tail $leaf))
    (type $nothing (func))
    (func (export "indirect") (return_call_indirect (type $nothing) (i32.const 0)))
    (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))"#;

#[test]
fn whatever_has_no_end_is_terminated() {
    for engine in engines() {
        let (mut store, instance) = instantiate(&engine, (), ENDLESS);
        let add = instance.get_typed_func::<(i32, i32), i32>(&mut store, "add").unwrap();
        let handle = store.handle();
        for name in ["loop", "loops", "leaves", "tail", "tails", "recursion", "indirect"] {
            let run = instance.get_typed_func::<(), ()>(&mut store, name).unwrap();
            let terminate = || {
                thread::sleep(Duration::from_millis(3));
                handle.terminate();
            };
            let outcome = disturbed(terminate, || run.call(&mut store, ()));
            assert_trap(outcome, Trap::Interrupt);
            // Nobody is under way: later calls are not affected.
            handle.terminate();
            assert_eq!(add.call(&mut store, (2, 3)).unwrap(), 5);
        }
    }
}

#[test]
fn a_task_ends_what_has_no_end() {
    for engine in engines() {
        let (mut store, instance) = instantiate(&engine, 0, ENDLESS);
        for (count, name) in (1..).zip(["loop", "loops", "leaves", "tail", "recursion"]) {
            let run = instance.get_typed_func::<(), ()>(&mut store, name).unwrap();
            let handle = store.handle();
            thread::scope(|scope| {
                scope.spawn(move || {
                    thread::sleep(Duration::from_millis(3));
                    assert!(handle.post(|mut store| {
                        *store.data_mut() += 1;
                        Err(Error::msg("enough"))
                    }));
                });
                assert_eq!(run.call(&mut store, ()).unwrap_err().root_cause().to_string(), "enough");
            });
            assert_eq!(*store.data(), count);
            let handle = store.handle();
            thread::scope(|scope| {
                scope.spawn(move || handle.post(|_| panic!("too long")));
                assert_eq!(panic_of(|| run.call(&mut store, ())), "too long");
            });
        }
    }
}

/// Parameters in every kind of place: integers, floats and vectors in registers and on the stack, results in registers and
/// in a buffer; called directly, by tail calls, and through a table, with a loop in between.
const CHECKSUM: &str = r#"(module
    (type $many (func
        (param i32 i64 f32 f64 v128 i32 i64 f32 f64 v128 i32 i64 f32 f64 v128 i32 i64 f32 f64 v128 f32 f64 i32)
        (result i64 f64 v128 i32 f32)))
    (table funcref (elem $many $turn))
    (func $many (type $many) (local $i i32)
        (if (i32.eqz (local.get 22))
            (then (return
                (i64.add (i64.extend_i32_s (i32.add (local.get 0) (i32.mul (local.get 5) (local.get 15))))
                    (i64.add (local.get 1) (i64.mul (local.get 6) (i64.xor (local.get 11) (local.get 16)))))
                (f64.add (local.get 3) (f64.mul (local.get 8) (f64.add (local.get 13)
                    (f64.add (local.get 18) (local.get 21)))))
                (v128.xor (i64x2.add (local.get 4) (local.get 9)) (i32x4.sub (local.get 14) (local.get 19)))
                (i32.add (local.get 10) (local.get 15))
                (f32.add (local.get 2) (f32.add (local.get 7) (f32.mul (local.get 12)
                    (f32.add (local.get 17) (local.get 20))))))))
        (local.set $i (i32.const 3))
        (loop (br_if 0 (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
        (call_indirect (type $many)
            (i32.mul (local.get 0) (i32.const 17)) (i64.add (local.get 1) (i64.const 3))
            (f32.add (local.get 2) (f32.const 0.5)) (f64.mul (local.get 3) (f64.const 1.25))
            (i32x4.add (local.get 4) (v128.const i32x4 1 2 3 4)) (i32.add (local.get 5) (local.get 22))
            (local.get 6) (local.get 7) (local.get 8) (local.get 9) (local.get 10) (local.get 11) (local.get 12)
            (local.get 13) (i64x2.sub (local.get 14) (local.get 19)) (local.get 15) (i64.rotl (local.get 16) (i64.const 5))
            (local.get 17) (local.get 18) (i8x16.add (local.get 19) (local.get 4)) (local.get 20) (local.get 21)
            (i32.sub (local.get 22) (i32.const 1))
            (i32.rem_u (local.get 22) (i32.const 2))))
    (func $turn (type $many)
        (return_call $many
            (i32.xor (local.get 0) (local.get 10)) (local.get 16) (local.get 20) (local.get 21) (local.get 19)
            (local.get 15) (local.get 6) (local.get 17) (local.get 8) (local.get 9) (local.get 10) (local.get 11)
            (local.get 12) (local.get 13) (local.get 14) (local.get 5) (local.get 1) (local.get 7) (local.get 18)
            (local.get 4) (local.get 2) (local.get 3) (local.get 22)))
    (func (export "run") (param $n i32) (param $depth i32) (result i64 f64 v128 i32 f32)
        (local $a i64) (local $b f64) (local $c v128) (local $d i32) (local $e f32)
        (loop
            (call $many (local.get $n) (i64.const -5) (f32.const 1.5) (f64.const -2.25) (v128.const i64x2 7 -8)
                (i32.const 11) (i64.const 13) (f32.const 17) (f64.const 0.125) (v128.const i64x2 -1 1000000007)
                (local.get $d) (local.get $a) (f32.const 0.25) (f64.const 3) (local.get $c)
                (i32.const 23) (i64.const 29) (f32.const 0.75) (f64.const 0.5) (v128.const i32x4 9 8 7 6)
                (f32.const -3) (f64.const 31) (local.get $depth))
            (local.set $e (f32.add (local.get $e)))
            (local.set $d (i32.add (local.get $d)))
            (local.set $c (i64x2.add (local.get $c)))
            (local.set $b (f64.add (local.get $b)))
            (local.set $a (i64.add (i64.mul (local.get $a) (i64.const 31))))
            (br_if 0 (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (local.get $a) (local.get $b) (local.get $c) (local.get $d) (local.get $e)))"#;

/// Calls `run` of [`CHECKSUM`]; gives the bits of the results.
fn checksum(store: &mut Store<usize>, instance: &Instance, n: i32, depth: i32) -> String {
    let run = instance.get_func(&mut *store, "run").unwrap();
    let mut results = [Val::I64(0), Val::F64(0), Val::V128(V128::from(0)), Val::I32(0), Val::F32(0)];
    run.call(store, &[Val::I32(n), Val::I32(depth)], &mut results).unwrap();
    format!("{results:?}")
}

#[test]
fn programs_do_not_notice_tasks() {
    let mut seen = Vec::new();
    for engine in engines() {
        let (mut store, instance) = instantiate(&engine, 0, CHECKSUM);
        let expected = checksum(&mut store, &instance, 400, 12);
        seen.push(expected.clone());
        let handle = store.handle();
        for pause in [0, 1, 20, 100] {
            let post = || {
                if handle.waiting() == 0 {
                    assert!(handle.post(|mut store| {
                        *store.data_mut() += 1;
                        Ok(())
                    }));
                }
                thread::sleep(Duration::from_micros(pause));
            };
            *store.data_mut() = 0;
            disturbed(post, || {
                while *store.data() < 100 {
                    assert_eq!(checksum(&mut store, &instance, 400, 12), expected);
                }
            });
        }
    }
    assert!(seen.iter().all(|result| *result == seen[0]), "{seen:#?}");
}

/// A loop with more live values of each kind than there are registers, and a global, a memory and a table that tasks change.
fn pressure() -> String {
    let range = 0..20;
    let locals: String = range.clone().map(|_| "(local i64 v128 f64)".to_string()).collect();
    let each = |body: &dyn Fn(u32, u32) -> String| -> String {
        range.clone().map(|n| body(2 + 3 * n, 2 + 3 * ((n + 1) % 20))).collect()
    };
    let step = each(&|at, next| {
        format!(
            "(local.set {at} (i64.add (i64.rotl (local.get {at}) (i64.const 7)) (local.get {next})))
             (local.set {} (i64x2.add (local.get {}) (i8x16.swizzle (local.get {}) (local.get {}))))
             (local.set {} (f64.add (f64.mul (local.get {}) (f64.const 0.5)) (local.get {})))",
            at + 1,
            at + 1,
            next + 1,
            at + 1,
            at + 2,
            at + 2,
            next + 2
        )
    });
    let start = each(&|at, _| {
        format!(
            "(local.set {at} (i64.const {at})) (local.set {} (i64x2.splat (i64.const {at})))
             (local.set {} (f64.const {at}))",
            at + 1,
            at + 2
        )
    });
    let sum = each(&|at, _| {
        format!(
            "(local.get {at}) i64.xor (i64x2.extract_lane 0 (local.get {})) i64.add
             (i64x2.extract_lane 1 (local.get {})) i64.xor (i64.reinterpret_f64 (local.get {})) i64.add",
            at + 1,
            at + 1,
            at + 2
        )
    });
    format!(
        r#"(module (memory (export "memory") 1 100) (global $g (mut i64) (i64.const 0))
        (func (export "run") (param $n i32) (param $unused i32) (result i64) {locals} {start}
            (i64.store (i32.const 8) (i64.const 0))
            (global.set $g (i64.const 0))
            (loop {step}
                (i64.store (i32.const 8) (i64.add (i64.load (i32.const 8)) (i64.const 1)))
                (global.set $g (i64.add (global.get $g) (i64.const 1)))
                (br_if 0 (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
            (i64.mul (i64.load (i32.const 8)) (global.get $g)) {sum}))"#
    )
}

#[test]
fn loops_keep_what_is_in_registers_while_tasks_grow_the_memory() {
    let mut seen = Vec::new();
    for mut config in [TierChoice::Baseline, TierChoice::Optimizing, TierChoice::Auto].map(|tier| {
        let mut config = Config::new();
        config.tier(tier).tiering_budget(1000);
        config
    }) {
        for guard_pages in [true, false] {
            let engine = Engine::new(config.guard_pages(guard_pages)).unwrap();
            let (mut store, instance) = instantiate(&engine, 0, &pressure());
            let memory = instance.get_memory(&mut store, "memory").unwrap();
            let run = instance.get_typed_func::<(i32, i32), i64>(&mut store, "run").unwrap();
            let expected = run.call(&mut store, (20_000, 0)).unwrap();
            seen.push(expected);
            let handle = store.handle();
            let post = || {
                if handle.waiting() == 0 {
                    assert!(handle.post(move |mut store| {
                        *store.data_mut() += 1;
                        if memory.size(&store) < 100 {
                            memory.grow(&mut store, 1)?;
                        }
                        Ok(())
                    }));
                }
                thread::sleep(Duration::from_micros(100));
            };
            disturbed(post, || {
                while *store.data() < 120 {
                    assert_eq!(run.call(&mut store, (20_000, 0)).unwrap(), expected);
                }
            });
        }
    }
    assert!(seen.iter().all(|&sum| sum == seen[0]), "{seen:?}");
}

#[test]
fn tasks_call_wasm_in_the_middle_of_wasm() {
    for engine in engines() {
        let (mut store, instance) = instantiate(&engine, 0, CHECKSUM);
        let expected = checksum(&mut store, &instance, 200, 9);
        let run = instance.get_func(&mut store, "run").unwrap();
        let handle = store.handle();
        let post = || {
            if handle.waiting() == 0 {
                let sent = handle.post(move |mut store| {
                    let mut results = [Val::I64(0), Val::F64(0), Val::V128(V128::from(0)), Val::I32(0), Val::F32(0)];
                    run.call(&mut store, &[Val::I32(3), Val::I32(7)], &mut results)?;
                    *store.data_mut() += 1;
                    Ok(())
                });
                assert!(sent);
            }
            thread::sleep(Duration::from_micros(200));
        };
        disturbed(post, || {
            while *store.data() < 50 {
                assert_eq!(checksum(&mut store, &instance, 200, 9), expected);
            }
        });
    }
}

#[test]
fn every_task_of_eight_threads_is_run_once() {
    const TASKS: usize = 200;
    for engine in engines() {
        let (mut store, instance) = instantiate(&engine, 0, ENDLESS);
        let run = instance.get_typed_func::<(), ()>(&mut store, "loops").unwrap();
        let handle = store.handle();
        thread::scope(|scope| {
            for _ in 0..8 {
                let handle = handle.clone();
                scope.spawn(move || {
                    for _ in 0..TASKS {
                        let sent = handle.post(|mut store| {
                            *store.data_mut() += 1;
                            if *store.data() == 8 * TASKS { Err(Error::msg("all")) } else { Ok(()) }
                        });
                        assert!(sent);
                    }
                });
            }
            assert_eq!(run.call(&mut store, ()).unwrap_err().root_cause().to_string(), "all");
        });
        assert_eq!(*store.data(), 8 * TASKS);
        assert_eq!(store.poll().unwrap(), 0);
    }
}

#[test]
fn the_stack_overflows_as_ever() {
    let text = r#"(module
        (func $deep (export "deep") (param i64 f64) (result i64)
            (i64.add (call $deep (i64.add (local.get 0) (i64.const 1)) (local.get 1)) (local.get 0)))
        (func (export "end") (result i32) (i32.const 3)))"#;
    for engine in engines() {
        let (mut store, instance) = instantiate(&engine, 0u64, text);
        let deep = instance.get_typed_func::<(i64, f64), i64>(&mut store, "deep").unwrap();
        let end = instance.get_typed_func::<(), i32>(&mut store, "end").unwrap();
        let handle = store.handle();
        let post = || {
            let _ = handle.waiting() == 0
                && handle.post(|mut store| {
                    *store.data_mut() += 1;
                    Ok(())
                });
            thread::sleep(Duration::from_micros(50));
        };
        disturbed(post, || {
            while *store.data() < 100 {
                assert_trap(deep.call(&mut store, (0, 0.5)), Trap::StackOverflow);
                assert_eq!(end.call(&mut store, ()).unwrap(), 3);
            }
        });
    }
}

const BLOCKING: &str = r#"(module
    (import "" "block" (func $block (param i32) (result i32)))
    (func (export "run") (param i32) (result i32) (i32.add (call $block (local.get 0)) (i32.const 100))))"#;

/// A store whose `run` calls a host function that waits for a word from outside, once it has said that it is there.
fn blocking(engine: &Engine) -> (Store<Vec<&'static str>>, Instance, mpsc::Receiver<()>, mpsc::Sender<()>) {
    let module = Module::new(engine, BLOCKING).unwrap();
    let mut store = Store::new(engine, Vec::new());
    let (arrived, there) = mpsc::channel();
    let (go_on, word) = mpsc::channel();
    let ends = Mutex::new((arrived, word));
    let block = Func::wrap(&mut store, move |n: i32| {
        let ends = ends.lock().unwrap();
        // The second time nobody listens.
        let _ = ends.0.send(());
        ends.1.recv().unwrap();
        n
    });
    let instance = Instance::new(&mut store, &module, &[block.into()]).unwrap();
    (store, instance, there, go_on)
}

#[test]
fn tasks_wait_for_host_functions_and_idle_ones_for_wasm() {
    let engine = Engine::default();
    let (mut store, instance, there, go_on) = blocking(&engine);
    let run = instance.get_typed_func::<i32, i32>(&mut store, "run").unwrap();
    let handle = store.handle();
    thread::scope(|scope| {
        let (handle, go_on) = (&handle, go_on.clone());
        scope.spawn(move || {
            there.recv().unwrap();
            assert!(handle.post_idle(|mut store| {
                store.data_mut().push("idle");
                Ok(())
            }));
            assert!(handle.post(|mut store| {
                store.data_mut().push("first");
                Ok(())
            }));
            assert!(handle.post(|mut store| {
                store.data_mut().push("second");
                Ok(())
            }));
            assert_eq!(handle.waiting(), 3);
            go_on.send(()).unwrap();
        });
        assert_eq!(run.call(&mut store, 1).unwrap(), 101);
    });
    assert_eq!(*store.data(), ["first", "second"]);
    assert_eq!(store.poll().unwrap(), 1);
    assert_eq!(*store.data(), ["first", "second", "idle"]);
    // At the next call, before it begins.
    assert!(handle.post_idle(|mut store| {
        store.data_mut().push("before");
        Ok(())
    }));
    go_on.send(()).unwrap();
    assert_eq!(run.call(&mut store, 2).unwrap(), 102);
    assert_eq!(store.data().last(), Some(&"before"));
}

#[test]
fn what_waits_in_the_host_is_terminated_when_it_comes_back() {
    let engine = Engine::default();
    let (mut store, instance, there, go_on) = blocking(&engine);
    let run = instance.get_typed_func::<i32, i32>(&mut store, "run").unwrap();
    let handle = store.handle();
    thread::scope(|scope| {
        let (handle, go_on) = (&handle, go_on.clone());
        scope.spawn(move || {
            there.recv().unwrap();
            handle.terminate();
            go_on.send(()).unwrap();
        });
        assert_trap(run.call(&mut store, 1), Trap::Interrupt);
    });
    go_on.send(()).unwrap();
    assert_eq!(run.call(&mut store, 2).unwrap(), 102);
}

#[test]
fn a_host_function_cannot_hide_a_termination() {
    let text = r#"(module
        (import "" "again" (func $again (param i32)))
        (func (export "run") (param i32)
            (if (local.get 0) (then (call $again (i32.sub (local.get 0) (i32.const 1)))))
            (loop (br 0))))"#;
    let engine = Engine::default();
    let module = Module::new(&engine, text).unwrap();
    let mut store = Store::new(&engine, (None::<Func>, 0));
    let again = Func::wrap(&mut store, |mut caller: upshift::Caller<'_, (Option<Func>, i32)>, depth: i32| {
        let run = caller.data().0.unwrap().typed::<i32, ()>(&caller).unwrap();
        // Hides the first, and gets no further by trying again.
        for _ in 0..2 {
            assert_trap(run.call(&mut caller, depth), Trap::Interrupt);
            caller.data_mut().1 += 1;
        }
    });
    let instance = Instance::new(&mut store, &module, &[again.into()]).unwrap();
    store.data_mut().0 = instance.get_func(&mut store, "run");
    let run = instance.get_typed_func::<i32, ()>(&mut store, "run").unwrap();
    let handle = store.handle();
    for depth in [0, 1, 7] {
        store.data_mut().1 = 0;
        let terminate = || {
            thread::sleep(Duration::from_millis(5));
            handle.terminate();
        };
        let outcome = disturbed(terminate, || run.call(&mut store, depth));
        assert_trap(outcome, Trap::Interrupt);
        assert!(store.data().1 <= 2 * depth);
    }
}

#[test]
fn polling_runs_tasks_in_order_and_not_inside_each_other() {
    let mut store = Store::new(&Engine::default(), Vec::new());
    let handle = store.handle();
    let note = |handle: &StoreHandle<Vec<i32>>, n: i32| {
        let again = handle.clone();
        handle.post(move |mut store| {
            store.data_mut().push(n);
            if n == 2 {
                again.post(|mut store| {
                    store.data_mut().push(20);
                    Ok(())
                });
                assert_eq!(store.poll()?, 0, "inside a task");
            }
            if n == 3 { Err(Error::msg("three")) } else { Ok(()) }
        })
    };
    assert!(handle.post_idle(|mut store| {
        store.data_mut().push(0);
        Ok(())
    }));
    assert!((1..=4).all(|n| note(&handle, n)));
    assert_eq!(store.poll().unwrap_err().to_string(), "three");
    assert_eq!(*store.data(), [1, 2, 3]);
    assert_eq!(store.poll().unwrap(), 3);
    assert_eq!(*store.data(), [1, 2, 3, 4, 20, 0]);
    handle.post(|_| panic!("no"));
    handle.post(|mut store| {
        store.data_mut().push(5);
        Ok(())
    });
    assert_eq!(panic_of(|| store.poll()), "no");
    assert_eq!(store.poll().unwrap(), 1);
}

/// Counts wakes.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_waker_is_woken_by_a_task_and_by_the_end() {
    let mut store = Store::new(&Engine::default(), 0);
    let handle = store.handle();
    let count = Arc::new(Count::default());
    let waker = Waker::from(Arc::clone(&count));
    let woken = || count.0.load(Ordering::Relaxed);
    let mut context = Context::from_waker(&waker);
    let mut ready = Box::pin(handle.ready());
    assert_eq!((ready.as_mut().poll(&mut context), woken()), (Poll::Pending, 0));
    handle.post(|mut store| {
        *store.data_mut() += 1;
        Ok(())
    });
    handle.post_idle(|mut store| {
        *store.data_mut() += 1;
        Ok(())
    });
    assert_eq!((ready.as_mut().poll(&mut context), woken()), (Poll::Ready(true), 1));
    assert_eq!(store.poll().unwrap(), 2);
    let mut ready = Box::pin(handle.ready());
    assert_eq!(ready.as_mut().poll(&mut context), Poll::Pending);
    assert!(!handle.is_closed());
    // A task that is never run is dropped with the store, and not lost before.
    let held = Arc::new(());
    let weak = Arc::downgrade(&held);
    handle.set_waker(waker.clone());
    handle.post(move |_| {
        drop(held);
        Ok(())
    });
    assert!(woken() >= 2 && weak.strong_count() == 1);
    drop(store);
    assert_eq!(weak.strong_count(), 0);
    let mut ready = Box::pin(handle.ready());
    assert_eq!(ready.as_mut().poll(&mut context), Poll::Ready(false));
    assert!(handle.is_closed() && !handle.post(|_| Ok(())) && !handle.post_idle(|_| Ok(())));
    handle.terminate();
}

#[test]
fn a_store_that_moves_is_found_where_it_is() {
    let engine = Engine::new(Config::new().tiering_budget(1)).unwrap();
    let (mut store, instance) = instantiate(&engine, 0, CHECKSUM);
    let expected = checksum(&mut store, &instance, 300, 10);
    let handle = store.handle();
    let post = || {
        _ = handle.waiting() == 0
            && handle.post(|mut store| {
                *store.data_mut() += 1;
                Ok(())
            })
    };
    let store = disturbed(post, || {
        for size in [512 << 10, 4 << 20, 256 << 10, 1 << 20] {
            let expected = expected.clone();
            let work = move || {
                assert_eq!(checksum(&mut store, &instance, 300, 10), expected);
                store
            };
            store = thread::Builder::new().stack_size(size).spawn(work).unwrap().join().unwrap();
        }
        store
    });
    assert!(*store.data() > 0);
}
