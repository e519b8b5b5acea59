//! The barrier: each piece of work is done once or dropped, and none is done when the engine is gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use shuttle::thread;

#[allow(dead_code, reason = "models use what they need")]
#[path = "../../crates/engine/src/barrier.rs"]
mod protocol;

use protocol::{Barrier, WorkId};

/// Work that says what became of it.
struct Work {
    record: Arc<Record>,
    done: bool,
}

#[derive(Default)]
struct Record {
    done: AtomicUsize,
    dropped: AtomicUsize,
    /// The barrier has been closed.
    closed: AtomicBool,
}

impl Record {
    fn ended(&self) -> usize {
        self.done.load(Ordering::Relaxed) + self.dropped.load(Ordering::Relaxed)
    }
}

impl Work {
    fn new(record: &Arc<Record>) -> Work {
        Work { record: Arc::clone(record), done: false }
    }

    fn run(mut self) {
        for _ in 0..2 {
            assert!(!self.record.closed.load(Ordering::Relaxed), "work runs when its engine is gone");
            thread::yield_now();
        }
        self.done = true;
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        let count = if self.done { &self.record.done } else { &self.record.dropped };
        count.fetch_add(1, Ordering::Relaxed);
    }
}

/// Threads that add, do and cancel work while another closes the barrier.
fn closed_in_between(workers: usize) {
    let (barrier, record) = (Arc::new(Barrier::new()), Arc::new(Record::default()));
    let threads: Vec<_> = (0..workers)
        .map(|worker| {
            let (barrier, record) = (Arc::clone(&barrier), Arc::clone(&record));
            thread::spawn(move || {
                let Ok(id) = barrier.add(Work::new(&record)) else { return };
                let canceller = (worker % 2 == 1).then(|| {
                    let barrier = Arc::clone(&barrier);
                    thread::spawn(move || drop(barrier.cancel(id)))
                });
                work(&barrier, id);
                assert!(!barrier.is_waiting(id) && barrier.begin(id).is_none());
                canceller.into_iter().for_each(|thread| thread.join().unwrap());
            })
        })
        .collect();
    barrier.close(ending(&record));
    assert!(record.closed.load(Ordering::Relaxed), "who is in no work ends the engine");
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(barrier.len(), (0, 0));
    assert_eq!(record.ended(), workers);
}

/// Says that the engine has been ended; once.
fn ending(record: &Arc<Record>) -> impl FnOnce(usize, usize) + Send + 'static {
    let record = Arc::clone(record);
    move |_, _| assert!(!record.closed.swap(true, Ordering::Relaxed), "an engine is ended twice")
}

/// Does a piece of work, if it is still there.
fn work(barrier: &Barrier<Work>, id: WorkId) {
    if let Some((work, token)) = barrier.begin(id) {
        work.run();
        drop(token);
    }
}

/// A thread that closes in the middle of its work, which waits for nobody: the last to work ends the engine.
fn closed_by_a_worker() {
    let (barrier, record) = (Arc::new(Barrier::new()), Arc::new(Record::default()));
    let ids: Vec<_> = (0..3).map(|_| barrier.add(Work::new(&record)).ok().unwrap()).collect();
    let other = {
        let (barrier, id) = (Arc::clone(&barrier), ids[1]);
        thread::spawn(move || work(&barrier, id))
    };
    let (own, token) = barrier.begin(ids[0]).unwrap();
    barrier.close(ending(&record));
    own.run();
    assert!(!record.closed.load(Ordering::Relaxed), "the engine is ended while its work runs");
    drop(token);
    other.join().unwrap();
    assert!(record.closed.load(Ordering::Relaxed));
    assert_eq!((barrier.len(), record.ended()), ((0, 0), 3));
}

/// Two threads that each close the other's barrier in the middle of their work.
fn closed_by_each_other() {
    let both = [(); 2].map(|()| (Arc::new(Barrier::new()), Arc::new(Record::default())));
    let threads = [0, 1].map(|mine| {
        let (own, other) = (both[mine].clone(), both[1 - mine].clone());
        let id = own.0.add(Work::new(&own.1)).ok().unwrap();
        thread::spawn(move || {
            let Some((work, token)) = own.0.begin(id) else { return };
            other.0.close(ending(&other.1));
            work.run();
            drop(token);
        })
    });
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    for (barrier, record) in both {
        assert_eq!(barrier.len(), (0, 0));
        assert_eq!(record.ended(), 1);
    }
}

#[test]
fn nothing_runs_when_the_engine_is_gone() {
    super::check(|| closed_in_between(3));
    super::check_all(|| closed_in_between(1));
}

#[test]
fn a_worker_may_close() {
    super::check_all(closed_by_a_worker);
}

#[test]
fn two_workers_may_close_each_others() {
    super::check(closed_by_each_other);
    super::check_all(closed_by_each_other);
}
