//! Lazy validation: which bodies of a module have been validated, and how to validate the others.
//!
//! The specification's appendix on implementation limitations allows an implementation to put off validating a body until
//! the function is first called, and to trap then.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use code::native_module::NativeModule;
use wasm::decode::error::DecodeError;
use wasm::heap;
use wasm::types::DefinedFuncIndex;
use wasm::validate::{Scratch, Unvalidated};

/// The state of a module whose bodies were not validated when it was made.
pub(crate) struct Validation {
    bodies: Unvalidated,
    /// By function: was its body found valid?
    valid: Box<[AtomicBool]>,
    /// The faults of the others, so that they are the same at every call.
    faults: Mutex<HashMap<DefinedFuncIndex, DecodeError>>,
    /// Memory for the next body, one for each thread that has ever been at it at once.
    scratch: Mutex<Vec<Scratch>>,
}

impl fmt::Debug for Validation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Validation").field("bodies", &self.bodies).finish_non_exhaustive()
    }
}

impl Validation {
    pub(crate) fn new(bodies: Unvalidated, count: usize) -> Validation {
        let valid = (0..count).map(|_| AtomicBool::new(false)).collect();
        Validation { bodies, valid, faults: Mutex::default(), scratch: Mutex::default() }
    }

    /// What it owns takes, in bytes, without what `wasm::validate` keeps of the types.
    pub(crate) fn heap_bytes(&self) -> usize {
        let faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        heap::slice(&self.valid) + heap::map(&faults)
    }

    /// Validates a body, unless that was done before.
    ///
    /// # Errors
    /// Its first fault.
    pub(crate) fn check(&self, module: &NativeModule, function: DefinedFuncIndex) -> Result<(), DecodeError> {
        let valid = &self.valid[function.index()];
        if valid.load(Ordering::Relaxed) {
            return Ok(());
        }
        let known = self.faults.lock().unwrap_or_else(PoisonError::into_inner).get(&function).cloned();
        if let Some(fault) = known {
            return Err(fault);
        }
        let spare = || self.scratch.lock().unwrap_or_else(PoisonError::into_inner);
        let mut scratch = spare().pop().unwrap_or_default();
        let checked = self.bodies.validate(module.info(), module.wire_bytes(), function, &mut scratch);
        spare().push(scratch);
        match &checked {
            Ok(()) => valid.store(true, Ordering::Relaxed),
            Err(fault) => {
                let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
                faults.insert(function, fault.clone());
            }
        }
        checked
    }
}
