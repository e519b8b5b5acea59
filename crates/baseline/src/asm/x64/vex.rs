//! The VEX forms (AVX and later) of the vector instructions, 128 bits wide: the destination is apart from the sources, and
//! memory needs no alignment (but for `MOVAPS`, `MOVAPD` and `MOVDQA`). The upper half of the wide register becomes 0.
//!
//! Which method takes a row is said by its shape: with two sources `vex_rrr`, with one `vex_rr`, and so on.

use super::buffer::Assembler;
use super::encode::Fields;
use super::operand::{Gpr, Mem, Width, Xmm};
use super::sse::{MOVD_FROM, MOVD_TO};
use super::sse_op::{SseOp, SseShift};

impl Assembler {
    /// `vop dst, a, b`.
    #[inline]
    pub(crate) fn vex_rrr(&mut self, op: SseOp, dst: Xmm, a: Xmm, b: Xmm) {
        self.vex_reg_form(op, Fields::new(dst.number(), Width::W32), a.number(), b.number());
    }

    /// `vop dst, a, [b]`.
    #[inline]
    pub(crate) fn vex_rrm(&mut self, op: SseOp, dst: Xmm, a: Xmm, b: Mem) {
        self.vex_mem_form(op, Fields::new(dst.number(), Width::W32), a.number(), b);
    }

    /// `vop dst, a, b, imm`.
    #[inline]
    pub(crate) fn vex_rrri(&mut self, op: SseOp, dst: Xmm, a: Xmm, b: Xmm, imm: u8) {
        let fields = Fields::new(dst.number(), Width::W32).imm(imm.into(), 1);
        self.vex_reg_form(op, fields, a.number(), b.number());
    }

    /// `vop dst, a, [b], imm`.
    #[inline]
    pub(crate) fn vex_rrmi(&mut self, op: SseOp, dst: Xmm, a: Xmm, b: Mem, imm: u8) {
        let fields = Fields::new(dst.number(), Width::W32).imm(imm.into(), 1);
        self.vex_mem_form(op, fields, a.number(), b);
    }

    /// `vop dst, a, b, mask`: the blends of four operands.
    #[inline]
    pub(crate) fn vex_rrrr(&mut self, op: SseOp, dst: Xmm, a: Xmm, b: Xmm, mask: Xmm) {
        self.vex_rrri(op, dst, a, b, mask.number() << 4);
    }

    /// `vop dst, a, [b], mask`.
    #[inline]
    pub(crate) fn vex_rrmr(&mut self, op: SseOp, dst: Xmm, a: Xmm, b: Mem, mask: Xmm) {
        self.vex_rrmi(op, dst, a, b, mask.number() << 4);
    }

    /// `vop dst, src`.
    #[inline]
    pub(crate) fn vex_rr(&mut self, op: SseOp, dst: Xmm, src: Xmm) {
        self.vex_reg_form(op, Fields::new(dst.number(), Width::W32), 0, src.number());
    }

    /// `vop dst, [src]`.
    #[inline]
    pub(crate) fn vex_rm(&mut self, op: SseOp, dst: Xmm, src: Mem) {
        self.vex_mem_form(op, Fields::new(dst.number(), Width::W32), 0, src);
    }

    /// `vop dst, src, imm`.
    #[inline]
    pub(crate) fn vex_rri(&mut self, op: SseOp, dst: Xmm, src: Xmm, imm: u8) {
        self.vex_reg_form(op, Fields::new(dst.number(), Width::W32).imm(imm.into(), 1), 0, src.number());
    }

    /// `vop dst, [src], imm`.
    #[inline]
    pub(crate) fn vex_rmi(&mut self, op: SseOp, dst: Xmm, src: Mem, imm: u8) {
        self.vex_mem_form(op, Fields::new(dst.number(), Width::W32).imm(imm.into(), 1), 0, src);
    }

    /// `vop [dst], src`, for the rows that store.
    #[inline]
    pub(crate) fn vex_mr(&mut self, op: SseOp, dst: Mem, src: Xmm) {
        self.vex_mem_form(op, Fields::new(src.number(), Width::W32), 0, dst);
    }

    /// `vop dst, a, src` from a general purpose register: conversions, where `a` gives the rest of `dst`.
    #[inline]
    pub(crate) fn vex_from_gpr(&mut self, op: SseOp, width: Width, dst: Xmm, a: Xmm, src: Gpr) {
        self.vex_reg_form(op, Fields::new(dst.number(), width), a.number(), src.number());
    }

    /// `vop dst, a, [src]` from an integer in memory: conversions.
    #[inline]
    pub(crate) fn vex_from_gpr_m(&mut self, op: SseOp, width: Width, dst: Xmm, a: Xmm, src: Mem) {
        self.vex_mem_form(op, Fields::new(dst.number(), width), a.number(), src);
    }

    /// `vop dst, src` to a general purpose register: conversions, masks of signs.
    #[inline]
    pub(crate) fn vex_to_gpr(&mut self, op: SseOp, width: Width, dst: Gpr, src: Xmm) {
        self.vex_reg_form(op, Fields::new(dst.number(), width), 0, src.number());
    }

    /// `vop dst, [src]` from a float in memory to a general purpose register: conversions.
    #[inline]
    pub(crate) fn vex_to_gpr_m(&mut self, op: SseOp, width: Width, dst: Gpr, src: Mem) {
        self.vex_mem_form(op, Fields::new(dst.number(), width), 0, src);
    }

    /// `vop dst, a, src, lane`: `a` with a general purpose register in a lane. The width is as for `sse_insert`.
    #[inline]
    pub(crate) fn vex_insert(&mut self, op: SseOp, width: Width, dst: Xmm, a: Xmm, (src, lane): (Gpr, u8)) {
        let fields = Fields::new(dst.number(), width).imm(lane.into(), 1);
        self.vex_reg_form(op, fields, a.number(), src.number());
    }

    /// `vop dst, a, [src], lane`.
    #[inline]
    pub(crate) fn vex_insert_m(&mut self, op: SseOp, width: Width, dst: Xmm, a: Xmm, (src, lane): (Mem, u8)) {
        self.vex_mem_form(op, Fields::new(dst.number(), width).imm(lane.into(), 1), a.number(), src);
    }

    /// `vop dst, src, lane`: a lane to a general purpose register. The width is as for `sse_insert`.
    #[inline]
    pub(crate) fn vex_extract(&mut self, op: SseOp, width: Width, dst: Gpr, src: Xmm, lane: u8) {
        self.vex_reg_form(op, Fields::new(src.number(), width).imm(lane.into(), 1), 0, dst.number());
    }

    /// `vop [dst], src, lane`.
    #[inline]
    pub(crate) fn vex_extract_m(&mut self, op: SseOp, width: Width, dst: Mem, src: Xmm, lane: u8) {
        self.vex_mem_form(op, Fields::new(src.number(), width).imm(lane.into(), 1), 0, dst);
    }

    /// `vop dst, src, count`.
    #[inline]
    pub(crate) fn vex_shift_i(&mut self, shift: SseShift, dst: Xmm, src: Xmm, count: u8) {
        let fields = Fields::new(shift.extension, Width::W32).imm(count.into(), 1);
        self.vex_reg_form(shift.op, fields, dst.number(), src.number());
    }

    /// `vmovd dst, src` or `vmovq dst, src`: the rest of `dst` becomes 0.
    #[inline]
    pub(crate) fn vmovd_from_gpr(&mut self, width: Width, dst: Xmm, src: Gpr) {
        self.vex_reg_form(MOVD_FROM, Fields::new(dst.number(), width), 0, src.number());
    }

    /// `vmovd dst, src` or `vmovq dst, src`.
    #[inline]
    pub(crate) fn vmovd_to_gpr(&mut self, width: Width, dst: Gpr, src: Xmm) {
        self.vex_reg_form(MOVD_TO, Fields::new(src.number(), width), 0, dst.number());
    }
}
