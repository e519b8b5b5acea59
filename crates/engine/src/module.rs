//! From bytes to a `NativeModule`, on the thread that wants it.
//!
//! `compile::phases` has the phases, `cache` says whether there is anything to do.

use std::sync::Arc;

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
    let service = engine.service();
    let mut wanted = Wanted::new(source.into(), imports);
    let started = service.events.start();
    loop {
        match service.cache.step(&mut wanted) {
            Step::Ready(module) => {
                found(service, method, started, &module);
                return Ok(module);
            }
            Step::Building(place) => {
                tell(service, CacheOutcome::Wait, None);
                service.cache.wait(place);
            }
            Step::Make(maker) => return make_by(service, method, maker, Cancel::default()),
        }
    }
}

/// Makes a module that is not in the cache, as a task of the pool.
///
/// # Errors
/// As for [`compile_with`]; or nobody wants the module any more.
pub(crate) fn make(service: &Arc<Service>, maker: Maker<'_>, cancel: Cancel) -> Result<Arc<NativeModule>, ModuleError> {
    make_by(service, CompileMethod::Async, maker, cancel)
}

/// The same, for who asked by some method.
///
/// # Errors
/// As for [`make`].
pub(crate) fn make_by(
    service: &Arc<Service>,
    method: CompileMethod,
    maker: Maker<'_>,
    cancel: Cancel,
) -> Result<Arc<NativeModule>, ModuleError> {
    let compilation = Compilation { method, ..Compilation::new(service, cancel) };
    if maker.is_for_the_cache() {
        service.events.mark(Some(compilation.number), EventKind::Cache { outcome: CacheOutcome::Miss });
    }
    let _span = spans::module(method, compilation.number, maker.bytes().len());
    let started = service.events.start();
    let result = compilation.run(maker.bytes(), maker.imports());
    service.events.end(started, Some(compilation.number), || {
        outcome(service, method, false, result.as_deref().map_err(|_| &**maker.bytes()))
    });
    let ours = result?;
    let module = maker.publish(Arc::clone(&ours));
    if !Arc::ptr_eq(&ours, &module) {
        tell(service, CacheOutcome::Conflict, Some(&module));
    }
    Ok(module)
}

/// A module was found in the cache, asked for since `started`.
pub(crate) fn found(service: &Service, method: CompileMethod, started: Started, module: &NativeModule) {
    tell(service, CacheOutcome::Hit, Some(module));
    let number = attachment::of(module).number;
    service.events.end(started, Some(number), || outcome(service, method, true, Ok(module)));
}

/// A module was asked for: it was made or found in the cache, or there is none, for these bytes.
pub(crate) fn outcome(
    service: &Service,
    method: CompileMethod,
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
    }
}

/// Tells of what the cache had.
pub(crate) fn tell(service: &Service, outcome: CacheOutcome, module: Option<&NativeModule>) {
    let number = module.map(|module| attachment::of(module).number);
    service.events.mark(number, EventKind::Cache { outcome });
}
