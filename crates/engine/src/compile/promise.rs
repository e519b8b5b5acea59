//! `Promise`: the result of work that somebody else does, for one who polls. Bound to no executor.
//!
//! 1. A promise starts *pending*: a task is to fulfil it, or is at it.
//! 2. [`Promise::fulfil`] puts the result in and wakes who waits.
//! 3. [`Promise::leave`] says that no task will: who polls is told ([`Polled::Left`]), and does the work at once.
//! 4. [`Promise::end`], by who would have polled, or by the engine that goes: nobody waits any more.
//!
//! Invariant: whatever becomes of the task, the promise leaves *pending*, as the task leaves it when it is dropped. The
//! lock is not held while a waker is woken, cloned or dropped, nor while a result or a task is dropped. A waker that panics
//! harms nobody else.

use std::task::Waker;

use crate::foreign;
use crate::pool::workers::Submitted;
use crate::sync::{Mutex, MutexGuard, PoisonError};

/// A result that comes, or not.
#[derive(Debug)]
pub(crate) struct Promise<T> {
    state: Mutex<State<T>>,
}

#[derive(Debug)]
enum State<T> {
    Pending {
        waker: Option<Waker>,
        /// What to take back when nobody waits any more.
        task: Option<Submitted>,
    },
    Left,
    Done(T),
    Ended,
}

/// What there is for who polls.
#[derive(Debug)]
pub(crate) enum Polled<T> {
    /// Nothing yet; the waker will be woken.
    Pending,
    /// Nobody does the work: who polls does.
    Left,
    /// The result.
    Done(T),
    /// There was a result, and it was taken; or the engine is gone.
    Ended,
}

impl<T> Promise<T> {
    /// A promise that a task is going to fulfil.
    pub(crate) fn new() -> Promise<T> {
        Promise { state: Mutex::new(State::Pending { waker: None, task: None }) }
    }

    /// What there is; if nothing, `waker` is woken when that changes.
    pub(crate) fn poll(&self, waker: &Waker) -> Polled<T> {
        let waker = waker.clone();
        let mut state = self.lock();
        match &mut *state {
            State::Pending { waker: known, .. } => {
                let old = known.replace(waker);
                drop(state);
                drop(old);
                Polled::Pending
            }
            _ => match std::mem::replace(&mut *state, State::Ended) {
                State::Done(result) => Polled::Done(result),
                State::Left => Polled::Left,
                State::Pending { .. } | State::Ended => Polled::Ended,
            },
        }
    }

    /// This task is going to fulfil it. Taken back if nobody waits any more.
    pub(crate) fn set_task(&self, submitted: Submitted) {
        let mut state = self.lock();
        if let State::Pending { task, .. } = &mut *state {
            let old = task.replace(submitted);
            drop(state);
            drop(old);
        } else {
            drop(state);
            submitted.cancel();
        }
    }

    /// The result is there. Dropped if nobody waits any more.
    pub(crate) fn fulfil(&self, result: T) {
        self.change(State::Done(result));
    }

    /// Nobody is going to fulfil it.
    pub(crate) fn leave(&self) {
        self.change(State::Left);
    }

    /// Nobody waits any more, and nobody need do the work: takes back the task, drops the result.
    pub(crate) fn end(&self) {
        let old = std::mem::replace(&mut *self.lock(), State::Ended);
        if let State::Pending { waker, task } = old {
            if let Some(task) = task {
                task.cancel();
            }
            if let Some(waker) = waker {
                foreign::call(|| waker.wake());
            }
        }
    }

    /// Goes from pending to another state, and wakes who waits.
    fn change(&self, to: State<T>) {
        let mut state = self.lock();
        if !matches!(*state, State::Pending { .. }) {
            drop(state);
            drop(to);
            return;
        }
        let old = std::mem::replace(&mut *state, to);
        drop(state);
        if let State::Pending { waker: Some(waker), .. } = old {
            foreign::call(|| waker.wake());
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
