//! Asynchronous compilation: modules that tasks of the pool make, for whoever asks when they are done.
//!
//! 1. [`AsyncModule::compile`] submits a task. What it does is what `module::compile_with` does, with one difference: where
//!    that waits for another builder, the task ends, and is submitted again when the builder is done. So no thread of the
//!    pool is ever blocked, and a claim on the module cache is held only while a thread works.
//! 2. [`AsyncModule::poll`] takes the result, or leaves a waker. If no task does the work (asynchronous compilation is off,
//!    the pool takes no task, or has dropped it; or it was asked for within a callback, which may be what the pool waits
//!    for), the thread that polls does.
//! 3. Dropping the handle cancels: a task that waits is taken back, one that runs stops at the next chunk of work.
//! 4. When the engine goes, [`Jobs`](super::jobs::Jobs) ends all of its promises: who polls then gets [`ModuleError::EngineDropped`]. Tasks and
//!    handles do not keep the engine.
//!
//! [`AsyncModule::prepare`] is the same for a module that is there and about to be instantiated: what can be made ready
//! without the store is.

use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use code::native_module::NativeModule;
use wasm::compile_imports::CompileTimeImports;

use super::jobs::Ends;
use super::phases::{Cancel, Compilation};
use super::promise::{Polled, Promise};
use super::source::Source;
use crate::attachment;
use crate::cache::{Step, Wanted};
use crate::callback;
use crate::config::Strategy;
use crate::engine::{Engine, WeakEngine, add_module};
use crate::error::ModuleError;
use crate::events::{CompileMethod, spans};
use crate::module::{Asked, WireBytes, compile_by};
use crate::pool::{Label, Urgency};
use crate::service::Service;

#[cfg(test)]
mod tests;

type Outcome = Result<Arc<NativeModule>, ModuleError>;

/// A module that is being made, or made ready. It does not keep its engine.
#[derive(Debug)]
pub struct AsyncModule {
    engine: WeakEngine,
    job: Arc<Job>,
}

/// What handle, tasks and engine share.
#[derive(Debug)]
struct Job {
    work: Work,
    cancel: Cancel,
    promise: Promise<Outcome>,
}

#[derive(Clone, Debug)]
enum Work {
    /// Make a module.
    Compile(WireBytes, CompileTimeImports),
    /// Make a module ready; with its variant that checks memory accesses.
    Prepare(Arc<NativeModule>, bool),
}

impl Ends for Job {
    fn cancel(&self) {
        self.cancel.cancel();
    }

    fn end(&self) {
        self.promise.end();
    }
}

impl AsyncModule {
    /// Has a module made.
    pub fn compile(engine: &Engine, bytes: WireBytes, imports: CompileTimeImports) -> AsyncModule {
        AsyncModule::start(engine, Work::Compile(bytes, imports))
    }

    /// Has done for a module what its next instantiation would do and can be done without the store: its memory image, the
    /// variant of its code for memories without guards if `checked`, code under the eager strategy. The result is the
    /// module. None if there is nothing to do.
    pub fn prepare(engine: &Engine, module: &Arc<NativeModule>, checked: bool) -> Option<AsyncModule> {
        let config = engine.config();
        let lacks_code =
            || config.strategy == Strategy::Eager && module.statistics().compiled() < module.info().bodies.len();
        let needed = lacks_code()
            || checked && !attachment::of(module).has_checked()
            || attachment::image_is_due(config, module);
        needed.then(|| AsyncModule::start(engine, Work::Prepare(Arc::clone(module), checked)))
    }

    fn start(engine: &Engine, work: Work) -> AsyncModule {
        let job = Arc::new(Job { work, cancel: Cancel::default(), promise: Promise::new() });
        let service = engine.service();
        let weak = Arc::downgrade(&job);
        service.jobs.add(weak);
        if service.config.async_compilation && !callback::is_within() {
            Task::submit(Arc::clone(&job), Arc::clone(service));
        } else {
            job.promise.leave();
        }
        AsyncModule { engine: engine.downgrade(), job }
    }

    /// The module, if it is there; else the context's waker is woken when it is worth asking again.
    ///
    /// # Errors
    /// As for [`compile_with`], with the same words; and when the engine is gone.
    pub fn poll(&self, context: &Context<'_>) -> Poll<Outcome> {
        match self.job.promise.poll(context.waker()) {
            Polled::Pending => Poll::Pending,
            Polled::Done(result) => Poll::Ready(result),
            Polled::Ended => Poll::Ready(Err(ModuleError::EngineDropped)),
            Polled::Left => Poll::Ready(self.do_here()),
        }
    }

    /// What no task does.
    fn do_here(&self) -> Outcome {
        let engine = self.engine.upgrade().ok_or(ModuleError::EngineDropped)?;
        match &self.job.work {
            Work::Compile(bytes, imports) => compile_by(&engine, CompileMethod::Async, bytes.clone(), imports.clone()),
            // Instantiation does it by itself.
            Work::Prepare(module, _) => Ok(Arc::clone(module)),
        }
    }
}

impl Drop for AsyncModule {
    fn drop(&mut self) {
        self.job.cancel.cancel();
        self.job.promise.end();
    }
}

/// The work of a job, on its way through the pool. When it is dropped before the result is there, the promise is left.
struct Task {
    job: Arc<Job>,
    service: Arc<Service>,
    /// The promise is in the hands of the task that was, or will be, submitted in this one's place.
    handed_on: bool,
}

impl Drop for Task {
    fn drop(&mut self) {
        if !self.handed_on {
            self.job.promise.leave();
        }
    }
}

impl Task {
    fn submit(job: Arc<Job>, service: Arc<Service>) {
        let (name, module) = match &job.work {
            Work::Compile(..) => ("compile", None),
            Work::Prepare(module, _) => ("prepare", Some(attachment::of(module).number)),
        };
        let task = Task { job: Arc::clone(&job), service: Arc::clone(&service), handed_on: false };
        if let Some(task) = service.workers.spawn(Urgency::Urgent, Label { name, module }, move || task.run()) {
            job.promise.set_task(task);
        }
    }

    fn run(mut self) {
        match self.outcome() {
            // Nobody who still waits has cancelled: it was the engine.
            Some(Err(ModuleError::Cancelled)) => self.job.promise.fulfil(Err(ModuleError::EngineDropped)),
            Some(result) => self.job.promise.fulfil(result),
            None => self.handed_on = true,
        }
    }

    /// None if somebody else is making the module, and this task will be submitted again.
    fn outcome(&self) -> Option<Outcome> {
        match &self.job.work {
            Work::Compile(bytes, imports) => self.compile(bytes, imports),
            Work::Prepare(module, checked) => Some(prepare(&self.service, module, *checked, &self.job.cancel)),
        }
    }

    fn compile(&self, bytes: &WireBytes, imports: &CompileTimeImports) -> Option<Outcome> {
        let service = &self.service;
        if let Err(cancelled) = self.job.cancel.check() {
            return Some(Err(cancelled));
        }
        let mut wanted = Wanted::new(Source::Owned(bytes.clone()), imports.clone());
        let asked = Asked::new(service, CompileMethod::Async, spans::module(CompileMethod::Async, None));
        let _entered = asked.started.enter();
        loop {
            match service.cache.step(&mut wanted) {
                Step::Ready(module) => return Some(Ok(asked.found(module))),
                Step::Make(maker) => return Some(asked.make(maker, self.job.cancel.clone())),
                Step::Building(place) => {
                    let waits = Waiting { job: Some(Arc::clone(&self.job)), service: Arc::downgrade(service) };
                    if self.service.cache.when_done(place, Box::new(move || waits.submit_again())) {
                        asked.waits();
                        return None;
                    }
                }
            }
        }
    }
}

/// A job that waits for a builder, without a task meanwhile. When it is dropped before that is done, the promise is left.
struct Waiting {
    job: Option<Arc<Job>>,
    service: Weak<Service>,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(job) = &self.job {
            job.promise.leave();
        }
    }
}

impl Waiting {
    /// The builder is done. Without an engine there is nothing to do: it has ended the job.
    fn submit_again(mut self) {
        if let Some(service) = self.service.upgrade()
            && let Some(job) = self.job.take_if(|job| !job.cancel.is_cancelled())
        {
            Task::submit(job, service);
        }
    }
}

/// Makes a module ready to be instantiated.
fn prepare(service: &Arc<Service>, module: &Arc<NativeModule>, checked: bool, cancel: &Cancel) -> Outcome {
    cancel.check()?;
    attachment::prepare_image(&service.config, module);
    let variant = if checked {
        attachment::checked_variant(module, |parts| add_module(service, parts))?
    } else {
        Arc::clone(module)
    };
    if service.config.strategy == Strategy::Eager {
        let number = attachment::of(module).number;
        let method = CompileMethod::Async;
        Compilation { service, number, cancel: cancel.clone(), method }.compile_all(&variant)?;
    }
    Ok(Arc::clone(module))
}
