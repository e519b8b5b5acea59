//! Finishing a stream without waiting: a future that is bound to no executor.
//!
//! 1. [`StreamingJob::finish_later`] hands the job to a task of the pool, which finishes it and fulfils the promise. A stream
//!    that was only collected is compiled as bytes at once are (`compile::asynchronous`), since that may have to wait for
//!    somebody else who makes the module.
//! 2. If no task does it (asynchronous compilation is off, the pool takes none, or has dropped it), the thread that polls
//!    does.
//! 3. Dropping the future aborts the job, or cancels it if a task is at it.
//! 4. The task does not keep the engine: when that goes, it cancels the job, waits for the task, and ends the promise.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use code::native_module::NativeModule;
use code::wire_bytes::WireBytes;

use super::{Input, Role, StreamingJob};
use crate::compile::asynchronous::AsyncModule;
use crate::compile::jobs::Ends;
use crate::compile::phases::Cancel;
use crate::compile::promise::{Polled, Promise};
use crate::error::ModuleError;
use crate::pool::{Label, Urgency};
use crate::sync::{Mutex, PoisonError};

type Outcome = Result<Arc<NativeModule>, ModuleError>;

/// The end of a stream that is being made a module of.
#[derive(Debug)]
pub struct Finishing(Way);

#[derive(Debug)]
enum Way {
    Stream(Arc<Shared>, Cancel),
    Whole(AsyncModule),
    Failed(ModuleError),
}

/// What future and task share.
#[derive(Debug)]
struct Shared {
    /// The job, until somebody is at it.
    job: Mutex<Option<Box<StreamingJob>>>,
    promise: Promise<Outcome>,
}

impl Shared {
    fn take(&self) -> Option<Box<StreamingJob>> {
        self.job.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Finishes the job, unless somebody has done so, or is at it.
    fn finish(&self, finish: impl FnOnce(StreamingJob) -> Outcome) -> Outcome {
        match self.take().map(|job| finish(*job)) {
            // Nobody who still waits has cancelled: it was the engine.
            Some(Err(ModuleError::Cancelled)) => Err(ModuleError::EngineDropped),
            Some(result) => result,
            None => Err(ModuleError::Cancelled),
        }
    }
}

impl Ends for Shared {
    /// The job has registered what cancels it.
    fn cancel(&self) {}

    fn end(&self) {
        self.promise.end();
    }
}

/// The work of the task. When it is dropped unrun, the promise is left.
struct Turn(Arc<Shared>);

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.promise.leave();
    }
}

impl StreamingJob {
    /// As [`StreamingJob::finish`], on a thread of the pool. Dropping the future aborts the job.
    pub fn finish_later(mut self) -> Finishing {
        self.last_byte = Some(Instant::now());
        let Some(engine) = self.engine.upgrade() else { return Finishing(Way::Failed(ModuleError::EngineDropped)) };
        if let Ok(Input { role: Role::Undecided | Role::Collector, .. }) = &self.input
            && let Ok(Input { buffer, .. }) = std::mem::replace(&mut self.input, Err(ModuleError::Cancelled))
        {
            let bytes = WireBytes::from(buffer.finish());
            return Finishing(Way::Whole(AsyncModule::compile(&engine, bytes, self.imports.clone())));
        }
        let (service, cancel) = (engine.service(), self.cancel.clone());
        let label = Label { name: "finish stream", module: Some(self.number) };
        let shared = Arc::new(Shared { job: Mutex::new(Some(Box::new(self))), promise: Promise::new() });
        let (turn, weak) = (Turn(Arc::clone(&shared)), Arc::downgrade(&shared));
        service.jobs.add(weak);
        if service.config.async_compilation {
            let same = Arc::clone(service);
            let work = move || turn.0.promise.fulfil(turn.0.finish(|job| job.finish_by(&same)));
            if let Some(task) = service.workers.spawn(Urgency::Urgent, label, work) {
                shared.promise.set_task(task);
            }
        }
        Finishing(Way::Stream(shared, cancel))
    }
}

impl Future for Finishing {
    type Output = Outcome;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome> {
        match &self.0 {
            Way::Whole(module) => module.poll(context),
            Way::Failed(error) => Poll::Ready(Err(error.clone())),
            Way::Stream(shared, _) => match shared.promise.poll(context.waker()) {
                Polled::Pending => Poll::Pending,
                Polled::Done(result) => Poll::Ready(result),
                Polled::Left => Poll::Ready(shared.finish(StreamingJob::finish)),
                Polled::Ended => Poll::Ready(Err(ModuleError::EngineDropped)),
            },
        }
    }
}

impl Drop for Finishing {
    fn drop(&mut self) {
        if let Way::Stream(shared, cancel) = &self.0 {
            cancel.cancel();
            shared.promise.end();
            drop(shared.take());
        }
    }
}
