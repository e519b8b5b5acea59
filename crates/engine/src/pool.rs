//! The worker pool: threads that do an engine's heavy work, started when there is some and joined with the engine.
//!
//! Work comes in three kinds, and a thread that is free takes them in this order:
//! 1. *Urgent tasks*: one closure each, done once, soon, on some worker; whoever submits one does not wait.
//! 2. *Batches*: a number of equal items, each done once, by whichever thread takes it next. The thread that submits a batch
//!    works on it too, so a batch is always finished, even with no worker at all.
//! 3. *Background tasks*, which should be short and submit their own continuation.
//!
//! Dropping the pool discards tasks that have not begun and waits for those that have. If it is a worker that drops it, that
//! worker ends by itself. Invariant: the pool's lock is never held while work runs or is dropped.

use std::collections::VecDeque;
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;

#[cfg(test)]
mod tests;

/// What to do with item number `n`. Must not panic.
type Work = dyn Fn(usize) + Send + Sync;

/// A number of items, and how far they are.
struct Batch {
    len: usize,
    next: AtomicUsize,
    progress: Mutex<Progress>,
    finished: Condvar,
}

struct Progress {
    /// Gone when the batch is finished, so that a thread that comes late keeps nothing of it.
    work: Option<Arc<Work>>,
    /// Threads that are at it.
    active: usize,
    /// Items that are done.
    done: usize,
}

impl Batch {
    fn new(len: usize, work: Arc<Work>) -> Batch {
        let progress = Mutex::new(Progress { work: Some(work), active: 0, done: 0 });
        Batch { len, next: AtomicUsize::new(0), progress, finished: Condvar::new() }
    }

    /// Does items until none is left to take.
    fn help(&self) {
        let work = {
            let mut progress = lock(&self.progress);
            let Some(work) = progress.work.clone() else { return };
            progress.active += 1;
            work
        };
        let mut count = 0;
        loop {
            let item = self.next.fetch_add(1, Ordering::Relaxed);
            if item >= self.len {
                break;
            }
            // A panic is a bug, but no reason for the others to wait for ever; it has been reported.
            let _ = catch_unwind(AssertUnwindSafe(|| work(item)));
            count += 1;
        }
        drop(work);
        let mut progress = lock(&self.progress);
        progress.active -= 1;
        progress.done += count;
        if progress.active == 0 {
            self.finished.notify_all();
        }
    }

    /// Waits until all items are done, and nobody holds the work any more.
    fn wait(&self) {
        let mut progress = lock(&self.progress);
        while progress.done < self.len || progress.active > 0 {
            progress = self.finished.wait(progress).unwrap_or_else(PoisonError::into_inner);
        }
        let work = progress.work.take();
        drop(progress);
        drop(work);
    }
}

/// Something to be done once. Must not panic.
pub type Task = Box<dyn FnOnce() + Send>;

/// How soon a task should be done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Urgency {
    /// Before anything else.
    Urgent,
    /// When there is nothing else to do.
    Background,
}

#[derive(Default)]
struct State {
    urgent: VecDeque<Task>,
    batches: VecDeque<Arc<Batch>>,
    background: VecDeque<Task>,
    workers: Vec<JoinHandle<()>>,
    /// Workers that wait for work.
    idle: usize,
    closing: bool,
}

/// What a worker takes from the queues.
enum Next {
    Task(Task),
    Batch(Arc<Batch>),
}

impl State {
    fn take(&mut self) -> Option<Next> {
        if self.closing {
            return None;
        }
        if let Some(task) = self.urgent.pop_front() {
            return Some(Next::Task(task));
        }
        if let Some(batch) = self.batches.pop_front() {
            return Some(Next::Batch(batch));
        }
        self.background.pop_front().map(Next::Task)
    }
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
        let batch = Arc::new(Batch::new(len, work));
        let helpers = (self.threads - 1).min(len.saturating_sub(1));
        if helpers > 0 {
            let mut state = lock(&self.shared.state);
            self.start(&mut state, helpers);
            (0..helpers).for_each(|_| state.batches.push_back(Arc::clone(&batch)));
            drop(state);
            self.shared.wake.notify_all();
        }
        batch.help();
        batch.wait();
        // Entries that no worker has taken yet are of no use any more.
        lock(&self.shared.state).batches.retain(|queued| !Arc::ptr_eq(queued, &batch));
    }

    /// Workers that tasks may use: one at least, as whoever submits a task does not work on it.
    pub fn task_threads(&self) -> usize {
        (self.threads - 1).max(1)
    }

    /// Has a task done by a worker, and returns at once. False if there is no worker and none can be started: the task is
    /// then dropped.
    pub fn spawn(&self, urgency: Urgency, task: Task) -> bool {
        let mut state = lock(&self.shared.state);
        if state.idle == 0 {
            let wanted = (state.workers.len() + 1).min(self.task_threads());
            self.start(&mut state, wanted);
        }
        if state.workers.is_empty() {
            drop(state);
            drop(task);
            return false;
        }
        match urgency {
            Urgency::Urgent => state.urgent.push_back(task),
            Urgency::Background => state.background.push_back(task),
        }
        drop(state);
        self.shared.wake.notify_one();
        true
    }

    /// A handle through which a task submits another; it does not keep the pool.
    pub fn handle(&self) -> PoolHandle {
        PoolHandle { shared: Arc::downgrade(&self.shared) }
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

/// A handle through which a task submits another.
#[derive(Clone)]
pub struct PoolHandle {
    shared: Weak<Shared>,
}

impl PoolHandle {
    /// Has a task done by the workers that there are. It is dropped if the pool is going away.
    pub fn spawn(&self, urgency: Urgency, task: Task) {
        let Some(shared) = self.shared.upgrade() else { return };
        let mut state = lock(&shared.state);
        if state.closing {
            drop(state);
            return;
        }
        match urgency {
            Urgency::Urgent => state.urgent.push_back(task),
            Urgency::Background => state.background.push_back(task),
        }
        drop(state);
        shared.wake.notify_one();
    }
}

fn worker(shared: &Shared) {
    let mut state = lock(&shared.state);
    loop {
        if let Some(next) = state.take() {
            drop(state);
            match next {
                // A task that panics is a bug, but no reason to leave the others without a worker.
                Next::Task(task) => drop(catch_unwind(AssertUnwindSafe(task))),
                Next::Batch(batch) => batch.help(),
            }
            state = lock(&shared.state);
        } else if state.closing {
            return;
        } else {
            state.idle += 1;
            state = shared.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
    }
}

impl Drop for WorkerPool {
    fn drop(&mut self) {
        let (workers, tasks) = {
            let mut state = lock(&self.shared.state);
            state.closing = true;
            let State { urgent, background, workers, .. } = &mut *state;
            urgent.append(background);
            (std::mem::take(workers), std::mem::take(urgent))
        };
        self.shared.wake.notify_all();
        drop(tasks);
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
