//! Asynchronous compilation: futures that need no executor, cancelled wherever they are, with the words of `Module::new`.

use std::thread;

use upshift::{Store, Strategy};

use super::*;

#[test]
fn a_future_wakes_who_polled_last() {
    let (engine, pool) = by_hand(&mut Config::new());
    let mut future = Module::compile_async(&engine, wasm(1));
    let (first, second): (Arc<Wakes>, Arc<Wakes>) = Default::default();
    assert!(poll(&mut future, &first).is_pending());
    assert!(poll(&mut future, &second).is_pending());
    pool.run_all();
    assert_eq!((first.count(), second.count()), (0, 1));
    let module = now(&mut future).unwrap();
    assert_eq!(module.exports().count(), 1);
}

#[test]
fn a_thread_waits_for_the_pool() {
    let engine = Engine::default();
    let futures: Vec<_> = (0..20).map(|number| Module::compile_async(&engine, wasm(number % 5))).collect();
    let modules: Vec<_> = futures.into_iter().map(|future| future.wait().unwrap()).collect();
    for (number, module) in modules.iter().enumerate() {
        assert!(Module::same(module, &modules[number % 5]));
    }
    assert_eq!(engine.statistics().cache.misses, 5);
}

#[test]
fn faults_have_the_words_of_synchronous_compilation() {
    let good = wasm(1);
    let texts = ["(module (func (result i32)))", "(module (func", "(module (import \"a\" \"b\" (func)) (start 3))"];
    let mut cases: Vec<Vec<u8>> = texts.map(|text| text.as_bytes().to_vec()).into();
    cases.extend((0..good.len()).map(|len| good[..len].to_vec()));
    cases.extend((0..good.len()).map(|place| {
        let mut changed = good.clone();
        changed[place] ^= 0x55;
        changed
    }));
    for strategy in [Strategy::Lazy, Strategy::Eager] {
        let (engine, pool) = by_hand(Config::new().strategy(strategy));
        for bytes in &cases {
            let mut future = Module::compile_async(&engine, bytes.as_slice());
            pool.run_all();
            match (now(&mut future), Module::new(&engine, bytes)) {
                (Ok(module), Ok(other)) => assert!(Module::same(&module, &other)),
                (ours, expected) => {
                    let words = |result: upshift::Result<Module>| result.unwrap_err().to_string();
                    assert_eq!(words(ours), words(expected));
                }
            }
        }
        let statistics = engine.statistics();
        assert_eq!((statistics.modules, statistics.tasks, statistics.cache.entries), (0, 0, 0));
    }
}

#[test]
fn a_task_that_has_not_begun_is_taken_back() {
    let (engine, pool) = by_hand(&mut Config::new());
    let (one, two) = (Module::compile_async(&engine, wasm(1)), Module::compile_async(&engine, wasm(2)));
    drop(one);
    assert_eq!(names(&pool), ["compile"]);
    drop(two);
    assert_eq!((names(&pool).len(), engine.statistics().tasks), (0, 0));
}

/// Cancelled while a thread is at it, in the middle of each phase.
#[test]
fn a_task_that_runs_stops_soon() {
    let compile = |kind: &EventKind| matches!(kind, EventKind::Compile { .. });
    for at in [is_decode, is_validate, compile] {
        let (gate, keeper) = Gate::new(at);
        let text: String = (0..50).map(|_| "(func (result i32) (i32.const 1))").collect();
        let mut config = Config::new();
        let (engine, pool) = by_hand(config.strategy(Strategy::Eager).event_listener(Some(gate)));
        let future = Module::compile_async(&engine, format!("(module {text})"));
        let runner = {
            let pool = Arc::clone(&pool);
            thread::spawn(move || pool.run_next())
        };
        keeper.wait();
        drop(future);
        keeper.open();
        runner.join().unwrap();
        let statistics = engine.statistics();
        assert_eq!((statistics.modules, statistics.cache.building, statistics.cache.entries), (0, 0, 0));
        // Its code is gone, too. Lazy stubs stay.
        let left = engine.statistics().code_bytes;
        drop(Module::new(&engine, format!("(module {text} (func))")).unwrap());
        assert!(left <= engine.statistics().code_bytes);
    }
}

/// Cancelled while it waits for another builder, and when its result is there.
#[test]
fn a_future_that_waits_or_is_done_leaves_nothing() {
    let (gate, keeper) = Gate::new(is_decode);
    let (engine, pool) = by_hand(Config::new().event_listener(Some(gate)));
    let builder = {
        let engine = engine.clone();
        thread::spawn(move || Module::new(&engine, wasm(1)).map(drop).unwrap())
    };
    keeper.wait();
    let future = Module::compile_async(&engine, wasm(1));
    pool.run_all();
    drop(future);
    keeper.open();
    builder.join().unwrap();
    assert_eq!(names(&pool).len(), 0);
    let future = Module::compile_async(&engine, wasm(1));
    pool.run_all();
    assert_eq!(engine.statistics().modules, 1);
    drop(future);
    assert_eq!((engine.statistics().modules, engine.statistics().cache.entries), (0, 0));
}

#[test]
fn a_store_receives_its_module() {
    let (engine, pool) = by_hand(&mut Config::new());
    let mut store = Store::new(&engine, Vec::new());
    for number in [1, 2] {
        Module::compile_async(&engine, wasm(number)).deliver(&store.handle(), move |mut store, module| {
            store.data_mut().push((number, module.is_ok()));
            Ok(())
        });
    }
    Module::compile_async(&engine, broken(3)).deliver(&store.handle(), |_, module| module.map(drop));
    store.poll().unwrap();
    assert!(store.data().is_empty());
    pool.run(1);
    store.poll().unwrap();
    assert_eq!(*store.data(), [(2, true)]);
    let waker: Arc<Wakes> = Arc::default();
    store.handle().set_waker(Waker::from(Arc::clone(&waker)));
    pool.run_all();
    assert_eq!(waker.count(), 1);
    let error = store.poll().unwrap_err();
    assert!(error.to_string().contains("offset"), "{error}");
    assert_eq!(*store.data(), [(2, true), (1, true)]);
}

#[test]
fn a_store_that_goes_cancels_what_it_waits_for() {
    let (engine, pool) = by_hand(&mut Config::new());
    let store = Store::new(&engine, ());
    let handle = store.handle();
    let receive = |_: upshift::StoreContextMut<'_, ()>, _| unreachable!("the store is gone");
    Module::compile_async(&engine, wasm(1)).deliver(&handle, receive);
    drop(store);
    assert_eq!(names(&pool).len(), 0);
    // And one that asks when it is gone.
    Module::compile_async(&engine, wasm(1)).deliver(&handle, receive);
    assert_eq!((names(&pool).len(), engine.statistics().modules), (0, 0));
}
