//! Labels and what refers to them: jumps, places in the code, jump tables.
//!
//! A label that is not bound yet is the head of a chain of the jumps that wait for it. The chain lives in the code: the
//! four bytes of a jump's distance hold the place of the jump before it. Binding walks the chain once, so the work is
//! linear in the number of jumps, and no memory is needed but four bytes a label.
//! Places named by memory operands are kept in a list instead (a displacement may be followed by an immediate, so it
//! alone does not say where its instruction ends), and filled in by [`Assembler::resolve`], as are jump tables.

use super::buffer::{Assembler, HEADROOM};
use super::constant::RipLabel;
use super::operand::{Cond, Mem};

/// A place in the code, known now or later. Belongs to the assembler that made it, until that is cleared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Label(u32);

impl Label {
    #[inline]
    pub(super) const fn new(number: u32) -> Label {
        Label(number)
    }

    #[inline]
    pub(super) const fn number(self) -> u32 {
        self.0
    }
}

/// The flag of a bound label; the other bits are its place. Places stay below the buffer's limit of 2^28.
const BOUND: u32 = 1 << 31;

/// All labels of a body, and the references that are filled in at the end.
pub(super) struct Labels {
    /// By label: `BOUND | place`, or the place of the last distance that waits for it, or 0 (inside the headroom).
    states: Vec<u32>,
    /// Where a label was bound last.
    last_bound: u32,
    /// Displacements that name a label.
    places: Vec<Place>,
    /// Jump tables, written already, but empty.
    tables: Vec<Table>,
    /// The labels of all jump tables, one after the other.
    targets: Vec<Label>,
}

struct Place {
    /// Where the displacement is.
    field: u32,
    /// Bytes of the instruction after it.
    rest: u32,
    label: u32,
}

struct Table {
    label: Label,
    /// Its part of `targets`.
    first: usize,
    count: usize,
}

impl Labels {
    pub(super) fn new() -> Labels {
        Labels { states: Vec::new(), last_bound: 0, places: Vec::new(), tables: Vec::new(), targets: Vec::new() }
    }

    pub(super) fn clear(&mut self) {
        self.states.clear();
        self.last_bound = 0;
        self.places.clear();
        self.tables.clear();
        self.targets.clear();
    }

    fn bound(&self, number: u32) -> Option<u32> {
        self.states.get(number as usize).filter(|&state| state & BOUND != 0).map(|state| state & !BOUND)
    }
}

impl Assembler {
    /// A label that is not bound.
    #[inline]
    pub(crate) fn new_label(&mut self) -> Label {
        let number = self.labels.states.len() as u32;
        self.labels.states.push(0);
        Label(number)
    }

    /// A label for the next instruction.
    #[inline]
    pub(crate) fn label_here(&mut self) -> Label {
        let number = self.labels.states.len() as u32;
        self.labels.last_bound = self.end();
        self.labels.states.push(BOUND | self.end());
        Label(number)
    }

    /// Says that the label is the next instruction, and fills in the jumps that wait for it. To be done once a label.
    #[inline]
    pub(crate) fn bind(&mut self, label: Label) {
        let here = self.end();
        self.labels.last_bound = here;
        let state = &mut self.labels.states[label.0 as usize];
        let waiting = *state;
        debug_assert!(waiting & BOUND == 0, "label bound twice");
        *state = BOUND | here;
        if waiting != 0 && waiting & BOUND == 0 {
            self.fill_in(waiting, here);
        }
    }

    /// Where the label is, from the start of the body.
    #[inline]
    pub(crate) fn label_position(&self, label: Label) -> Option<u32> {
        self.labels.bound(label.0).map(|place| place - HEADROOM)
    }

    /// Takes back a `jmp` to the label if that was the last instruction, since the label is about to be bound behind it.
    /// Not if another label is bound there. What else was noted of the code's end must not be in use.
    pub(crate) fn take_back_jump(&mut self, label: Label) {
        let end = self.end();
        let Some(field) = end.checked_sub(4).filter(|&field| field > HEADROOM) else { return };
        if self.labels.states[label.0 as usize] != field
            || self.labels.last_bound == end
            || self.byte(field - 1) != 0xe9
        {
            return;
        }
        self.labels.states[label.0 as usize] = self.word(field);
        self.set_end(field - 1);
    }

    /// Whether some jump waits for the label.
    #[inline]
    pub(crate) fn is_awaited(&self, label: Label) -> bool {
        let state = self.labels.states[label.0 as usize];
        state != 0 && state & BOUND == 0
    }

    fn fill_in(&mut self, mut field: u32, target: u32) {
        // A distance that did not fit in the buffer is not there to be followed.
        while field != 0 && !self.overflowed() {
            let next = self.word(field);
            self.set_word(field, target.wrapping_sub(field + 4));
            field = next;
        }
    }

    /// `jmp label`: two bytes if it goes back by no more than 128, five otherwise.
    #[inline]
    pub(crate) fn jmp(&mut self, label: Label) {
        self.branch(0xeb, 1, 0xe9, 1, label);
    }

    /// `jcc label`: two bytes if it goes back by no more than 128, six otherwise.
    #[inline]
    pub(crate) fn jcc(&mut self, cond: Cond, label: Label) {
        self.branch(0x70 | cond as u64, 1, 0x800f | (cond as u64) << 8, 2, label);
    }

    /// `call label`.
    #[inline]
    pub(crate) fn call(&mut self, label: Label) {
        self.branch(0, 0, 0xe8, 1, label);
    }

    /// A jump by its opcode for a distance of one byte (`short_len` 0: there is none) and of four bytes.
    #[inline(always)]
    fn branch(&mut self, short: u64, short_len: u32, near: u64, near_len: u32, label: Label) {
        let field = self.end() + near_len;
        let state = &mut self.labels.states[label.0 as usize];
        let waiting = *state;
        if waiting & BOUND == 0 {
            *state = field;
            self.put_short(near | u64::from(waiting) << (8 * near_len), near_len + 4);
            return;
        }
        let place = waiting & !BOUND;
        let distance = place.wrapping_sub(field + 4).cast_signed();
        let short_distance = distance + (near_len + 4 - (short_len + 1)).cast_signed();
        if short_len != 0 && i8::try_from(short_distance).is_ok() {
            self.put_short(short | u64::from(short_distance as u8) << 8, 2);
        } else {
            self.put_short(near | u64::from(distance.cast_unsigned()) << (8 * near_len), near_len + 4);
        }
    }

    /// Remembers that the next instruction has a displacement, `head` bytes from its start and with `rest` bytes behind
    /// it, that names a label.
    pub(super) fn refer(&mut self, mem: Mem, head: u32, rest: u32) {
        let (field, label) = (self.end() + head, mem.disp().cast_unsigned());
        self.labels.places.push(Place { field, rest, label });
    }

    /// Makes a table of 32-bit offsets from the table's own start to the labels, and a name for it. The table is written
    /// by `emit_constants`, behind the code; the labels may be bound at any time before the code is finished.
    pub(crate) fn emit_jump_table(&mut self, targets: &[Label]) -> RipLabel {
        let label = self.new_label();
        let first = self.labels.targets.len();
        self.labels.targets.extend_from_slice(targets);
        self.labels.tables.push(Table { label, first, count: targets.len() });
        RipLabel::from(label)
    }

    /// Writes the jump tables that are not yet written, with nothing in them.
    pub(super) fn place_tables(&mut self) {
        for number in 0..self.labels.tables.len() {
            let table = &self.labels.tables[number];
            let (label, count) = (table.label, table.count);
            if self.labels.bound(label.0).is_none() {
                self.align_data(4);
                self.bind(label);
                for _ in 0..count {
                    self.put_short(0, 4);
                }
            }
        }
    }

    /// Fills in displacements and jump tables. Panics if something refers to a label that was not bound: the code would
    /// jump anywhere.
    pub(super) fn resolve(&mut self) {
        if self.overflowed() {
            return;
        }
        let waiting = self.labels.states.iter().any(|&state| state != 0 && state & BOUND == 0);
        assert!(!waiting, "a jump to a label that was never bound");
        let labels = std::mem::replace(&mut self.labels, Labels::new());
        let place_of = |label| labels.bound(label).expect("a reference to a label that was never bound");
        for place in &labels.places {
            let after = place.field + 4 + place.rest;
            self.set_word(place.field, place_of(place.label).wrapping_sub(after));
        }
        for table in &labels.tables {
            let start = place_of(table.label.0);
            let targets = labels.targets.iter().skip(table.first).take(table.count);
            for (field, target) in (start..).step_by(4).zip(targets) {
                self.set_word(field, place_of(target.0).wrapping_sub(start));
            }
        }
        self.labels = labels;
    }
}
