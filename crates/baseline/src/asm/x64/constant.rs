//! The constant pool of a body: values in memory behind the code, named by [`RipLabel`]s, each value once.

use super::buffer::Assembler;
use super::label::Label;

/// A place in the code as a memory operand: a constant, a jump table or any label.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct RipLabel(Label);

impl RipLabel {
    #[inline]
    pub(super) const fn number(self) -> u32 {
        self.0.number()
    }
}

impl From<Label> for RipLabel {
    fn from(label: Label) -> RipLabel {
        RipLabel(label)
    }
}

/// A value and its size in bytes: 4, 8 or 16.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Key {
    bits: u128,
    size: u8,
}

/// Constants that wait to be written, and an open-addressing table to find them by value.
pub(super) struct Constants {
    entries: Vec<(Key, Label)>,
    /// Numbers in `entries` plus one, 0 for free; a power of two of them, at most half of them taken.
    slots: Vec<u32>,
    emitted: bool,
}

impl Constants {
    pub(super) fn new() -> Constants {
        Constants { entries: Vec::new(), slots: Vec::new(), emitted: false }
    }

    pub(super) fn clear(&mut self) {
        self.forget();
        self.emitted = false;
    }

    /// Whether constants were written, so that the body must stay aligned.
    pub(super) fn are_emitted(&self) -> bool {
        self.emitted
    }

    fn forget(&mut self) {
        if !self.entries.is_empty() {
            self.entries.clear();
            self.slots.fill(0);
        }
    }

    /// The label of the value, or the slot where it belongs.
    fn find(&self, key: Key) -> Result<Label, usize> {
        let mask = self.slots.len() - 1;
        let folded = (key.bits as u64) ^ ((key.bits >> 64) as u64).rotate_left(29) ^ u64::from(key.size);
        let mut at = (folded.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize & mask;
        loop {
            match self.slots[at].checked_sub(1).map(|number| self.entries[number as usize]) {
                None => return Err(at),
                Some((found, label)) if found == key => return Ok(label),
                Some(_) => at = (at + 1) & mask,
            }
        }
    }

    fn grow(&mut self) {
        self.slots = vec![0; (self.slots.len() * 2).max(64)];
        for number in 0..self.entries.len() {
            if let Err(at) = self.find(self.entries[number].0) {
                self.slots[at] = number as u32 + 1;
            }
        }
    }
}

impl Assembler {
    /// A constant of four bytes.
    pub(crate) fn constant32(&mut self, bits: u32) -> RipLabel {
        self.constant_of(Key { bits: bits.into(), size: 4 })
    }

    /// A constant of eight bytes.
    pub(crate) fn constant64(&mut self, bits: u64) -> RipLabel {
        self.constant_of(Key { bits: bits.into(), size: 8 })
    }

    /// A constant of sixteen bytes, aligned to sixteen, as the memory operand of a legacy packed instruction must be.
    pub(crate) fn constant128(&mut self, bits: u128) -> RipLabel {
        self.constant_of(Key { bits, size: 16 })
    }

    fn constant_of(&mut self, key: Key) -> RipLabel {
        if self.constants.entries.len() * 2 >= self.constants.slots.len() {
            self.constants.grow();
        }
        match self.constants.find(key) {
            Ok(label) => RipLabel(label),
            Err(at) => {
                let label = self.new_label();
                self.constants.entries.push((key, label));
                self.constants.slots[at] = self.constants.entries.len() as u32;
                RipLabel(label)
            }
        }
    }

    /// Writes the constants and jump tables that wait, each aligned to its size. To be called behind the last code.
    pub(crate) fn emit_constants(&mut self) {
        let entries = std::mem::take(&mut self.constants.entries);
        for size in [16, 8, 4] {
            for (key, label) in entries.iter().filter(|(key, _)| key.size == size) {
                self.align_data(u32::from(size));
                self.bind(*label);
                self.emit_bytes(&key.bits.to_le_bytes()[..usize::from(size)]);
            }
        }
        self.place_tables();
        self.constants.emitted |= !entries.is_empty();
        self.constants.entries = entries;
        self.constants.forget();
    }
}
