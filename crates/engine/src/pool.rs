//! The worker pool: threads that do an engine's heavy work, started when there is some and joined with the engine.
//!
//! Work comes as *batches*: a number of equal items, each done once, by whichever thread takes it next. The thread that
//! submits a batch works on it too, so a batch is always finished, even with no worker at all.

use std::collections::VecDeque;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

#[cfg(test)]
mod tests;

/// What to do with item number `n`. Must not panic.
type Work = dyn Fn(usize) + Send + Sync;

/// A number of items, and how far they are.
struct Batch {
    work: Arc<Work>,
    len: usize,
    next: AtomicUsize,
    done: Mutex<usize>,
    finished: Condvar,
}

impl Batch {
    /// Does items until none is left to take.
    fn help(&self) {
        let mut count = 0;
        loop {
            let item = self.next.fetch_add(1, Ordering::Relaxed);
            if item >= self.len {
                break;
            }
            (self.work)(item);
            count += 1;
        }
        if count > 0 {
            let mut done = lock(&self.done);
            *done += count;
            if *done == self.len {
                self.finished.notify_all();
            }
        }
    }

    fn wait(&self) {
        let mut done = lock(&self.done);
        while *done < self.len {
            done = self.finished.wait(done).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

#[derive(Default)]
struct State {
    queue: VecDeque<Arc<Batch>>,
    workers: Vec<JoinHandle<()>>,
    closing: bool,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    wake: Condvar,
}

/// The threads of an engine.
pub struct WorkerPool {
    shared: Arc<Shared>,
    threads: usize,
}

impl std::fmt::Debug for WorkerPool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WorkerPool").field("threads", &self.threads).finish_non_exhaustive()
    }
}

impl WorkerPool {
    /// A pool that uses `threads` threads with the submitting one (0: as many as there are cores). None is started yet.
    pub fn new(threads: usize) -> WorkerPool {
        let cores = || std::thread::available_parallelism().map_or(1, NonZero::get);
        let threads = if threads == 0 { cores() } else { threads };
        WorkerPool { shared: Arc::default(), threads }
    }

    /// Threads that work on a batch, the submitting one included.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Does items `0..len` on all threads and returns when all are done.
    pub fn run(&self, len: usize, work: Arc<Work>) {
        let batch =
            Arc::new(Batch { work, len, next: AtomicUsize::new(0), done: Mutex::new(0), finished: Condvar::new() });
        let helpers = (self.threads - 1).min(len.saturating_sub(1));
        if helpers > 0 {
            let mut state = lock(&self.shared.state);
            self.start(&mut state, helpers);
            (0..helpers).for_each(|_| state.queue.push_back(Arc::clone(&batch)));
            drop(state);
            self.shared.wake.notify_all();
        }
        batch.help();
        batch.wait();
        // Entries that no worker has taken yet would keep what the work refers to alive.
        lock(&self.shared.state).queue.retain(|queued| !Arc::ptr_eq(queued, &batch));
    }

    /// Sees to it that `wanted` workers run. A thread that the system refuses is done without.
    fn start(&self, state: &mut State, wanted: usize) {
        while state.workers.len() < wanted && !state.closing {
            let shared = Arc::clone(&self.shared);
            let name = format!("upshift-{}", state.workers.len());
            match std::thread::Builder::new().name(name).spawn(move || worker(&shared)) {
                Ok(handle) => state.workers.push(handle),
                Err(_) => break,
            }
        }
    }
}

fn worker(shared: &Shared) {
    let mut state = lock(&shared.state);
    loop {
        if let Some(batch) = state.queue.pop_front() {
            drop(state);
            batch.help();
            drop(batch);
            state = lock(&shared.state);
        } else if state.closing {
            return;
        } else {
            state = shared.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Drop for WorkerPool {
    fn drop(&mut self) {
        let workers = {
            let mut state = lock(&self.shared.state);
            state.closing = true;
            std::mem::take(&mut state.workers)
        };
        self.shared.wake.notify_all();
        let this = std::thread::current().id();
        for worker in workers {
            // The last handle of an engine may be dropped by one of its own workers, which then ends by itself.
            if worker.thread().id() != this {
                // A worker that panicked has said so already.
                let _ = worker.join();
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
