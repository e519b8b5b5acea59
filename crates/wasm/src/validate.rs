//! Validation: module-level rules section by section, then bodies in any order, on any threads.
//!
//! This file and its children are all that know the validator in use; its types appear in no
//! signature that other crates see.

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use wasmparser::{
    BinaryReader, Encoding, FuncToValidate, FuncValidatorAllocations, FunctionBody, Validator, ValidatorResources,
    WasmFeatures,
};

mod body;
mod convert;

use crate::decode::error::DecodeError;
use crate::decode::section::SectionKind;
use crate::features::Features;
use crate::limits::Limits;
use crate::module::ModuleInfo;
use crate::types::DefinedFuncIndex;

type Result<T> = std::result::Result<T, DecodeError>;

/// How many bodies a thread takes at a time: enough to make taking cheap, few enough to end together.
const CHUNK: u32 = 16;

/// Checks the rules between sections while a module is decoded.
pub(crate) struct ModuleValidator {
    validator: Validator,
    features: WasmFeatures,
    /// What bodies are checked against; there once the code section has begun.
    resources: Option<ValidatorResources>,
}

impl ModuleValidator {
    pub(crate) fn new(features: &Features) -> ModuleValidator {
        let features = convert::features(features);
        ModuleValidator { validator: Validator::new_with_features(features), features, resources: None }
    }

    /// The module begins.
    pub(crate) fn header(&mut self) -> Result<()> {
        self.validator.version(1, Encoding::Module, &(0..8)).map_err(convert::error)
    }

    /// Checks a section whose contents begin at `start`. Code has its own methods.
    pub(crate) fn section(&mut self, kind: SectionKind, contents: &[u8], start: usize) -> Result<()> {
        let reader = || BinaryReader::new_features(contents, start as u64, self.features);
        let range = start as u64..(start + contents.len()) as u64;
        let v = &mut self.validator;
        macro_rules! check {
            ($reader:ident, $method:ident) => {
                wasmparser::$reader::new(reader()).and_then(|section| v.$method(&section))
            };
        }
        match kind {
            SectionKind::Type => check!(TypeSectionReader, type_section),
            SectionKind::Import => check!(ImportSectionReader, import_section),
            SectionKind::Function => check!(FunctionSectionReader, function_section),
            SectionKind::Table => check!(TableSectionReader, table_section),
            SectionKind::Memory => check!(MemorySectionReader, memory_section),
            SectionKind::Tag => check!(TagSectionReader, tag_section),
            SectionKind::Global => check!(GlobalSectionReader, global_section),
            SectionKind::Export => check!(ExportSectionReader, export_section),
            SectionKind::Element => check!(ElementSectionReader, element_section),
            SectionKind::Data => check!(DataSectionReader, data_section),
            SectionKind::Start => reader().read_var_u32().and_then(|func| v.start_section(func, &range)),
            SectionKind::DataCount => reader().read_var_u32().and_then(|count| v.data_count_section(count, &range)),
            SectionKind::Code => Ok(()),
        }
        .map_err(convert::error)
    }

    /// The code section begins; it has as many bodies as the module has defined functions.
    pub(crate) fn code_start(&mut self, info: &ModuleInfo, start: usize, end: usize) -> Result<()> {
        let range = start as u64..end as u64;
        self.validator.code_section_start(&range).map_err(convert::error)?;
        if info.num_defined_functions() > 0 {
            // Any body will do: only what all bodies share is kept.
            let body = FunctionBody::new(BinaryReader::new_features(&[], start as u64, self.features));
            let shared = self.validator.code_section_entry(&body).map_err(convert::error)?;
            self.resources = Some(shared.resources);
        }
        Ok(())
    }

    /// The module ends at `at`.
    pub(crate) fn end(&mut self, at: usize) -> Result<()> {
        self.validator.end(at as u64).map(drop).map_err(convert::error)
    }

    pub(crate) fn into_unvalidated(self, features: Features, limits: Limits) -> Unvalidated {
        Unvalidated { resources: self.resources, wasm_features: self.features, features, limits }
    }
}

/// What is needed to validate the bodies of a module: shared by all threads that do it.
pub struct Unvalidated {
    resources: Option<ValidatorResources>,
    wasm_features: WasmFeatures,
    features: Features,
    limits: Limits,
}

/// Memory that one thread uses again from body to body.
#[derive(Default)]
pub struct Scratch {
    allocations: FuncValidatorAllocations,
}

impl Unvalidated {
    /// Validates one body. `info` and `wire_bytes` must be those of the module this came with.
    ///
    /// # Errors
    /// The first fault of the body, with the function's index and name.
    pub fn validate(
        &self,
        info: &ModuleInfo,
        wire_bytes: &[u8],
        index: DefinedFuncIndex,
        scratch: &mut Scratch,
    ) -> Result<()> {
        let func = info.func_index(index);
        self.validate_unnamed(info, wire_bytes, index, scratch)
            .map_err(|fault| fault.in_function(func, info.function_name(wire_bytes, func)))
    }

    fn validate_unnamed(
        &self,
        info: &ModuleInfo,
        wire_bytes: &[u8],
        index: DefinedFuncIndex,
        scratch: &mut Scratch,
    ) -> Result<()> {
        let missing = || DecodeError::invalid(wire_bytes.len(), "no such function body");
        let range = info.bodies.get(index.index()).ok_or_else(missing)?;
        let bytes = wire_bytes.get(range.clone()).ok_or_else(missing)?;
        let resources = self.resources.clone().ok_or_else(missing)?;
        let func = info.func_index(index);
        let to_validate = FuncToValidate {
            resources,
            index: func.0,
            ty: info.functions.get(func.index()).ok_or_else(missing)?.0,
            features: self.wasm_features,
        };
        let mut validator = to_validate.into_validator(std::mem::take(&mut scratch.allocations));
        let body = body::Body {
            bytes,
            offset: range.start,
            params: info.func_type(func).params().len(),
            features: &self.features,
            wasm_features: self.wasm_features,
            limits: &self.limits,
        };
        let result = body.validate(&mut validator);
        scratch.allocations = validator.into_allocations();
        result
    }

    /// Validates every body on up to `threads` threads, this one included.
    ///
    /// # Errors
    /// The fault with the earliest offset, whatever the number of threads.
    pub fn validate_all(&self, info: &ModuleInfo, wire_bytes: &[u8], threads: usize) -> Result<()> {
        let count = info.bodies.len() as u32;
        let next = AtomicU32::new(0);
        // Bodies lie in index order, so the smallest index has the earliest offset.
        let first_bad = AtomicU32::new(count);
        let fault: Mutex<Option<(u32, DecodeError)>> = Mutex::new(None);
        let work = || {
            let mut scratch = Scratch::default();
            loop {
                let start = next.fetch_add(CHUNK, Ordering::Relaxed);
                // A body before the first bad one may hold an earlier fault; one behind it cannot.
                if start >= first_bad.load(Ordering::Relaxed) {
                    return;
                }
                for index in start..count.min(start.saturating_add(CHUNK)) {
                    let body = DefinedFuncIndex(index);
                    if let Err(found) = self.validate(info, wire_bytes, body, &mut scratch) {
                        first_bad.fetch_min(index, Ordering::Relaxed);
                        let mut fault = fault.lock().unwrap_or_else(PoisonError::into_inner);
                        if fault.as_ref().is_none_or(|&(known, _)| index < known) {
                            *fault = Some((index, found));
                        }
                        break;
                    }
                }
            }
        };
        let helpers = threads.saturating_sub(1).min((count / CHUNK) as usize);
        std::thread::scope(|scope| {
            for _ in 0..helpers {
                // A thread that cannot be had leaves its share to the others.
                let _ = std::thread::Builder::new().spawn_scoped(scope, work);
            }
            work();
        });
        match fault.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some((_, fault)) => Err(fault),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Unvalidated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unvalidated").field("features", &self.features).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
