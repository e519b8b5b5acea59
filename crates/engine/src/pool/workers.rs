//! `Workers`: an engine's side of its pool. What it submits passes the barrier, so that nothing runs when the engine is
//! gone.

use std::fmt;
use std::num::NonZero;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread::available_parallelism;

use super::batch::{Batch, Item};
use super::{Label, Pool, Task, ThreadPool, Urgency, Work};
use crate::barrier::{Barrier, WorkId};
use crate::config::Config;
use crate::{foreign, tuning};

/// The pool of an engine, and what it has of the engine's.
pub(crate) struct Workers {
    pool: Arc<dyn Pool>,
    barrier: Arc<Barrier<Work>>,
    threads: usize,
}

impl fmt::Debug for Workers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workers").field("pool", &self.pool).field("threads", &self.threads).finish_non_exhaustive()
    }
}

/// A task that was submitted. Dropping it changes nothing.
pub(crate) struct Submitted {
    barrier: Arc<Barrier<Work>>,
    id: WorkId,
}

impl fmt::Debug for Submitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Submitted").field(&self.id).finish()
    }
}

impl Submitted {
    /// Takes the task back and drops its work, unless it has begun.
    pub(crate) fn cancel(&self) {
        drop(self.barrier.cancel(self.id));
    }
}

impl Workers {
    /// The pool that the configuration names, or threads of the engine's own, none of which is started yet.
    pub(crate) fn new(config: &Config) -> Workers {
        let (pool, threads): (Arc<dyn Pool>, usize) = match (&config.pool, config.threads) {
            (Some(pool), 0) => (Arc::clone(pool), threads_of(&**pool) + 1),
            (Some(pool), threads) => (Arc::clone(pool), threads.min(threads_of(&**pool) + 1)),
            (None, threads) => {
                let cores = || available_parallelism().map_or(1, NonZero::get);
                let threads = if threads == 0 { cores() } else { threads };
                // Whoever submits a task does not work on it, so there is one worker at least.
                (Arc::new(ThreadPool::with_helper((threads - 1).max(1))), threads)
            }
        };
        Workers { pool, barrier: Arc::new(Barrier::new()), threads }
    }

    /// Threads that work on a batch, the submitting one included.
    pub(crate) fn threads(&self) -> usize {
        self.threads
    }

    /// Threads that tasks may use.
    pub(crate) fn task_threads(&self) -> usize {
        threads_of(&*self.pool)
    }

    /// Has a task done. None if that cannot be, as the pool takes no task or the engine is going: the work is then dropped.
    pub(crate) fn spawn(
        &self,
        urgency: Urgency,
        label: Label,
        work: impl FnOnce() + Send + 'static,
    ) -> Option<Submitted> {
        if self.task_threads() == 0 {
            return None;
        }
        let id = self.barrier.add(Box::new(work)).ok()?;
        let submitted = Submitted { barrier: Arc::clone(&self.barrier), id };
        let task = Task { barrier: Arc::clone(&self.barrier), id, urgency, label };
        match foreign::call(|| self.pool.spawn(task).map_err(drop)) {
            Some(Ok(())) => Some(submitted),
            Some(Err(())) => None,
            // Nobody is to count on what a pool that panics has kept. If it has not, the task is dropped, as any pool may
            // drop it later; or it has begun.
            None => {
                let kept = self.barrier.cancel(id);
                kept.is_none().then_some(submitted)
            }
        }
    }

    /// Does items `0..len` on all threads and returns when all are done.
    ///
    /// # Panics
    /// When an item does, whichever thread did it; the others are done.
    pub(crate) fn run(&self, len: usize, label: Label, work: Arc<Item>) {
        let batch = Arc::new(Batch::new(len, work));
        let helpers = self.threads.saturating_sub(1).min(len.saturating_sub(1));
        let share = || {
            let batch = Arc::clone(&batch);
            self.spawn(Urgency::Normal, label, move || batch.help())
        };
        let shares: Vec<Submitted> = (0..helpers).map_while(|_| share()).collect();
        batch.help();
        let done = batch.wait();
        shares.iter().for_each(Submitted::cancel);
        done.unwrap_or_else(|panic| resume_unwind(panic));
    }

    /// Tasks that have not begun, and tasks that run.
    pub(crate) fn tasks(&self) -> (usize, usize) {
        self.barrier.len()
    }

    /// The engine goes: drops tasks that have not begun, waits for those that have, and calls `end` with the numbers of both.
    /// Within a task it does not wait: `end` is called when the last has ended.
    pub(crate) fn close(&self, end: impl FnOnce(usize, usize) + Send + 'static) {
        self.barrier.close(end);
    }
}

/// Threads of a pool, as many as are of use. One that cannot say has none.
fn threads_of(pool: &dyn Pool) -> usize {
    foreign::call(|| pool.threads()).unwrap_or(0).min(tuning::MOST_THREADS)
}
