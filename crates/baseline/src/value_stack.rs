//! The value stack: where every local and operand is while code is written.
//!
//! One stack of slots, locals first, then operands. Each slot has a fixed place in the frame image (see [`abi::frame`]);
//! its value is there, or in a register, or (operands only) a constant. `local.get` of a local in a register pushes a copy
//! that names the same register and emits nothing; setting the local gives it another register, so copies never go stale.
//!
//! Invariants, for slot `s` and register `r` of [`Registers`](crate::regs::Registers):
//! - `s` is in `r` exactly if `r` counts it: `r.local` for a local, `r.uses` for operands; none of those lies below `r.slot`.
//! - A local in a register is dirty or its image place is up to date. An operand in a register has nothing in its place.
//! - Operands below `flushed` are in their place or alone in a register: see [`crate::state`].
//!
//! Finding the operands that are copies of one register scans the stack from `r.slot` upwards. A register is put in a
//! deep slot only once the slots above it were pushed, so all scans together are linear in the pushes, times the number
//! of registers.

use abi::assign::MachineType;

use crate::regs::Reg;

/// Where a value is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Value {
    /// In its place in the frame image.
    Image,
    /// In a register.
    Reg(Reg),
    /// Known: the bits, those of a 32-bit type zero-extended. Never a vector.
    Const(u64),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
enum Kind {
    Image,
    Reg,
    Const,
}

/// A local or an operand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot {
    /// The constant or the register's number.
    bits: u64,
    /// Where its place starts, in bytes below the image's upper end.
    pub(crate) depth: u32,
    pub(crate) ty: MachineType,
    kind: Kind,
}

const _: () = assert!(size_of::<Slot>() == 16);

impl Slot {
    /// What validated code never gets: the operand popped from an empty stack.
    pub(crate) const ABSENT: Slot = Slot { bits: 0, depth: 0, ty: MachineType::I32, kind: Kind::Const };

    /// A constant that is on no stack.
    pub(crate) fn constant_of(ty: MachineType, bits: u64) -> Slot {
        Slot { bits, depth: 0, ty, kind: Kind::Const }
    }

    /// The same value, its image place at another depth.
    pub(crate) fn at_depth(self, depth: u32) -> Slot {
        Slot { depth, ..self }
    }

    #[inline]
    pub(crate) fn value(&self) -> Value {
        match self.kind {
            Kind::Image => Value::Image,
            Kind::Reg => Value::Reg(Reg::new(self.bits as u8)),
            Kind::Const => Value::Const(self.bits),
        }
    }

    #[inline]
    pub(crate) fn register(&self) -> Option<Reg> {
        if self.kind == Kind::Reg { Some(Reg::new(self.bits as u8)) } else { None }
    }

    #[inline]
    pub(crate) fn constant(&self) -> Option<u64> {
        if self.kind == Kind::Const { Some(self.bits) } else { None }
    }

    #[inline]
    pub(crate) fn set_register(&mut self, register: Reg) {
        self.kind = Kind::Reg;
        self.bits = u64::from(register.number());
    }

    #[inline]
    pub(crate) fn set_image(&mut self) {
        self.kind = Kind::Image;
    }
}

/// Bytes of a value in the frame image.
#[inline]
pub(crate) fn slot_bytes(ty: MachineType) -> u32 {
    if ty == MachineType::V128 { 16 } else { 8 }
}

/// Locals and operands.
#[derive(Default)]
pub(crate) struct ValueStack {
    pub(crate) slots: Vec<Slot>,
    /// Number of locals, parameters included.
    pub(crate) locals: u32,
    /// Operands below this slot were flushed; see [`crate::state`].
    pub(crate) flushed: u32,
    /// The greatest depth there was.
    pub(crate) max_depth: u32,
}

impl ValueStack {
    pub(crate) fn clear(&mut self) {
        self.slots.clear();
        self.locals = 0;
        self.flushed = 0;
        self.max_depth = 0;
    }

    /// Number of slots: the slot of the next operand.
    #[inline]
    pub(crate) fn height(&self) -> u32 {
        self.slots.len() as u32
    }

    #[inline]
    pub(crate) fn depth(&self) -> u32 {
        self.slots.last().map_or(0, |slot| slot.depth)
    }

    /// The depth of the value in front of `slot`.
    pub(crate) fn depth_below(&self, slot: u32) -> u32 {
        slot.checked_sub(1).and_then(|below| self.slots.get(below as usize)).map_or(0, |slot| slot.depth)
    }

    #[inline]
    pub(crate) fn push(&mut self, ty: MachineType, value: Value) {
        let (kind, bits) = match value {
            Value::Image => (Kind::Image, 0),
            Value::Reg(register) => (Kind::Reg, u64::from(register.number())),
            Value::Const(bits) => (Kind::Const, bits),
        };
        let depth = self.depth().saturating_add(slot_bytes(ty));
        if depth > self.max_depth {
            self.max_depth = depth;
        }
        self.slots.push(Slot { bits, depth, ty, kind });
    }

    #[inline]
    pub(crate) fn pop(&mut self) -> Slot {
        let slot = self.slots.pop().unwrap_or(Slot::ABSENT);
        let height = self.height();
        if height < self.flushed {
            self.flushed = height;
        }
        slot
    }

    /// The topmost operand is not alone in its register any more, or a constant again.
    #[inline]
    pub(crate) fn unflush_top(&mut self) {
        self.flushed = self.flushed.min(self.height().saturating_sub(1));
    }

    /// The operand `from_top` places below the topmost one.
    #[inline]
    pub(crate) fn peek(&self, from_top: u32) -> Slot {
        let at = self.slots.len().wrapping_sub(1 + from_top as usize);
        self.slots.get(at).copied().unwrap_or(Slot::ABSENT)
    }

    #[inline]
    pub(crate) fn get(&self, slot: u32) -> Slot {
        self.slots.get(slot as usize).copied().unwrap_or(Slot::ABSENT)
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, slot: u32) -> Option<&mut Slot> {
        self.slots.get_mut(slot as usize)
    }
}
