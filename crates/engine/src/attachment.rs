//! What the engine keeps with a module, beside its code: the variant that checks memory accesses, and the memory image.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use abi::compiler::CompileError;
use abi::memory::MemoryStyle;
use code::native_module::{NativeModule, Parts};
use runtime::image::InitialImage;

use crate::config::Config;
use crate::tuning;

/// What the engine keeps with a module.
#[derive(Debug, Default)]
pub(crate) struct Attachment {
    /// The same module with code that checks every memory access; made when an instance needs it.
    checked: OnceLock<Arc<NativeModule>>,
    instantiations: AtomicU32,
    image: OnceLock<Option<Arc<InitialImage>>>,
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
