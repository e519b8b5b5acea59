//! Whatever pools and wakers do, whoever waits for a module gets an answer.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Wake, Waker};

use super::*;
use crate::config::Config;
use crate::pool::{self, ManualPool, Pool};

/// The smallest module that has a cache entry of its own.
const MODULE: &[u8] = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x0a\x04\x01\x02\0\x0b";

/// A pool that is run by hand, and panics once when it is told to.
#[derive(Debug)]
struct Panics {
    next: AtomicBool,
    pool: ManualPool,
}

impl Pool for Panics {
    fn threads(&self) -> usize {
        self.pool.threads()
    }

    fn spawn(&self, task: pool::Task) -> Result<(), pool::Task> {
        assert!(!self.next.swap(false, Ordering::Relaxed), "a test of panics");
        self.pool.spawn(task)
    }
}

/// Counts how often it was woken, and panics if it is to.
#[derive(Default)]
struct Wakes {
    count: AtomicUsize,
    panics: bool,
}

impl Wake for Wakes {
    fn wake(self: Arc<Wakes>) {
        self.count.fetch_add(1, Ordering::Relaxed);
        assert!(!self.panics, "a test of panics");
    }
}

fn engine() -> (Engine, Arc<Panics>) {
    let pool = Arc::new(Panics { next: AtomicBool::new(false), pool: ManualPool::new(2) });
    let engine = Engine::new(Config { pool: Some(pool.clone()), ..Config::default() }).unwrap();
    (engine, pool)
}

fn poll(module: &AsyncModule, wakes: &Arc<Wakes>) -> Poll<Outcome> {
    module.poll(&Context::from_waker(&Waker::from(Arc::clone(wakes))))
}

/// Modules that wait for a builder of the same, who is given too; with the wakers that they left.
fn waiting(engine: &Engine, pool: &Panics, panics: bool) -> (Vec<AsyncModule>, Arc<Wakes>) {
    let wakes = Arc::new(Wakes { panics, ..Wakes::default() });
    let start = |_| AsyncModule::compile(engine, MODULE.into(), CompileTimeImports::NONE);
    let modules: Vec<_> = (0..3).map(start).collect();
    assert!(modules.iter().all(|module| poll(module, &wakes).is_pending()));
    assert_eq!(pool.pool.run_all(), 3);
    (modules, wakes)
}

#[test]
fn those_behind_a_panic_of_the_pool_are_told_too() {
    for fails in [false, true] {
        let (engine, pool) = engine();
        let mut wanted = Wanted::new(MODULE.into(), CompileTimeImports::NONE);
        let Step::Make(maker) = engine.service().cache.step(&mut wanted) else { panic!("there is none yet") };
        let (modules, wakes) = waiting(&engine, &pool, false);
        pool.next.store(true, Ordering::Relaxed);
        let asked = Asked::new(engine.service(), CompileMethod::Sync, spans::module(CompileMethod::Sync, None));
        let made = if fails {
            drop(maker);
            None
        } else {
            asked.make(maker, Cancel::default()).ok()
        };
        assert_eq!((made.is_none(), pool.pool.pending().len()), (fails, 2), "the pool took two of three");
        assert_eq!(wakes.count.load(Ordering::Relaxed), 1, "the task of the first is lost");
        assert!(matches!(poll(&modules[0], &wakes), Poll::Ready(Ok(_))));
        pool.pool.run_all();
        assert!(modules[1..].iter().all(|module| matches!(poll(module, &wakes), Poll::Ready(Ok(_)))));
    }
}

#[test]
fn a_waker_that_panics_harms_nobody_else() {
    let (engine, pool) = engine();
    let mut wanted = Wanted::new(MODULE.into(), CompileTimeImports::NONE);
    let Step::Make(maker) = engine.service().cache.step(&mut wanted) else { panic!("there is none yet") };
    let (modules, wakes) = waiting(&engine, &pool, true);
    drop(maker);
    pool.pool.run_all();
    assert!(modules.iter().all(|module| matches!(poll(module, &wakes), Poll::Ready(Ok(_)))));
    assert_eq!(wakes.count.load(Ordering::Relaxed), 3);
    // Nor does one stop an engine that goes.
    let lost = AsyncModule::compile(&engine, [MODULE, b"\0\x01\0"].concat().into(), CompileTimeImports::NONE);
    assert!(poll(&lost, &wakes).is_pending());
    drop((modules, wanted));
    drop(engine);
    assert!(matches!(poll(&lost, &wakes), Poll::Ready(Err(ModuleError::EngineDropped))));
}

#[test]
fn a_waiter_that_is_dropped_uncalled_leaves_the_promise() {
    let (engine, _) = engine();
    let job = Arc::new(Job {
        work: Work::Compile(MODULE.into(), CompileTimeImports::NONE),
        cancel: Cancel::default(),
        promise: Promise::new(),
    });
    drop(Waiting { job: Some(Arc::clone(&job)), service: Arc::downgrade(engine.service()) });
    assert!(matches!(job.promise.poll(Waker::noop()), Polled::Left));
}
