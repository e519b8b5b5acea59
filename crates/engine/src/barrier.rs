//! The barrier between an engine and its background work: nothing of that outlives the engine.
//!
//! 1. Work is [`Barrier::add`]ed before anybody is told to do it, and belongs to the barrier until it begins.
//! 2. Whoever is to do it comes with its number, and gets the work and a [`Token`] ([`Barrier::begin`]), which it holds
//!    for the whole run. Work that was [`Barrier::cancel`]led, or dropped with the engine, is not there any more: whoever
//!    comes for it does nothing.
//! 3. [`Barrier::close`], when the last handle of the engine goes: what has not begun is dropped, what comes later is
//!    refused, and what runs is waited for. A thread that closes the barrier in the middle of such work does not wait for
//!    itself.
//!
//! So it does not matter which pool does the work, nor whether it ever does.
//!
//! Invariant: each piece of work is given to one thread, or dropped, and the lock is not held while either happens.

use std::collections::BTreeMap;

use crate::sync::{Condvar, Mutex, MutexGuard, PoisonError, thread};

/// The number of a piece of work.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct WorkId(u64);

/// What has been submitted and has not begun, and who is at what has.
pub(crate) struct Barrier<W> {
    state: Mutex<State<W>>,
    /// Signalled when a thread is done.
    left: Condvar,
}

struct State<W> {
    closed: bool,
    added: u64,
    waiting: BTreeMap<WorkId, W>,
    /// The threads that hold tokens, one entry for each.
    running: Vec<thread::ThreadId>,
}

/// Held by a thread that does a piece of work, for as long as it does.
pub(crate) struct Token<'barrier, W> {
    barrier: &'barrier Barrier<W>,
}

impl<W> Barrier<W> {
    pub(crate) fn new() -> Barrier<W> {
        let state = State { closed: false, added: 0, waiting: BTreeMap::new(), running: Vec::new() };
        Barrier { state: Mutex::new(state), left: Condvar::new() }
    }

    /// Takes work in.
    ///
    /// # Errors
    /// The work, if the barrier is closed.
    pub(crate) fn add(&self, work: W) -> Result<WorkId, W> {
        let mut state = self.lock();
        if state.closed {
            return Err(work);
        }
        let id = WorkId(state.added);
        state.added += 1;
        state.waiting.insert(id, work);
        Ok(id)
    }

    /// Gives the work to be done, to be done while the token is held; none if it is not there any more.
    pub(crate) fn begin(&self, id: WorkId) -> Option<(W, Token<'_, W>)> {
        let mut state = self.lock();
        let work = state.waiting.remove(&id)?;
        state.running.push(thread::current().id());
        Some((work, Token { barrier: self }))
    }

    /// Takes back work that has not begun; the caller drops it.
    pub(crate) fn cancel(&self, id: WorkId) -> Option<W> {
        self.lock().waiting.remove(&id)
    }

    /// Has it not begun, and been neither cancelled nor dropped?
    pub(crate) fn is_waiting(&self, id: WorkId) -> bool {
        self.lock().waiting.contains_key(&id)
    }

    /// Pieces of work that have not begun, and pieces that run.
    pub(crate) fn len(&self) -> (usize, usize) {
        let state = self.lock();
        (state.waiting.len(), state.running.len())
    }

    /// Drops what has not begun, refuses what comes, and waits for what runs on other threads. Gives how many pieces of work
    /// were dropped, and for how many threads there was to wait.
    pub(crate) fn close(&self) -> (usize, usize) {
        let this = thread::current().id();
        let (waiting, awaited) = {
            let mut state = self.lock();
            state.closed = true;
            let others = state.running.iter().filter(|&&thread| thread != this).count();
            (std::mem::take(&mut state.waiting), others)
        };
        let dropped = waiting.len();
        drop(waiting);
        let mut state = self.lock();
        while state.running.iter().any(|&thread| thread != this) {
            state = self.left.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        (dropped, awaited)
    }

    fn lock(&self) -> MutexGuard<'_, State<W>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<W> Drop for Token<'_, W> {
    fn drop(&mut self) {
        let this = thread::current().id();
        let mut state = self.barrier.lock();
        if let Some(place) = state.running.iter().position(|&thread| thread == this) {
            state.running.swap_remove(place);
        }
        drop(state);
        self.barrier.left.notify_all();
    }
}
