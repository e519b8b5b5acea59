//! Conversions between integer and float lanes.

use crate::asm::x64::{SseOp, SseShift};
use crate::function::Function;
use crate::operand::SCRATCH_FLOAT;

use super::float::{EQ, NLT, TRUNC};
use super::instruction::{dwords, repeat};

/// 2^31 in `f32x4`.
const TWO_31: u128 = repeat(dwords(0x4f00_0000));
/// 2^31 - 1 in `f64x2`.
const GREATEST_I32: u128 = repeat(0x41df_ffff_ffc0_0000);
/// 2^32 - 1 in `f64x2`.
const GREATEST_U32: u128 = repeat(0x41ef_ffff_ffe0_0000);
/// 2^52 in `f64x2`: added to a small number, leaves that number as an integer in the low bits.
const TWO_52: u128 = repeat(0x4330_0000_0000_0000);
/// Its upper halves.
const TWO_52_UPPER: u128 = repeat(dwords(0x4330_0000));

impl Function<'_> {
    /// `i32x4.trunc_sat_f32x4_s`. The instruction gives the least integer for all that does not fit: right for what is too
    /// small, and all bits flipped for what is too great. NaN becomes zero before.
    pub(super) fn truncate_f32_signed(&mut self) {
        let source = self.pop_float();
        let result = self.reuse_float(source);
        let limit = self.constant_128(TWO_31);
        self.vector_imm(SseOp::CMPPS, SCRATCH_FLOAT, source, source, EQ);
        self.vector(SseOp::ANDPS, result, source, SCRATCH_FLOAT);
        self.vector_imm(SseOp::CMPPS, SCRATCH_FLOAT, result, limit, NLT);
        self.vector_unary(SseOp::CVTTPS2DQ, result, result);
        self.vector(SseOp::PXOR, result, result, SCRATCH_FLOAT);
        self.push_vector(result);
    }

    /// `i32x4.trunc_sat_f32x4_u` and `i32x4.relaxed_trunc_f32x4_u`: what is left above 2^31 is converted apart and added,
    /// to the 2^31 that the instruction gives for what does not fit.
    pub(super) fn truncate_f32_unsigned(&mut self) {
        let source = self.pop_float();
        let above = self.alloc_float();
        let result = self.reuse_float(source);
        let limit = self.constant_128(TWO_31);
        self.vector_zeros(SCRATCH_FLOAT);
        // The second source, if the first is NaN.
        self.vector(SseOp::MAXPS, result, source, SCRATCH_FLOAT);
        self.vector(SseOp::SUBPS, above, result, limit);
        self.vector_imm(SseOp::CMPPS, SCRATCH_FLOAT, above, limit, NLT);
        self.vector_unary(SseOp::CVTTPS2DQ, above, above);
        self.vector(SseOp::PXOR, above, above, SCRATCH_FLOAT);
        self.vector_zeros(SCRATCH_FLOAT);
        self.vector(SseOp::PMAXSD, above, above, SCRATCH_FLOAT);
        self.vector_unary(SseOp::CVTTPS2DQ, result, result);
        self.vector(SseOp::PADDD, result, result, above);
        self.push_vector(result);
    }

    /// `i32x4.trunc_sat_f64x2_s_zero`: what is too great becomes the greatest integer before, NaN zero (the instruction
    /// for the minimum gives its second source for NaN).
    pub(super) fn truncate_f64_signed(&mut self) {
        let source = self.pop_float();
        let result = self.reuse_float(source);
        let limit = self.constant_128(GREATEST_I32);
        self.vector_imm(SseOp::CMPPD, SCRATCH_FLOAT, source, source, EQ);
        self.vector(SseOp::ANDPS, SCRATCH_FLOAT, SCRATCH_FLOAT, limit);
        self.vector(SseOp::MINPD, result, source, SCRATCH_FLOAT);
        self.vector_unary(SseOp::CVTTPD2DQ, result, result);
        self.push_vector(result);
    }

    /// `i32x4.trunc_sat_f64x2_u_zero` and `i32x4.relaxed_trunc_f64x2_u_zero`: brought into range and rounded, the number is
    /// read off the low bits of its sum with 2^52.
    pub(super) fn truncate_f64_unsigned(&mut self) {
        let source = self.pop_float();
        let result = self.reuse_float(source);
        let (limit, shift) = (self.constant_128(GREATEST_U32), self.constant_128(TWO_52));
        self.vector_zeros(SCRATCH_FLOAT);
        self.vector(SseOp::MAXPD, result, source, SCRATCH_FLOAT);
        self.vector(SseOp::MINPD, result, result, limit);
        self.vector_unary_imm(SseOp::ROUNDPD, result, result, TRUNC);
        self.vector(SseOp::ADDPD, result, result, shift);
        self.vector_imm(SseOp::SHUFPS, result, result, SCRATCH_FLOAT, 0b10_00_10_00);
        self.push_vector(result);
    }

    /// `f32x4.convert_i32x4_u`: the lower 16 bits of each lane and the upper ones are converted apart, half of the upper
    /// ones, which has no sign. All is exact but the last addition.
    pub(super) fn convert_i32_unsigned(&mut self) {
        let source = self.pop_float();
        let result = self.reuse_float(source);
        self.vector_zeros(SCRATCH_FLOAT);
        self.vector_imm(SseOp::PBLENDW, SCRATCH_FLOAT, SCRATCH_FLOAT, source, 0b0101_0101);
        self.vector(SseOp::PSUBD, result, source, SCRATCH_FLOAT);
        self.vector_unary(SseOp::CVTDQ2PS, SCRATCH_FLOAT, SCRATCH_FLOAT);
        self.vector_shift(SseShift::PSRLD, result, result, 1);
        self.vector_unary(SseOp::CVTDQ2PS, result, result);
        self.vector(SseOp::ADDPS, result, result, result);
        self.vector(SseOp::ADDPS, result, result, SCRATCH_FLOAT);
        self.push_vector(result);
    }

    /// `f64x2.convert_low_i32x4_u`: under the upper half of 2^52 each lane makes the sum with it, which is then taken
    /// away.
    pub(super) fn convert_low_i32_unsigned(&mut self) {
        let source = self.pop_float();
        let result = self.reuse_float(source);
        let (upper, shift) = (self.constant_128(TWO_52_UPPER), self.constant_128(TWO_52));
        self.vector(SseOp::UNPCKLPS, result, source, upper);
        self.vector(SseOp::SUBPD, result, result, shift);
        self.push_vector(result);
    }
}
