//! Integer lanes: what takes more than one instruction.

use crate::asm::x64::{SseOp, SseShift, Xmm};
use crate::function::Function;
use crate::operand::{FloatOperand, SCRATCH_FLOAT};

use super::instruction::{bytes, repeat, words};

/// Which half of a vector.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Half {
    Low,
    High,
}

/// `pshufd`: both halves are the high one.
const HIGH_TWICE: u8 = 0b11_10_11_10;

/// How many bits of each number of four bits are set.
const SET_BITS: u128 = 0x0403_0302_0302_0201_0302_0201_0201_0100;

impl Function<'_> {
    /// `v128.not`
    pub(super) fn not(&mut self) {
        let source = self.pop_float();
        let result = self.reuse_float(source);
        self.vector_ones(SCRATCH_FLOAT);
        self.vector(SseOp::PXOR, result, source, SCRATCH_FLOAT);
        self.push_vector(result);
    }

    /// `v128.bitselect`
    pub(super) fn bit_select(&mut self) {
        let mask = self.pop_float();
        let unset = self.pop_float_operand();
        let set = self.pop_float();
        let result = self.reuse_float(set);
        self.vector(SseOp::PANDN, SCRATCH_FLOAT, mask, unset);
        self.vector(SseOp::PAND, result, set, mask);
        self.vector(SseOp::POR, result, result, SCRATCH_FLOAT);
        self.push_vector(result);
    }

    /// `neg`
    pub(super) fn negate(&mut self, subtract: SseOp) {
        let source = self.pop_float_operand();
        let result = self.alloc_float();
        self.vector_zeros(result);
        self.vector(subtract, result, result, source);
        self.push_vector(result);
    }

    /// `i64x2.abs`: less its sign, all bits flipped if that is -1.
    pub(super) fn absolute_quads(&mut self) {
        let source = self.pop_float();
        let result = self.reuse_float(source);
        self.vector_unary_imm(SseOp::PSHUFD, SCRATCH_FLOAT, source, 0b11_11_01_01);
        self.vector_shift(SseShift::PSRAD, SCRATCH_FLOAT, SCRATCH_FLOAT, 31);
        self.vector(SseOp::PXOR, result, source, SCRATCH_FLOAT);
        self.vector(SseOp::PSUBQ, result, result, SCRATCH_FLOAT);
        self.push_vector(result);
    }

    /// `i8x16.popcnt`: looks up four bits at a time.
    pub(super) fn count_bits(&mut self) {
        let source = self.pop_float();
        let low = self.alloc_float();
        let result = self.alloc_float();
        let nibbles = self.constant_128(repeat(bytes(15)));
        self.vector_shift(SseShift::PSRLW, SCRATCH_FLOAT, source, 4);
        self.vector(SseOp::PAND, SCRATCH_FLOAT, SCRATCH_FLOAT, nibbles);
        self.vector(SseOp::PAND, low, source, nibbles);
        self.vector_bits(result, SET_BITS);
        self.vector(SseOp::PSHUFB, result, result, SCRATCH_FLOAT);
        self.vector_bits(SCRATCH_FLOAT, SET_BITS);
        self.vector(SseOp::PSHUFB, SCRATCH_FLOAT, SCRATCH_FLOAT, low);
        self.vector(SseOp::PADDB, result, result, SCRATCH_FLOAT);
        self.push_vector(result);
    }

    /// `i64x2.mul`: the product of the low halves, and above it the sum of the crosswise products.
    pub(super) fn multiply_quads(&mut self) {
        let second = self.pop_float();
        let first = self.pop_float();
        let cross = self.alloc_float();
        let result = self.reuse_float(first);
        self.vector_shift(SseShift::PSRLQ, cross, first, 32);
        self.vector(SseOp::PMULUDQ, cross, cross, second);
        self.vector_shift(SseShift::PSRLQ, SCRATCH_FLOAT, second, 32);
        self.vector(SseOp::PMULUDQ, SCRATCH_FLOAT, SCRATCH_FLOAT, first);
        self.vector(SseOp::PADDQ, cross, cross, SCRATCH_FLOAT);
        self.vector_shift(SseShift::PSLLQ, cross, cross, 32);
        self.vector(SseOp::PMULUDQ, result, first, second);
        self.vector(SseOp::PADDQ, result, result, cross);
        self.push_vector(result);
    }

    /// `i16x8.q15mulr_sat_s`: the instruction errs for -1 times -1 alone, where it gives -1; all bits flipped, that is
    /// the greatest number.
    pub(super) fn multiply_q15(&mut self) {
        let result = self.pop_binary(SseOp::PMULHRSW);
        let least = self.constant_128(repeat(words(0x8000)));
        self.vector(SseOp::PCMPEQW, SCRATCH_FLOAT, result, least);
        self.vector(SseOp::PXOR, result, result, SCRATCH_FLOAT);
        self.push_vector(result);
    }

    /// `i8x16.swizzle`: an index past the last lane gets its top bit set by the addition, and so selects zero.
    pub(super) fn swizzle(&mut self) {
        let indices = self.pop_float();
        let source = self.pop_float();
        let result = self.reuse_float(source);
        let past = self.constant_128(repeat(bytes(0x70)));
        self.vector(SseOp::PADDUSB, SCRATCH_FLOAT, indices, past);
        self.vector(SseOp::PSHUFB, result, source, SCRATCH_FLOAT);
        self.push_vector(result);
    }
}

/// Widening.
impl Function<'_> {
    /// `extend_high` with the sign: the instruction widens the low half.
    pub(super) fn extend_high_signed(&mut self, widen: SseOp) {
        let source = self.pop_float_operand();
        let result = self.result_for(source);
        self.widen(Half::High, widen, result, source);
        self.push_vector(result);
    }

    /// Widens a half by an instruction that widens the low one.
    fn widen(&mut self, half: Half, widen: SseOp, result: Xmm, source: FloatOperand) {
        let source = match half {
            Half::Low => source,
            Half::High => {
                self.vector_unary_imm(SseOp::PSHUFD, result, source, HIGH_TWICE);
                FloatOperand::Reg(result)
            }
        };
        self.vector_unary(widen, result, source);
    }

    /// `extend_high` with zeros: interleaved with zeros.
    pub(super) fn extend_high_unsigned(&mut self, interleave: SseOp) {
        let source = self.pop_float();
        let result = self.reuse_float(source);
        self.vector_zeros(SCRATCH_FLOAT);
        self.vector(interleave, result, source, SCRATCH_FLOAT);
        self.push_vector(result);
    }

    /// `extmul` of bytes: both are widened first.
    pub(super) fn extend_multiply_bytes(&mut self, half: Half, widen: SseOp) {
        let second = self.pop_float();
        let first = self.pop_float();
        let result = self.reuse_float(first);
        self.widen(half, widen, SCRATCH_FLOAT, second.into());
        self.widen(half, widen, result, first.into());
        self.vector(SseOp::PMULLW, result, result, SCRATCH_FLOAT);
        self.push_vector(result);
    }

    /// `extmul` of 16 bits: the lower and the upper halves of the products, interleaved.
    pub(super) fn extend_multiply_words(&mut self, upper: SseOp, interleave: SseOp) {
        let second = self.pop_float();
        let first = self.pop_float();
        let result = self.reuse_float(first);
        self.vector(upper, SCRATCH_FLOAT, first, second);
        self.vector(SseOp::PMULLW, result, first, second);
        self.vector(interleave, result, result, SCRATCH_FLOAT);
        self.push_vector(result);
    }

    /// `extmul` of 32 bits: the instruction multiplies lanes 0 and 2.
    pub(super) fn extend_multiply_dwords(&mut self, half: Half, multiply: SseOp) {
        let lanes = match half {
            Half::Low => 0b01_01_00_00,
            Half::High => 0b11_11_10_10,
        };
        let second = self.pop_float_operand();
        let first = self.pop_float_operand();
        let result = self.result_for(first);
        self.vector_unary_imm(SseOp::PSHUFD, SCRATCH_FLOAT, second, lanes);
        self.vector_unary_imm(SseOp::PSHUFD, result, first, lanes);
        self.vector(multiply, result, result, SCRATCH_FLOAT);
        self.push_vector(result);
    }

    /// `i16x8.extadd_pairwise_i8x16_s`: the sums of products with one, which the first source has, as it is the unsigned
    /// one.
    pub(super) fn add_pairs_of_bytes_signed(&mut self) {
        let source = self.pop_float_operand();
        let result = self.alloc_float();
        self.vector_bits(result, repeat(bytes(1)));
        self.vector(SseOp::PMADDUBSW, result, result, source);
        self.push_vector(result);
    }

    /// `i32x4.extadd_pairwise_i16x8_u`: the lower lane of each pair and the upper one, both in 32 bits.
    pub(super) fn add_pairs_of_words_unsigned(&mut self) {
        let source = self.pop_float();
        let result = self.reuse_float(source);
        self.vector_zeros(SCRATCH_FLOAT);
        self.vector_imm(SseOp::PBLENDW, SCRATCH_FLOAT, SCRATCH_FLOAT, source, 0b0101_0101);
        self.vector_shift(SseShift::PSRLD, result, source, 16);
        self.vector(SseOp::PADDD, result, result, SCRATCH_FLOAT);
        self.push_vector(result);
    }
}
