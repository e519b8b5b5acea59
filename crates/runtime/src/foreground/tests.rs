//! The queue alone: order, who is woken, what becomes of tasks when the store goes; and what running it does with tasks that
//! post tasks, fail, and panic.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::task::Wake;
use std::thread;

use abi::trap::TrapReason;

use super::*;
use crate::testing::store;

/// Runs what waits, and what that posts.
fn poll(store: &mut Store) -> Result<usize, Failure> {
    // SAFETY: the store is pinned, has no instance, and is nobody else's meanwhile.
    unsafe { Store::poll(store) }
}

/// What tasks have done, in their order.
#[derive(Clone, Default)]
struct Record(Arc<Mutex<Vec<&'static str>>>);

impl Record {
    fn add(&self, what: &'static str) {
        self.0.lock().unwrap().push(what);
    }

    /// A task that is recorded when it is run.
    fn task(&self, what: &'static str) -> Task {
        let record = self.clone();
        Box::new(move |_| {
            record.add(what);
            Ok(())
        })
    }

    fn take(&self) -> Vec<&'static str> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

fn posted(outcome: Result<(), Task>) {
    assert!(outcome.is_ok(), "the store is not gone");
}

#[test]
fn tasks_come_in_order_and_idle_ones_behind_them() {
    let (mut store, foreground) = store();
    let record = Record::default();
    posted(foreground.post_idle(record.task("idle a")));
    posted(foreground.post(record.task("a")));
    posted(foreground.post_idle(record.task("idle b")));
    posted(foreground.post(record.task("b")));
    assert_eq!((foreground.posted(), foreground.len(true), foreground.len(false)), (4, 4, 2));
    assert_eq!(poll(&mut store).unwrap(), 4);
    assert_eq!(record.take(), ["a", "b", "idle a", "idle b"]);
    assert!(foreground.len(true) == 0);
    assert_eq!(poll(&mut store).unwrap(), 0);
}

#[test]
fn idle_tasks_wait_for_the_end_of_wasm() {
    let (mut store, foreground) = store();
    let record = Record::default();
    posted(foreground.post_idle(record.task("idle")));
    posted(foreground.post(record.task("a")));
    // As if a host function that Wasm has called were polling.
    store.context.entry = std::ptr::dangling_mut();
    assert_eq!(poll(&mut store).unwrap(), 1);
    store.context.entry = std::ptr::null_mut();
    assert_eq!((record.take(), foreground.posted()), (vec!["a"], 1));
    assert_eq!(poll(&mut store).unwrap(), 1);
    assert_eq!(record.take(), ["idle"]);
}

#[test]
fn a_bit_says_that_tasks_wait() {
    let (mut store, foreground) = store();
    let record = Record::default();
    let bits = |store: &Store| store.context.interrupt.load(Relaxed);
    posted(foreground.post_idle(record.task("idle")));
    assert_eq!(bits(&store), IDLE);
    posted(foreground.post(record.task("a")));
    assert_eq!(bits(&store), IDLE | POLL);
    // A thread that has taken the bits, and not the tasks, sets them again.
    let (set, _) = store.registered().take(IDLE | POLL);
    assert_eq!((set, bits(&store)), (IDLE | POLL, 0));
    foreground.announce();
    assert_eq!(bits(&store), IDLE | POLL);
    assert_eq!(poll(&mut store).unwrap(), 2);
    store.registered().take(IDLE | POLL);
    foreground.announce();
    assert_eq!(bits(&store), 0);
}

#[test]
fn a_store_that_is_gone_gives_tasks_back() {
    let (store, foreground) = store();
    let record = Record::default();
    let held = Arc::new(());
    let (one, other) = (Arc::clone(&held), Arc::clone(&held));
    posted(foreground.post(Box::new(move |_| {
        drop(one);
        Ok(())
    })));
    posted(foreground.post_idle(Box::new(move |_| {
        drop(other);
        Ok(())
    })));
    assert!(!foreground.is_closed());
    drop(store);
    // Dropped unrun.
    assert_eq!((Arc::strong_count(&held), foreground.posted(), foreground.is_closed()), (1, 0, true));
    for outcome in [foreground.post(record.task("a")), foreground.post_idle(record.task("b"))] {
        // It is the task itself that comes back: whoever posted it may still run it.
        let task = outcome.expect_err("the store is gone");
        task(std::ptr::null_mut()).unwrap();
    }
    assert_eq!(record.take(), ["a", "b"]);
    foreground.terminate();
    foreground.announce();
}

/// A task that posts as it is dropped, as one may that a closing queue drops.
#[test]
fn tasks_that_are_dropped_may_use_the_queue() {
    struct Posts(Foreground, Arc<AtomicBool>);
    impl Drop for Posts {
        fn drop(&mut self) {
            self.1.store(self.0.post(Box::new(|_| Ok(()))).is_err(), Relaxed);
        }
    }
    let (store, foreground) = store();
    let refused = Arc::new(AtomicBool::new(false));
    let posts = Posts(foreground.clone(), Arc::clone(&refused));
    posted(foreground.post(Box::new(move |_| {
        drop(posts);
        Ok(())
    })));
    drop(store);
    assert!(refused.load(Relaxed) && foreground.len(true) == 0);
}

/// Counts wakes, and looks at the queue meanwhile: no lock of it is held.
struct Count {
    wakes: AtomicUsize,
    foreground: Foreground,
}

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        _ = self.foreground.posted();
        self.wakes.fetch_add(1, Relaxed);
    }
}

#[test]
fn a_waker_is_woken_once_by_the_next_task_or_the_end() {
    let (mut store, foreground) = store();
    let count = Arc::new(Count { wakes: AtomicUsize::new(0), foreground: foreground.clone() });
    let set = || foreground.add_waker(Waker::from(Arc::clone(&count)));
    let wakes = || count.wakes.load(Relaxed);
    let nothing = || -> Task { Box::new(|_| Ok(())) };
    set();
    assert_eq!(wakes(), 0);
    posted(foreground.post(nothing()));
    posted(foreground.post(nothing()));
    assert_eq!(wakes(), 1);
    // At once, as tasks wait already.
    set();
    assert_eq!(wakes(), 2);
    poll(&mut store).unwrap();
    // They are the same.
    set();
    set();
    posted(foreground.post_idle(nothing()));
    assert_eq!(wakes(), 3);
    poll(&mut store).unwrap();
    set();
    drop(store);
    assert_eq!(wakes(), 4);
    set();
    assert_eq!(wakes(), 5);
}

#[test]
fn tasks_that_post_tasks_are_run_by_rounds() {
    let (mut store, foreground) = store();
    let record = Record::default();
    let (again, inner) = (foreground.clone(), record.clone());
    posted(foreground.post(Box::new(move |store| {
        inner.add("outer");
        posted(again.post(inner.task("inner")));
        // SAFETY: the task has the store.
        assert_eq!(unsafe { Store::poll(store) }.unwrap(), 0, "tasks do not run inside each other");
        Ok(())
    })));
    posted(foreground.post(record.task("next")));
    // An interrupt runs what waits when it begins, and announces the rest.
    let round = |store: &mut Store| {
        // SAFETY: as in `poll`.
        unsafe { crate::interrupt::run_tasks(store, crate::interrupt::Round::Waiting) }
    };
    store.registered().take(POLL);
    assert_eq!(round(&mut store).unwrap(), 2);
    assert_eq!(record.take(), ["outer", "next"]);
    assert_eq!((store.context.interrupt.load(Relaxed), foreground.posted()), (POLL, 1));
    assert_eq!(poll(&mut store).unwrap(), 1);
    assert_eq!(record.take(), ["inner"]);
}

#[test]
fn a_task_that_fails_or_panics_lets_the_others_wait() {
    let (mut store, foreground) = store();
    let record = Record::default();
    posted(foreground.post(record.task("a")));
    posted(foreground.post(Box::new(|_| Err(Failure::Trap(TrapReason::Interrupt)))));
    posted(foreground.post(record.task("b")));
    posted(foreground.post(Box::new(|_| panic!("as it should"))));
    posted(foreground.post(record.task("c")));
    assert!(matches!(poll(&mut store), Err(Failure::Trap(TrapReason::Interrupt))));
    assert_eq!((record.take(), foreground.posted()), (vec!["a"], 3));
    let Err(Failure::Panic(panic)) = poll(&mut store) else { panic!("the panic is carried on") };
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"as it should"));
    assert_eq!((record.take(), foreground.posted(), store.in_task), (vec!["b"], 1, false));
    // What still waits is announced to the next safepoint.
    assert_eq!(store.context.interrupt.load(Relaxed) & POLL, POLL);
    assert_eq!(poll(&mut store).unwrap(), 1);
    assert_eq!(record.take(), ["c"]);
}

#[test]
fn tasks_of_many_threads_are_run_once_and_in_the_order_of_each() {
    const THREADS: usize = 4;
    const TASKS: usize = 200;
    let (mut store, foreground) = store();
    let seen: Arc<[AtomicUsize; THREADS]> = Arc::default();
    let posts = |number: usize| {
        for n in 0..TASKS {
            let seen = Arc::clone(&seen);
            posted(foreground.post(Box::new(move |_| {
                assert_eq!(seen[number].fetch_add(1, Relaxed), n);
                Ok(())
            })));
        }
    };
    let mut run = 0;
    thread::scope(|scope| {
        let posts = &posts;
        (0..THREADS).for_each(|number| _ = scope.spawn(move || posts(number)));
        while run < THREADS * TASKS {
            run += poll(&mut store).unwrap();
        }
    });
    assert_eq!((run, foreground.posted()), (THREADS * TASKS, 0));
}
