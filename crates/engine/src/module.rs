//! From bytes to a `NativeModule`, on the thread that wants it.
//!
//! `compile::phases` has the phases, `cache` says whether there is anything to do.

use std::sync::Arc;
use std::time::Instant;

use tracing::Span;
use wasm::decode::stream::{Decoded, decode};
use wasm::module::ModuleInfo;

use crate::attachment;
use crate::cache::{Maker, Step, Wanted};
use crate::compile::phases::{Cancel, Compilation, validation_threads};
use crate::compile::source::Source;
use crate::config::{Config, Strategy};
use crate::engine::Engine;
use crate::error::ModuleError;
use crate::events::{CacheOutcome, CompileMethod, EventKind, Started, spans};
use crate::service::Service;

/// The tiers, for the same layer.
pub use abi::tier::Tier;
/// A code object and what it is of, for the same layer.
pub use code::code::{Code, CodeKind};
/// The compiled artefact behind a module. Named here for the layer above, which may not name the crate it is from.
pub use code::native_module::NativeModule;
/// The bytes of a module, for the same layer.
pub use code::wire_bytes::WireBytes;
/// What a compilation answers of a module's imports, for the same layer.
pub use wasm::compile_imports::CompileTimeImports;

/// Decodes and validates bytes.
///
/// # Errors
/// The fault with the earliest offset.
pub fn validate(config: &Config, threads: usize, bytes: &[u8]) -> Result<ModuleInfo, ModuleError> {
    let Decoded { info, bodies } = decode(bytes, &config.features, &config.limits)?;
    bodies.validate_all(&info, bytes, validation_threads(&info, threads))?;
    Ok(info)
}

/// Makes a module: takes it from the cache, or decodes, validates, and compiles what the strategy says. If another thread
/// is making the same module, waits for it.
///
/// # Errors
/// When the bytes are not a valid module, or code memory is full.
pub fn compile<'a>(engine: &Engine, source: impl Into<Source<'a>>) -> Result<Arc<NativeModule>, ModuleError> {
    compile_with(engine, source, CompileTimeImports::NONE)
}

/// The same, with compile-time imports.
///
/// # Errors
/// As for [`compile`]; and when an import that is answered has another type than what answers it.
pub fn compile_with<'a>(
    engine: &Engine,
    source: impl Into<Source<'a>>,
    imports: CompileTimeImports,
) -> Result<Arc<NativeModule>, ModuleError> {
    compile_by(engine, CompileMethod::Sync, source, imports)
}

/// The same, for who asked by some method and waits now.
///
/// # Errors
/// As for [`compile_with`].
pub(crate) fn compile_by<'a>(
    engine: &Engine,
    method: CompileMethod,
    source: impl Into<Source<'a>>,
    imports: CompileTimeImports,
) -> Result<Arc<NativeModule>, ModuleError> {
    Asked::new(engine.service(), method, spans::module(method, None)).answer(source.into(), imports)
}

/// A request for a module, told of when it is answered.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    service: &'a Arc<Service>,
    method: CompileMethod,
    pub(crate) started: Started,
    /// When the last byte came, if it was a stream that asks.
    last_byte: Option<Instant>,
}

impl<'a> Asked<'a> {
    /// A request that is made now by some method, with its span.
    pub(crate) fn new(service: &'a Arc<Service>, method: CompileMethod, span: Span) -> Asked<'a> {
        Asked { service, method, started: service.events.start(span), last_byte: None }
    }

    /// A request for what a stream has collected.
    pub(crate) fn by_stream(service: &'a Arc<Service>, span: Span, last_byte: Instant) -> Asked<'a> {
        Asked { last_byte: Some(last_byte), ..Asked::new(service, CompileMethod::Streaming, span) }
    }

    /// Has the module made by this thread, or waits for another that makes it.
    ///
    /// # Errors
    /// As for [`compile_with`].
    pub(crate) fn answer(
        &self,
        source: Source<'_>,
        imports: CompileTimeImports,
    ) -> Result<Arc<NativeModule>, ModuleError> {
        let _entered = self.started.enter();
        let mut wanted = Wanted::new(source, imports);
        loop {
            match self.service.cache.step(&mut wanted) {
                Step::Ready(module) => return Ok(self.found(module)),
                Step::Building(place) => {
                    self.waits();
                    self.service.cache.wait(place);
                }
                Step::Make(maker) => return self.make(maker, Cancel::default()),
            }
        }
    }

    /// Somebody else is making the module.
    pub(crate) fn waits(&self) {
        tell(self.service, CacheOutcome::Wait, None);
    }

    /// It was in the cache.
    pub(crate) fn found(&self, module: Arc<NativeModule>) -> Arc<NativeModule> {
        let (service, number) = (self.service, attachment::of(&module).number);
        tell(service, CacheOutcome::Hit, Some(&module));
        spans::of(self.started.span(), number);
        service
            .events
            .end(&self.started, Some(number), || outcome(service, (self.method, self.last_byte), true, Ok(&module)));
        module
    }

    /// Makes the module, as it is not in the cache.
    ///
    /// # Errors
    /// As for [`compile_with`]; or nobody wants the module any more.
    pub(crate) fn make(&self, maker: Maker<'_>, cancel: Cancel) -> Result<Arc<NativeModule>, ModuleError> {
        let &Asked { service, method, ref started, last_byte } = self;
        let compilation = Compilation { method, ..Compilation::new(service, cancel) };
        spans::of(started.span(), compilation.number);
        if maker.is_for_the_cache() {
            service.events.mark(Some(compilation.number), EventKind::Cache { outcome: CacheOutcome::Miss });
        }
        let result = compilation.run(maker.bytes(), maker.imports());
        service.events.end(started, Some(compilation.number), || {
            outcome(service, (method, last_byte), false, result.as_deref().map_err(|_| &**maker.bytes()))
        });
        let ours = result?;
        let module = maker.publish(Arc::clone(&ours));
        if !Arc::ptr_eq(&ours, &module) {
            tell(service, CacheOutcome::Conflict, Some(&module));
        }
        Ok(module)
    }
}

/// A module was asked for, by a stream at its last byte: it was made or found in the cache, or there is none, for these
/// bytes.
pub(crate) fn outcome(
    service: &Service,
    (method, last_byte): (CompileMethod, Option<Instant>),
    cached: bool,
    result: Result<&NativeModule, &[u8]>,
) -> EventKind {
    let module = result.ok();
    EventKind::Module {
        method,
        cached,
        lazy: service.config.strategy == Strategy::Lazy,
        success: result.is_ok(),
        bytes: result.map_or_else(<[u8]>::len, |module| module.wire_bytes().len()),
        functions: module.map_or(0, |module| module.info().bodies.len()),
        code_bytes: module.map_or(0, |module| module.statistics().code_bytes()),
        finish: last_byte.map(|at| at.elapsed()),
    }
}

/// Tells of what the cache had.
pub(crate) fn tell(service: &Service, outcome: CacheOutcome, module: Option<&NativeModule>) {
    let number = module.map(|module| attachment::of(module).number);
    service.events.mark(number, EventKind::Cache { outcome });
}
