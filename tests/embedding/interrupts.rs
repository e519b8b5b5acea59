//! Fuel and epochs: how a host bounds what runs.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use upshift::{Config, Engine, Error, Instance, Module, Store, Trap, TypedFunc, UpdateDeadline};

use super::panic_of;

const LOOPS: &str = r#"(module
    (func (export "count") (param $n i32) (result i32)
        (local $i i32)
        (loop $again
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $again (i32.lt_u (local.get $i) (local.get $n))))
        (local.get $i))
    (func $deep (export "deep") (param i32) (result i32)
        (if (result i32) (local.get 0) (then (call $deep (i32.sub (local.get 0) (i32.const 1)))) (else (i32.const 1))))
    (func $tail (export "tail") (return_call $tail))
    (func (export "spin") (loop (br 0))))"#;

fn looping(config: &mut Config) -> (Store<u32>, Instance) {
    let engine = Engine::new(config).unwrap();
    let module = Module::new(&engine, LOOPS).unwrap();
    let mut store = Store::new(&engine, 0);
    store.set_epoch_deadline(1);
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    (store, instance)
}

fn assert_trap<T: std::fmt::Debug>(result: upshift::Result<T>, trap: Trap) {
    assert_eq!(result.unwrap_err().downcast_ref::<Trap>(), Some(&trap));
}

/// Fuel that a call takes.
fn fuel_of(store: &mut Store<u32>, func: &TypedFunc<i32, i32>, n: i32) -> u64 {
    store.set_fuel(1_000_000).unwrap();
    func.call(&mut *store, n).unwrap();
    1_000_000 - store.get_fuel().unwrap()
}

#[test]
fn fuel_is_exact_and_the_same_every_time() {
    let (mut store, instance) = looping(Config::new().consume_fuel(true));
    for name in ["count", "deep"] {
        let func = instance.get_typed_func::<i32, i32>(&mut store, name).unwrap();
        let used = [10, 11, 12].map(|n| fuel_of(&mut store, &func, n));
        assert_eq!(used[1] - used[0], used[2] - used[1], "{name}");
        assert!(used[1] > used[0] && used[0] < 200, "{name}: {used:?}");
        assert_eq!(fuel_of(&mut store, &func, 10), used[0], "{name}");
        // One unit more than is used is enough; much less is not.
        store.set_fuel(used[0] + 1).unwrap();
        func.call(&mut store, 10).unwrap();
        assert_eq!(store.get_fuel().unwrap(), 1, "{name}");
        for fuel in [0, 1, used[0] / 2] {
            store.set_fuel(fuel).unwrap();
            assert_trap(func.call(&mut store, 10), Trap::OutOfFuel);
            assert_eq!(store.get_fuel().unwrap(), 0, "{name}");
        }
        // Out of fuel is no end: with more of it the store goes on.
        assert_eq!(fuel_of(&mut store, &func, 10), used[0], "{name}");
    }
}

#[test]
fn fuel_ends_every_kind_of_repetition() {
    let (mut store, instance) = looping(Config::new().consume_fuel(true));
    for name in ["spin", "tail"] {
        let func = instance.get_typed_func::<(), ()>(&mut store, name).unwrap();
        store.set_fuel(100_000).unwrap();
        assert_trap(func.call(&mut store, ()), Trap::OutOfFuel);
        assert_eq!(store.get_fuel().unwrap(), 0);
    }
    let count = instance.get_typed_func::<i32, i32>(&mut store, "count").unwrap();
    store.set_fuel(u64::MAX).unwrap();
    assert_eq!(count.call(&mut store, 1000).unwrap(), 1000);
    let left = store.get_fuel().unwrap();
    assert!(left < u64::MAX && left > u64::MAX - 100_000);
}

#[test]
fn fuel_that_is_off_is_an_error() {
    let mut store = Store::<()>::default();
    assert!(store.get_fuel().is_err());
    assert!(store.set_fuel(1).is_err());
}

#[test]
fn an_epoch_ends_an_endless_loop_from_another_thread() {
    let (mut store, instance) = looping(Config::new().epoch_interruption(true));
    for name in ["spin", "tail"] {
        let func = instance.get_typed_func::<(), ()>(&mut store, name).unwrap();
        store.set_epoch_deadline(2);
        let (engine, done) = (store.engine().clone(), AtomicBool::new(false));
        thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    thread::sleep(Duration::from_millis(2));
                    engine.increment_epoch();
                }
            });
            assert_trap(func.call(&mut store, ()), Trap::Interrupt);
            done.store(true, Ordering::Relaxed);
        });
    }
    store.set_epoch_deadline(1_000_000);
    let count = instance.get_typed_func::<i32, i32>(&mut store, "count").unwrap();
    assert_eq!(count.call(&mut store, 10).unwrap(), 10);
}

#[test]
fn the_callback_of_a_deadline_decides() {
    let (mut store, instance) = looping(Config::new().epoch_interruption(true));
    let spin = instance.get_typed_func::<(), ()>(&mut store, "spin").unwrap();
    let count = instance.get_typed_func::<i32, i32>(&mut store, "count").unwrap();
    store.epoch_deadline_callback(move |mut context| {
        *context.data_mut() += 1;
        context.engine().increment_epoch();
        // A call within a call.
        context.set_epoch_deadline(1000);
        assert_eq!(count.call(&mut context, 3)?, 3);
        Ok(if *context.data() < 5 { UpdateDeadline::Continue(1) } else { UpdateDeadline::Interrupt })
    });
    store.engine().increment_epoch();
    // Each call of the callback moves the epoch on before it sets the next deadline, so another thread has to.
    let engine = store.engine().clone();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                engine.increment_epoch();
                thread::yield_now();
            }
        });
        assert_trap(spin.call(&mut store, ()), Trap::Interrupt);
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!(*store.data(), 5);

    store.epoch_deadline_callback(|_| Err(Error::msg("enough")));
    store.set_epoch_deadline(0);
    assert_eq!(spin.call(&mut store, ()).unwrap_err().root_cause().to_string(), "enough");
    // A panic of the callback is the caller's, as that of a host function.
    store.epoch_deadline_callback(|_| panic!("too late"));
    store.set_epoch_deadline(0);
    assert_eq!(panic_of(|| spin.call(&mut store, ())), "too late");
    // The callback sets another one in its place.
    store.epoch_deadline_callback(|_| Err(Error::msg("last")));
    store.set_epoch_deadline(0);
    assert_eq!(spin.call(&mut store, ()).unwrap_err().root_cause().to_string(), "last");
}
