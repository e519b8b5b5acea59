//! The pool: who does an engine's background work. A trait with three implementations: threads (the default), an
//! embedder's own, and one that a test runs by hand.
//!
//! 1. The engine hands the pool a [`Task`] ([`Pool::spawn`]). It says how soon it should be done, and what it is.
//! 2. The pool calls [`Task::run`] on some thread, once, some time or never. Nobody waits for a task that has not begun:
//!    who needs its result does it alone, or is told later.
//! 3. When the last handle of the engine goes, `engine::barrier` drops what has not begun and waits for what runs. Tasks
//!    that the pool still holds then are empty, and running them does nothing. A handle that goes within a task waits for
//!    nothing.
//!
//! Work that has many equal parts is a *batch* (`pool::batch`), which the thread that submits it helps with: with a pool
//! that never runs anything it is slow, not stuck.

use std::fmt::{self, Debug};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::barrier::{Barrier, WorkId};
use crate::events::ModuleNumber;

mod batch;
mod manual;
#[cfg(test)]
mod tests;
mod threads;
pub(crate) mod workers;

pub use manual::{ManualPool, Pending};
pub use threads::ThreadPool;

/// Who runs an engine's tasks. A pool may serve any number of engines.
///
/// The engine calls it from any thread, also from within a task, and never while it holds a lock of its own; so a pool may
/// run a task within [`Pool::spawn`], at the price that whoever asked for it waits.
pub trait Pool: Send + Sync + Debug {
    /// Threads that run tasks. With 0 the engine has none done here, and works on the threads that call it. More than a few
    /// hundred are reckoned with as a few hundred.
    fn threads(&self) -> usize;

    /// Takes a task, to be [run](Task::run) once, and returns without waiting for it. A pool that goes away may drop the
    /// tasks it still has: the engine notices. One that panics is taken to have dropped the task.
    ///
    /// # Errors
    /// The task, if the pool cannot take it. The engine then does without.
    fn spawn(&self, task: Task) -> Result<(), Task>;
}

/// How soon a task should be done. Pools may ignore it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Urgency {
    /// Before anything else: somebody waits for the result, or runs slow code until it is there.
    Urgent,
    /// A share of work that another thread is at.
    Normal,
    /// When there is nothing else to do. Short; what is left is submitted as another task.
    Background,
}

/// What a task is, for people.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Label {
    /// What is done: `compile`, `prepare` (an instantiation), `tier-up`, `stream` (functions that have come), `finish stream`
    /// (what is left at its end), `sweep` (functions of a module that is compiled in the background); or a share of
    /// `validate` or `compile-all`.
    pub name: &'static str,
    /// The module that it is done for, if it is for one that has a number.
    pub module: Option<ModuleNumber>,
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.module {
            Some(ModuleNumber(number)) => write!(f, "{} m{number}", self.name),
            None => f.write_str(self.name),
        }
    }
}

/// The work of a task. Must not panic.
pub(crate) type Work = Box<dyn FnOnce() + Send>;

/// A piece of an engine's work, to be run once. Dropping it gives it back undone.
pub struct Task {
    barrier: Arc<Barrier<Work>>,
    id: WorkId,
    urgency: Urgency,
    label: Label,
}

impl Task {
    /// Does it. Nothing happens if it is of no use any more, as its engine is gone or somebody else has done the work.
    pub fn run(self) {
        if let Some((work, token)) = self.barrier.begin(self.id) {
            // A task that panics is a bug, which has been reported, but no reason for the pool to lose a thread.
            let _ = catch_unwind(AssertUnwindSafe(work));
            drop(token);
        }
    }

    /// How soon it should be done.
    pub fn urgency(&self) -> Urgency {
        self.urgency
    }

    /// What it is.
    pub fn label(&self) -> Label {
        self.label
    }

    /// Is it of no use any more?
    pub fn is_cancelled(&self) -> bool {
        !self.barrier.is_waiting(self.id)
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        drop(self.barrier.cancel(self.id));
    }
}

impl Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task").field("label", &self.label).field("urgency", &self.urgency).finish_non_exhaustive()
    }
}
