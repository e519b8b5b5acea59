//! From bytes to a `NativeModule`: decode, validate, and compile what the strategy says.

use std::sync::Arc;

use abi::compiler::CompileError;
use code::native_module::Parts;
use runtime::hooks::LazyError;
use wasm::decode::stream::{Decoded, decode};
use wasm::module::ModuleInfo;
use wasm::validate::Unvalidated;

use crate::attachment::{self, Attachment};
use crate::config::{Config, Strategy};
use crate::engine::Engine;
use crate::error::ModuleError;
use crate::events::{CompileMethod, EventKind, Events, ModuleNumber};
use crate::tuning;
use crate::validation::Validation;

/// The tiers, for the same layer.
pub use abi::tier::Tier;
/// A code object and what it is of, for the same layer.
pub use code::code::{Code, CodeKind};
/// The compiled artefact behind a module. Named here for the layer above, which may not name the crate it is from.
pub use code::native_module::NativeModule;
/// The bytes of a module, for the same layer.
pub use code::wire_bytes::WireBytes;

/// Decodes and validates bytes.
///
/// # Errors
/// The fault with the earliest offset.
pub fn validate(config: &Config, threads: usize, bytes: &[u8]) -> Result<ModuleInfo, ModuleError> {
    let Decoded { info, bodies } = decode(bytes, &config.features, &config.limits)?;
    bodies.validate_all(&info, bytes, validation_threads(&info, threads))?;
    Ok(info)
}

fn validation_threads(info: &ModuleInfo, threads: usize) -> usize {
    if code_bytes(info) < tuning::PARALLEL_VALIDATION { 1 } else { threads }
}

fn code_bytes(info: &ModuleInfo) -> usize {
    info.code_section.as_ref().map_or(0, |range| range.len())
}

/// Makes a module: decodes, validates, and compiles what the strategy says.
///
/// # Errors
/// When the bytes are not a valid module, or code memory is full.
pub fn compile(engine: &Engine, bytes: impl Into<WireBytes>) -> Result<Arc<NativeModule>, ModuleError> {
    let bytes: WireBytes = bytes.into();
    let len = bytes.len();
    let events = &engine.service().events;
    let number = ModuleNumber::next();
    let started = events.start();
    let result = compile_numbered(engine, number, bytes);
    let module = result.as_ref().ok();
    events.end(started, Some(number), || EventKind::Module {
        method: CompileMethod::Sync,
        cached: false,
        lazy: engine.config().strategy == Strategy::Lazy,
        success: result.is_ok(),
        bytes: len,
        functions: module.map_or(0, |module| module.info().bodies.len()),
        code_bytes: module.map_or(0, |module| module.statistics().code_bytes()),
    });
    result
}

fn compile_numbered(engine: &Engine, number: ModuleNumber, bytes: WireBytes) -> Result<Arc<NativeModule>, ModuleError> {
    let (config, events) = (engine.config(), &engine.service().events);
    let started = events.start();
    let decoded = decode(&bytes, &config.features, &config.limits);
    events.end(started, Some(number), || EventKind::Decode {
        method: CompileMethod::Sync,
        bytes: bytes.len(),
        functions: decoded.as_ref().map_or(0, |decoded| decoded.info.bodies.len()),
        success: decoded.is_ok(),
    });
    let Decoded { info, bodies } = decoded?;
    let validation = if config.lazy_validation {
        Some(Arc::new(Validation::new(bodies, info.bodies.len())))
    } else {
        validate_now(engine, events, number, &bodies, &info, &bytes)?;
        None
    };
    let module = from_decoded(engine, info, bytes, Attachment::new(number, validation))?;
    match config.strategy {
        Strategy::Lazy => {}
        Strategy::Eager => eager(engine, &module)?,
        Strategy::Hybrid => engine.compile_in_background(&module),
    }
    Ok(module)
}

fn validate_now(
    engine: &Engine,
    events: &Events,
    number: ModuleNumber,
    bodies: &Unvalidated,
    info: &ModuleInfo,
    bytes: &[u8],
) -> Result<(), ModuleError> {
    let threads = validation_threads(info, engine.pool().threads());
    let started = events.start();
    let result = bodies.validate_all(info, bytes, threads);
    events.end(started, Some(number), || EventKind::Validate { bytes: code_bytes(info), threads });
    Ok(result?)
}

/// Compiles everything. With lazy validation a body that is not valid stays without code, to fail when it is called.
fn eager(engine: &Engine, module: &Arc<NativeModule>) -> Result<(), ModuleError> {
    match engine.compile_all(module) {
        Err(LazyError::Invalid(_)) if attachment::of(module).validation.is_some() => Ok(()),
        result => Ok(result?),
    }
}

fn from_decoded(
    engine: &Engine,
    info: ModuleInfo,
    wire_bytes: WireBytes,
    attachment: Attachment,
) -> Result<Arc<NativeModule>, CompileError> {
    let policy = &engine.config().memory;
    let parts = Parts {
        types: Arc::new(engine.types().register(&info)),
        memories: info.memories.iter().map(|ty| policy.style(ty)).collect(),
        info: Arc::new(info),
        wire_bytes,
        settings: engine.config().settings,
        attachment: Box::new(attachment),
    };
    engine.add_module(parts)
}
