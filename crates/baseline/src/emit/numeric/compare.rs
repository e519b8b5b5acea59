//! Comparisons. They leave their result in the flags, for the operator that follows.

use abi::assign::MachineType;

use super::FoldBinary;
use super::integer::immediate;
use crate::asm::x64::{Alu, Cond, SseOp, Width};
use crate::function::Function;
use crate::operand::{Condition, FloatOperand, IntOperand, width};

/// Which comparison of floats.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum FloatOrder {
    Eq,
    Ne,
    Lt,
    Gt,
    Le,
    Ge,
}

impl Function<'_> {
    /// `i32.eqz`, which may find a comparison's result in the flags.
    pub(super) fn equals_zero32(&mut self) {
        match self.take_condition() {
            Some(condition) => self.push_condition(condition.invert()),
            None => self.equals_zero(),
        }
    }

    /// Is the topmost operand, an integer or a reference, 0?
    pub(crate) fn equals_zero(&mut self) {
        if let Some(bits) = self.constant(0) {
            self.drop_top();
            return self.push_const(MachineType::I32, u64::from(bits == 0));
        }
        let width = width(self.values.peek(0).ty);
        let operand = self.pop_int_operand();
        self.compare_operand(width, operand, 0);
        self.push_condition(Condition::Flags(Cond::E));
    }

    /// Compares with an immediate.
    fn compare_operand(&mut self, width: Width, operand: IntOperand, imm: i32) {
        match operand {
            // Sets all flags as the comparison does.
            IntOperand::Reg(register) if imm == 0 => self.asm.test_rr(width, register, register),
            IntOperand::Reg(register) => self.asm.alu_ri(Alu::Cmp, width, register, imm),
            IntOperand::Mem(mem) => self.asm.alu_mi(Alu::Cmp, width, mem, imm),
            // Constants were folded.
            IntOperand::Imm(_) => {}
        }
    }

    pub(super) fn compare(&mut self, cond: Cond, ty: MachineType, fold: FoldBinary) {
        if self.fold_binary(MachineType::I32, fold) {
            return;
        }
        let width = width(ty);
        if let Some(imm) = self.constant(0).and_then(|bits| immediate(ty, bits)) {
            self.drop_top();
            let first = self.pop_int_operand();
            self.compare_operand(width, first, imm);
            return self.push_condition(Condition::Flags(cond));
        }
        if let Some(imm) = self.constant(1).and_then(|bits| immediate(ty, bits)) {
            let second = self.pop_int_operand();
            self.drop_top();
            self.compare_operand(width, second, imm);
            return self.push_condition(Condition::Flags(cond.swap()));
        }
        let second = self.pop_int_operand();
        let first = self.pop_int();
        self.alu(Alu::Cmp, width, first, second);
        self.push_condition(Condition::Flags(cond));
    }

    /// "Above" is the one order that is false if an operand is NaN, so the greater operand comes first.
    pub(super) fn compare_float(&mut self, order: FloatOrder, ty: MachineType, fold: FoldBinary) {
        if self.fold_binary(MachineType::I32, fold) {
            return;
        }
        let (first, second) = match order {
            FloatOrder::Lt | FloatOrder::Le => {
                let second = self.pop_float();
                (second, self.pop_float_operand())
            }
            FloatOrder::Eq | FloatOrder::Ne | FloatOrder::Gt | FloatOrder::Ge => {
                let second = self.pop_float_operand();
                (self.pop_float(), second)
            }
        };
        let op = if ty == MachineType::F32 { SseOp::UCOMISS } else { SseOp::UCOMISD };
        match second {
            FloatOperand::Reg(register) => self.asm.sse_rr(op, first, register),
            FloatOperand::Mem(mem) => self.asm.sse_rm(op, first, mem),
        }
        self.push_condition(match order {
            FloatOrder::Eq => Condition::FloatEqual,
            FloatOrder::Ne => Condition::FloatNotEqual,
            FloatOrder::Lt | FloatOrder::Gt => Condition::Flags(Cond::A),
            FloatOrder::Le | FloatOrder::Ge => Condition::Flags(Cond::Ae),
        });
    }
}
