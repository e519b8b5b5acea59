//! The barrier between an engine and its background work: nothing of that outlives the engine.
//!
//! 1. Work is [`Barrier::add`]ed before anybody is told to do it, and belongs to the barrier until it begins.
//! 2. Whoever is to do it comes with its number, and gets the work and a [`Token`] ([`Barrier::begin`]), which it holds
//!    for the whole run. Work that was [`Barrier::cancel`]led, or dropped with the engine, is not there any more: whoever
//!    comes for it does nothing.
//! 3. [`Barrier::close`], when the last handle of the engine goes: what has not begun is dropped, what comes later is
//!    refused, what runs is waited for, and then the engine is *ended*.
//! 4. A thread that is in the middle of a piece of work, of this barrier or another's, waits for nothing: it might wait for
//!    itself, or two of an embedder's threads, each in work of one engine and closing another, for each other. It leaves
//!    the ending to the last that has a token.
//!
//! So it does not matter which pool does the work, nor whether it ever does.
//!
//! Invariant: each piece of work is given to one thread, or dropped, and the lock is not held while either happens, nor
//! while an engine is ended. Invariant: an engine is ended once, when nothing of its runs.

use std::cell::Cell;
use std::collections::BTreeMap;

use crate::sync::{Condvar, Mutex, MutexGuard, PoisonError, thread_local};

thread_local! {
    /// Tokens that this thread holds, of any barrier.
    static TOKENS: Cell<usize> = const { Cell::new(0) };
}

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
    /// Tokens that are held.
    running: usize,
    /// What is to be done when none is held any more, if the barrier is closed and that was left to the last.
    ending: Option<Ending>,
}

/// What ends an engine.
type Ending = Box<dyn FnOnce() + Send>;

/// Held by a thread that does a piece of work, for as long as it does.
pub(crate) struct Token<'barrier, W> {
    barrier: &'barrier Barrier<W>,
}

impl<W> Barrier<W> {
    pub(crate) fn new() -> Barrier<W> {
        let state = State { closed: false, added: 0, waiting: BTreeMap::new(), running: 0, ending: None };
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
        state.running += 1;
        drop(state);
        TOKENS.with(|tokens| tokens.set(tokens.get() + 1));
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
        (state.waiting.len(), state.running)
    }

    /// Drops what has not begun, refuses what comes, waits for what runs, and then calls `end`, with the numbers of both. In
    /// the middle of a piece of work it returns at once, and `end` is called when what runs is done.
    pub(crate) fn close(&self, end: impl FnOnce(usize, usize) + Send + 'static) {
        let (waiting, running) = {
            let mut state = self.lock();
            state.closed = true;
            (std::mem::take(&mut state.waiting), state.running)
        };
        let dropped = waiting.len();
        drop(waiting);
        let within = TOKENS.with(Cell::get) > 0;
        let mut state = self.lock();
        while state.running > 0 {
            if within {
                state.ending = Some(Box::new(move || end(dropped, running)));
                return;
            }
            state = self.left.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        drop(state);
        end(dropped, running);
    }

    fn lock(&self) -> MutexGuard<'_, State<W>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<W> Drop for Token<'_, W> {
    fn drop(&mut self) {
        TOKENS.with(|tokens| tokens.set(tokens.get() - 1));
        let mut state = self.barrier.lock();
        state.running -= 1;
        let ending = if state.running == 0 { state.ending.take() } else { None };
        drop(state);
        self.barrier.left.notify_all();
        if let Some(end) = ending {
            end();
        }
    }
}
