//! Integer addition, subtraction, multiplication, bitwise operators and sign extension.
//!
//! Where the result needs a register of its own, `lea` and the instructions of three operands save the move.

use abi::assign::MachineType::{self, I32, I64};

use super::{FoldBinary, FoldUnary};
use crate::asm::x64::{Alu, Gpr, Mem, Scale, Shift, Width};
use crate::function::Function;
use crate::operand::{IntOperand, width};

/// The constant as an immediate: of an `i32` its bits, of an `i64` the number, if sign extension makes it.
#[inline]
pub(super) fn immediate(ty: MachineType, bits: u64) -> Option<i32> {
    if ty == I32 { Some(bits as i32) } else { i32::try_from(bits.cast_signed()).ok() }
}

impl Function<'_> {
    /// Pops two operands whose order does not matter. A constant is never the first; that is the one whose register the
    /// result can take over, if there is one.
    #[inline]
    fn pop_either(&mut self, ty: MachineType) -> (Gpr, IntOperand) {
        if let Some(imm) = self.constant(1).and_then(|bits| immediate(ty, bits)) {
            let first = self.pop_int();
            self.drop_top();
            return (first, IntOperand::Imm(imm));
        }
        if self.own_register(0).is_some() && self.own_register(1).is_none() {
            let first = self.pop_int();
            return (first, self.pop_int_operand());
        }
        let second = self.pop_int_operand();
        (self.pop_int(), second)
    }

    /// `register op= operand`.
    #[inline]
    pub(super) fn alu(&mut self, op: Alu, width: Width, register: Gpr, operand: IntOperand) {
        match operand {
            IntOperand::Reg(other) => self.asm.alu_rr(op, width, register, other),
            IntOperand::Imm(imm) => self.asm.alu_ri(op, width, register, imm),
            IntOperand::Mem(mem) => self.asm.alu_rm(op, width, register, mem),
        }
    }

    pub(super) fn add(&mut self, ty: MachineType, fold: FoldBinary) {
        if self.fold_binary(ty, fold) {
            return;
        }
        let (first, second) = self.pop_either(ty);
        let result = self.reuse_int(first);
        let width = width(ty);
        match second {
            IntOperand::Imm(imm) => self.add_immediate(width, result, first, imm),
            IntOperand::Reg(register) if result == first => self.asm.alu_rr(Alu::Add, width, result, register),
            IntOperand::Reg(register) => self.asm.lea(width, result, Mem::indexed(first, register, Scale::X1, 0)),
            IntOperand::Mem(mem) => {
                self.copy_int(width, result, first);
                self.asm.alu_rm(Alu::Add, width, result, mem);
            }
        }
        self.push_int(result, ty);
    }

    fn add_immediate(&mut self, width: Width, result: Gpr, first: Gpr, imm: i32) {
        match imm {
            _ if result != first => self.asm.lea(width, result, Mem::base(first, imm)),
            1 => self.asm.inc(width, result),
            -1 => self.asm.dec(width, result),
            _ => self.asm.alu_ri(Alu::Add, width, result, imm),
        }
    }

    /// `to = from`, if they are two.
    #[inline]
    pub(super) fn copy_int(&mut self, width: Width, to: Gpr, from: Gpr) {
        if to != from {
            self.asm.mov_rr(width, to, from);
        }
    }

    pub(super) fn subtract(&mut self, ty: MachineType, fold: FoldBinary) {
        if self.fold_binary(ty, fold) {
            return;
        }
        let width = width(ty);
        if self.constant(1) == Some(0) {
            let result = self.pop_int_mut();
            self.drop_top();
            self.asm.neg(width, result);
            return self.push_int(result, ty);
        }
        let second = self.pop_int_operand();
        let result = match second {
            IntOperand::Imm(imm) if imm != i32::MIN => {
                let first = self.pop_int();
                let result = self.reuse_int(first);
                self.add_immediate(width, result, first, -imm);
                result
            }
            _ => {
                let result = self.pop_int_mut();
                self.alu(Alu::Sub, width, result, second);
                result
            }
        };
        self.push_int(result, ty);
    }

    pub(super) fn multiply(&mut self, ty: MachineType, fold: FoldBinary) {
        if self.fold_binary(ty, fold) {
            return;
        }
        let (first, second) = self.pop_either(ty);
        let width = width(ty);
        if let IntOperand::Imm(1) = second {
            return self.push_int(first, ty);
        }
        let result = self.reuse_int(first);
        match second {
            IntOperand::Imm(imm) => self.multiply_immediate(width, result, first, imm),
            IntOperand::Reg(register) => {
                self.copy_int(width, result, first);
                self.asm.imul_rr(width, result, register);
            }
            IntOperand::Mem(mem) => {
                self.copy_int(width, result, first);
                self.asm.imul_rm(width, result, mem);
            }
        }
        self.push_int(result, ty);
    }

    fn multiply_immediate(&mut self, width: Width, result: Gpr, first: Gpr, imm: i32) {
        match imm {
            2 | 3 => {
                let scale = if imm == 2 { Scale::X1 } else { Scale::X2 };
                self.asm.lea(width, result, Mem::indexed(first, first, scale, 0));
            }
            5 => self.asm.lea(width, result, Mem::indexed(first, first, Scale::X4, 0)),
            9 => self.asm.lea(width, result, Mem::indexed(first, first, Scale::X8, 0)),
            _ if imm.cast_unsigned().is_power_of_two() && imm > 0 => {
                self.copy_int(width, result, first);
                self.asm.shift_ri(Shift::Shl, width, result, imm.trailing_zeros() as u8);
            }
            _ => self.asm.imul_rri(width, result, first, imm),
        }
    }

    /// And, or, exclusive or.
    pub(super) fn bitwise(&mut self, op: Alu, ty: MachineType, fold: FoldBinary) {
        if self.fold_binary(ty, fold) || op == Alu::And && self.low_part(ty) {
            return;
        }
        let (first, second) = self.pop_either(ty);
        let result = self.reuse_int(first);
        let width = match second {
            // The mask clears the upper half, as the shorter instruction does.
            IntOperand::Imm(imm) if op == Alu::And && imm >= 0 => Width::W32,
            _ => width(ty),
        };
        self.copy_int(width, result, first);
        if op == Alu::Xor && second == IntOperand::Imm(-1) {
            self.asm.not(width, result);
        } else {
            self.alu(op, width, result, second);
        }
        self.push_int(result, ty);
    }

    /// The operators that are the lowest one, two or four bytes of their first operand: the second is a constant mask.
    fn low_part(&mut self, ty: MachineType) -> bool {
        let Some(mask @ (0xff | 0xffff | 0xffff_ffff)) = self.constant(0) else { return false };
        self.drop_top();
        let from = self.pop_int();
        let to = self.reuse_int(from);
        match mask {
            0xff => self.asm.movzx8_rr(to, from),
            0xffff => self.asm.movzx16_rr(to, from),
            _ => self.asm.mov_rr(Width::W32, to, from),
        }
        self.push_int(to, ty);
        true
    }

    /// The lowest byte, extended by its sign.
    pub(super) fn extend8(&mut self, ty: MachineType, fold: FoldUnary) {
        if self.fold_unary(ty, fold) {
            return;
        }
        let from = self.pop_int();
        let to = self.reuse_int(from);
        self.asm.movsx8_rr(width(ty), to, from);
        self.push_int(to, ty);
    }

    /// The lowest two bytes, extended by their sign.
    pub(super) fn extend16(&mut self, ty: MachineType, fold: FoldUnary) {
        if self.fold_unary(ty, fold) {
            return;
        }
        let from = self.pop_int();
        let to = self.reuse_int(from);
        self.asm.movsx16_rr(width(ty), to, from);
        self.push_int(to, ty);
    }

    /// The lower half of an `i64`, or an `i32`, extended by its sign to an `i64`.
    pub(super) fn extend32(&mut self, fold: FoldUnary) {
        if self.fold_unary(I64, fold) {
            return;
        }
        let to = match self.pop_int_operand() {
            // Either operand has its lower half at its place.
            IntOperand::Mem(mem) => {
                let to = self.alloc_int();
                self.asm.movsxd_rm(to, mem);
                to
            }
            IntOperand::Reg(from) => {
                let to = self.reuse_int(from);
                self.asm.movsxd_rr(to, from);
                to
            }
            // Folded before.
            IntOperand::Imm(_) => return,
        };
        self.push_int(to, I64);
    }

    /// An `i32` is zero-extended already.
    pub(super) fn extend32_unsigned(&mut self, fold: FoldUnary) {
        if !self.fold_unary(I64, fold) {
            let register = self.pop_int();
            self.push_int(register, I64);
        }
    }

    /// The lower half.
    pub(super) fn wrap(&mut self, fold: FoldUnary) {
        if self.fold_unary(I32, fold) {
            return;
        }
        let to = match self.pop_int_operand() {
            IntOperand::Mem(mem) => {
                let to = self.alloc_int();
                self.asm.mov_rm(Width::W32, to, mem);
                to
            }
            IntOperand::Reg(from) => {
                let to = self.reuse_int(from);
                self.asm.mov_rr(Width::W32, to, from);
                to
            }
            // Folded before.
            IntOperand::Imm(_) => return,
        };
        self.push_int(to, I32);
    }
}
