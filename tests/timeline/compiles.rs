//! The same bytes, wanted by many at once: one makes the module, and the others wait for it; who fails is followed by one.

use std::sync::Arc;

use upshift::{Config, Engine, ManualPool, Module};

use super::{Actor, Timeline};
use crate::jobs::{assert_one, broken, by_hand, names, now, orders, wasm};

/// An engine whose tasks are run by hand, and what it tells.
pub(super) fn engine() -> (Arc<Timeline>, Engine, Arc<ManualPool>) {
    let mut config = Config::new();
    let timeline = Timeline::listen(&mut config);
    let (engine, pool) = by_hand(&mut config);
    (timeline, engine, pool)
}

/// A thread that wants the module of these bytes; or the text of what is wrong with them.
pub(super) fn compile(
    timeline: &Arc<Timeline>,
    name: &'static str,
    engine: &Engine,
    bytes: Vec<u8>,
) -> Actor<Result<Module, String>> {
    let engine = engine.clone();
    timeline.actor(name, move || Module::new(&engine, bytes).map_err(|error| error.to_string()))
}

/// Runs so many tasks, which are all there are, oldest first.
fn run_tasks(timeline: &Timeline, pool: &ManualPool, count: usize) {
    for task in 1..=count {
        timeline.note(&format!("task {task}"));
        assert!(pool.run_next());
    }
    assert!(pool.pending().is_empty());
}

/// Two threads and two tasks wait for a third thread. Whoever is told first, there is one module.
#[test]
fn one_of_many_makes_the_module() {
    orders(4, |order| {
        let (timeline, engine, pool) = engine();
        timeline.note("a makes a module");
        let a = compile(&timeline, "a", &engine, wasm(1));
        a.to("decode");
        timeline.note("b, c and two tasks want it too");
        let mut waiters = ["b", "c"].map(|name| Some(compile(&timeline, name, &engine, wasm(1))));
        waiters.iter().flatten().for_each(|waiter| waiter.past("cache wait"));
        let mut futures = [(); 2].map(|()| Module::compile_async(&engine, wasm(1)));
        run_tasks(&timeline, &pool, 2);
        assert!(pool.pending().is_empty(), "who waits keeps no thread of the pool");
        timeline.note("a is done");
        let mut modules = vec![a.end().unwrap()];
        assert_eq!(names(&pool), ["compile"; 2]);
        for &who in order {
            match who {
                0 | 1 => modules.push(waiters[who].take().unwrap().end().unwrap()),
                _ => {
                    timeline.note(&format!("task {}", who - 1));
                    // The other one may have gone before.
                    assert!(pool.run((who - 2).min(pool.pending().len() - 1)));
                }
            }
        }
        modules.extend(futures.iter_mut().map(|future| now(future).unwrap()));
        assert_one(&modules);
        let cache = engine.statistics().cache;
        assert_eq!((cache.misses, cache.waits, cache.hits, cache.building), (1, 4, 4, 0));
        assert_eq!((timeline.count("cache miss"), timeline.count("validate")), (1, 1), "{order:?}");
        if order == [0, 1, 2, 3] {
            timeline.compare("compiles");
        }
    });
}

/// The bytes are no module. Each who waited finds that out in turn, while the others wait for that one; with and without a
/// thread among them.
#[test]
fn an_owner_that_fails_is_followed_by_one_waiter_at_a_time() {
    let expected = Module::new(&Engine::default(), broken(1)).unwrap_err().to_string();
    for threads in [1, 0] {
        orders(2, |order| {
            let (timeline, engine, pool) = engine();
            timeline.note("a makes a module of bytes that are none");
            let a = compile(&timeline, "a", &engine, broken(1));
            a.to("decode");
            timeline.note("b and two tasks want it too");
            let b = (threads == 1).then(|| compile(&timeline, "b", &engine, broken(1)));
            b.iter().for_each(|b| b.past("cache wait"));
            let mut futures = [(); 2].map(|()| Module::compile_async(&engine, broken(1)));
            run_tasks(&timeline, &pool, 2);
            timeline.note("a fails");
            assert_eq!(a.end().unwrap_err(), expected);
            if let Some(b) = b {
                timeline.note("b tries, and the tasks wait for b");
                b.to("decode");
                run_tasks(&timeline, &pool, 2);
                assert_eq!((timeline.count("cache miss"), engine.statistics().cache.building), (2, 1));
                timeline.note("b fails");
                assert_eq!(b.end().unwrap_err(), expected);
            }
            assert_eq!(names(&pool), ["compile"; 2]);
            let (first, second) = (order[0], order[1]);
            timeline.note(&format!("task {} tries, and the other waits for it", first + 1));
            let worker = {
                let pool = Arc::clone(&pool);
                timeline.actor("worker", move || assert!(pool.run(first)))
            };
            worker.to("decode");
            timeline.note(&format!("task {}", second + 1));
            assert!(pool.run_next() && pool.pending().is_empty());
            worker.end();
            timeline.note(&format!("task {} tries", second + 1));
            assert!(pool.run_next() && pool.pending().is_empty());
            for future in &mut futures {
                assert_eq!(now(future).unwrap_err().to_string(), expected);
            }
            let cache = engine.statistics().cache;
            assert_eq!((cache.misses, cache.building, cache.entries), (3 + threads, 0, 0));
            if (threads, first) == (1, 0) {
                timeline.compare("failing_owner");
            }
        });
    }
}

/// The one who makes the module is a task that nobody wants any more, with others waiting: exactly one of them makes it.
#[test]
fn an_owner_that_is_cancelled_is_followed_by_one_waiter() {
    for threads in [1, 0] {
        orders(2, |order| {
            let (timeline, engine, pool) = engine();
            timeline.note("a task makes a module");
            let owner = Module::compile_async(&engine, wasm(1));
            let worker = {
                let pool = Arc::clone(&pool);
                timeline.actor("worker", move || assert!(pool.run_next()))
            };
            worker.to("decode");
            timeline.note("b and two tasks want it too");
            let b = (threads == 1).then(|| compile(&timeline, "b", &engine, wasm(1)));
            b.iter().for_each(|b| b.past("cache wait"));
            let mut futures = [(); 2].map(|()| Module::compile_async(&engine, wasm(1)));
            run_tasks(&timeline, &pool, 2);
            timeline.note("nobody wants the first one any more");
            drop(owner);
            worker.end();
            assert_eq!(names(&pool), ["compile"; 2]);
            let mut modules = Vec::new();
            if let Some(b) = b {
                timeline.note("b makes it, and the tasks wait for b");
                b.to("decode");
                run_tasks(&timeline, &pool, 2);
                modules.push(b.end().unwrap());
            }
            timeline.note(&format!("task {}", order[0] + 1));
            assert!(pool.run(order[0]));
            timeline.note(&format!("task {}", order[1] + 1));
            assert!(pool.run_next() && pool.pending().is_empty());
            modules.extend(futures.iter_mut().map(|future| now(future).unwrap()));
            assert_one(&modules);
            let cache = engine.statistics().cache;
            assert_eq!((cache.misses, cache.building, cache.entries), (2, 0, 1));
            if (threads, order[0]) == (1, 0) {
                timeline.compare("cancelled_owner");
            }
        });
    }
}
