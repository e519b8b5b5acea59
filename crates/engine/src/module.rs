//! From bytes to a `NativeModule`: decode, validate, and compile what the strategy says.

use std::sync::Arc;

use abi::compiler::CompileError;
use code::native_module::Parts;
use wasm::decode::stream::{Decoded, decode};
use wasm::module::ModuleInfo;
use wasm::validate::Unvalidated;

use crate::attachment::Attachment;
use crate::compile::job::compile_all;
use crate::config::{Config, Strategy};
use crate::engine::Engine;
use crate::error::ModuleError;
use crate::tuning;

/// Which function a code object is of, for the same layer.
pub use code::code::CodeKind;
/// The compiled artefact behind a module. Named here for the layer above, which may not name the crate it is from.
pub use code::native_module::NativeModule;

/// Decodes and validates bytes.
///
/// # Errors
/// The fault with the earliest offset.
pub fn validate(config: &Config, threads: usize, bytes: &[u8]) -> Result<ModuleInfo, ModuleError> {
    let Decoded { info, bodies } = decode(bytes, &config.features, &config.limits)?;
    validate_bodies(&bodies, &info, bytes, threads)?;
    Ok(info)
}

fn validate_bodies(bodies: &Unvalidated, info: &ModuleInfo, bytes: &[u8], threads: usize) -> Result<(), ModuleError> {
    let code = info.code_section.as_ref().map_or(0, |range| range.len());
    let threads = if code < tuning::PARALLEL_VALIDATION { 1 } else { threads };
    Ok(bodies.validate_all(info, bytes, threads)?)
}

/// Makes a module: decodes, validates, and compiles what the strategy says.
///
/// # Errors
/// When the bytes are not a valid module, or code memory is full.
pub fn compile(engine: &Engine, bytes: impl Into<Arc<[u8]>>) -> Result<Arc<NativeModule>, ModuleError> {
    let bytes: Arc<[u8]> = bytes.into();
    let info = validate(engine.config(), engine.pool().threads(), &bytes)?;
    let module = from_valid(engine, info, bytes)?;
    if engine.config().strategy == Strategy::Eager {
        compile_all(engine.pool(), engine.compiler(), &module)?;
    }
    Ok(module)
}

fn from_valid(engine: &Engine, info: ModuleInfo, wire_bytes: Arc<[u8]>) -> Result<Arc<NativeModule>, CompileError> {
    let policy = &engine.config().memory;
    let parts = Parts {
        types: Arc::new(engine.types().register(&info)),
        memories: info.memories.iter().map(|ty| policy.style(ty)).collect(),
        info: Arc::new(info),
        wire_bytes,
        settings: engine.config().settings,
        attachment: Box::new(Attachment::default()),
    };
    engine.add_module(parts)
}
