//! What the engine keeps with a module, beside its code: how far its validation and tiering are, the variant that checks
//! memory accesses, and the images of memory and function references.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use abi::compiler::CompileError;
use abi::memory::MemoryStyle;
use abi::tier::Tier;
use code::native_module::{NativeModule, Parts};
use runtime::image::InitialImage;
use runtime::references::ReferenceImage;
use wasm::heap;
use wasm::types::DefinedFuncIndex;

use crate::cache::Cached;
use crate::config::Config;
use crate::events::ModuleNumber;
use crate::registry::Registration;
use crate::service::Counts;
use crate::tiering::ModuleTiering;
use crate::tuning;
use crate::validation::Validation;

/// A piece of code: the function, the tier, and the loop if it is an OSR entry.
pub(crate) type Wanted = (DefinedFuncIndex, Tier, Option<u32>);

/// What the engine keeps with a module.
#[derive(Debug)]
pub(crate) struct Attachment {
    pub(crate) number: ModuleNumber,
    /// What has not been validated yet; none if everything is valid.
    pub(crate) validation: Option<Arc<Validation>>,
    pub(crate) tiering: ModuleTiering,
    pub(crate) counts: Counts,
    /// Functions that are too much for a compiler, and why: they would be so the next time.
    refused: Mutex<HashMap<Wanted, CompileError>>,
    /// The same module with code that checks every memory access; made when an instance needs it.
    checked: OnceLock<Arc<NativeModule>>,
    instantiations: AtomicU32,
    image: OnceLock<Option<Arc<InitialImage>>>,
    contexts: AtomicU32,
    references: OnceLock<Option<Arc<ReferenceImage>>>,
    /// Its place in the module cache, if it has one.
    cached: OnceLock<Cached>,
    /// Its place in the engine's registry.
    registration: OnceLock<Arc<Registration>>,
}

impl Attachment {
    pub(crate) fn new(number: ModuleNumber, validation: Option<Arc<Validation>>) -> Attachment {
        Attachment {
            number,
            validation,
            tiering: ModuleTiering::default(),
            counts: Counts::default(),
            refused: Mutex::default(),
            checked: OnceLock::new(),
            instantiations: AtomicU32::new(0),
            image: OnceLock::new(),
            contexts: AtomicU32::new(0),
            references: OnceLock::new(),
            cached: OnceLock::new(),
            registration: OnceLock::new(),
        }
    }

    /// Is there a variant that checks memory accesses?
    pub(crate) fn has_checked(&self) -> bool {
        self.checked.get().is_some()
    }

    /// The module is in the cache, until it dies. Only once, when it is made.
    pub(crate) fn enter_cache(&self, cached: Cached) {
        let entered = self.cached.set(cached);
        debug_assert!(entered.is_ok(), "a module enters the cache once");
    }

    /// What it owns takes, in bytes, without the module's variant and image, which are counted on their own.
    pub(crate) fn heap_bytes(&self) -> usize {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let validation = self.validation.as_deref().map_or(0, |all| heap::shared(all) + all.heap_bytes());
        self.tiering.heap_bytes() + heap::map(&refused) + validation
    }

    /// What the images of memory and references take, in bytes, as far as there are any.
    pub(crate) fn image_bytes(&self) -> usize {
        let memory = self.image.get().and_then(Option::as_ref).map_or(0, |image| image.bytes());
        memory + self.references.get().and_then(Option::as_ref).map_or(0, |image| image.bytes())
    }

    /// Its place in the engine's registry, once it has one: from when its module is made.
    pub(crate) fn registration(&self) -> Option<&Arc<Registration>> {
        self.registration.get()
    }

    /// Gives it its place in the engine's registry. Dropped with the module, before its code.
    pub(crate) fn set_registration(&self, registration: Arc<Registration>) {
        let entered = self.registration.set(registration);
        debug_assert!(entered.is_ok(), "a module is entered once");
    }

    /// Why the compiler has refused this before, if it has.
    pub(crate) fn refusal(&self, wanted: Wanted) -> Option<CompileError> {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.get(&wanted).cloned()
    }

    /// Remembers that the compiler refuses this.
    pub(crate) fn refuse(&self, wanted: Wanted, error: CompileError) {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).insert(wanted, error);
    }
}

/// The variant of a module whose code checks every memory access.
///
/// # Errors
/// When code memory is full.
pub(crate) fn checked_variant(
    module: &Arc<NativeModule>,
    make: impl FnOnce(Parts) -> Result<Arc<NativeModule>, CompileError>,
) -> Result<Arc<NativeModule>, CompileError> {
    let attachment = of(module);
    if let Some(variant) = attachment.checked.get() {
        return Ok(Arc::clone(variant));
    }
    let parts = Parts {
        types: Arc::clone(module.types()),
        memories: module.memories().iter().map(|_| MemoryStyle::Checked).collect(),
        info: Arc::clone(module.info()),
        wire_bytes: module.wire_bytes().clone(),
        settings: module.settings(),
        attachment: Box::new(Attachment::new(attachment.number, attachment.validation.clone())),
    };
    let variant = make(parts)?;
    Ok(Arc::clone(attachment.checked.get_or_init(|| variant)))
}

/// The memory image of a module, from the instantiation on at which it pays.
pub(crate) fn image(config: &Config, module: &NativeModule) -> Option<Arc<InitialImage>> {
    let count = of(module).instantiations.fetch_add(1, Ordering::Relaxed).saturating_add(1);
    if !config.memory_images || count < tuning::IMAGE_AT_INSTANTIATION {
        return None;
    }
    make_image(module).clone()
}

/// The image of a module's function references, from the instance context on at which it pays.
pub(crate) fn references(module: &NativeModule) -> Option<Arc<ReferenceImage>> {
    if !ReferenceImage::is_wanted(module) {
        return None;
    }
    let attachment = of(module);
    let count = attachment.contexts.fetch_add(1, Ordering::Relaxed).saturating_add(1);
    if count < tuning::IMAGE_AT_INSTANTIATION {
        return None;
    }
    attachment.references.get_or_init(|| ReferenceImage::new(module)).clone()
}

/// Will the next instantiation make the memory image?
pub(crate) fn image_is_due(config: &Config, module: &NativeModule) -> bool {
    let (attachment, info) = (of(module), module.info());
    let count = attachment.instantiations.load(Ordering::Relaxed).saturating_add(1);
    let wanted = config.memory_images && count >= tuning::IMAGE_AT_INSTANTIATION && attachment.image.get().is_none();
    wanted && !info.data.is_empty() && info.memories.len() > info.num_imported_memories as usize
}

/// Makes the memory image, if the next instantiation would.
pub(crate) fn prepare_image(config: &Config, module: &NativeModule) {
    if image_is_due(config, module) {
        make_image(module);
    }
}

fn make_image(module: &NativeModule) -> &Option<Arc<InitialImage>> {
    of(module).image.get_or_init(|| InitialImage::new(module.info(), module.wire_bytes()))
}

/// What the engine keeps with the module.
pub(crate) fn of(module: &NativeModule) -> &Attachment {
    module.attachment().downcast_ref().expect("an engine's modules are made by the engine, with its attachment")
}
