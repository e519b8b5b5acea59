//! The legacy forms of the vector instructions: the destination is the first source.
//!
//! A memory operand of 16 bytes must be aligned to 16 (or the instruction faults), but for `MOVUPS`, `MOVUPD` and `MOVDQU`.
//! Operands of memory shorter than that (scalars, halves, `PMOVSX..`) need no alignment, nor does any VEX form.

use super::buffer::Assembler;
use super::encode::{Fields, Opcode};
use super::operand::{Gpr, Mem, Width, Xmm};
use super::sse_op::{SseOp, SseShift};

/// `movd` and `movq` from and to a general purpose register.
pub(super) const MOVD_FROM: SseOp = SseOp::new(0x66, 1, 0x6e);
pub(super) const MOVD_TO: SseOp = SseOp::new(0x66, 1, 0x7e);

impl Assembler {
    /// `op dst, src`.
    #[inline]
    pub(crate) fn sse_rr(&mut self, op: SseOp, dst: Xmm, src: Xmm) {
        self.reg_form(op.opcode(), Fields::new(dst.number(), Width::W32), src.number());
    }

    /// `op dst, [src]`.
    #[inline]
    pub(crate) fn sse_rm(&mut self, op: SseOp, dst: Xmm, src: Mem) {
        self.mem_form(op.opcode(), Fields::new(dst.number(), Width::W32), src);
    }

    /// `op dst, src, imm`.
    #[inline]
    pub(crate) fn sse_rri(&mut self, op: SseOp, dst: Xmm, src: Xmm, imm: u8) {
        self.reg_form(op.opcode(), Fields::new(dst.number(), Width::W32).imm(imm.into(), 1), src.number());
    }

    /// `op dst, [src], imm`.
    #[inline]
    pub(crate) fn sse_rmi(&mut self, op: SseOp, dst: Xmm, src: Mem, imm: u8) {
        self.mem_form(op.opcode(), Fields::new(dst.number(), Width::W32).imm(imm.into(), 1), src);
    }

    /// `op [dst], src`, for the rows that store.
    #[inline]
    pub(crate) fn sse_mr(&mut self, op: SseOp, dst: Mem, src: Xmm) {
        self.mem_form(op.opcode(), Fields::new(src.number(), Width::W32), dst);
    }

    /// `op dst, src` from a general purpose register: conversions.
    #[inline]
    pub(crate) fn sse_from_gpr(&mut self, op: SseOp, width: Width, dst: Xmm, src: Gpr) {
        self.reg_form(op.opcode(), Fields::new(dst.number(), width), src.number());
    }

    /// `op dst, [src]` from an integer in memory: conversions.
    #[inline]
    pub(crate) fn sse_from_gpr_m(&mut self, op: SseOp, width: Width, dst: Xmm, src: Mem) {
        self.mem_form(op.opcode(), Fields::new(dst.number(), width), src);
    }

    /// `op dst, src` to a general purpose register: conversions, masks of signs.
    #[inline]
    pub(crate) fn sse_to_gpr(&mut self, op: SseOp, width: Width, dst: Gpr, src: Xmm) {
        self.reg_form(op.opcode(), Fields::new(dst.number(), width), src.number());
    }

    /// `op dst, [src]` from a float in memory to a general purpose register: conversions.
    #[inline]
    pub(crate) fn sse_to_gpr_m(&mut self, op: SseOp, width: Width, dst: Gpr, src: Mem) {
        self.mem_form(op.opcode(), Fields::new(dst.number(), width), src);
    }

    /// `op dst, src, lane`: a general purpose register into a lane. The width says `pinsrd` or `pinsrq`, and is `W32`
    /// with smaller lanes.
    #[inline]
    pub(crate) fn sse_insert(&mut self, op: SseOp, width: Width, dst: Xmm, src: Gpr, lane: u8) {
        self.reg_form(op.opcode(), Fields::new(dst.number(), width).imm(lane.into(), 1), src.number());
    }

    /// `op dst, [src], lane`.
    #[inline]
    pub(crate) fn sse_insert_m(&mut self, op: SseOp, width: Width, dst: Xmm, src: Mem, lane: u8) {
        self.mem_form(op.opcode(), Fields::new(dst.number(), width).imm(lane.into(), 1), src);
    }

    /// `op dst, src, lane`: a lane to a general purpose register, extended by zeros. The width is as for `sse_insert`.
    #[inline]
    pub(crate) fn sse_extract(&mut self, op: SseOp, width: Width, dst: Gpr, src: Xmm, lane: u8) {
        self.reg_form(op.opcode(), Fields::new(src.number(), width).imm(lane.into(), 1), dst.number());
    }

    /// `op [dst], src, lane`.
    #[inline]
    pub(crate) fn sse_extract_m(&mut self, op: SseOp, width: Width, dst: Mem, src: Xmm, lane: u8) {
        self.mem_form(op.opcode(), Fields::new(src.number(), width).imm(lane.into(), 1), dst);
    }

    /// `op dst, count`.
    #[inline]
    pub(crate) fn sse_shift_i(&mut self, shift: SseShift, dst: Xmm, count: u8) {
        let fields = Fields::new(shift.extension, Width::W32).imm(count.into(), 1);
        self.reg_form(shift.op.opcode(), fields, dst.number());
    }

    /// `movd dst, src` or `movq dst, src`: the rest of `dst` becomes 0.
    #[inline]
    pub(crate) fn movd_from_gpr(&mut self, width: Width, dst: Xmm, src: Gpr) {
        self.sse_from_gpr(MOVD_FROM, width, dst, src);
    }

    /// `movd dst, src` or `movq dst, src`; with 32 bits, clears the upper half of `dst`.
    #[inline]
    pub(crate) fn movd_to_gpr(&mut self, width: Width, dst: Gpr, src: Xmm) {
        self.reg_form(MOVD_TO.opcode(), Fields::new(src.number(), width), dst.number());
    }

    /// `xorps dst, dst`, which is how a register becomes 0.
    #[inline]
    pub(crate) fn zero_xmm(&mut self, dst: Xmm) {
        const XORPS: Opcode = SseOp::XORPS.opcode();
        self.reg_form(XORPS, Fields::new(dst.number(), Width::W32), dst.number());
    }
}
