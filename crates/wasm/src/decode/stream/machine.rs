//! The machine behind decoding: takes units as they are complete, and remembers where it stands between two.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::{Decoded, Head, Result, Section};
use crate::decode::error::{DecodeError, DecodeErrorKind};
use crate::decode::reader::Reader;
use crate::decode::section::{SectionKind, SectionReader, too_many};
use crate::features::Features;
use crate::limits::Limits;
use crate::module::ModuleInfo;
use crate::types::{DefinedFuncIndex, FuncIndex};
use crate::validate::{ModuleValidator, Scratch, Unvalidated};

const MAGIC: [u8; 4] = *b"\0asm";
const VERSION: [u8; 4] = [1, 0, 0, 0];
/// An id byte and the longest 32-bit LEB128: with these bytes a section's head is decided.
pub(super) const MAX_SECTION_HEAD: usize = 6;

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

pub(super) struct Machine {
    features: Features,
    limits: Limits,
    /// What is filled: the sections before the code, then, in a new one, what comes from its beginning on.
    info: ModuleInfo,
    /// The sections before the code, once that has begun.
    head: Option<Arc<Head>>,
    /// The same sections as they are in the bytes.
    sections: Vec<Section>,
    validator: ModuleValidator,
    /// The first byte that belongs to no finished unit.
    pos: usize,
    state: State,
    last: Option<SectionKind>,
    data_count: Option<u32>,
    fault: Option<DecodeError>,
}

impl Machine {
    pub(super) fn new(features: &Features, limits: &Limits) -> Machine {
        let features = features.only_supported();
        Machine {
            features,
            limits: *limits,
            info: ModuleInfo::default(),
            head: None,
            sections: Vec::new(),
            validator: ModuleValidator::new(&features),
            pos: 0,
            state: State::Header,
            last: None,
            data_count: None,
            fault: None,
        }
    }

    pub(super) fn has_failed(&self) -> bool {
        self.fault.is_some()
    }

    pub(super) fn sections(&self) -> &[Section] {
        &self.sections
    }

    pub(super) fn head(&self) -> Option<&Arc<Head>> {
        self.head.as_ref()
    }

    pub(super) fn bodies(&self) -> &[Range<usize>] {
        &self.info.bodies
    }

    /// Takes all units that are complete in `bytes`, which are all bytes so far; `eof` says that no more will come.
    pub(super) fn advance(&mut self, bytes: &[u8], eof: bool) {
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

    /// The module, or the fault with the earliest offset; the first `valid` bodies need no validation.
    pub(super) fn finish(self, bytes: &[u8], valid: u32) -> Result<Decoded> {
        let (features, limits) = (self.features, self.limits);
        let (fault, joined) = self.join();
        let Some(Decoded { info, bodies }) = joined else {
            // Somebody still looks at the head.
            return super::decode(bytes, &features, &limits);
        };
        let Some(fault) = fault else { return Ok(Decoded { info, bodies }) };
        // Bodies come before whatever was found behind them.
        let mut scratch = Scratch::default();
        for index in valid as usize..info.bodies.len() {
            bodies.validate(&info, bytes, DefinedFuncIndex::new(index), &mut scratch)?;
        }
        Err(fault)
    }

    /// Puts head and tail together, and gives the fault too; no module if somebody else has a handle to the head.
    fn join(mut self) -> (Option<DecodeError>, Option<Decoded>) {
        if self.head.is_none() {
            self.end_head();
        }
        let Machine { info: mut tail, head, fault, .. } = self;
        let Some(Head { mut info, bodies }) = head.and_then(|head| Arc::try_unwrap(head).ok()) else {
            return (fault, None);
        };
        info.bodies = std::mem::take(&mut tail.bodies);
        info.data = std::mem::take(&mut tail.data);
        info.custom_sections.append(&mut tail.custom_sections);
        // Names may be in sections that came since.
        info.names = OnceLock::new();
        (fault, Some(Decoded { info, bodies }))
    }

    /// Sets apart what bodies are checked against.
    fn end_head(&mut self) {
        let mut info = std::mem::take(&mut self.info);
        info.escaped_functions.sort_unstable();
        info.escaped_functions.dedup();
        // What the data section, behind the code, is checked against.
        self.info.memories.clone_from(&info.memories);
        let imported = info.globals.get(..info.num_imported_globals as usize);
        self.info.globals = imported.unwrap_or_default().to_vec();
        self.info.num_imported_globals = info.num_imported_globals;
        self.info.num_imported_functions = info.num_imported_functions;
        // Without a code section, this is the end of the module.
        self.info.data = std::mem::take(&mut info.data);
        let bodies = Unvalidated::new(&info, &self.validator, &self.features, &self.limits, self.data_count);
        self.head = Some(Arc::new(Head { info, bodies }));
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
        if self.head.is_none() {
            self.sections.push(Section { id, contents: start..end });
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
        self.info.code_section = Some(start..end);
        self.end_head();
        // A body takes three bytes at least.
        self.info.bodies.reserve((count as usize).min((end - start) / 3 + 1));
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
