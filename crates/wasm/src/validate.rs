//! Validation: module-level rules section by section, then bodies in any order, on any threads, when all are wanted or
//! each at its first call.
//!
//! Two validators share the work. Ours (`walk`, `sections`) is fast and only says whether something is valid; the slow
//! one (`body`, `module`, the crate `wasmparser`) is asked about what ours refuses, and words the error. What either of
//! them refuses is refused. This file and its children are all that know the slow one; its types appear in no signature
//! that other crates see.

use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use wasmparser::{FuncToValidate, FuncValidatorAllocations, WasmFeatures};

mod body;
mod convert;
mod facts;
mod module;
mod sections;
mod signature;
mod ty;
mod walk;

use facts::Facts;
pub(crate) use module::ModuleValidator;
use module::Resources;
use walk::{Refusal, Stacks, Walk};

use crate::decode::error::{DecodeError, DecodeErrorKind};
use crate::features::Features;
use crate::limits::Limits;
use crate::module::ModuleInfo;
use crate::types::{DefinedFuncIndex, FuncIndex};

type Result<T> = std::result::Result<T, DecodeError>;

/// How many bodies a thread takes at a time: enough to make taking cheap, few enough to end together.
const CHUNK: u32 = 16;

/// Of a body that is asked for and is not there.
const NO_BODY: &str = "no such function body";

/// What is needed to validate the bodies of a module: shared by all threads that do it.
pub struct Unvalidated {
    resources: Resources,
    wasm_features: WasmFeatures,
    features: Features,
    limits: Limits,
    /// What the fast walk needs; `None` when it does not know everything that is switched on.
    facts: Option<Facts>,
}

/// A body and its place.
#[derive(Clone, Copy)]
struct Body<'a> {
    func: FuncIndex,
    bytes: &'a [u8],
    /// The place of `bytes` in the module.
    offset: usize,
}

/// Memory that one thread uses again from body to body.
#[derive(Default)]
pub struct Scratch {
    stacks: Stacks,
    allocations: FuncValidatorAllocations,
}

impl Unvalidated {
    /// What the bodies of `info` are checked against, whose sections `validator` has checked; `data_count` is what the
    /// section of that name says.
    pub(crate) fn new(
        info: &ModuleInfo,
        validator: &ModuleValidator,
        features: &Features,
        limits: &Limits,
        data_count: Option<u32>,
    ) -> Unvalidated {
        Unvalidated {
            resources: Resources::new(validator.sections()),
            wasm_features: convert::features(features),
            features: *features,
            limits: *limits,
            facts: Facts::new(info, features, limits, data_count),
        }
    }

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
        let missing = || DecodeError::invalid(wire_bytes.len(), NO_BODY);
        let body = info.bodies.get(index.index()).cloned().ok_or_else(missing);
        body.and_then(|body| self.validate_unnamed(info, wire_bytes, (index, body), scratch))
            .map_err(|fault| fault.in_function(func, info.function_name(wire_bytes, func)))
    }

    /// Validates a function's body at a place that `info` need not know.
    pub(crate) fn validate_unnamed(
        &self,
        info: &ModuleInfo,
        wire_bytes: &[u8],
        (index, range): (DefinedFuncIndex, Range<usize>),
        scratch: &mut Scratch,
    ) -> Result<()> {
        let missing = || DecodeError::invalid(wire_bytes.len(), NO_BODY);
        let bytes = wire_bytes.get(range.clone()).ok_or_else(missing)?;
        let body = Body { func: info.func_index(index), bytes, offset: range.start };
        match self.fast(info, body, &mut scratch.stacks) {
            Some(Ok(())) => Ok(()),
            // The slow validator would take as much memory as was refused here.
            Some(Err(Refusal::TooManyOperands(at))) => {
                let message = "operand stack exceeds limit";
                Err(DecodeError::new(DecodeErrorKind::Limit, body.offset + at, message))
            }
            Some(Err(Refusal::Invalid)) => {
                self.slow(info, wire_bytes, body, scratch)?;
                // Two validators that disagree: what one of them refuses must not run.
                debug_assert!(false, "the body of function {} is refused by the fast validator only", body.func.0);
                Err(DecodeError::invalid(body.offset, "function body is not valid"))
            }
            None => self.slow(info, wire_bytes, body, scratch),
        }
    }

    /// The verdict of our own walk; `None` when it does not know everything that is switched on.
    fn fast(&self, info: &ModuleInfo, body: Body<'_>, stacks: &mut Stacks) -> Option<std::result::Result<(), Refusal>> {
        let verdict = Walk::new(self.facts.as_ref()?, info, body.bytes, stacks).run(body.func);
        stacks.shrink();
        Some(verdict)
    }

    /// The verdict in words.
    fn slow(&self, info: &ModuleInfo, wire_bytes: &[u8], body: Body<'_>, scratch: &mut Scratch) -> Result<()> {
        let missing = || DecodeError::invalid(body.offset, NO_BODY);
        let to_validate = FuncToValidate {
            resources: self.resources.get(wire_bytes, self.wasm_features)?,
            index: body.func.0,
            ty: info.functions.get(body.func.index()).ok_or_else(missing)?.0,
            features: self.wasm_features,
        };
        let mut validator = to_validate.into_validator(std::mem::take(&mut scratch.allocations));
        let rules = body::Rules {
            params: info.func_type(body.func).params().len(),
            features: &self.features,
            wasm_features: self.wasm_features,
            limits: &self.limits,
        };
        let result = rules.validate(body, &mut validator);
        scratch.allocations = validator.into_allocations();
        result
    }

    /// Validates every body on up to `threads` threads, this one included.
    ///
    /// # Errors
    /// The fault with the earliest offset, whatever the number of threads.
    pub fn validate_all(&self, info: &ModuleInfo, wire_bytes: &[u8], threads: usize) -> Result<()> {
        let search = Search::new(info);
        let work = || search.help(self, info, wire_bytes, &|| true);
        let helpers = threads.saturating_sub(1).min(info.bodies.len() / CHUNK as usize);
        std::thread::scope(|scope| {
            for _ in 0..helpers {
                // A thread that cannot be had leaves its share to the others.
                let _ = std::thread::Builder::new().spawn_scoped(scope, work);
            }
            work();
        });
        search.finish()
    }
}

/// The search for the first fault in the bodies of a module, by any number of threads.
///
/// Invariant: it finds none only if every body was validated.
#[derive(Debug)]
pub struct Search {
    count: u32,
    next: AtomicU32,
    /// Bodies that were found valid.
    valid: AtomicU32,
    /// Bodies lie in index order, so the smallest index has the earliest offset.
    first_bad: AtomicU32,
    fault: Mutex<Option<(u32, DecodeError)>>,
}

impl Search {
    /// A search that nobody has begun.
    pub fn new(info: &ModuleInfo) -> Search {
        let count = info.bodies.len() as u32;
        let (next, valid, first_bad) = (AtomicU32::new(0), AtomicU32::new(0), AtomicU32::new(count));
        Search { count, next, valid, first_bad, fault: Mutex::new(None) }
    }

    /// Validates bodies, a few at a time, until none is left to take, or `go_on` says no.
    pub fn help(&self, bodies: &Unvalidated, info: &ModuleInfo, wire_bytes: &[u8], go_on: &dyn Fn() -> bool) {
        let mut scratch = Scratch::default();
        loop {
            let start = self.next.fetch_add(CHUNK, Ordering::Relaxed);
            // A body before the first bad one may hold an earlier fault; one behind it cannot.
            if start >= self.first_bad.load(Ordering::Relaxed) || !go_on() {
                return;
            }
            let mut valid = 0;
            for index in start..self.count.min(start.saturating_add(CHUNK)) {
                let body = DefinedFuncIndex(index);
                if let Err(found) = bodies.validate(info, wire_bytes, body, &mut scratch) {
                    self.first_bad.fetch_min(index, Ordering::Relaxed);
                    let mut fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
                    if fault.as_ref().is_none_or(|&(known, _)| index < known) {
                        *fault = Some((index, found));
                    }
                    break;
                }
                valid += 1;
            }
            self.valid.fetch_add(valid, Ordering::Relaxed);
        }
    }

    /// What the search found, when everybody who helped is done.
    ///
    /// # Errors
    /// The fault with the earliest offset.
    ///
    /// # Panics
    /// When bodies were left out, as a thread was told not to go on, or panicked: whether they are valid is not known.
    pub fn finish(&self) -> Result<()> {
        if let Some((_, fault)) = self.fault.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Err(fault);
        }
        assert_eq!(self.valid.load(Ordering::Relaxed), self.count, "bodies that nobody has validated");
        Ok(())
    }
}

impl fmt::Debug for Unvalidated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unvalidated").field("features", &self.features).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
