//! The phases of making a module, which synchronous, asynchronous and streaming compilation share.
//!
//! 1. [`Compilation::decode`]: the module's structure.
//! 2. The module cache is asked (`engine::cache`); whole bytes before they are decoded, a stream at its code section.
//! 3. [`Compilation::validate`]: its bodies, on all threads of the pool, or none now if validation is lazy; then its
//!    compile-time imports.
//! 4. [`Compilation::build`]: a code table of lazy stubs, canonical types, a place in the engine's registry.
//! 5. [`Compilation::finish`]: code, as far as the strategy says.
//!
//! A fault has the same text whichever way: the first in the order of the bytes, then that of compile-time imports. Every
//! phase ends soon, with [`ModuleError::Cancelled`], when nobody wants the module any more.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use abi::compiler::CompileError;
use code::native_module::{NativeModule, Parts};
use runtime::hooks::LazyError;
use wasm::compile_imports::CompileTimeImports;
use wasm::decode::stream::{Decoded, decode};
use wasm::module::ModuleInfo;
use wasm::types::DefinedFuncIndex;
use wasm::validate::{Scratch, Search, Unvalidated};

use super::all;
use super::jobs::Ends;
use crate::attachment::{self, Attachment};
use crate::config::Strategy;
use crate::engine::add_module;
use crate::error::ModuleError;
use crate::events::{CompileMethod, EventKind, ModuleNumber, spans};
use crate::module::WireBytes;
use crate::pool::Label;
use crate::service::Service;
use crate::tuning;
use crate::validation::Validation;

/// Says that nobody wants a module any more. Shared by who says it and who makes the module.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cancel {
    flag: Arc<Flag>,
}

#[derive(Debug, Default)]
struct Flag(AtomicBool);

impl Ends for Flag {
    fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn end(&self) {}
}

impl Cancel {
    /// Nobody wants it any more.
    pub(crate) fn cancel(&self) {
        self.flag.cancel();
    }

    /// What says so too when the engine goes.
    pub(crate) fn job(&self) -> Weak<dyn Ends> {
        let flag: Weak<Flag> = Arc::downgrade(&self.flag);
        flag
    }

    /// Does nobody want it any more?
    pub(crate) fn is_cancelled(&self) -> bool {
        self.flag.0.load(Ordering::Relaxed)
    }

    /// # Errors
    /// If nobody wants it any more.
    pub(crate) fn check(&self) -> Result<(), ModuleError> {
        if self.is_cancelled() { Err(ModuleError::Cancelled) } else { Ok(()) }
    }
}

/// A module that is being made.
#[derive(Debug)]
pub(crate) struct Compilation<'a> {
    pub(crate) service: &'a Arc<Service>,
    /// What the module will be called in events.
    pub(crate) number: ModuleNumber,
    pub(crate) cancel: Cancel,
    /// How it was asked for.
    pub(crate) method: CompileMethod,
}

/// A module whose bodies are valid, or will be looked at later.
#[derive(Debug)]
pub(crate) struct Valid {
    pub(crate) info: Arc<ModuleInfo>,
    /// What has been left for later.
    pub(crate) validation: Option<Arc<Validation>>,
}

impl<'a> Compilation<'a> {
    /// A compilation that has not begun, for a call that waits. Its module has a number of its own.
    pub(crate) fn new(service: &'a Arc<Service>, cancel: Cancel) -> Compilation<'a> {
        Compilation { service, number: ModuleNumber::next(), cancel, method: CompileMethod::Sync }
    }

    /// All phases but the cache.
    ///
    /// # Errors
    /// The first fault, a limit of the compiler or of code memory; or nobody wants the module any more.
    pub(crate) fn run(
        &self,
        bytes: &WireBytes,
        imports: &CompileTimeImports,
    ) -> Result<Arc<NativeModule>, ModuleError> {
        let decoded = self.decode(bytes)?;
        let valid = self.validate(decoded, bytes, imports)?;
        let module = self.build(valid, bytes.clone())?;
        self.finish(&module)?;
        Ok(module)
    }

    /// The structure.
    ///
    /// # Errors
    /// The fault with the earliest offset.
    pub(crate) fn decode(&self, bytes: &[u8]) -> Result<Decoded, ModuleError> {
        self.cancel.check()?;
        let (config, events) = (&self.service.config, &self.service.events);
        let (started, before) = (events.start(spans::decode(self.method, self.number)), events.thread_time());
        let decoded = started.span().in_scope(|| decode(bytes, &config.features, &config.limits));
        let cpu = events.thread_time().saturating_sub(before);
        events.end(&started, Some(self.number), || EventKind::decoded(self.method, bytes.len(), cpu, &decoded));
        Ok(decoded?)
    }

    /// The bodies, unless validation is lazy, and the compile-time imports.
    ///
    /// # Errors
    /// The fault with the earliest offset; or nobody wants the module any more.
    pub(crate) fn validate(
        &self,
        decoded: Decoded,
        bytes: &WireBytes,
        imports: &CompileTimeImports,
    ) -> Result<Valid, ModuleError> {
        let (info, bodies) = (Arc::new(decoded.info), decoded.bodies);
        let validation = if self.service.config.lazy_validation {
            Some(Arc::new(Validation::new(bodies, info.bodies.len())))
        } else {
            self.validate_bodies(&info, bodies, bytes)?;
            None
        };
        imports.check(&info)?;
        Ok(Valid { info, validation })
    }

    /// The same, if the first `valid` bodies are known to be valid, and the next one, if there is one, probably is not.
    ///
    /// # Errors
    /// As for [`Compilation::validate`].
    pub(crate) fn validate_rest(
        &self,
        decoded: Decoded,
        valid: u32,
        bytes: &[u8],
        imports: &CompileTimeImports,
    ) -> Result<Valid, ModuleError> {
        let (info, bodies) = (Arc::new(decoded.info), decoded.bodies);
        let count = info.bodies.len();
        let validation = if self.service.config.lazy_validation {
            Some(Arc::new(Validation::new(bodies, count)))
        } else {
            let mut scratch = Scratch::default();
            for index in valid as usize..count {
                bodies.validate(&info, bytes, DefinedFuncIndex::new(index), &mut scratch)?;
            }
            None
        };
        imports.check(&info)?;
        Ok(Valid { info, validation })
    }

    fn validate_bodies(
        &self,
        info: &Arc<ModuleInfo>,
        bodies: Unvalidated,
        bytes: &WireBytes,
    ) -> Result<(), ModuleError> {
        let Service { workers, events, .. } = &**self.service;
        let threads = validation_threads(info, workers.threads());
        let started = events.start(spans::validate(self.number));
        let (search, cpu) = (Arc::new(Search::new(info)), Arc::<Mutex<Duration>>::default());
        let share = {
            let (search, info, bytes) = (Arc::clone(&search), Arc::clone(info), bytes.clone());
            let (events, cancel, cpu) = (events.clone(), self.cancel.clone(), Arc::clone(&cpu));
            let span = started.span().clone();
            move |_| {
                let _entered = span.enter();
                let before = events.thread_time();
                search.help(&bodies, &info, &bytes, &|| !cancel.is_cancelled());
                let taken = events.thread_time().saturating_sub(before);
                *cpu.lock().unwrap_or_else(PoisonError::into_inner) += taken;
            }
        };
        if threads == 1 {
            share(0);
        } else {
            workers.run(threads, Label { name: "validate", module: Some(self.number) }, Arc::new(share));
        }
        let cpu = *cpu.lock().unwrap_or_else(PoisonError::into_inner);
        events.end(&started, Some(self.number), || EventKind::Validate { bytes: code_bytes(info), threads, cpu });
        self.cancel.check()?;
        Ok(search.finish()?)
    }

    /// A module whose functions are lazy, in the engine's registry.
    ///
    /// # Errors
    /// When there is no room for its stubs.
    pub(crate) fn build(&self, valid: Valid, wire_bytes: WireBytes) -> Result<Arc<NativeModule>, CompileError> {
        let Service { config, types, .. } = &**self.service;
        let Valid { info, validation } = valid;
        let parts = Parts {
            types: Arc::new(types.register(&info)),
            memories: info.memories.iter().map(|ty| config.memory.style(ty)).collect(),
            info,
            wire_bytes,
            settings: config.settings,
            attachment: Box::new(Attachment::new(self.number, validation)),
        };
        add_module(self.service, parts)
    }

    /// The code that there is to be from the start.
    ///
    /// # Errors
    /// When a function passes a limit of the compiler, or code memory is full; or nobody wants the module any more.
    pub(crate) fn finish(&self, module: &Arc<NativeModule>) -> Result<(), ModuleError> {
        self.cancel.check()?;
        match self.service.config.strategy {
            Strategy::Lazy => Ok(()),
            Strategy::Eager => self.compile_all(module),
            Strategy::Hybrid => {
                all::compile_in_background(self.service, module);
                Ok(())
            }
        }
    }

    /// Compiles everything. With lazy validation a body that is not valid stays without code, to fail when it is called.
    pub(crate) fn compile_all(&self, module: &Arc<NativeModule>) -> Result<(), ModuleError> {
        let result = all::compile_all(self.service, module, &self.cancel);
        self.cancel.check()?;
        match result {
            Err(LazyError::Invalid(_)) if attachment::of(module).validation.is_some() => Ok(()),
            result => Ok(result?),
        }
    }
}

/// Threads that are worth having for a module's validation, out of this many.
pub(crate) fn validation_threads(info: &ModuleInfo, threads: usize) -> usize {
    if code_bytes(info) < tuning::PARALLEL_VALIDATION { 1 } else { threads }
}

/// Bytes of a module's code section.
pub(crate) fn code_bytes(info: &ModuleInfo) -> usize {
    info.code_section.as_ref().map_or(0, |range| range.len())
}
