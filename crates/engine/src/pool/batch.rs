//! A batch: a number of equal items, each done once, by whichever thread takes it next. The thread that submits a batch
//! works on it too and waits only for items that others have begun, so a batch is always finished.
//!
//! Invariant: who waits for a batch learns of an item that panicked, whichever thread did it. What an item was to find out,
//! such as whether bodies are valid, is not known then, and must not be taken as good.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// What to do with item number `n`.
pub(crate) type Item = dyn Fn(usize) + Send + Sync;

/// A number of items, and how far they are.
pub(super) struct Batch {
    len: usize,
    next: AtomicUsize,
    progress: Mutex<Progress>,
    finished: Condvar,
}

struct Progress {
    /// Gone when the batch is finished, so that a thread that comes late keeps nothing of it.
    work: Option<Arc<Item>>,
    /// Threads that are at it.
    active: usize,
    /// Items that are done, or ended by a panic.
    done: usize,
    /// The first panic.
    panic: Option<Panic>,
}

/// What a panic was called with.
pub(super) type Panic = Box<dyn Any + Send>;

impl Batch {
    pub(super) fn new(len: usize, work: Arc<Item>) -> Batch {
        let progress = Mutex::new(Progress { work: Some(work), active: 0, done: 0, panic: None });
        Batch { len, next: AtomicUsize::new(0), progress, finished: Condvar::new() }
    }

    /// Does items until none is left to take.
    pub(super) fn help(&self) {
        let work = {
            let mut progress = self.lock();
            let Some(work) = progress.work.clone() else { return };
            progress.active += 1;
            work
        };
        let (mut count, mut panic) = (0, None);
        loop {
            let item = self.next.fetch_add(1, Ordering::Relaxed);
            if item >= self.len {
                break;
            }
            // No reason for the others to wait for ever: it goes on in the thread that waits for the batch.
            if let Err(payload) = catch_unwind(AssertUnwindSafe(|| work(item))) {
                panic.get_or_insert(payload);
            }
            count += 1;
        }
        drop(work);
        let mut progress = self.lock();
        progress.active -= 1;
        progress.done += count;
        if let Some(payload) = panic.take() {
            progress.panic.get_or_insert(payload);
        }
        if progress.active == 0 {
            self.finished.notify_all();
        }
    }

    /// Waits until all items are done, and nobody holds the work any more.
    ///
    /// # Errors
    /// The panic of an item, to be resumed.
    pub(super) fn wait(&self) -> Result<(), Panic> {
        let mut progress = self.lock();
        while progress.done < self.len || progress.active > 0 {
            progress = self.finished.wait(progress).unwrap_or_else(PoisonError::into_inner);
        }
        let (work, panic) = (progress.work.take(), progress.panic.take());
        drop(progress);
        drop(work);
        panic.map_or(Ok(()), Err)
    }

    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
