//! The foreground queue of a store: work that must be done by the thread that owns the store, posted from any thread.
//!
//! Tasks are run, oldest first, at the next safepoint of the store ([`crate::interrupt`]): at the entry of a call, within
//! bounded time where Wasm runs, or by [`Store::poll`](crate::store::Store::poll). Those that must not run in the middle of
//! Wasm ([`Foreground::post_idle`]) are run only when none of the store is active. A store that dies drops what it has not
//! run, on its own thread; who posts later gets the task back.
//!
//! Invariant: the queue's lock is never held while a task runs or is dropped, a waker is woken, or the store is interrupted.
//! Invariant: a task is queued before it is announced by a bit, and a bit is cleared before the queue is emptied.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use crate::error::Failure;
use crate::requests::{IDLE, POLL, TERMINATE};
use crate::store::Store;
use crate::stores::Registered;

#[cfg(test)]
mod tests;

/// Something to be done on the thread of a store. It gets the store, which nobody else uses meanwhile; a failure ends what
/// the store is doing.
pub type Task = Box<dyn FnOnce(*mut Store) -> Result<(), Failure> + Send>;

/// A handle to the foreground queue of a store, for any thread. It does not keep the store.
#[derive(Clone)]
pub struct Foreground {
    state: Arc<Mutex<State>>,
    registered: Arc<Registered>,
}

#[derive(Default)]
struct State {
    tasks: VecDeque<Task>,
    /// Those that want no Wasm to be active.
    idle: VecDeque<Task>,
    /// The store is gone.
    closed: bool,
    waker: Option<Waker>,
}

impl State {
    fn is_empty(&self) -> bool {
        self.tasks.is_empty() && self.idle.is_empty()
    }
}

impl fmt::Debug for Foreground {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Foreground").field("waiting", &self.len()).finish_non_exhaustive()
    }
}

impl Foreground {
    pub(crate) fn new(registered: Arc<Registered>) -> Foreground {
        Foreground { state: Arc::default(), registered }
    }

    /// Queues a task for the next safepoint, and wakes who waits for one. Wasm that runs is interrupted for it.
    ///
    /// # Errors
    /// The task, if the store is gone.
    pub fn post(&self, task: Task) -> Result<(), Task> {
        self.push(task, |state| &mut state.tasks)?;
        self.registered.interrupt(POLL);
        Ok(())
    }

    /// Queues a task for the next time that no Wasm of the store is active, and wakes who waits for one.
    ///
    /// # Errors
    /// The task, if the store is gone.
    pub fn post_idle(&self, task: Task) -> Result<(), Task> {
        self.push(task, |state| &mut state.idle)?;
        self.registered.remember(IDLE);
        Ok(())
    }

    /// Ends the calls of Wasm that are under way in the store, within bounded time, by the trap `Interrupt`. Changes nothing
    /// if there are none.
    pub fn terminate(&self) {
        self.registered.interrupt(TERMINATE);
    }

    fn push(&self, task: Task, queue: impl FnOnce(&mut State) -> &mut VecDeque<Task>) -> Result<(), Task> {
        let mut state = self.lock();
        if state.closed {
            return Err(task);
        }
        queue(&mut state).push_back(task);
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
        Ok(())
    }

    /// Announces what waits, if anything does.
    pub(crate) fn announce(&self) {
        let state = self.lock();
        let (tasks, idle) = (!state.tasks.is_empty(), !state.idle.is_empty());
        drop(state);
        if tasks {
            self.registered.remember(POLL);
        }
        if idle {
            self.registered.remember(IDLE);
        }
    }

    /// Sets who is woken, once, by the next task; at once if one waits already.
    pub fn set_waker(&self, waker: Waker) {
        let mut state = self.lock();
        if state.is_empty() && !state.closed {
            let old = state.waker.replace(waker);
            drop(state);
            drop(old);
        } else {
            drop(state);
            waker.wake();
        }
    }

    /// Tasks that wait.
    pub fn len(&self) -> usize {
        self.waiting(true)
    }

    /// Tasks that wait, with those that want no Wasm to be active or without.
    pub(crate) fn waiting(&self, idle: bool) -> usize {
        let state = self.lock();
        state.tasks.len() + if idle { state.idle.len() } else { 0 }
    }

    /// Does no task wait?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Is the store gone?
    pub fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// The next task; one that wants no Wasm to be active only if `idle`, and behind all others.
    pub(crate) fn pop(&self, idle: bool) -> Option<Task> {
        let mut state = self.lock();
        let task = state.tasks.pop_front();
        if task.is_none() && idle { state.idle.pop_front() } else { task }
    }

    /// The store dies: drops what waits.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        let (tasks, idle) = (std::mem::take(&mut state.tasks), std::mem::take(&mut state.idle));
        let waker = state.waker.take();
        drop(state);
        drop((tasks, idle));
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
