//! The code buffer: the one store that every instruction goes through, growth, the limit, and the finished bytes.

use super::constant::Constants;
use super::label::Labels;

/// Bytes kept free in front of the body, so that a prologue that is written last can be put right before it.
/// A multiple of the alignment of constants.
pub(crate) const HEADROOM: u32 = 96;

/// Most bytes that a buffer holds, headroom included. Far below 2^31, so that no distance inside overflows 32 bits.
const LIMIT: u32 = 256 << 20;

/// What one store of an instruction touches; the longest instruction has 15 bytes.
const SLOT: usize = 16;

/// Size of a buffer when it is first written to.
const INITIAL: usize = 16 << 10;

/// A buffer of machine code with its labels, constants and jump tables.
///
/// Write the body, `emit_constants`, ask `overflowed`, then `finish` with the prologue. After `clear` it is as new,
/// but keeps its memory.
pub(crate) struct Assembler {
    /// Initialized all through; its length is what may be written without growing.
    buffer: Vec<u8>,
    /// Where the next instruction goes, headroom included. At most `limit`.
    end: u32,
    limit: u32,
    overflowed: bool,
    pub(super) labels: Labels,
    pub(super) constants: Constants,
}

impl Assembler {
    /// An empty buffer. Allocates nothing until the first instruction.
    pub(crate) fn new() -> Assembler {
        Assembler::with_limit(LIMIT)
    }

    /// An empty buffer that holds at most `limit` bytes with its headroom.
    pub(super) fn with_limit(limit: u32) -> Assembler {
        Assembler {
            buffer: Vec::new(),
            end: HEADROOM,
            limit: limit.clamp(HEADROOM + SLOT as u32, LIMIT),
            overflowed: false,
            labels: Labels::new(),
            constants: Constants::new(),
        }
    }

    /// Forgets code, labels, constants and tables, and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.end = HEADROOM;
        self.overflowed = false;
        self.labels.clear();
        self.constants.clear();
    }

    /// Bytes written, and so the offset of the next instruction from the start of the body.
    #[inline]
    pub(crate) fn position(&self) -> u32 {
        self.end - HEADROOM
    }

    /// Whether the code is longer than the limit. What is in the buffer then is of no use and must not be run.
    #[inline]
    pub(crate) fn overflowed(&self) -> bool {
        self.overflowed
    }

    /// The body as written so far. Places that wait for a label are not filled in yet.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.buffer.get(HEADROOM as usize..self.end as usize).unwrap_or_default()
    }

    /// Resolves what is open and gives the bytes of the prologue and of the body; empty if the code is too long.
    ///
    /// With constants in the body, the prologue is filled up with `nop`s so that they stay aligned (see
    /// [`Assembler::prologue_size`]): the start of the finished code must be a multiple of 16.
    /// Panics if a label was used and never bound: such code must not exist.
    pub(crate) fn finish(&mut self, prologue: &Assembler) -> Vec<u8> {
        self.resolve();
        if self.overflowed || prologue.overflowed {
            return Vec::new();
        }
        let size = self.prologue_size(prologue) as usize;
        let mut code = Vec::with_capacity(size + self.bytes().len());
        code.extend_from_slice(prologue.bytes());
        code.resize(size, 0);
        fill_with_nops(code.get_mut(prologue.bytes().len()..).unwrap_or_default());
        code.extend_from_slice(self.bytes());
        code
    }

    /// Like [`Assembler::finish`], but puts the prologue in front of the body in place. `None` if it does not fit in
    /// the headroom or the code is too long.
    pub(crate) fn finish_in_place(&mut self, prologue: &Assembler) -> Option<&[u8]> {
        self.resolve();
        let size = self.prologue_size(prologue);
        let start = HEADROOM.checked_sub(size)? as usize;
        if self.overflowed || prologue.overflowed || self.end == HEADROOM {
            return None;
        }
        let place = self.buffer.get_mut(start..HEADROOM as usize)?;
        let (instructions, rest) = place.split_at_mut_checked(prologue.bytes().len())?;
        instructions.copy_from_slice(prologue.bytes());
        fill_with_nops(rest);
        self.buffer.get(start..self.end as usize)
    }

    /// Bytes in front of the body once finished with this prologue: what turns a position in the body into an offset
    /// in the code.
    pub(crate) fn prologue_size(&self, prologue: &Assembler) -> u32 {
        let size = prologue.position();
        if self.constants.are_emitted() { size.next_multiple_of(16) } else { size }
    }

    /// Writes an instruction: `head` of `head_len` (at most 7) bytes, then `tail` of `tail_len` (at most 8) bytes.
    #[inline(always)]
    pub(super) fn put(&mut self, head: u64, head_len: u32, tail: u64, tail_len: u32) {
        let at = self.end as usize;
        match self.buffer.get_mut(at..at + SLOT).and_then(|rest| rest.first_chunk_mut::<SLOT>()) {
            Some(slot) => {
                write(slot, head, head_len, tail, tail_len);
                self.end += head_len + tail_len;
            }
            None => self.put_slow(head, head_len, tail, tail_len),
        }
    }

    /// Writes an instruction of at most 8 bytes.
    #[inline(always)]
    pub(super) fn put_short(&mut self, bytes: u64, len: u32) {
        let at = self.end as usize;
        match self.buffer.get_mut(at..at + SLOT).and_then(|rest| rest.first_chunk_mut::<8>()) {
            Some(slot) => {
                *slot = bytes.to_le_bytes();
                self.end += len;
            }
            None => self.put_slow(bytes & 0xff, 1, bytes >> 8, len - 1),
        }
    }

    #[cold]
    #[inline(never)]
    fn put_slow(&mut self, head: u64, head_len: u32, tail: u64, tail_len: u32) {
        if !self.reserve(SLOT as u32) {
            return;
        }
        let at = self.end as usize;
        if let Some(slot) = self.buffer.get_mut(at..).and_then(|rest| rest.first_chunk_mut::<SLOT>()) {
            write(slot, head, head_len, tail, tail_len);
            self.end += head_len + tail_len;
        }
    }

    /// Makes room for `count` more bytes. Past the limit, sets the flag and says no: what does not fit is not written, and
    /// positions never go back.
    fn reserve(&mut self, count: u32) -> bool {
        let wanted = self.end.checked_add(count).filter(|&wanted| wanted <= self.limit && !self.overflowed);
        let Some(wanted) = wanted else {
            self.overflowed = true;
            return false;
        };
        let wanted = wanted as usize;
        if wanted > self.buffer.len() {
            let len = wanted.max(self.buffer.len() * 2).max(INITIAL).min(self.limit as usize);
            self.buffer.resize(len, 0);
        }
        true
    }

    /// Writes bytes that are not an instruction.
    pub(crate) fn emit_bytes(&mut self, bytes: &[u8]) {
        let Ok(len) = u32::try_from(bytes.len()) else {
            self.overflowed = true;
            return;
        };
        if !self.reserve(len) {
            return;
        }
        let at = self.end as usize;
        if let Some(place) = self.buffer.get_mut(at..at + bytes.len()) {
            place.copy_from_slice(bytes);
            self.end += len;
        }
    }

    /// Fills up with `int3` to a multiple of `alignment` (a power of two, at most 16) from the start of the body.
    pub(crate) fn align_data(&mut self, alignment: u32) {
        const FILL: [u8; 15] = [0xcc; 15];
        let missing = self.position().next_multiple_of(alignment) - self.position();
        self.emit_bytes(FILL.get(..missing as usize).unwrap_or_default());
    }

    /// Writes over the four bytes at a position of the body, such as an immediate that was not known when written.
    pub(crate) fn patch_i32(&mut self, position: u32, value: i32) {
        debug_assert!(self.overflowed || position + 4 <= self.position());
        self.set_word(position.saturating_add(HEADROOM), value.cast_unsigned());
    }

    /// Where the next instruction goes, headroom included.
    #[inline(always)]
    pub(super) fn end(&self) -> u32 {
        self.end
    }

    /// What is written from this place on, which is in front of the end, is forgotten.
    pub(super) fn set_end(&mut self, end: u32) {
        self.end = end;
    }

    /// The byte at a place, headroom included; 0 if there is no such place.
    pub(super) fn byte(&self, at: u32) -> u8 {
        self.buffer.get(at as usize).copied().unwrap_or(0)
    }

    /// The four bytes at a place, headroom included; 0 if there is no such place.
    #[inline]
    pub(super) fn word(&self, at: u32) -> u32 {
        let place = self.buffer.get(at as usize..).and_then(|rest| rest.first_chunk::<4>());
        place.map_or(0, |bytes| u32::from_le_bytes(*bytes))
    }

    /// Writes over the four bytes at a place, headroom included; nothing if there is no such place.
    #[inline]
    pub(super) fn set_word(&mut self, at: u32, value: u32) {
        if let Some(place) = self.buffer.get_mut(at as usize..).and_then(|rest| rest.first_chunk_mut::<4>()) {
            *place = value.to_le_bytes();
        }
    }
}

/// The two stores. The mask says "at most 7" in a way that needs no check.
#[inline(always)]
fn write(slot: &mut [u8; SLOT], head: u64, head_len: u32, tail: u64, tail_len: u32) {
    debug_assert!(head_len <= 7 && tail_len <= 8);
    slot[..8].copy_from_slice(&head.to_le_bytes());
    let at = (head_len & 7) as usize;
    slot[at..at + 8].copy_from_slice(&tail.to_le_bytes());
}

/// Fills a place with the longest `nop`s that fit.
fn fill_with_nops(mut place: &mut [u8]) {
    while !place.is_empty() {
        let nop = super::control::nop_bytes(place.len());
        let (now, rest) = place.split_at_mut(nop.len());
        now.copy_from_slice(nop);
        place = rest;
    }
}
