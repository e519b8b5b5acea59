//! Counting bits: with the instructions made for it where the machine has them, else by searching for the first one.

use abi::assign::MachineType;

use super::FoldUnary;
use crate::asm::x64::{Alu, Cond, Width};
use crate::function::Function;
use crate::operand::{SCRATCH, width};

impl Function<'_> {
    pub(super) fn leading_zeros(&mut self, ty: MachineType, fold: FoldUnary) {
        if self.fold_unary(ty, fold) {
            return;
        }
        let from = self.pop_int();
        let to = self.reuse_int(from);
        let width = width(ty);
        if self.features.lzcnt {
            self.asm.lzcnt(width, to, from);
        } else {
            let last = bits(width) - 1;
            self.asm.bsr(width, to, from);
            // What turns into the number of bits; `mov` leaves the flags alone.
            self.asm.mov_ri(SCRATCH, u64::from(2 * last + 1));
            self.asm.cmov_rr(Cond::E, width, to, SCRATCH);
            self.asm.alu_ri(Alu::Xor, Width::W32, to, last.into());
        }
        self.push_int(to, ty);
    }

    pub(super) fn trailing_zeros(&mut self, ty: MachineType, fold: FoldUnary) {
        if self.fold_unary(ty, fold) {
            return;
        }
        let from = self.pop_int();
        let to = self.reuse_int(from);
        let width = width(ty);
        if self.features.bmi1 {
            self.asm.tzcnt(width, to, from);
        } else {
            self.asm.bsf(width, to, from);
            self.asm.mov_ri(SCRATCH, u64::from(bits(width)));
            self.asm.cmov_rr(Cond::E, width, to, SCRATCH);
        }
        self.push_int(to, ty);
    }

    pub(super) fn count_ones(&mut self, ty: MachineType, fold: FoldUnary) {
        if self.fold_unary(ty, fold) {
            return;
        }
        let from = self.pop_int();
        let to = self.reuse_int(from);
        self.asm.popcnt(width(ty), to, from);
        self.push_int(to, ty);
    }
}

/// Number of bits of an integer.
pub(super) fn bits(width: Width) -> u8 {
    match width {
        Width::W32 => 32,
        Width::W64 => 64,
    }
}
