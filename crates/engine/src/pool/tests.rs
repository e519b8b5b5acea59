//! Every item of a batch is done exactly once, whoever does it; tasks are done once, or not at all.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use super::workers::Workers;
use super::*;
use crate::config::Config;
use crate::tuning;

const LABEL: Label = Label { name: "test", module: None };

/// The workers of an engine with a pool of this many threads.
fn with_threads(threads: usize) -> Workers {
    Workers::new(&Config { threads, ..Config::default() })
}

fn with_pool(pool: &Arc<impl Pool + 'static>) -> Workers {
    let pool: Arc<dyn Pool> = pool.clone();
    Workers::new(&Config { pool: Some(pool), ..Config::default() })
}

/// A pool that takes nothing, or takes everything and does nothing, or drops it.
#[derive(Debug, Clone, Copy)]
enum Lazy {
    Refuses,
    Forgets,
    Drops,
    Inline,
    /// Panics when it is given a task, before or after it has run it.
    Panics,
    PanicsLater,
}

impl Pool for Lazy {
    fn threads(&self) -> usize {
        3
    }

    fn spawn(&self, task: Task) -> Result<(), Task> {
        match self {
            Lazy::Refuses => return Err(task),
            Lazy::Forgets => std::mem::forget(task),
            Lazy::Drops => drop(task),
            Lazy::Inline => task.run(),
            Lazy::Panics => panic!("a test of panics"),
            Lazy::PanicsLater => {
                task.run();
                panic!("a test of panics");
            }
        }
        Ok(())
    }
}

fn assert_batches_work(workers: &Workers) {
    for len in [0, 1, 2, 1000] {
        let counts: Arc<Vec<AtomicUsize>> = Arc::new((0..len).map(|_| AtomicUsize::new(0)).collect());
        let seen = Arc::clone(&counts);
        let work = move |item: usize| {
            seen[item].fetch_add(1, Ordering::Relaxed);
        };
        workers.run(len, LABEL, Arc::new(work));
        assert!(counts.iter().all(|count| count.load(Ordering::Relaxed) == 1));
        assert_eq!(workers.tasks().0, 0, "shares that nobody has taken are cancelled");
        assert!(Arc::try_unwrap(counts).is_ok(), "a worker keeps what the batch referred to");
    }
}

#[test]
fn every_item_is_done_once() {
    for threads in [1, 2, 5] {
        assert_batches_work(&with_threads(threads));
    }
    for pool in [Lazy::Refuses, Lazy::Forgets, Lazy::Drops, Lazy::Inline, Lazy::Panics, Lazy::PanicsLater] {
        assert_batches_work(&with_pool(&Arc::new(pool)));
    }
    let manual = Arc::new(ManualPool::new(4));
    assert_batches_work(&with_pool(&manual));
    assert!(manual.pending().is_empty());
}

/// Who waits for a batch must learn that an item was not done: it may have been the one that finds a module not valid.
#[test]
fn a_panic_in_an_item_leaves_the_others_and_reaches_who_waits() {
    for threads in [1, 2, 5] {
        let workers = with_threads(threads);
        let done = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&done);
        let work = move |item: usize| {
            assert_ne!(item, 5, "a test of panics");
            seen.fetch_add(1, Ordering::Relaxed);
        };
        let result = catch_unwind(AssertUnwindSafe(|| workers.run(20, LABEL, Arc::new(work))));
        assert!(result.is_err_and(|panic| panic.downcast::<String>().unwrap().contains("a test of panics")));
        assert_eq!(done.load(Ordering::Relaxed), 19);
        assert_eq!((workers.tasks().0, Arc::strong_count(&done)), (0, 1));
    }
}

/// An item that panics on a thread of the pool, not on the one that waits.
#[test]
fn a_panic_on_another_thread_reaches_who_waits() {
    let workers = with_threads(2);
    let (here, (begun, has_begun)) = (std::thread::current().id(), channel());
    let has_begun = std::sync::Mutex::new(has_begun);
    let work = move |_: usize| {
        if std::thread::current().id() == here {
            // The other item is for the other thread.
            has_begun.lock().unwrap().recv().unwrap();
        } else {
            begun.send(()).unwrap();
            panic!("a test of panics");
        }
    };
    assert!(catch_unwind(AssertUnwindSafe(|| workers.run(2, LABEL, Arc::new(work)))).is_err());
}

#[test]
fn threads_are_those_asked_for() {
    let pool = Arc::new(ManualPool::new(6));
    assert_eq!((with_threads(3).threads(), with_threads(3).task_threads()), (3, 2));
    assert_eq!((with_threads(1).threads(), with_threads(1).task_threads()), (1, 1));
    assert_eq!((with_pool(&pool).threads(), with_pool(&pool).task_threads()), (7, 6));
    let few = Workers::new(&Config { pool: Some(pool), threads: 2, ..Config::default() });
    assert_eq!((few.threads(), few.task_threads()), (2, 6));
}

/// Pools that say nonsense, or nothing.
#[test]
fn threads_are_as_many_as_are_of_use() {
    #[derive(Debug)]
    struct Says(usize);
    impl Pool for Says {
        fn threads(&self) -> usize {
            assert_ne!(self.0, 7, "a test of panics");
            self.0
        }
        fn spawn(&self, task: Task) -> Result<(), Task> {
            Err(task)
        }
    }
    for (says, tasks) in [(0, 0), (1, 1), (usize::MAX, tuning::MOST_THREADS), (7, 0)] {
        let pool: Arc<dyn Pool> = Arc::new(Says(says));
        for (threads, expected) in [(0, tasks + 1), (1, 1), (2, 2.min(tasks + 1))] {
            let workers = Workers::new(&Config { pool: Some(Arc::clone(&pool)), threads, ..Config::default() });
            assert_eq!((workers.threads(), workers.task_threads()), (expected, tasks));
            assert_batches_work(&workers);
        }
    }
}

/// A task that says when it has begun, and goes on when it is told.
fn gate(workers: &Workers) -> (Receiver<()>, Sender<()>) {
    let ((begun, has_begun), (go, may_go)) = (channel(), channel());
    let task = move || {
        begun.send(()).unwrap();
        let _ = may_go.recv();
    };
    workers.spawn(Urgency::Urgent, LABEL, task).unwrap();
    (has_begun, go)
}

#[test]
fn tasks_are_done_by_urgency() {
    let workers = with_pool(&Arc::new(ThreadPool::new(1)));
    let (begun, go) = gate(&workers);
    begun.recv().unwrap();
    let (sender, receiver) = channel();
    for (number, urgency) in [
        (4, Urgency::Background),
        (0, Urgency::Urgent),
        (2, Urgency::Normal),
        (5, Urgency::Background),
        (1, Urgency::Urgent),
        (3, Urgency::Normal),
    ] {
        let sender = sender.clone();
        workers.spawn(urgency, LABEL, move || sender.send(number).unwrap()).unwrap();
    }
    drop((go, sender));
    assert_eq!(receiver.iter().collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5]);
}

#[test]
fn shares_are_helped_with_when_all_workers_are_busy() {
    let workers = with_threads(2);
    let (begun, go) = gate(&workers);
    begun.recv().unwrap();
    let (sender, receiver) = channel();
    for (number, urgency) in
        [(2, Urgency::Urgent), (3, Urgency::Background), (0, Urgency::Normal), (1, Urgency::Normal)]
    {
        let sender = sender.clone();
        workers.spawn(urgency, LABEL, move || sender.send(number).unwrap()).unwrap();
    }
    assert_eq!([receiver.recv(), receiver.recv()], [Ok(0), Ok(1)]);
    drop((go, sender));
    assert_eq!(receiver.iter().collect::<Vec<_>>(), [2, 3]);
}

#[test]
fn closing_drops_what_waits_and_waits_for_what_runs() {
    let workers = Arc::new(with_threads(1));
    let (begun, go) = gate(&workers);
    begun.recv().unwrap();
    let kept = Arc::new(());
    let held = Arc::clone(&kept);
    workers.spawn(Urgency::Background, LABEL, move || drop(held)).unwrap();
    let closed = Arc::new(AtomicBool::new(false));
    let closer = {
        let (workers, closed) = (Arc::clone(&workers), Arc::clone(&closed));
        std::thread::spawn(move || {
            workers.close(|_, _| {});
            closed.store(true, Ordering::Release);
        })
    };
    while Arc::strong_count(&kept) > 1 {
        std::thread::yield_now();
    }
    assert!(!closed.load(Ordering::Acquire), "a task still runs");
    drop(go);
    closer.join().unwrap();
    assert_eq!(workers.tasks(), (0, 0));
    assert!(workers.spawn(Urgency::Urgent, LABEL, || unreachable!("the engine is gone")).is_none());
}

#[test]
fn a_task_may_close() {
    let workers = Arc::new(with_threads(3));
    let (sender, receiver) = channel();
    let same = Arc::clone(&workers);
    let task = move || {
        same.close(|_, _| {});
        drop(same);
        sender.send(()).unwrap();
    };
    workers.spawn(Urgency::Urgent, LABEL, task).unwrap();
    // Most often the task has the last handle of the pool.
    drop(workers);
    receiver.recv().unwrap();
}

/// Two engines on one pool, each of which goes in a task of the other.
#[test]
fn tasks_may_close_each_others_engines() {
    let pool = Arc::new(ThreadPool::new(2));
    let both = [(); 2].map(|()| Arc::new(with_pool(&pool)));
    let (sender, receiver) = channel();
    let (meeting, ended) = (Arc::new(std::sync::Barrier::new(2)), Arc::new(AtomicUsize::new(0)));
    for (mine, other) in [(0, 1), (1, 0)] {
        let (sender, meeting, ended) = (sender.clone(), Arc::clone(&meeting), Arc::clone(&ended));
        let (own, other) = (Arc::downgrade(&both[mine]), Arc::clone(&both[other]));
        let task = move || {
            meeting.wait();
            other.close(move |_, _| {
                ended.fetch_add(1, Ordering::Relaxed);
            });
            drop((other, own));
            sender.send(()).unwrap();
        };
        both[mine].spawn(Urgency::Urgent, LABEL, task).unwrap();
    }
    for _ in 0..2 {
        receiver.recv_timeout(Duration::from_secs(60)).expect("they wait for each other");
    }
    drop((both, pool));
    assert_eq!(ended.load(Ordering::Relaxed), 2, "each is ended by the last of its tasks");
}

#[test]
fn dropping_the_pool_drops_its_tasks() {
    let pool = Arc::new(ThreadPool::new(1));
    let workers = with_pool(&pool);
    let (begun, go) = gate(&workers);
    begun.recv().unwrap();
    let kept = Arc::new(());
    let held = Arc::clone(&kept);
    workers.spawn(Urgency::Normal, LABEL, move || drop(held)).unwrap();
    drop(pool);
    let dropper = std::thread::spawn(move || drop(workers));
    while Arc::strong_count(&kept) > 1 {
        std::thread::yield_now();
    }
    drop(go);
    dropper.join().unwrap();
}

#[test]
fn a_task_that_panics_leaves_the_worker_to_the_others() {
    let workers = with_threads(1);
    workers.spawn(Urgency::Urgent, LABEL, || panic!("a test of panics")).unwrap();
    let (sender, receiver) = channel();
    workers.spawn(Urgency::Urgent, LABEL, move || sender.send(5).unwrap()).unwrap();
    assert_eq!(receiver.recv(), Ok(5));
}

#[test]
fn by_hand_tasks_run_in_any_order() {
    let pool = Arc::new(ManualPool::new(2));
    let workers = with_pool(&pool);
    let order = Arc::new(std::sync::Mutex::new(Vec::new()));
    let spawn = |number: u64| {
        let order = Arc::clone(&order);
        let label = Label { name: "test", module: Some(ModuleNumber(number)) };
        workers.spawn(Urgency::Normal, label, move || order.lock().unwrap().push(number)).unwrap()
    };
    let submitted: Vec<_> = (1..=5).map(spawn).collect();
    submitted[1].cancel();
    let names = |pool: &ManualPool| pool.pending().iter().map(Pending::to_string).collect::<Vec<_>>();
    assert_eq!(names(&pool), ["test m1", "test m3", "test m4", "test m5"]);
    assert!(pool.run(2) && pool.run_next() && pool.discard(0) && !pool.run(1));
    assert_eq!(names(&pool), ["test m5"]);
    assert_eq!((pool.run_all(), pool.run_next()), (1, false));
    assert_eq!(*order.lock().unwrap(), [4, 1, 5]);
    // What the engine drops does nothing when it is run.
    spawn(6);
    workers.close(|_, _| {});
    assert_eq!(pool.run_all(), 0);
}

#[test]
fn tasks_that_come_too_late_do_nothing() {
    let kept: Arc<std::sync::Mutex<Vec<Task>>> = Arc::default();
    #[derive(Debug)]
    struct Keeps(Arc<std::sync::Mutex<Vec<Task>>>);
    impl Pool for Keeps {
        fn threads(&self) -> usize {
            1
        }
        fn spawn(&self, task: Task) -> Result<(), Task> {
            self.0.lock().unwrap().push(task);
            Ok(())
        }
    }
    let workers = with_pool(&Arc::new(Keeps(Arc::clone(&kept))));
    let held = Arc::new(());
    let same = Arc::clone(&held);
    workers.spawn(Urgency::Urgent, LABEL, move || unreachable!("{same:?}")).unwrap();
    workers.close(|_, _| {});
    assert_eq!(Arc::strong_count(&held), 1);
    let task = kept.lock().unwrap().pop().unwrap();
    assert!(task.is_cancelled());
    task.run();
}
