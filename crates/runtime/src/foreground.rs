//! The foreground queue of a store: work that must be done by the thread that owns the store, posted from any thread.
//!
//! Tasks are run, oldest first, at the next safepoint of the store ([`crate::interrupt`]): at the entry of a call, within
//! bounded time where Wasm runs, or by [`Store::poll`](crate::store::Store::poll). Those that must not run in the middle of
//! Wasm ([`Foreground::post_idle`]) are run only when none of the store is active. A store that dies drops what it has not
//! run, on its own thread; who posts later gets the task back.
//!
//! The engine has work of its own done there ([`Foreground::post_internal`]), which is not in the numbers that embedders see.
//!
//! Invariant: the queue's lock is never held while a task runs or is dropped, a waker is woken or dropped, or the store is
//! interrupted.
//! Invariant: a task is queued before it is announced by a bit, and a bit is cleared before the queue is emptied. Who waits is
//! woken last, when the task can be found in every way.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use wasm::heap;

use crate::error::Failure;
use crate::requests::{IDLE, POLL, TERMINATE};
use crate::store::Store;
use crate::stores::Registered;
use crate::usage::TaskAccount;

#[cfg(test)]
mod tests;
mod wakers;

use wakers::Wakers;
use wakers::wake;

/// Something to be done on the thread of a store. It gets the store, which nobody else uses meanwhile; a failure ends what
/// the store is doing.
pub type Task = Box<dyn FnOnce(*mut Store) -> Result<(), Failure> + Send>;

/// A handle to the foreground queue of a store, for any thread. It does not keep the store.
#[derive(Clone)]
pub struct Foreground {
    state: Arc<Mutex<State>>,
    registered: Arc<Registered>,
}

/// A task that waits.
pub(crate) struct Queued {
    pub(crate) task: Task,
    /// It is the engine's own.
    pub(crate) internal: bool,
}

impl Queued {
    /// What it takes, in bytes, as far as its size says so.
    fn bytes(&self) -> usize {
        size_of::<Queued>() + heap::block(size_of_val(&*self.task))
    }
}

struct State {
    tasks: VecDeque<Queued>,
    /// Those that want no Wasm to be active.
    idle: VecDeque<Queued>,
    /// How many of them are the engine's.
    internal: usize,
    /// What they take.
    account: TaskAccount,
    /// The store is gone.
    closed: bool,
    wakers: Wakers,
    /// Places among the wakers that were given to [`Waiting`]s.
    places: u64,
}

impl State {
    fn is_empty(&self) -> bool {
        self.tasks.is_empty() && self.idle.is_empty()
    }

    fn posted(&self) -> usize {
        self.tasks.len() + self.idle.len() - self.internal
    }
}

impl fmt::Debug for Foreground {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Foreground").field("posted", &self.posted()).finish_non_exhaustive()
    }
}

impl Foreground {
    pub(crate) fn new(registered: Arc<Registered>, account: TaskAccount) -> Foreground {
        let state = State {
            tasks: VecDeque::new(),
            idle: VecDeque::new(),
            internal: 0,
            account,
            closed: false,
            wakers: Wakers::default(),
            places: 0,
        };
        Foreground { state: Arc::new(Mutex::new(state)), registered }
    }

    /// Queues a task for the next safepoint, and wakes who waits for one. Wasm that runs is interrupted for it.
    ///
    /// # Errors
    /// The task, if the store is gone.
    pub fn post(&self, task: Task) -> Result<(), Task> {
        self.push(Queued { task, internal: false }, POLL)
    }

    /// [`Foreground::post`], for work of the engine, which is not counted among what waits.
    ///
    /// # Errors
    /// The task, if the store is gone.
    pub fn post_internal(&self, task: Task) -> Result<(), Task> {
        self.push(Queued { task, internal: true }, POLL)
    }

    /// Queues a task for the next time that no Wasm of the store is active, and wakes who waits for one.
    ///
    /// # Errors
    /// The task, if the store is gone.
    pub fn post_idle(&self, task: Task) -> Result<(), Task> {
        self.push(Queued { task, internal: false }, IDLE)
    }

    /// Ends the calls of Wasm that are under way in the store, within bounded time, by the trap `Interrupt`. Changes nothing
    /// if there are none.
    pub fn terminate(&self) {
        self.registered.interrupt(TERMINATE);
    }

    fn push(&self, queued: Queued, bit: u64) -> Result<(), Task> {
        let mut state = self.lock();
        if state.closed {
            return Err(queued.task);
        }
        state.internal += usize::from(queued.internal);
        state.account.add(queued.bytes());
        let queue = if bit == IDLE { &mut state.idle } else { &mut state.tasks };
        queue.push_back(queued);
        let wakers = state.wakers.take();
        drop(state);
        if bit == IDLE {
            self.registered.remember(IDLE);
        } else {
            self.registered.interrupt(bit);
        }
        wakers.wake();
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

    /// Adds one who is woken, once, by the next task; at once if one waits already.
    pub fn add_waker(&self, waker: Waker) {
        let mut state = self.lock();
        if state.is_empty() && !state.closed {
            let extra = state.wakers.add(waker);
            drop(state);
            extra.settle();
        } else {
            drop(state);
            wake(waker);
        }
    }

    /// One who waits for the next task, as often as it takes.
    pub fn waiting(&self) -> Waiting<'_> {
        let mut state = self.lock();
        state.places += 1;
        Waiting { foreground: self, place: state.places }
    }

    /// Tasks that were posted, without the engine's own, and wait.
    pub fn posted(&self) -> usize {
        self.lock().posted()
    }

    /// Tasks that wait, the engine's among them, with those that want no Wasm to be active or without.
    pub(crate) fn len(&self, idle: bool) -> usize {
        let state = self.lock();
        state.tasks.len() + if idle { state.idle.len() } else { 0 }
    }

    /// What the tasks that wait take, in bytes, without what they own elsewhere.
    pub(crate) fn bytes(&self) -> usize {
        self.lock().account.bytes()
    }

    /// Is the store gone?
    pub fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// The next task; one that wants no Wasm to be active only if `idle`, and behind all others.
    pub(crate) fn pop(&self, idle: bool) -> Option<Queued> {
        let mut state = self.lock();
        let queued = state.tasks.pop_front();
        let queued = if queued.is_none() && idle { state.idle.pop_front() } else { queued };
        if let Some(queued) = &queued {
            state.internal -= usize::from(queued.internal);
            state.account.sub(queued.bytes());
        }
        queued
    }

    /// The store dies: drops what waits, when all who wait know it.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        let (tasks, idle) = (std::mem::take(&mut state.tasks), std::mem::take(&mut state.idle));
        state.internal = 0;
        state.account.clear();
        let wakers = state.wakers.take();
        drop(state);
        wakers.wake();
        drop((tasks, idle));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One who waits for tasks of a store, with a place of its own among the wakers.
#[derive(Debug)]
pub struct Waiting<'a> {
    foreground: &'a Foreground,
    place: u64,
}

impl Waiting<'_> {
    /// Does something wait to be run, the engine's tasks included? None if the store is gone. If nothing does, `waker` is
    /// woken by the next task, or the end of the store.
    pub fn poll(&self, waker: &Waker) -> Option<bool> {
        let waker = waker.clone();
        let mut state = self.foreground.lock();
        let outcome = (!state.closed).then_some(!state.is_empty());
        let unused = match outcome {
            Some(false) => state.wakers.place(self.place, waker),
            _ => Some(waker),
        };
        drop(state);
        drop(unused);
        outcome
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let old = self.foreground.lock().wakers.leave(self.place);
        drop(old);
    }
}
