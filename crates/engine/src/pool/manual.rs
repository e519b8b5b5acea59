//! `ManualPool`: tasks wait until somebody runs them, one by one, in any order. So every order that a pool of threads could
//! produce can be tried, and is the same the next time.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Label, Pool, Task, Urgency};

/// A pool whose tasks are run by hand, on the thread that says so. For tests.
pub struct ManualPool {
    threads: usize,
    tasks: Mutex<VecDeque<Task>>,
}

/// A task that waits in a [`ManualPool`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pending {
    /// What it is.
    pub label: Label,
    /// How soon it should be done.
    pub urgency: Urgency,
}

impl fmt::Display for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.label.fmt(f)
    }
}

impl fmt::Debug for ManualPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tasks: Vec<String> = self.pending().iter().map(Pending::to_string).collect();
        f.debug_struct("ManualPool").field("pending", &tasks).finish_non_exhaustive()
    }
}

impl ManualPool {
    /// A pool that looks as if it had this many threads.
    pub fn new(threads: usize) -> ManualPool {
        ManualPool { threads, tasks: Mutex::default() }
    }

    /// The tasks that wait, oldest first.
    pub fn pending(&self) -> Vec<Pending> {
        self.lock().iter().map(|task| Pending { label: task.label(), urgency: task.urgency() }).collect()
    }

    /// Runs the oldest task, whatever its urgency. False if there is none.
    pub fn run_next(&self) -> bool {
        self.run(0)
    }

    /// Runs the task at this place of [`ManualPool::pending`]. False if there is none.
    pub fn run(&self, place: usize) -> bool {
        let task = self.lock().remove(place);
        task.is_some_and(|task| {
            task.run();
            true
        })
    }

    /// Runs the oldest task until none is left, those included that are submitted meanwhile; gives their number.
    pub fn run_all(&self) -> usize {
        let mut count = 0;
        while self.run_next() {
            count += 1;
        }
        count
    }

    /// Drops the task at this place of [`ManualPool::pending`] undone. False if there is none.
    pub fn discard(&self, place: usize) -> bool {
        let task = self.lock().remove(place);
        task.is_some()
    }

    /// The tasks, without those that are of no use any more.
    fn lock(&self) -> MutexGuard<'_, VecDeque<Task>> {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        // Their work has gone before, so that nothing but the shell is dropped under the lock.
        tasks.retain(|task| !task.is_cancelled());
        tasks
    }
}

impl Pool for ManualPool {
    fn threads(&self) -> usize {
        self.threads
    }

    fn spawn(&self, task: Task) -> Result<(), Task> {
        self.lock().push_back(task);
        Ok(())
    }
}
