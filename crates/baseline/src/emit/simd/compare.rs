//! Comparisons of lanes, and tests of a vector.

use abi::assign::MachineType;

use crate::asm::x64::{Cond, SseOp, Width, Xmm};
use crate::function::Function;
use crate::operand::{Condition, SCRATCH_FLOAT};

/// Which result of a comparison is meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sense {
    /// It.
    Plain,
    /// Its opposite.
    Inverted,
}

impl Function<'_> {
    fn finish_comparison(&mut self, result: Xmm, sense: Sense) {
        if sense == Sense::Inverted {
            self.vector_ones(SCRATCH_FLOAT);
            self.vector(SseOp::PXOR, result, result, SCRATCH_FLOAT);
        }
        self.push_vector(result);
    }

    /// Lanes that one instruction finds not to compare so.
    pub(super) fn compare_inverted(&mut self, op: SseOp) {
        let result = self.pop_binary(op);
        self.finish_comparison(result, Sense::Inverted);
    }

    /// The same, the first source being the second operand.
    pub(super) fn compare_swapped_inverted(&mut self, op: SseOp) {
        let result = self.pop_binary_swapped(op);
        self.finish_comparison(result, Sense::Inverted);
    }

    /// Lanes whose first operand is the smaller or the greater one, or equal to the other one; or those that are not.
    pub(super) fn compare_extreme(&mut self, extreme: SseOp, equal: SseOp, sense: Sense) {
        let second = self.pop_float_operand();
        let first = self.pop_float();
        let result = self.result_beside(second);
        self.vector(extreme, result, first, second);
        self.vector(equal, result, result, first);
        self.finish_comparison(result, sense);
    }

    /// `v128.any_true`
    pub(super) fn any_true(&mut self) {
        let source = self.pop_float();
        self.vector_unary(SseOp::PTEST, source, source);
        self.push_condition(Condition::Flags(Cond::Ne));
    }

    /// `all_true`: no lane is zero.
    pub(super) fn all_true(&mut self, equal: SseOp) {
        let source = self.pop_float_operand();
        self.vector_zeros(SCRATCH_FLOAT);
        self.vector(equal, SCRATCH_FLOAT, SCRATCH_FLOAT, source);
        self.vector_unary(SseOp::PTEST, SCRATCH_FLOAT, SCRATCH_FLOAT);
        self.push_condition(Condition::Flags(Cond::E));
    }

    /// `bitmask`
    pub(super) fn bit_mask(&mut self, op: SseOp) {
        let source = self.pop_float();
        let result = self.alloc_int();
        self.asm.sse_to_gpr(op, Width::W32, result, source);
        self.push_int(result, MachineType::I32);
    }

    /// `i16x8.bitmask`: there is an instruction for bytes only, so the lanes are narrowed first.
    pub(super) fn bit_mask_words(&mut self) {
        let source = self.pop_float();
        let result = self.alloc_int();
        self.vector(SseOp::PACKSSWB, SCRATCH_FLOAT, source, source);
        self.asm.sse_to_gpr(SseOp::PMOVMSKB, Width::W32, result, SCRATCH_FLOAT);
        self.asm.movzx8_rr(result, result);
        self.push_int(result, MachineType::I32);
    }
}
