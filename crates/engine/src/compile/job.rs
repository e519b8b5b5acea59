//! One compilation: a function, in a tier, on this thread, from the body to code that calls reach.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;
use std::{io, thread};

use abi::compiled::CompiledCode;
use abi::compiler::{Budget, CompileError, CompileErrorKind, Compiler, Request};
use abi::feedback::{FeedbackSource, FunctionFeedback};
use abi::tier::Tier;
use code::code::Code;
use code::native_module::{NativeModule, NewCode};
use code::space::SpaceError;
use runtime::hooks::LazyError;
use runtime::stores::Running;
use sys::process::thread_cpu_time;
use sys::stack::{approximate_sp, current_thread_stack_bounds};
use wasm::types::DefinedFuncIndex;

use crate::attachment::Wanted;
use crate::code_gc::ceiling::{self, Room};
use crate::events::{Cause, EventKind, Outcome, spans};
use crate::service::Service;
use crate::validation::Validation;
use crate::{attachment, tuning};

/// One function to compile.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Job<'a> {
    pub(crate) module: &'a Arc<NativeModule>,
    pub(crate) function: DefinedFuncIndex,
    /// The tier, which must be one of the engine's.
    pub(crate) tier: Tier,
    /// The loop, if it is to be an OSR entry.
    pub(crate) osr: Option<u32>,
    pub(crate) cause: Cause,
    /// The store that waits for it on this thread, if one does.
    pub(crate) running: Option<&'a Running>,
}

impl Job<'_> {
    /// Compiles and publishes; gives the function's code pointer, or the OSR entry. If it has code of this tier or a better
    /// one already, nothing is done.
    ///
    /// # Errors
    /// When the body is not valid, when it passes a limit of the compiler or the job's budget, or when code memory is full.
    pub(crate) fn run(&self, service: &Arc<Service>) -> Result<*const u8, LazyError> {
        // Code is freed here, if at all, before any pointer to code is taken.
        ceiling::keep_below(service, self.running);
        if let Some(entry) = self.existing() {
            return Ok(entry);
        }
        let code = self.make(service)?;
        let published = self.module.publish(Arc::clone(&code));
        service.registry.code_created(self.module, &code);
        let (function, tier, osr) = (self.index(), self.tier, self.osr);
        let number = Some(attachment::of(self.module).number);
        service.events.mark(number, EventKind::Publish { function, tier, osr });
        if let Some(tier) = published.retired {
            service.events.mark(number, EventKind::Retire { function, tier, osr });
        }
        Ok(published.entry)
    }

    /// Compiles, and tells of it. Nothing leads to the code yet.
    pub(crate) fn make(&self, service: &Arc<Service>) -> Result<Arc<Code>, LazyError> {
        let number = attachment::of(self.module).number;
        let span = spans::compile(number, self.index(), (self.tier, self.osr), self.cause);
        let started = service.events.start(span);
        let _entered = started.enter();
        let mut cpu = Duration::ZERO;
        let result = self.make_untold(service, &mut cpu);
        service.events.end(&started, Some(number), || EventKind::Compile {
            function: self.index(),
            tier: self.tier,
            osr: self.osr,
            cause: self.cause,
            wasm_bytes: self.module.body(self.function).bytes.len(),
            cpu,
            outcome: outcome(&result),
        });
        result
    }

    fn index(&self) -> u32 {
        self.module.info().func_index(self.function).0
    }

    /// What is to be made.
    fn wanted(&self) -> Wanted {
        (self.function, self.tier, self.osr)
    }

    fn existing(&self) -> Option<*const u8> {
        match self.osr {
            Some(offset) => self.module.osr_entry(self.function, offset),
            None if self.module.tier(self.function)? >= self.tier => self.module.entry(self.function),
            None => None,
        }
    }

    fn make_untold(&self, service: &Arc<Service>, cpu: &mut Duration) -> Result<Arc<Code>, LazyError> {
        if let Some(validation) = &attachment::of(self.module).validation {
            self.away(|| validation.check(self.module, self.function))?;
        }
        if let Some(error) = attachment::of(self.module).refusal(self.wanted()) {
            return Err(error.into());
        }
        let mut room = Room::default();
        loop {
            let (compiled, time) = self.away(|| self.compile(service))?;
            *cpu += time;
            let code = NewCode {
                function: self.function,
                tier: self.tier,
                osr: self.osr,
                compile_time: time,
                budget: budget(service, self.module, self.function).1,
                compiled,
            };
            match self.module.add(code) {
                Ok(code) => return Ok(code),
                Err(SpaceError::Full { .. }) if room.make(service, self.running) => {}
                Err(error) => return Err(CompileError::limit(Some(self.function), error.to_string()).into()),
            }
        }
    }

    /// Does what takes long and needs no code pointer; meanwhile nobody waits for the store that waits for it.
    fn away<R>(&self, work: impl FnOnce() -> R) -> R {
        match self.running {
            Some(running) => running.away(work),
            None => work(),
        }
    }

    /// The compiler's own work, and the processor time it took.
    fn compile(&self, service: &Service) -> Result<(CompiledCode, Duration), CompileError> {
        let compiler = service.compilers.of(self.tier);
        let feedback = Feedback { module: self.module, validation: attachment::of(self.module).validation.as_deref() };
        let env = self.module.env();
        let mut request = Request::new(&env, self.function);
        request.osr = self.osr;
        if self.tier == Tier::Optimizing && service.compilers.dynamic() {
            request.feedback = service.config.inlining.then_some(&feedback);
            request.budget = (self.cause == Cause::TierUp).then_some(Budget {
                time: tuning::TIER_UP_TIME,
                clock: thread_cpu_time,
                memory: tuning::TIER_UP_MEMORY,
            });
        }
        run_compiler(compiler, &request).inspect_err(|error| {
            // What is too much for a compiler is not tried again at each call.
            if error.kind == CompileErrorKind::Limit {
                attachment::of(self.module).refuse(self.wanted(), error.clone());
            }
        })
    }
}

/// A compiler's work on this thread, with stack enough, and the processor time it took.
///
/// # Errors
/// Those of the compiler; and when it panicked, or there was no stack for it.
pub(crate) fn run_compiler(
    compiler: &dyn Compiler,
    request: &Request<'_>,
) -> Result<(CompiledCode, Duration), CompileError> {
    let fail = |message: String| CompileError::limit(Some(request.function), message);
    let compile = || {
        let start = thread_cpu_time();
        let compiled = compiler.compile(request)?;
        Ok((compiled, thread_cpu_time().saturating_sub(start)))
    };
    // A bug of the compiler costs this function, not the process.
    let compile = || catch_unwind(AssertUnwindSafe(compile)).unwrap_or_else(|panic| Err(fail(describe_panic(&*panic))));
    with_stack(compile).map_err(|error| fail(error.to_string()))?
}

/// How often a function must spend its budget to be hot, and the budget.
pub(crate) fn budget(service: &Service, module: &NativeModule, function: DefinedFuncIndex) -> (u32, i32) {
    tuning::whole_budget(service.config.tiering_budget, module.body(function).bytes.len())
}

/// The feedback of a module, some of whose bodies may not have been validated yet.
struct Feedback<'a> {
    module: &'a NativeModule,
    validation: Option<&'a Validation>,
}

impl FeedbackSource for Feedback<'_> {
    fn feedback(&self, function: DefinedFuncIndex) -> Option<FunctionFeedback> {
        self.module.feedback(function)
    }

    fn is_valid(&self, function: DefinedFuncIndex) -> bool {
        self.validation.is_none_or(|validation| validation.check(self.module, function).is_ok())
    }
}

fn outcome(result: &Result<Arc<Code>, LazyError>) -> Outcome {
    match result {
        Ok(code) => Outcome::Done { code_bytes: code.len() },
        Err(LazyError::Invalid(_)) => Outcome::Invalid,
        Err(LazyError::Compile(error)) => match error.kind {
            CompileErrorKind::Invalid => Outcome::Invalid,
            CompileErrorKind::Budget => Outcome::OverBudget,
            CompileErrorKind::Limit => Outcome::Failed,
        },
    }
}

/// Runs `work` on this thread, or on a new one if this one's stack is almost used up, as it may be when the first call of
/// a function comes deep in a recursion.
fn with_stack<T: Send>(work: impl FnOnce() -> T + Send) -> io::Result<T> {
    let here = approximate_sp();
    let short = current_thread_stack_bounds()
        .is_some_and(|bounds| bounds.contains(&here) && here - bounds.start < tuning::COMPILE_STACK);
    if !short {
        return Ok(work());
    }
    thread::scope(|scope| {
        let worker = thread::Builder::new().name("upshift-lazy".into()).spawn_scoped(scope, work)?;
        worker.join().map_err(|_| io::Error::other("the compiler's thread has died"))
    })
}

fn describe_panic(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or(panic.downcast_ref::<String>().map(String::as_str));
    format!("the compiler panicked: {}", text.unwrap_or("no message"))
}
