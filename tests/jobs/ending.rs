//! The engine goes with everything in flight: nobody hangs, nothing is left.

use std::thread;
use std::time::Duration;

use upshift::{Instance, Store, Strategy, TierChoice};

use super::*;

pub(crate) fn assert_gone(result: upshift::Result<Module>) {
    assert_eq!(result.unwrap_err().to_string(), "the engine was dropped before the module was made");
}

#[test]
fn futures_of_an_engine_that_is_gone_say_so() {
    let (gate, keeper) = Gate::new(is_decode);
    let (engine, pool) = by_hand(Config::new().event_listener(Some(gate)));
    // One that runs, two that wait for it, one that is done, one whose task waits, one that no task does.
    let running = Module::compile_async(&engine, wasm(1));
    let runner = {
        let pool = Arc::clone(&pool);
        thread::spawn(move || assert!(pool.run_next()))
    };
    keeper.wait();
    let waiting = [(); 2].map(|()| Module::compile_async(&engine, wasm(1)));
    let done = Module::compile_async(&engine, wasm(2));
    pool.run_all();
    let pending = Module::compile_async(&engine, wasm(3));
    let left = Module::compile_async(&engine, wasm(4));
    assert!(pool.discard(1));
    let mut futures: Vec<_> = [running, done, pending, left].into_iter().chain(waiting).collect();
    let wakes: Arc<Wakes> = Arc::default();
    for place in [0, 2, 4, 5] {
        assert!(poll(&mut futures[place], &wakes).is_pending());
    }
    let weak = engine.weak();
    let opener = thread::spawn(move || {
        thread::sleep(Duration::from_millis(20));
        keeper.open();
    });
    // Waits for the task that runs.
    drop(engine);
    assert!(weak.upgrade().is_none());
    assert_eq!(wakes.count(), 4);
    for future in &mut futures {
        assert_gone(now(future));
    }
    runner.join().unwrap();
    opener.join().unwrap();
    assert_eq!((names(&pool).len(), pool.run_all()), (0, 0));
}

#[test]
fn a_thread_that_waits_is_told() {
    let (engine, pool) = by_hand(&mut Config::new());
    let future = Module::compile_async(&engine, wasm(1));
    let waiter = thread::spawn(move || assert_gone(future.wait()));
    drop(engine);
    waiter.join().unwrap();
    drop(pool);
}

/// Everything at once, on threads, for as long as it takes to meet every moment.
#[test]
fn an_engine_goes_at_any_moment() {
    for round in 0..60u64 {
        let mut config = Config::new();
        config.threads(1 + round as usize % 4).tiering_budget(50).tier(TierChoice::Auto);
        config.strategy([Strategy::Lazy, Strategy::Eager, Strategy::Hybrid][round as usize % 3]);
        let engine = Engine::new(&config).unwrap();
        let mut futures: Vec<_> = (0..6).map(|number| Module::compile_async(&engine, wasm(number / 2))).collect();
        let module = Module::new(&engine, wasm(1)).unwrap();
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        let run = instance.get_typed_func::<(), i32>(&mut store, "f").unwrap();
        (0..30).for_each(|_| assert_eq!(run.call(&mut store, ()).unwrap(), 1));
        drop(futures.remove(2));
        thread::sleep(Duration::from_micros(round * 10));
        drop((module, store));
        drop(engine);
        for future in futures {
            match future.wait() {
                Ok(module) => assert_eq!(module.exports().len(), 1),
                gone => assert_gone(gone),
            }
        }
    }
}

/// A waker may drop the last handle, on a thread of the pool, in the middle of a task.
#[test]
fn the_last_handle_may_go_in_a_task() {
    struct Holds(Mutex<Option<Engine>>, Sender<()>);
    impl Wake for Holds {
        fn wake(self: Arc<Holds>) {
            drop(self.0.lock().unwrap().take());
            self.1.send(()).unwrap();
        }
    }
    for _ in 0..20 {
        let (gate, keeper) = Gate::new(is_decode);
        let engine = Engine::new(Config::new().threads(3).event_listener(Some(gate))).unwrap();
        let mut future = Module::compile_async(&engine, wasm(1));
        let (sender, receiver) = channel();
        let waker = Waker::from(Arc::new(Holds(Mutex::new(Some(engine)), sender)));
        assert!(Pin::new(&mut future).poll(&mut Context::from_waker(&waker)).is_pending());
        keeper.open();
        receiver.recv().unwrap();
        assert_gone(future.wait());
    }
}
