//! The same bytes, asked for by many: one module, one builder at a time, nobody left behind.

use std::thread;

use super::*;

#[test]
fn all_orders_of_tasks_make_one_module() {
    orders(4, |order| {
        let (engine, pool) = by_hand(&mut Config::new());
        let mut futures: Vec<_> = order.iter().map(|_| Module::compile_async(&engine, wasm(1))).collect();
        assert_eq!(names(&pool), ["compile"; 4]);
        run_in_order(&pool, order);
        let modules: Vec<_> = futures.iter_mut().map(|future| now(future).unwrap()).collect();
        assert_one(&modules);
        let cache = engine.statistics().cache;
        assert_eq!((cache.misses, cache.hits, cache.waits), (1, 3, 0));
        assert_eq!(engine.statistics().modules, 1);
        assert!(Module::same(&modules[0], &Module::new(&engine, wasm(1)).unwrap()));
    });
}

#[test]
fn synchronous_and_asynchronous_share_in_every_order() {
    // The synchronous one comes after this many of the tasks.
    for after in 0..=3 {
        orders(3, |order| {
            let (engine, pool) = by_hand(&mut Config::new());
            let mut futures: Vec<_> = order.iter().map(|_| Module::compile_async(&engine, wasm(1))).collect();
            let mut modules = Vec::new();
            for (nth, &place) in order.iter().enumerate() {
                if nth == after {
                    modules.push(Module::new(&engine, wasm(1)).unwrap());
                }
                let gone = order[..nth].iter().filter(|&&before| before < place).count();
                pool.run(place - gone);
            }
            modules.push(Module::new(&engine, wasm(1)).unwrap());
            modules.extend(futures.iter_mut().map(|future| now(future).unwrap()));
            assert_one(&modules);
            assert_eq!(engine.statistics().cache.misses, 1);
        });
    }
}

/// While a thread is making the module, tasks find that out and end; they come again when it is done.
#[test]
fn tasks_wait_for_a_thread_without_blocking_the_pool() {
    orders(3, |order| {
        let (gate, keeper) = Gate::new(is_decode);
        let (engine, pool) = by_hand(Config::new().event_listener(Some(gate)));
        let builder = {
            let engine = engine.clone();
            thread::spawn(move || Module::new(&engine, wasm(1)).unwrap())
        };
        keeper.wait();
        let mut futures: Vec<_> = order.iter().map(|_| Module::compile_async(&engine, wasm(1))).collect();
        let wakes: Arc<Wakes> = Arc::default();
        assert_eq!(pool.run_all(), 3);
        assert!(futures.iter_mut().all(|future| poll(future, &wakes).is_pending()));
        assert_eq!((wakes.count(), engine.statistics().cache.waits), (0, 3));
        // Another module is not held up.
        Module::new(&engine, wasm(2)).unwrap();
        keeper.open();
        let module = builder.join().unwrap();
        assert_eq!(names(&pool), ["compile"; 3]);
        run_in_order(&pool, order);
        assert_eq!(wakes.count(), 3);
        let mut modules: Vec<_> = futures.iter_mut().map(|future| now(future).unwrap()).collect();
        modules.push(module);
        assert_one(&modules);
        assert_eq!(engine.statistics().cache.misses, 2);
    });
}

/// The one who makes the module gives up, with others waiting: one of them makes it.
#[test]
fn a_cancelled_builder_is_followed_by_one() {
    for threads in 0..3 {
        let (gate, keeper) = Gate::new(is_decode);
        let (engine, pool) = by_hand(Config::new().event_listener(Some(gate)));
        let owner = Module::compile_async(&engine, wasm(1));
        let runner = {
            let pool = Arc::clone(&pool);
            thread::spawn(move || assert!(pool.run_next()))
        };
        keeper.wait();
        let waiting: Vec<_> = (0..threads)
            .map(|_| {
                let engine = engine.clone();
                thread::spawn(move || Module::new(&engine, wasm(1)).unwrap())
            })
            .collect();
        let mut futures: Vec<_> = (0..2).map(|_| Module::compile_async(&engine, wasm(1))).collect();
        pool.run_all();
        while engine.statistics().cache.waits < threads + 2 {
            thread::yield_now();
        }
        drop(owner);
        keeper.open();
        runner.join().unwrap();
        let mut modules: Vec<_> = waiting.into_iter().map(|thread| thread.join().unwrap()).collect();
        // The tasks may find that a thread is making it, and wait again.
        while futures.iter_mut().any(|_| !pool.pending().is_empty()) {
            pool.run_all();
        }
        modules.extend(futures.iter_mut().map(|future| now(future).unwrap()));
        assert_one(&modules);
        let cache = engine.statistics().cache;
        assert_eq!((cache.misses, cache.building, cache.entries), (2, 0, 1));
    }
}

/// A module that cannot be made: everybody gets the same fault, and nobody waits for ever.
#[test]
fn a_fault_reaches_everybody() {
    let expected = Module::new(&Engine::default(), broken(1)).unwrap_err().to_string();
    assert!(expected.contains("offset"), "{expected}");
    orders(3, |order| {
        let (gate, keeper) = Gate::new(is_decode);
        let (engine, pool) = by_hand(Config::new().event_listener(Some(gate)));
        let builder = {
            let engine = engine.clone();
            thread::spawn(move || Module::new(&engine, broken(1)).unwrap_err().to_string())
        };
        keeper.wait();
        let mut futures: Vec<_> = order.iter().map(|_| Module::compile_async(&engine, broken(1))).collect();
        pool.run_all();
        keeper.open();
        assert_eq!(builder.join().unwrap(), expected);
        run_in_order(&pool, order);
        for future in &mut futures {
            assert_eq!(now(future).unwrap_err().to_string(), expected);
        }
        let cache = engine.statistics().cache;
        assert_eq!((cache.misses, cache.building, cache.entries), (4, 0, 0));
    });
}

#[test]
fn without_a_cache_everybody_has_their_own() {
    let (engine, pool) = by_hand(Config::new().module_cache(false));
    let mut futures = [(); 2].map(|()| Module::compile_async(&engine, wasm(1)));
    pool.run_all();
    let [one, two] = futures.each_mut().map(|future| now(future).unwrap());
    assert!(!Module::same(&one, &two));
    assert_eq!(engine.statistics().cache, upshift::CacheStatistics::default());
}

#[test]
fn a_module_leaves_the_cache_with_its_last_handle() {
    let (engine, pool) = by_hand(&mut Config::new());
    for round in 1..4 {
        let mut future = Module::compile_async(&engine, wasm(1));
        pool.run_all();
        // Not even a result that nobody has taken yet is lost.
        assert_eq!(engine.statistics().cache.entries, 1);
        let module = now(&mut future).unwrap();
        let other = Module::new(&engine, wasm(1)).unwrap();
        drop(module);
        assert_eq!(engine.statistics().cache.entries, 1);
        drop(other);
        let statistics = engine.statistics();
        assert_eq!((statistics.cache.entries, statistics.modules, statistics.cache.misses), (0, 0, round));
    }
}

/// A way from bytes to a module.
type Way = fn(&Engine, &[u8]) -> upshift::Result<Module>;

/// Counts what is done for modules.
#[derive(Debug, Default)]
struct Work {
    decoded: AtomicUsize,
    validated: AtomicUsize,
    compiled: AtomicUsize,
}

impl EventListener for Work {
    fn event(&self, event: &Event) {
        let count = match &event.kind {
            EventKind::Decode { .. } => &self.decoded,
            EventKind::Validate { .. } => &self.validated,
            EventKind::Compile { .. } => &self.compiled,
            _ => return,
        };
        count.fetch_add(1, Ordering::SeqCst);
    }
}

/// However often and by whatever way a module is asked for while it lives, it is made once.
#[test]
fn what_is_cached_is_not_made_again() {
    let work = Arc::<Work>::default();
    let mut config = Config::new();
    config.strategy(upshift::Strategy::Eager).event_listener(Some(Arc::clone(&work) as Arc<dyn EventListener>));
    let engine = Engine::new(&config).unwrap();
    let bytes = wasm(1);
    let module = Module::new(&engine, &bytes).unwrap();
    let done = || [&work.decoded, &work.validated, &work.compiled].map(|count| count.load(Ordering::SeqCst));
    let once = done();
    assert!(once.iter().all(|&count| count > 0), "{once:?}");
    let ways: [Way; 5] = [
        |engine, bytes| Module::new(engine, bytes),
        |engine, bytes| Module::from_binary(engine, bytes),
        |engine, bytes| Module::compile_async(engine, bytes).wait(),
        |engine, bytes| Module::from_reader(engine, bytes),
        |engine, bytes| {
            let mut stream = upshift::StreamingCompilation::new(engine);
            bytes.iter().for_each(|byte| stream.push(&[*byte]).unwrap());
            stream.finish()
        },
    ];
    for round in 1..=10 {
        for way in ways {
            assert!(Module::same(&way(&engine, &bytes).unwrap(), &module));
        }
        let cache = engine.statistics().cache;
        assert_eq!((cache.misses, cache.hits, cache.conflicts), (1, round * ways.len() as u64, 0));
        assert_eq!(done(), once);
    }
}
