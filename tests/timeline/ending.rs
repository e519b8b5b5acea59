//! What is under way when a store, or the engine, goes.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use upshift::{Config, Engine, Instance, ManualPool, Module, Store, StreamingCompilation};

use super::{Actor, Timeline};
use crate::code_gc::wait_for;
use crate::jobs::ending::assert_gone;
use crate::jobs::{Wakes, by_hand, names, now, poll, wasm};

/// A function that becomes hot when it is called a few times.
const HOT: &str = r#"(module (func (export "hot") (param i32) (result i32)
    (local.get 0) (i32.const 1) (i32.add) (i32.const 2) (i32.mul) (i32.const 3) (i32.sub)))"#;

/// An engine in which functions are soon hot.
fn hurried() -> (Arc<Timeline>, Engine, Arc<ManualPool>) {
    let mut config = Config::new();
    let timeline = Timeline::listen(config.tiering_budget(200).osr(false));
    let (engine, pool) = by_hand(&mut config);
    (timeline, engine, pool)
}

/// A store in which [`HOT`] has asked for better code, which waits for a task.
fn heat(engine: &Engine, pool: &ManualPool) -> (Store<()>, Instance, Module) {
    let module = Module::new(engine, HOT).unwrap();
    let mut store = Store::new(engine, ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let hot = instance.get_typed_func::<i32, i32>(&mut store, "hot").unwrap();
    for _ in 0..1000 {
        if !pool.pending().is_empty() {
            break;
        }
        assert_eq!(hot.call(&mut store, 1).unwrap(), 1);
    }
    assert_eq!(names(pool), ["tier-up"]);
    (store, instance, module)
}

/// Better code is compiled and published by a task, while the only store that wanted it dies: before, in the middle, or
/// after; with the module, or with another handle to it.
#[test]
fn a_store_dies_while_its_better_code_is_published() {
    const MOMENTS: [Option<&str>; 4] = [None, Some("compile optimizing"), Some("publish"), Some("retire")];
    for moment in MOMENTS {
        for keep in [false, true] {
            let (timeline, engine, pool) = hurried();
            timeline.note("a function becomes hot");
            let (store, _, module) = heat(&engine, &pool);
            let kept = keep.then(|| module.clone());
            drop(module);
            timeline.note("a task makes better code");
            let worker = {
                let pool = Arc::clone(&pool);
                timeline.actor("worker", move || assert!(pool.run_next()))
            };
            moment.iter().for_each(|moment| worker.to(moment));
            timeline.note("the store dies");
            drop(store);
            timeline.note("the task goes on");
            worker.end();
            let published = keep || moment.is_some();
            assert_eq!(timeline.count("publish optimizing f0"), usize::from(published), "{moment:?} {keep}");
            assert_eq!(timeline.count("module dropped"), usize::from(!keep));
            if let Some(module) = &kept {
                // Another store has the better code from its first call on.
                let mut store = Store::new(&engine, ());
                let instance = Instance::new(&mut store, module, &[]).unwrap();
                let hot = instance.get_typed_func::<i32, i32>(&mut store, "hot").unwrap();
                assert_eq!(hot.call(&mut store, 1).unwrap(), 1);
                assert_eq!(timeline.count("lazy"), 1);
            }
            let statistics = engine.statistics();
            assert_eq!((statistics.modules, statistics.code_gc.collections), (usize::from(keep), 0));
            drop(kept);
            drop(engine);
            assert_eq!(timeline.count("engine dropped: tasks dropped 0, waited for 0"), 1);
            if (moment, keep) == (Some("compile optimizing"), false) {
                timeline.compare("store_death");
            }
        }
    }
}

/// Everything that may be under way when the last handle of an engine goes, which is a store's: a module that a task is
/// making, one that waits for it, one that nobody has taken, one that no task has begun; a stream that has half of its bytes,
/// with tasks on their way, and one that is to be finished; better code; a collection that waits for that store.
#[test]
fn an_engine_goes_with_everything_in_flight() {
    // Does the engine go while the task runs, and wait for it?
    for waits in [true, false] {
        let (timeline, engine, pool) = hurried();
        let wakes: Arc<Wakes> = Arc::default();
        timeline.note("s1 wants better code");
        let better = heat(&engine, &pool);
        timeline.note("a task makes a module, and another one waits for that");
        let mut futures: Vec<_> = (0..2).map(|_| Module::compile_async(&engine, wasm(1))).collect();
        let worker = {
            let pool = Arc::clone(&pool);
            timeline.actor("worker", move || assert!(pool.run(1)))
        };
        worker.to("decode");
        assert!(pool.run(1));
        timeline.note("a module is made that nobody takes, and one is wanted that no task begins");
        futures.push(Module::compile_async(&engine, wasm(2)));
        assert!(pool.run(1));
        futures.push(Module::compile_async(&engine, wasm(3)));
        timeline.note("a stream has half of its bytes, another one has all");
        let long = long();
        let mut half = StreamingCompilation::new(&engine);
        half.push(&long[..long.len() / 2]).unwrap();
        let mut whole = StreamingCompilation::new(&engine);
        whole.push(&wat::parse_str("(module (func))").unwrap()).unwrap();
        let mut whole = Box::pin(whole.finish_async());
        for future in [0, 1, 3] {
            assert!(poll(&mut futures[future], &wakes).is_pending());
        }
        assert!(poll(&mut whole, &wakes).is_pending());
        timeline.note("s2 is in the middle of compiling, and a collection waits for it");
        let last = last_store(&timeline, &engine);
        last.to("lazy f1");
        let collected = collect(&timeline, &engine);
        assert_eq!(names(&pool), ["tier-up", "compile", "stream", "finish stream"]);
        timeline.note("all that is left of the engine is s2");
        drop((better, collected));
        let weak = engine.weak();
        drop(engine);
        assert!(weak.upgrade().is_some());
        if waits {
            timeline.note("s2 goes, and with it the engine, which waits for the task that runs");
            last.past("store dropped");
            last.leave();
            wait_for("the engine to begin to go", || pool.pending().is_empty());
            // Time enough to come too early.
            thread::sleep(Duration::from_millis(20));
            assert_eq!(timeline.count("engine dropped"), 0);
            timeline.note("the task notices");
            worker.end();
            last.end();
            assert_eq!((timeline.count("tasks dropped 4, waited for 1"), timeline.count("free 0 objects")), (1, 1));
        } else {
            worker.end();
            last.end();
            // The one that waited is a task again.
            assert_eq!(timeline.count("tasks dropped 5, waited for 0"), 1);
        }
        assert!(weak.upgrade().is_none());
        timeline.note("nobody waits for ever");
        assert_eq!(wakes.count(), 4);
        let outcomes = futures.iter_mut().map(now);
        outcomes.for_each(assert_gone);
        assert_gone(now(&mut whole));
        assert!(half.push(&long[long.len() / 2..]).is_err());
        assert_gone(half.finish());
        assert_eq!(pool.run_all(), 0);
        drop((futures, whole));
        assert_eq!(Arc::strong_count(&timeline), 1, "something keeps a part of the engine");
        if waits {
            timeline.compare("engine_drop");
        }
    }
}

/// A module with so much code that threads work on it while it arrives.
fn long() -> Vec<u8> {
    let body = "i32.const 1 drop ".repeat(1000);
    wat::parse_str(format!("(module {})", format!("(func {body})").repeat(30))).unwrap()
}

/// A thread with a store whose function calls another one, and which then drops the store.
fn last_store(timeline: &Arc<Timeline>, engine: &Engine) -> Actor<()> {
    let module = Module::new(engine, r#"(module (func (export "run") (call $f)) (func $f))"#).unwrap();
    let mut store = Store::new(engine, ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    timeline.actor("last", move || {
        let run = instance.get_typed_func::<(), ()>(&mut store, "run").unwrap();
        run.call(&mut store, ()).unwrap();
        drop(store);
    })
}

/// Has a collection begun that waits for a store. Gives the module whose code is to go.
fn collect(timeline: &Arc<Timeline>, engine: &Engine) -> Module {
    let module = Module::new(engine, "(module (func nop))").unwrap();
    module.compile_all().unwrap();
    let same = module.clone();
    let collector = timeline.actor("collector", move || same.flush_code());
    collector.past("wait for 1 stores");
    collector.end();
    module
}
