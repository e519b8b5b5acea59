//! Compiling all functions of a module: at once, on all threads of the pool; or bit by bit, in the background.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::{self, ThreadId};

use code::native_module::NativeModule;
use runtime::hooks::LazyError;
use wasm::types::DefinedFuncIndex;

use super::job::Job;
use super::phases::Cancel;
use crate::attachment;
use crate::events::Cause;
use crate::pool::{Label, Urgency};
use crate::service::Service;
use crate::tuning;

#[cfg(test)]
mod tests;

/// Compiles all functions of a module that have no code, on all threads of the pool; those that are left when it is
/// cancelled stay lazy.
///
/// # Errors
/// The error of the first function, by index, that could not be compiled. The others have their code.
pub(crate) fn compile_all(
    service: &Arc<Service>,
    module: &Arc<NativeModule>,
    cancel: &Cancel,
) -> Result<(), LazyError> {
    let failed: Arc<Mutex<Option<(u32, LazyError)>>> = Arc::default();
    let work = {
        let (service, module, failed) = (Arc::clone(service), Arc::clone(module), Arc::clone(&failed));
        let cancel = cancel.clone();
        move |item: usize| {
            let function = DefinedFuncIndex::new(item);
            if !cancel.is_cancelled()
                && let Err(error) = compile_one(&service, &module, function)
            {
                let mut first = failed.lock().unwrap_or_else(PoisonError::into_inner);
                if first.as_ref().is_none_or(|&(index, _)| function.0 < index) {
                    *first = Some((function.0, error));
                }
            }
        }
    };
    let label = Label { name: "compile-all", module: Some(attachment::of(module).number) };
    service.workers.run(module.info().bodies.len(), label, Arc::new(work));
    let first = failed.lock().unwrap_or_else(PoisonError::into_inner).take();
    first.map_or(Ok(()), |(_, error)| Err(error))
}

fn compile_one(
    service: &Arc<Service>,
    module: &Arc<NativeModule>,
    function: DefinedFuncIndex,
) -> Result<(), LazyError> {
    let tier = service.compilers.first_tier();
    Job { module, function, tier, osr: None, cause: Cause::Request, running: None }.run(service).map(drop)
}

/// Has all functions of a module that have no code compiled when the workers have nothing else to do. One that cannot be
/// compiled stays lazy, and says so when it is called.
pub(crate) fn compile_in_background(service: &Arc<Service>, module: &Arc<NativeModule>) {
    let sweep =
        Sweep { service: Arc::clone(service), module: Arc::downgrade(module), next: Arc::new(AtomicUsize::new(0)) };
    let label = Label { name: "sweep", module: Some(attachment::of(module).number) };
    let workers = service.workers.task_threads().min(module.info().bodies.len());
    for _ in 0..workers {
        if !sweep.clone().submit(label) {
            break;
        }
    }
}

/// The background compilation of one module, as far as it is.
#[derive(Clone)]
struct Sweep {
    service: Arc<Service>,
    module: Weak<NativeModule>,
    next: Arc<AtomicUsize>,
}

impl Sweep {
    /// Queues behind the others.
    fn submit(self, label: Label) -> bool {
        let service = Arc::clone(&self.service);
        service.workers.spawn(Urgency::Background, label, move || self.go_on(label)).is_some()
    }

    /// Compiles a few functions, then queues again. A pool that runs tasks within [`Pool::spawn`](crate::pool::Pool::spawn)
    /// would come back here, one turn within another, and so has the next turn done here instead.
    fn go_on(self, label: Label) {
        while self.step() {
            let (sweep, handed) = (self.clone(), Arc::new(HandedOver::new()));
            let same = Arc::clone(&handed);
            let turn = move || {
                if !same.is_within() {
                    sweep.go_on(label);
                }
            };
            let _ = self.service.workers.spawn(Urgency::Background, label, turn);
            if !handed.end() {
                break;
            }
        }
    }

    /// Compiles a few functions. False if there are no more.
    fn step(&self) -> bool {
        let Some(module) = self.module.upgrade() else { return false };
        let count = module.info().bodies.len();
        let first = self.next.fetch_add(tuning::BACKGROUND_STEP, Ordering::Relaxed);
        for item in (first..count).take(tuning::BACKGROUND_STEP) {
            let function = DefinedFuncIndex::new(item);
            if module.tier(function).is_none() {
                // The error comes again when the function is called.
                let _ = compile_one(&self.service, &module, function);
            }
        }
        first + tuning::BACKGROUND_STEP < count
    }
}

/// A task on its way to the pool, by a thread that can do it as well.
struct HandedOver {
    thread: ThreadId,
    state: Mutex<Handing>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Handing {
    /// The pool is being given the task.
    Spawning,
    /// And runs it meanwhile, on the thread that gives it.
    Within,
    /// The pool has it.
    Over,
}

impl HandedOver {
    fn new() -> HandedOver {
        HandedOver { thread: thread::current().id(), state: Mutex::new(Handing::Spawning) }
    }

    /// Does the task run on the thread that is just giving it to the pool? Then that thread does the work later.
    fn is_within(&self) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if *state == Handing::Spawning && thread::current().id() == self.thread {
            *state = Handing::Within;
        }
        *state == Handing::Within
    }

    /// The pool has been given the task. Has it run it meanwhile, so that the work is still to be done?
    fn end(&self) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *state, Handing::Over) == Handing::Within
    }
}
