//! Finishing a stream without waiting: a future that is bound to no executor.
//!
//! 1. [`StreamingJob::finish_later`] hands the job to a task of the pool.
//! 2. The task takes the job out, finishes it, leaves the result and wakes whoever polled last.
//! 3. If the task is dropped unrun, because the pool takes none, or discards it, or the engine is gone, whoever polls
//!    finishes the job (which fails at once without an engine).
//! 4. If the future is dropped first, the job is: it is aborted, or cancelled if it has begun.
//!
//! Invariant: the lock is not held while a job is finished or dropped, or a waker called.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use code::native_module::NativeModule;

use super::StreamingJob;
use crate::compile::phases::Cancel;
use crate::error::ModuleError;
use crate::pool::{Label, Urgency};

type Outcome = Result<Arc<NativeModule>, ModuleError>;

/// The end of a stream that is being made a module of.
pub struct Finishing {
    shared: Arc<Shared>,
    cancel: Cancel,
}

struct Shared {
    state: Mutex<State>,
}

struct State {
    progress: Progress,
    waker: Option<Waker>,
    /// There is no task that will do it.
    lost: bool,
}

enum Progress {
    Waiting(Box<StreamingJob>),
    Running,
    Done(Outcome),
    /// The result has been given, or nobody wants it.
    Over,
}

/// Held by the task, run or not.
struct Turn(Arc<Shared>);

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the job out, if nobody has.
    fn begin(&self) -> Option<Box<StreamingJob>> {
        let mut state = self.lock();
        if !matches!(state.progress, Progress::Waiting(_)) {
            return None;
        }
        match std::mem::replace(&mut state.progress, Progress::Running) {
            Progress::Waiting(job) => Some(job),
            Progress::Running | Progress::Done(_) | Progress::Over => None,
        }
    }

    fn end(&self, outcome: Outcome) {
        let mut state = self.lock();
        let mut unwanted = None;
        match state.progress {
            Progress::Over => unwanted = Some(outcome),
            _ => state.progress = Progress::Done(outcome),
        }
        let waker = state.waker.take();
        drop(state);
        drop(unwanted);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Turn {
    /// The task.
    fn take(self) {
        if let Some(job) = self.0.begin() {
            self.0.end(job.finish());
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.lost = true;
        let waker = if matches!(state.progress, Progress::Waiting(_)) { state.waker.take() } else { None };
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl StreamingJob {
    /// As [`StreamingJob::finish`], on a thread of the pool. Dropping the future aborts the job.
    pub fn finish_later(self) -> Finishing {
        let (engine, cancel) = (self.engine.upgrade(), self.cancel.clone());
        let label = Label { name: "finish stream", module: Some(self.number) };
        let state = State { progress: Progress::Waiting(Box::new(self)), waker: None, lost: false };
        let shared = Arc::new(Shared { state: Mutex::new(state) });
        let turn = Turn(Arc::clone(&shared));
        if let Some(engine) = engine {
            // If the pool does not take it, whoever polls does it.
            let _ = engine.service().workers.spawn(Urgency::Urgent, label, move || turn.take());
        }
        Finishing { shared, cancel }
    }
}

impl Future for Finishing {
    type Output = Outcome;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome> {
        let waker = context.waker().clone();
        let mut state = self.shared.lock();
        match std::mem::replace(&mut state.progress, Progress::Over) {
            Progress::Done(outcome) => return Poll::Ready(outcome),
            Progress::Waiting(job) if state.lost => {
                drop(state);
                return Poll::Ready(job.finish());
            }
            waiting @ (Progress::Waiting(_) | Progress::Running) => state.progress = waiting,
            Progress::Over => return Poll::Ready(Err(ModuleError::Cancelled)),
        }
        let old = state.waker.replace(waker);
        drop(state);
        drop(old);
        Poll::Pending
    }
}

impl Drop for Finishing {
    fn drop(&mut self) {
        self.cancel.cancel();
        let mut state = self.shared.lock();
        let progress = std::mem::replace(&mut state.progress, Progress::Over);
        let waker = state.waker.take();
        drop(state);
        drop((progress, waker));
    }
}

impl fmt::Debug for Finishing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Finishing").finish_non_exhaustive()
    }
}
