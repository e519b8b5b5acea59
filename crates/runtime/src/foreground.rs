//! The foreground queue of a store: work that must be done by the thread that owns the store, posted from any thread.
//!
//! Tasks are run, oldest first, by [`Store::poll`](crate::store::Store::poll). A store that dies drops those it has not run,
//! on its own thread; who posts later gets the task back.
//!
//! Invariant: the queue's lock is never held while a task runs or is dropped, or a waker is woken.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use crate::error::Failure;
use crate::store::Store;

/// Something to be done on the thread of a store. It gets the store, which nobody else uses meanwhile; a failure ends what
/// the store is doing.
pub type Task = Box<dyn FnOnce(*mut Store) -> Result<(), Failure> + Send>;

/// A handle to the foreground queue of a store, for any thread. It does not keep the store.
#[derive(Clone)]
pub struct Foreground {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    tasks: VecDeque<Task>,
    /// The store is gone.
    closed: bool,
    waker: Option<Waker>,
}

impl fmt::Debug for Foreground {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Foreground").field("waiting", &self.len()).finish_non_exhaustive()
    }
}

impl Foreground {
    pub(crate) fn new() -> Foreground {
        Foreground { state: Arc::default() }
    }

    /// Queues a task, and wakes who waits for one.
    ///
    /// # Errors
    /// The task, if the store is gone.
    pub fn post(&self, task: Task) -> Result<(), Task> {
        let mut state = self.lock();
        if state.closed {
            return Err(task);
        }
        state.tasks.push_back(task);
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
        Ok(())
    }

    /// Sets who is woken, once, by the next task; at once if one waits already.
    pub fn set_waker(&self, waker: Waker) {
        let mut state = self.lock();
        if state.tasks.is_empty() && !state.closed {
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
        self.lock().tasks.len()
    }

    /// Does no task wait?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Is the store gone?
    pub fn is_closed(&self) -> bool {
        self.lock().closed
    }

    pub(crate) fn pop(&self) -> Option<Task> {
        self.lock().tasks.pop_front()
    }

    /// The store dies: drops what waits.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        let (tasks, waker) = (std::mem::take(&mut state.tasks), state.waker.take());
        drop(state);
        drop(tasks);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
