//! A promise: who polls is woken, whatever becomes of the task.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Wake, Waker};

use shuttle::sync::{Condvar, Mutex};
use shuttle::thread;

#[allow(dead_code, reason = "models use what they need")]
#[path = "../../crates/engine/src/compile/promise.rs"]
mod protocol;

use crate::pool::workers::Submitted;
use protocol::{Polled, Promise};

/// A thread that sleeps until it is woken.
#[derive(Default)]
struct Sleeper {
    woken: Mutex<bool>,
    changed: Condvar,
}

impl Wake for Sleeper {
    fn wake(self: Arc<Sleeper>) {
        *self.woken.lock().unwrap() = true;
        self.changed.notify_all();
    }
}

impl Sleeper {
    fn sleep(&self) {
        let mut woken = self.woken.lock().unwrap();
        while !*woken {
            woken = self.changed.wait(woken).unwrap();
        }
        *woken = false;
    }
}

/// Polls until there is something. A waker of another thread is left first, which must not matter.
fn wait(promise: &Promise<u32>) -> Polled<u32> {
    if let done @ (Polled::Left | Polled::Done(_) | Polled::Ended) =
        promise.poll(&Waker::from(Arc::<Sleeper>::default()))
    {
        return done;
    }
    let sleeper: Arc<Sleeper> = Arc::default();
    let waker = Waker::from(Arc::clone(&sleeper));
    loop {
        match promise.poll(&waker) {
            Polled::Pending => sleeper.sleep(),
            done => return done,
        }
    }
}

/// Threads that each do one of these to a promise that somebody waits for.
fn race(changes: &[fn(&Promise<u32>)]) -> Polled<u32> {
    let promise = Arc::new(Promise::new());
    let threads: Vec<_> = changes
        .iter()
        .map(|&change| {
            let promise = Arc::clone(&promise);
            thread::spawn(move || change(&promise))
        })
        .collect();
    let result = wait(&promise);
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    result
}

#[test]
fn who_waits_gets_the_result() {
    let model = || assert!(matches!(race(&[|promise| promise.fulfil(7)]), Polled::Done(7)));
    super::check_all(model);
    super::check(model);
}

#[test]
fn a_task_that_is_lost_is_noticed() {
    super::check(|| {
        assert!(matches!(race(&[|promise| promise.leave()]), Polled::Left));
    });
}

#[test]
fn the_engine_ends_it_while_a_task_fulfils_it() {
    super::check(|| {
        let result = race(&[|promise| promise.fulfil(7), |promise| promise.end(), |promise| promise.leave()]);
        assert!(matches!(result, Polled::Done(7) | Polled::Ended | Polled::Left));
    });
}

/// A task is submitted while nobody waits any more: it is taken back, before or after.
#[test]
fn a_task_is_taken_back() {
    super::check(|| {
        let (promise, cancelled) = (Arc::new(Promise::<u32>::new()), Arc::new(AtomicUsize::new(0)));
        let submitter = {
            let (promise, cancelled) = (Arc::clone(&promise), Arc::clone(&cancelled));
            thread::spawn(move || promise.set_task(Submitted(cancelled)))
        };
        promise.end();
        submitter.join().unwrap();
        assert_eq!(cancelled.load(Ordering::Relaxed), 1);
    });
}
