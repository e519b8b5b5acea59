//! The decoder: bytes in any pieces to a module.
//!
//! One machine does all the work; a slice is a stream that comes in one piece. It advances by
//! whole units (header, section, function body), never by less, and never looks past a unit to
//! judge it. So what it finds depends on the bytes alone, not on where they were cut. The first
//! fault is latched: later bytes are only collected.

use super::error::{DecodeError, DecodeErrorKind};
use super::reader::Reader;
use super::section::{SectionKind, SectionReader, too_many};
use crate::features::Features;
use crate::limits::Limits;
use crate::module::ModuleInfo;
use crate::types::{DefinedFuncIndex, FuncIndex};
use crate::validate::{ModuleValidator, Scratch, Unvalidated};

type Result<T> = std::result::Result<T, DecodeError>;

const MAGIC: [u8; 4] = *b"\0asm";
const VERSION: [u8; 4] = [1, 0, 0, 0];
/// An id byte and the longest 32-bit LEB128: with these bytes a section's head is decided.
const MAX_SECTION_HEAD: usize = 6;

/// A module whose structure is sound and whose bodies are still to be validated.
#[derive(Debug)]
pub struct Decoded {
    /// What the module contains.
    pub info: ModuleInfo,
    /// What is needed to validate its bodies.
    pub bodies: Unvalidated,
}

/// Decodes a module that arrives in pieces, and keeps its bytes.
pub struct Decoder {
    bytes: Vec<u8>,
    machine: Machine,
}

impl Decoder {
    /// A decoder that has seen nothing. Unsupported proposals stay off whatever `features` says.
    pub fn new(features: &Features, limits: &Limits) -> Decoder {
        Decoder { bytes: Vec::new(), machine: Machine::new(features, limits) }
    }

    /// Takes the next bytes. After a fault they are only collected; `finish` reports it.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.machine.advance(&self.bytes, false);
    }

    /// Everything that has been pushed.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether a fault has been found already, so that more bytes cannot help.
    pub fn has_failed(&self) -> bool {
        self.machine.fault.is_some()
    }

    /// How many function bodies are complete so far.
    pub fn bodies_decoded(&self) -> u32 {
        self.machine.info.bodies.len() as u32
    }

    /// Ends the stream: all bytes, and the module or the fault with the earliest offset.
    pub fn finish(mut self) -> (Vec<u8>, Result<Decoded>) {
        self.machine.advance(&self.bytes, true);
        let decoded = self.machine.finish(&self.bytes);
        (self.bytes, decoded)
    }
}

/// Decodes everything but the operators of the bodies, whose bounds are recorded. Unsupported
/// proposals stay off whatever `features` says.
///
/// # Errors
/// The fault with the earliest offset; if the structure is at fault, the bodies before the fault
/// are validated to find it.
pub fn decode(bytes: &[u8], features: &Features, limits: &Limits) -> Result<Decoded> {
    let mut machine = Machine::new(features, limits);
    machine.advance(bytes, true);
    machine.finish(bytes)
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

/// Where the machine stands between two units.
enum State {
    Header,
    /// Before the head of a section, or at the end.
    Section,
    /// Behind the head of a section that is not code.
    Contents {
        id: u8,
        end: usize,
    },
    /// Behind the head of the code section, before its count.
    CodeCount {
        end: usize,
    },
    /// Before the next body, or the end of the code section.
    Body {
        end: usize,
        left: u32,
    },
    Done,
}

enum Step {
    /// A unit is done.
    Taken,
    /// The next unit is not complete.
    NeedMore,
}

struct Machine {
    features: Features,
    limits: Limits,
    info: ModuleInfo,
    validator: ModuleValidator,
    /// The first byte that belongs to no finished unit.
    pos: usize,
    state: State,
    last: Option<SectionKind>,
    data_count: Option<u32>,
    fault: Option<DecodeError>,
}

impl Machine {
    fn new(features: &Features, limits: &Limits) -> Machine {
        let features = features.only_supported();
        Machine {
            features,
            limits: *limits,
            info: ModuleInfo::default(),
            validator: ModuleValidator::new(&features),
            pos: 0,
            state: State::Header,
            last: None,
            data_count: None,
            fault: None,
        }
    }

    /// Takes all units that are complete in `bytes`, which are all bytes so far; `eof` says that
    /// no more will come.
    fn advance(&mut self, bytes: &[u8], eof: bool) {
        while self.fault.is_none() && !matches!(self.state, State::Done) {
            match self.step(bytes, eof) {
                Ok(Step::Taken) => {}
                Ok(Step::NeedMore) if eof => {
                    self.fault = Some(DecodeError::malformed(bytes.len(), "unexpected end of the module"));
                }
                Ok(Step::NeedMore) => return,
                Err(fault) => self.fault = Some(fault),
            }
        }
    }

    /// The module, or the fault with the earliest offset.
    fn finish(mut self, bytes: &[u8]) -> Result<Decoded> {
        let bodies = Unvalidated::new(&self.info, self.validator, &self.features, &self.limits, self.data_count);
        if let Some(fault) = self.fault {
            // Bodies come before whatever was found behind them.
            let mut scratch = Scratch::default();
            for index in 0..self.info.bodies.len() {
                let index = DefinedFuncIndex::new(index);
                bodies.validate(&self.info, bytes, index, &mut scratch)?;
            }
            return Err(fault);
        }
        self.info.escaped_functions.sort_unstable();
        self.info.escaped_functions.dedup();
        Ok(Decoded { info: self.info, bodies })
    }

    fn step(&mut self, bytes: &[u8], eof: bool) -> Result<Step> {
        match self.state {
            State::Header => self.header(bytes, eof),
            State::Section => self.section_head(bytes, eof),
            State::Contents { id, end } => self.contents(bytes, id, end),
            State::CodeCount { end } => self.code_count(bytes, end),
            State::Body { end, left } => self.body(bytes, end, left),
            State::Done => Ok(Step::NeedMore),
        }
    }

    fn header(&mut self, bytes: &[u8], eof: bool) -> Result<Step> {
        let magic = &bytes[..bytes.len().min(4)];
        if (eof || magic.len() == 4) && !MAGIC.starts_with(magic) {
            return Err(DecodeError::malformed(0, "magic header not detected"));
        }
        let Some(version) = bytes.get(4..8) else { return Ok(Step::NeedMore) };
        if version != VERSION {
            let version = u32::from_le_bytes([version[0], version[1], version[2], version[3]]);
            return Err(DecodeError::malformed(4, format!("unknown binary version {version:#x}")));
        }
        self.validator.header()?;
        self.pos = 8;
        self.state = State::Section;
        Ok(Step::Taken)
    }

    fn section_head(&mut self, bytes: &[u8], eof: bool) -> Result<Step> {
        let start = self.pos;
        let rest = &bytes[start..];
        if rest.is_empty() {
            if !eof {
                return Ok(Step::NeedMore);
            }
            self.end(start)?;
            self.state = State::Done;
            return Ok(Step::Taken);
        }
        let mut reader = Reader::new(rest, start);
        let id = reader.u8()?;
        let size = match reader.var_u32() {
            Ok(size) => size as usize,
            // Too few bytes to be sure that the number is wrong: it is only cut off.
            Err(_) if rest.len() < MAX_SECTION_HEAD => return Ok(Step::NeedMore),
            Err(fault) => return Err(fault),
        };
        self.section_order(id, start)?;
        let contents = reader.offset();
        let end = match contents.checked_add(size) {
            Some(end) if end <= self.limits.module_size => end,
            _ => {
                let message = format!("module size exceeds limit of {} bytes", self.limits.module_size);
                return Err(DecodeError::new(DecodeErrorKind::Limit, start, message));
            }
        };
        self.pos = contents;
        self.state = if SectionKind::from_id(id) == Some(SectionKind::Code) {
            State::CodeCount { end }
        } else {
            State::Contents { id, end }
        };
        Ok(Step::Taken)
    }

    fn section_order(&mut self, id: u8, at: usize) -> Result<()> {
        if id == 0 {
            return Ok(());
        }
        let Some(kind) = SectionKind::from_id(id) else {
            return Err(DecodeError::malformed(at, format!("malformed section id: {id}")));
        };
        if self.last >= Some(kind) {
            return Err(DecodeError::malformed(at, "section out of order"));
        }
        // What the skipped sections should have held must be held by nobody.
        if kind > SectionKind::Code && self.last < Some(SectionKind::Code) {
            self.check_no_code(at)?;
        }
        self.last = Some(kind);
        Ok(())
    }

    fn contents(&mut self, bytes: &[u8], id: u8, end: usize) -> Result<Step> {
        let Some(contents) = bytes.get(self.pos..end) else { return Ok(Step::NeedMore) };
        let start = self.pos;
        let mut section = SectionReader {
            reader: Reader::new(contents, start),
            info: &mut self.info,
            features: &self.features,
            limits: &self.limits,
        };
        match SectionKind::from_id(id) {
            None => section.custom()?,
            Some(kind) => {
                let range = start..end;
                match section.read(kind) {
                    Ok(()) => self.validator.section(kind, &self.info, bytes, range)?,
                    Err(ours) => return Err(earliest(ours, self.validator.walk(kind, bytes, range))),
                }
                match kind {
                    SectionKind::DataCount => {
                        self.data_count = Some(Reader::new(contents, start).var_u32()?);
                    }
                    SectionKind::Data => self.check_data_count(start)?,
                    _ => {}
                }
            }
        }
        self.pos = end;
        self.state = State::Section;
        Ok(Step::Taken)
    }

    fn code_count(&mut self, bytes: &[u8], end: usize) -> Result<Step> {
        let start = self.pos;
        let available = &bytes[start..end.min(bytes.len())];
        let mut reader = Reader::new(available, start);
        let count = match reader.var_u32() {
            Ok(count) => count,
            Err(_) if start + available.len() < end && available.len() < MAX_SECTION_HEAD => {
                return Ok(Step::NeedMore);
            }
            Err(fault) => return Err(fault),
        };
        if count > self.limits.functions {
            return Err(too_many("function", count.into(), self.limits.functions.into(), start));
        }
        if count != self.info.num_defined_functions() {
            return Err(DecodeError::malformed(start, INCONSISTENT_FUNCTIONS));
        }
        // A body takes three bytes at least.
        self.info.bodies.reserve((count as usize).min((end - start) / 3 + 1));
        self.info.code_section = Some(start..end);
        self.pos = reader.offset();
        self.state = State::Body { end, left: count };
        Ok(Step::Taken)
    }

    fn body(&mut self, bytes: &[u8], end: usize, left: u32) -> Result<Step> {
        let start = self.pos;
        if left == 0 {
            if start != end {
                let message = "section size mismatch: unexpected data at the end of the section";
                return Err(DecodeError::malformed(start, message));
            }
            self.state = State::Section;
            return Ok(Step::Taken);
        }
        let available = &bytes[start.min(bytes.len())..end.min(bytes.len())];
        let mut reader = Reader::new(available, start);
        let size = match reader.var_u32() {
            Ok(size) => size as usize,
            Err(_) if start + available.len() < end && available.len() < MAX_SECTION_HEAD => {
                return Ok(Step::NeedMore);
            }
            Err(fault) => return Err(fault),
        };
        let index = FuncIndex::new(self.info.num_imported_functions as usize + self.info.bodies.len());
        if size > self.limits.function_size {
            let limit = self.limits.function_size as u64;
            return Err(too_many("function body byte", size as u64, limit, start).in_function(index, None));
        }
        let body = reader.offset();
        if size > end - body {
            let message = "function body extends past the end of the code section";
            return Err(DecodeError::malformed(start, message));
        }
        if bytes.len() < body + size {
            return Ok(Step::NeedMore);
        }
        self.info.bodies.push(body..body + size);
        self.pos = body + size;
        self.state = State::Body { end, left: left - 1 };
        Ok(Step::Taken)
    }

    fn check_no_code(&self, at: usize) -> Result<()> {
        if self.info.num_defined_functions() == 0 {
            return Ok(());
        }
        Err(DecodeError::malformed(at, INCONSISTENT_FUNCTIONS))
    }

    fn check_data_count(&self, at: usize) -> Result<()> {
        match self.data_count {
            Some(count) if count as usize != self.info.data.len() => {
                Err(DecodeError::malformed(at, "data count and data section have inconsistent lengths"))
            }
            _ => Ok(()),
        }
    }

    /// What can only be known at the end of the module.
    fn end(&mut self, at: usize) -> Result<()> {
        if self.last < Some(SectionKind::Code) {
            self.check_no_code(at)?;
        }
        self.check_data_count(at)
    }
}

const INCONSISTENT_FUNCTIONS: &str = "function and code section have inconsistent lengths";

/// The error with the smaller offset; ours when they are equal.
fn earliest(ours: DecodeError, theirs: Result<()>) -> DecodeError {
    match theirs {
        Err(theirs) if theirs.offset() < ours.offset() => theirs,
        Ok(()) | Err(_) => ours,
    }
}

#[cfg(test)]
mod tests;
