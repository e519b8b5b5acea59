//! The memory through which a stub and the test talk: what goes into the registers and onto the stack, and what came
//! out of them.

use std::cell::Cell;

/// Slots for the parameters, and for the results: the most that a function type may have.
const VALUES: usize = 1000;

/// Stack pointer of the stub's own frame.
pub const FRAME: usize = 0;
/// Address of the code to call.
pub const CODE: usize = 1;
/// The context: passed by a caller, seen by a callee.
pub const CONTEXT: usize = 2;
/// The address of the result buffer: likewise.
pub const RESULT_BUFFER: usize = 3;
/// Stack pointer at the call, or at the entry of a callee.
pub const STACK_BEFORE: usize = 4;
/// Stack pointer after the call.
pub const STACK_AFTER: usize = 5;
/// The callee-saved registers after the call.
pub const PRESERVED: usize = 6;
/// The parameters: a caller's to pass, or as a callee saw them.
pub const PARAMS: usize = 16;
/// The results: as a caller saw them, or a callee's to return.
pub const RESULTS: usize = PARAMS + VALUES;

const SLOTS: usize = RESULTS + VALUES;

/// The slots of one stub, 16 bytes each, at an address that does not change.
pub struct Record {
    slots: Box<[Cell<u128>]>,
}

impl Record {
    /// All slots hold a pattern, so that nothing is right by chance.
    pub fn new() -> Record {
        Record { slots: vec![Cell::new(0xdead_dead_dead_dead_dead_dead_dead_dead); SLOTS].into() }
    }

    /// The record's address: machine code reads and writes the cells through it.
    pub fn address(&self) -> u64 {
        self.slots.as_ptr().expose_provenance() as u64
    }

    /// The address of a slot.
    pub fn address_of(&self, slot: usize) -> u64 {
        self.address() + u64::from(offset(slot) as u32)
    }

    /// What is in a slot.
    pub fn get(&self, slot: usize) -> u128 {
        self.slots[slot].get()
    }

    /// Puts a value into a slot.
    pub fn set(&self, slot: usize, value: u128) {
        self.slots[slot].set(value);
    }
}

/// A slot's offset from the record's address, in bytes.
pub fn offset(slot: usize) -> i32 {
    i32::try_from(slot * 16).expect("a record is a few pages")
}
