//! Shifts, rotations, bit counts and the BMI instructions.

use super::buffer::Assembler;
use super::encode::{Fields, Opcode};
use super::operand::{Gpr, Mem, Shift, Width};
use super::sse_op::SseOp;

/// The BMI instructions are encoded like vector instructions.
const MULX: SseOp = SseOp::new(0xf2, 2, 0xf6);
const ANDN: SseOp = SseOp::new(0, 2, 0xf2);
const RORX: SseOp = SseOp::new(0xf2, 3, 0xf0);
const SHLX: SseOp = SseOp::new(0x66, 2, 0xf7);
const SHRX: SseOp = SseOp::new(0xf2, 2, 0xf7);
const SARX: SseOp = SseOp::new(0xf3, 2, 0xf7);

impl Assembler {
    /// `op dst, count`. The machine looks at the low 5 bits of the count, or 6 with 64 bits.
    #[inline]
    pub(crate) fn shift_ri(&mut self, op: Shift, width: Width, dst: Gpr, count: u8) {
        let fields = Fields::new(op as u8, width).imm(count.into(), 1);
        self.reg_form(Opcode::one(0xc1), fields, dst.number());
    }

    /// `op dst, cl`.
    #[inline]
    pub(crate) fn shift_cl(&mut self, op: Shift, width: Width, dst: Gpr) {
        self.reg_form(Opcode::one(0xd3), Fields::new(op as u8, width), dst.number());
    }

    /// `shlx dst, src, count` (BMI2).
    #[inline]
    pub(crate) fn shlx(&mut self, width: Width, dst: Gpr, src: Gpr, count: Gpr) {
        self.vex_reg_form(SHLX, Fields::new(dst.number(), width), count.number(), src.number());
    }

    /// `shrx dst, src, count` (BMI2).
    #[inline]
    pub(crate) fn shrx(&mut self, width: Width, dst: Gpr, src: Gpr, count: Gpr) {
        self.vex_reg_form(SHRX, Fields::new(dst.number(), width), count.number(), src.number());
    }

    /// `sarx dst, src, count` (BMI2).
    #[inline]
    pub(crate) fn sarx(&mut self, width: Width, dst: Gpr, src: Gpr, count: Gpr) {
        self.vex_reg_form(SARX, Fields::new(dst.number(), width), count.number(), src.number());
    }

    /// `rorx dst, src, count` (BMI2).
    #[inline]
    pub(crate) fn rorx(&mut self, width: Width, dst: Gpr, src: Gpr, count: u8) {
        self.vex_reg_form(RORX, Fields::new(dst.number(), width).imm(count.into(), 1), 0, src.number());
    }

    /// `mulx high, low, src` (BMI2): `high:low = rdx * src`, unsigned, flags untouched.
    #[inline]
    pub(crate) fn mulx(&mut self, width: Width, high: Gpr, low: Gpr, src: Gpr) {
        self.vex_reg_form(MULX, Fields::new(high.number(), width), low.number(), src.number());
    }

    /// `andn dst, a, b` (BMI1): `dst = !a & b`.
    #[inline]
    pub(crate) fn andn(&mut self, width: Width, dst: Gpr, a: Gpr, b: Gpr) {
        self.vex_reg_form(ANDN, Fields::new(dst.number(), width), a.number(), b.number());
    }

    /// `lzcnt dst, src` (LZCNT).
    #[inline]
    pub(crate) fn lzcnt(&mut self, width: Width, dst: Gpr, src: Gpr) {
        self.reg_form(Opcode::two(0xbd).prefix(0xf3), Fields::new(dst.number(), width), src.number());
    }

    /// `tzcnt dst, src` (BMI1).
    #[inline]
    pub(crate) fn tzcnt(&mut self, width: Width, dst: Gpr, src: Gpr) {
        self.reg_form(Opcode::two(0xbc).prefix(0xf3), Fields::new(dst.number(), width), src.number());
    }

    /// `popcnt dst, src` (POPCNT).
    #[inline]
    pub(crate) fn popcnt(&mut self, width: Width, dst: Gpr, src: Gpr) {
        self.reg_form(Opcode::two(0xb8).prefix(0xf3), Fields::new(dst.number(), width), src.number());
    }

    /// `bsr dst, src`: the number of the highest bit; of 0, the zero flag and whatever `dst` was.
    #[inline]
    pub(crate) fn bsr(&mut self, width: Width, dst: Gpr, src: Gpr) {
        self.reg_form(Opcode::two(0xbd), Fields::new(dst.number(), width), src.number());
    }

    /// `bsf dst, src`: the number of the lowest bit; of 0, the zero flag and whatever `dst` was.
    #[inline]
    pub(crate) fn bsf(&mut self, width: Width, dst: Gpr, src: Gpr) {
        self.reg_form(Opcode::two(0xbc), Fields::new(dst.number(), width), src.number());
    }

    /// `popcnt dst, [src]` (POPCNT).
    #[inline]
    pub(crate) fn popcnt_m(&mut self, width: Width, dst: Gpr, src: Mem) {
        self.mem_form(Opcode::two(0xb8).prefix(0xf3), Fields::new(dst.number(), width), src);
    }
}
