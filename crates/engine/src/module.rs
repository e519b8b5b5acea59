//! From bytes to a `NativeModule`, and what the engine keeps with one.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use abi::compiler::CompileError;
use abi::memory::MemoryStyle;
use code::native_module::Parts;
use runtime::image::InitialImage;
use wasm::decode::stream::{Decoded, decode};
use wasm::module::ModuleInfo;
use wasm::validate::Unvalidated;

use crate::compile::job::compile_all;
use crate::config::{Config, Strategy};
use crate::engine::Engine;
use crate::error::ModuleError;
use crate::tuning;

/// Which function a code object is of, for the same layer.
pub use code::code::CodeKind;
/// The compiled artefact behind a module. Named here for the layer above, which may not name the crate it is from.
pub use code::native_module::NativeModule;

/// What the engine keeps with a module.
#[derive(Debug, Default)]
pub(crate) struct Attachment {
    /// The same module with code that checks every memory access; made when an instance needs it.
    checked: OnceLock<Arc<NativeModule>>,
    instantiations: AtomicU32,
    image: OnceLock<Option<Arc<InitialImage>>>,
}

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

/// The variant of a module whose code checks every memory access.
///
/// # Errors
/// When code memory is full.
pub(crate) fn checked_variant(
    module: &Arc<NativeModule>,
    make: impl FnOnce(Parts) -> Result<Arc<NativeModule>, CompileError>,
) -> Result<Arc<NativeModule>, CompileError> {
    let Some(attachment) = attachment(module) else { return Ok(Arc::clone(module)) };
    if let Some(variant) = attachment.checked.get() {
        return Ok(Arc::clone(variant));
    }
    let parts = Parts {
        types: Arc::clone(module.types()),
        memories: module.memories().iter().map(|_| MemoryStyle::Checked).collect(),
        info: Arc::clone(module.info()),
        wire_bytes: Arc::clone(module.wire_bytes()),
        settings: module.settings(),
        attachment: Box::new(Attachment::default()),
    };
    let variant = make(parts)?;
    Ok(Arc::clone(attachment.checked.get_or_init(|| variant)))
}

/// The memory image of a module, from the instantiation on at which it pays.
pub(crate) fn image(config: &Config, module: &NativeModule) -> Option<Arc<InitialImage>> {
    let attachment = attachment(module)?;
    let count = attachment.instantiations.fetch_add(1, Ordering::Relaxed).saturating_add(1);
    if !config.memory_images || count < tuning::IMAGE_AT_INSTANTIATION {
        return None;
    }
    attachment.image.get_or_init(|| InitialImage::new(module.info(), module.wire_bytes())).clone()
}

fn attachment(module: &NativeModule) -> Option<&Attachment> {
    module.attachment().downcast_ref()
}
