//! Streams and engines that go while threads are at it.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

use super::*;
use crate::events::{Event, Listener};
use crate::pool::ThreadPool;

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(60);

/// Stops the first thread that has compiled a function, until it is told to go on.
#[derive(Debug)]
struct Gate {
    compiled: AtomicUsize,
    begun: Sender<()>,
    go_on: Mutex<Receiver<()>>,
}

impl Listener for Gate {
    fn event(&self, event: &Event) {
        if matches!(event.kind, EventKind::Compile { .. }) && self.compiled.fetch_add(1, Ordering::Relaxed) == 0 {
            self.begun.send(()).unwrap();
            self.go_on.lock().unwrap().recv_timeout(LONG).expect("nobody goes on");
        }
    }
}

/// An eager engine with one worker that stops at the first function; what it says then, and what lets it go on.
fn gated() -> (Engine, Arc<Gate>, Receiver<()>, Sender<()>) {
    let ((begun, has_begun), (go, go_on)) = (channel(), channel());
    let gate = Arc::new(Gate { compiled: AtomicUsize::new(0), begun, go_on: Mutex::new(go_on) });
    let config = Config { strategy: Strategy::Eager, listener: Some(gate.clone()), ..Config::default() };
    let engine = Engine::new(Config { pool: Some(Arc::new(ThreadPool::new(1))), ..config }).unwrap();
    (engine, gate, has_begun, go)
}

/// Waits until something is so.
fn until(what: &str, is_so: impl Fn() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < LONG, "{what}");
        std::thread::yield_now();
    }
}

#[test]
fn an_engine_that_goes_compiles_no_more_of_a_stream() {
    let (engine, gate, has_begun, go) = gated();
    let bytes = module(30, &[], b"");
    let mut job = start(&engine);
    job.push(&bytes[..200_000]).unwrap();
    has_begun.recv_timeout(LONG).unwrap();
    let (cancel, service) = (job.cancel.clone(), Arc::downgrade(engine.service()));
    let dropper = std::thread::spawn(move || drop(engine));
    until("a stream of an engine that goes is cancelled", || cancel.is_cancelled());
    go.send(()).unwrap();
    dropper.join().unwrap();
    assert_eq!(gate.compiled.load(Ordering::Relaxed), 1);
    // The stream keeps its bytes, but nothing of the engine's.
    assert_eq!(service.strong_count(), 0);
    assert!(matches!(job.push(&bytes[200_000..]), Err(ModuleError::EngineDropped)));
}

#[test]
fn a_task_that_finishes_a_stream_does_not_keep_the_engine() {
    let (engine, gate, has_begun, go) = gated();
    let mut job = start(&engine);
    // Little code, so that the task compiles all of it.
    job.push(&module(3, &[], b"")).unwrap();
    let (cancel, weak, count) = (job.cancel.clone(), engine.downgrade(), Arc::<Count>::default());
    let mut finishing = job.finish_later();
    has_begun.recv_timeout(LONG).unwrap();
    assert!(poll(&mut finishing, &count).is_pending());
    let dropper = std::thread::spawn(move || drop(engine));
    until("the last handle went, and the engine is still there", || weak.upgrade().is_none());
    until("a stream of an engine that goes is cancelled", || cancel.is_cancelled());
    assert!(!dropper.is_finished(), "it waits for the task");
    go.send(()).unwrap();
    dropper.join().unwrap();
    assert_eq!(gate.compiled.load(Ordering::Relaxed), 1);
    assert_eq!(count.0.load(Ordering::Relaxed), 1);
    assert!(matches!(poll(&mut finishing, &count), Poll::Ready(Err(ModuleError::EngineDropped))));
}

#[test]
fn aborting_does_not_wait_for_threads_that_are_at_it() {
    for drops_future in [false, true] {
        let (engine, gate, has_begun, go) = gated();
        let bytes = module(if drops_future { 3 } else { 30 }, &[], b"");
        let mut job = start(&engine);
        job.push(&bytes).unwrap();
        let (aborted, has_aborted) = channel();
        std::thread::spawn(move || {
            if drops_future {
                let finishing = job.finish_later();
                has_begun.recv_timeout(LONG).unwrap();
                drop(finishing);
            } else {
                has_begun.recv_timeout(LONG).unwrap();
                job.abort();
            }
            aborted.send(()).unwrap();
        });
        has_aborted.recv_timeout(LONG).expect("it waits for a function that is being compiled");
        go.send(()).unwrap();
        drop(engine);
        assert_eq!(gate.compiled.load(Ordering::Relaxed), 1);
    }
}
