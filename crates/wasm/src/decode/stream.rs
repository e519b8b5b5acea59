//! The decoder: bytes in any pieces to a module.
//!
//! One machine does all the work; a slice is a stream that comes in one piece. It advances by whole units (header, section,
//! function body), never by less, and never looks past a unit to judge it. So what it finds depends on the bytes alone, not
//! on where they were cut. The first fault is latched.
//!
//! A stream in steps:
//! 1. [`StreamDecoder::advance`] takes the units that are complete. The bytes are kept by the caller, who shows all of them
//!    each time; a step costs what is new, however short the pieces.
//! 2. When the code section begins, all that bodies are checked against is known: the [`Head`]. It does not change any more,
//!    so any thread may validate (or compile) the bodies that are complete, in any order, while more bytes arrive.
//! 3. [`StreamDecoder::finish`] puts head and tail together. A fault of the structure comes after the faults of all bodies
//!    before it; those that nobody has validated yet are then validated in order. So the fault with the earliest offset
//!    wins, and its text, in which names of the name section may stand, is that of decoding the bytes at once.
//!
//! Invariant: nothing behind the head of the code section changes the verdict on a body.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::error::DecodeError;
use crate::features::Features;
use crate::limits::Limits;
use crate::module::ModuleInfo;
use crate::types::DefinedFuncIndex;
use crate::validate::{Scratch, Unvalidated};

mod machine;
#[cfg(test)]
mod tests;

use machine::Machine;

type Result<T> = std::result::Result<T, DecodeError>;

/// A module whose structure is sound and whose bodies are still to be validated.
#[derive(Debug)]
pub struct Decoded {
    /// What the module contains.
    pub info: ModuleInfo,
    /// What is needed to validate its bodies.
    pub bodies: Unvalidated,
}

/// What is known of a module when its code section begins.
#[derive(Debug)]
pub struct Head {
    /// What the sections before the code contain, and the place of the code section. It has no bodies.
    pub info: ModuleInfo,
    bodies: Unvalidated,
}

impl Head {
    /// Is this body valid? `body` is its place in `wire_bytes`, which hold the module at least up to there. What is wrong
    /// with it is said by [`StreamDecoder::finish`], or by [`Unvalidated::validate`] on what that gives.
    pub fn is_valid(
        &self,
        wire_bytes: &[u8],
        index: DefinedFuncIndex,
        body: Range<usize>,
        scratch: &mut Scratch,
    ) -> bool {
        self.bodies.validate_unnamed(&self.info, wire_bytes, (index, body), scratch).is_ok()
    }
}

/// A section before the code section.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Section {
    /// Its id; 0 for custom sections.
    pub id: u8,
    /// Where its contents lie.
    pub contents: Range<usize>,
}

/// Decodes a module that arrives in pieces.
pub struct StreamDecoder {
    machine: Machine,
}

impl StreamDecoder {
    /// A decoder that has seen nothing. Unsupported proposals stay off whatever `features` says.
    pub fn new(features: &Features, limits: &Limits) -> StreamDecoder {
        StreamDecoder { machine: Machine::new(features, limits) }
    }

    /// The most bytes that have to be kept of a stream: when there are more, it has failed, and they do not matter.
    pub fn most_bytes(limits: &Limits) -> usize {
        limits.module_size.saturating_add(machine::MAX_SECTION_HEAD)
    }

    /// Goes on with what is complete in `bytes`: all bytes so far, those of earlier calls included. After a fault nothing
    /// more is looked at.
    pub fn advance(&mut self, bytes: &[u8]) {
        self.machine.advance(bytes, false);
    }

    /// Whether a fault has been found already, so that more bytes cannot help, and need not be kept.
    pub fn has_failed(&self) -> bool {
        self.machine.has_failed()
    }

    /// The sections before the code section that are complete, in order.
    pub fn sections(&self) -> &[Section] {
        self.machine.sections()
    }

    /// What bodies are checked against, from the beginning of the code section on.
    pub fn head(&self) -> Option<&Arc<Head>> {
        self.machine.head()
    }

    /// The places of the bodies that are complete, by defined function.
    pub fn bodies(&self) -> &[Range<usize>] {
        self.machine.bodies()
    }

    /// Ends the stream. `bytes` are all that came, or at least those up to a fault; of the complete bodies, the first
    /// `valid` are known to be valid. All other handles to the head should have been dropped: else the bytes are decoded
    /// once more.
    ///
    /// # Errors
    /// The fault with the earliest offset; if the structure is at fault, the bodies before the fault are validated to find
    /// it.
    pub fn finish(mut self, bytes: &[u8], valid: u32) -> Result<Decoded> {
        self.machine.advance(bytes, true);
        self.machine.finish(bytes, valid)
    }
}

impl fmt::Debug for StreamDecoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamDecoder").field("bodies", &self.bodies().len()).finish_non_exhaustive()
    }
}

/// Decodes everything but the operators of the bodies, whose bounds are recorded. Unsupported proposals stay off whatever
/// `features` says.
///
/// # Errors
/// The fault with the earliest offset; if the structure is at fault, the bodies before the fault are validated to find it.
pub fn decode(bytes: &[u8], features: &Features, limits: &Limits) -> Result<Decoded> {
    StreamDecoder::new(features, limits).finish(bytes, 0)
}

/// Decodes a module and validates its bodies on up to `threads` threads.
///
/// # Errors
/// The fault with the earliest offset.
pub fn decode_and_validate(bytes: &[u8], features: &Features, limits: &Limits, threads: usize) -> Result<ModuleInfo> {
    let Decoded { info, bodies } = decode(bytes, features, limits)?;
    bodies.validate_all(&info, bytes, threads)?;
    Ok(info)
}
