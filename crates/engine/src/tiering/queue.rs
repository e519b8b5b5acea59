//! The queue of optimizing jobs: hottest first, and of equally hot ones the oldest.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use code::native_module::NativeModule;
use wasm::types::DefinedFuncIndex;

#[cfg(test)]
mod tests;

/// A job that waits. The same job may be queued again with a higher priority; the later copy then finds nothing to do.
#[derive(Debug)]
pub(crate) struct Queued {
    /// Weak, so that a module that goes away takes its jobs along.
    pub(crate) module: Weak<NativeModule>,
    pub(crate) function: DefinedFuncIndex,
    pub(crate) osr: Option<u32>,
    priority: u32,
    /// Position in the order of arrival.
    number: u64,
}

impl Queued {
    pub(crate) fn new(
        module: &Arc<NativeModule>,
        function: DefinedFuncIndex,
        osr: Option<u32>,
        priority: u32,
    ) -> Queued {
        Queued { module: Arc::downgrade(module), function, osr, priority, number: 0 }
    }

    /// An OSR entry is for a call that runs now, so it goes before ordinary code that is as hot.
    fn rank(&self) -> (u32, bool) {
        (self.priority, self.osr.is_some())
    }
}

impl Ord for Queued {
    fn cmp(&self, other: &Queued) -> Ordering {
        self.rank().cmp(&other.rank()).then(other.number.cmp(&self.number))
    }
}

impl PartialOrd for Queued {
    fn partial_cmp(&self, other: &Queued) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Queued {
    fn eq(&self, other: &Queued) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Queued {}

/// A job that runs, until this is dropped.
#[derive(Debug)]
pub(crate) struct Popped<'queue> {
    queue: &'queue Queue,
    pub(crate) job: Queued,
}

impl Drop for Popped<'_> {
    fn drop(&mut self) {
        self.queue.lock().running -= 1;
    }
}

/// The jobs of an engine.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    heap: BinaryHeap<Queued>,
    pushed: u64,
    running: usize,
}

impl Queue {
    pub(crate) fn push(&self, mut job: Queued) {
        let mut state = self.lock();
        job.number = state.pushed;
        state.pushed += 1;
        state.heap.push(job);
    }

    /// The best job.
    pub(crate) fn pop(&self) -> Option<Popped<'_>> {
        let mut state = self.lock();
        let job = state.heap.pop()?;
        state.running += 1;
        Some(Popped { queue: self, job })
    }

    /// Jobs that wait, and jobs that run. Each counts once, however often it was queued, and only while its module lives.
    pub(crate) fn len(&self) -> (usize, usize) {
        let state = self.lock();
        let living = state.heap.iter().filter(|job| job.module.strong_count() > 0);
        let waiting: HashSet<_> = living.map(|job| (job.module.as_ptr(), job.function, job.osr)).collect();
        (waiting.len(), state.running)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
