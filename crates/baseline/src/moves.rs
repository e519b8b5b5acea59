//! Parallel moves: several values go to registers at once, some of which hold values that go elsewhere.

use abi::assign::MachineType;

use crate::asm::x64::{Alu, Width};
use crate::function::Function;
use crate::operand::{SCRATCH, SCRATCH_FLOAT};
use crate::regs::{Reg, RegSet};
use crate::value_stack::{Slot, Value};

/// Moves to registers that are to happen at once. There is one for all, empty when nothing is under way.
pub(crate) struct Moves {
    /// Targets that get their value from another register.
    targets: RegSet,
    from: [Reg; 32],
    types: [MachineType; 32],
    /// How many targets get their value from this register.
    readers: [u8; 32],
    /// Targets that get theirs from memory or are constants.
    loads: RegSet,
    values: [Slot; 32],
}

impl Moves {
    pub(crate) fn new() -> Moves {
        Moves {
            targets: RegSet::EMPTY,
            from: [Reg::new(0); 32],
            types: [MachineType::I64; 32],
            readers: [0; 32],
            loads: RegSet::EMPTY,
            values: [Slot::ABSENT; 32],
        }
    }

    /// `to` gets the value of a slot.
    pub(crate) fn add(&mut self, to: Reg, slot: Slot) {
        match slot.value() {
            Value::Reg(from) => self.add_reg(to, from, slot.ty),
            Value::Image | Value::Const(_) => {
                self.loads.insert(to);
                self.values[to.index()] = slot;
            }
        }
    }

    /// `to` gets the value of the register `from`.
    pub(crate) fn add_reg(&mut self, to: Reg, from: Reg, ty: MachineType) {
        if to != from {
            self.targets.insert(to);
            self.from[to.index()] = from;
            self.types[to.index()] = ty;
            self.readers[from.index()] += 1;
        }
    }
}

impl Function<'_> {
    /// Emits the moves, then the loads. May change the scratch registers and the flags.
    pub(crate) fn emit_moves(&mut self) {
        while !self.moves.targets.is_empty() {
            let mut ready = false;
            for to in self.moves.targets.iter() {
                if self.moves.readers[to.index()] == 0 {
                    self.emit_move(to);
                    ready = true;
                }
            }
            if !ready {
                self.break_cycle();
            }
        }
        for to in std::mem::take(&mut self.moves.loads).iter() {
            let value = self.moves.values[to.index()];
            if value.constant() == Some(0) && !to.is_float() {
                self.asm.alu_rr(Alu::Xor, Width::W32, to.gpr(), to.gpr());
            } else {
                self.load_value(to, value);
            }
        }
    }

    fn emit_move(&mut self, to: Reg) {
        let from = self.moves.from[to.index()];
        self.move_reg(self.moves.types[to.index()], to, from);
        self.moves.targets.remove(to);
        self.moves.readers[from.index()] -= 1;
    }

    /// Only cycles are left, where each register has one reader: the value of one goes to a scratch register.
    fn break_cycle(&mut self) {
        let moves = &mut self.moves;
        let Some(held) = moves.targets.first() else { return };
        let scratch = if held.is_float() { Reg::float(SCRATCH_FLOAT) } else { Reg::int(SCRATCH) };
        let reader = moves.targets.iter().find(|to| moves.from[to.index()] == held);
        let Some(reader) = reader else { return };
        moves.from[reader.index()] = scratch;
        moves.readers[held.index()] -= 1;
        moves.readers[scratch.index()] += 1;
        // All of it, for whichever type the reader wants.
        self.move_reg(MachineType::I64, scratch, held);
    }
}
