//! Relaxed SIMD: with the choices of the optimizing tier, which lists them, so that both give the same result.

use crate::asm::x64::{SseOp, SseShift};
use crate::function::Function;
use crate::operand::SCRATCH_FLOAT;

use super::float::Lanes;
use super::instruction::{repeat, words};

/// Is the product added or subtracted?
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sign {
    /// Added.
    Plus,
    /// Subtracted.
    Minus,
}

impl Function<'_> {
    /// `relaxed_madd` and `relaxed_nmadd`: rounded once on machines with FMA (`fused` is the instruction), twice on others.
    pub(super) fn multiply_add(&mut self, lanes: &Lanes, sign: Sign, fused: SseOp) {
        let addend = self.pop_float_operand();
        if self.features.fma && self.features.avx {
            let second = self.pop_float();
            let result = self.pop_float_mut();
            self.vector(fused, result, second, addend);
            return self.push_arithmetic(lanes, result);
        }
        let second = self.pop_float_operand();
        let first = self.pop_float();
        let result = self.reuse_float(first);
        match sign {
            Sign::Plus => self.vector(lanes.mul, result, first, second),
            Sign::Minus => {
                let signs = self.constant_128(!lanes.magnitude);
                self.vector(SseOp::XORPS, result, first, signs);
                self.vector(lanes.mul, result, result, second);
            }
        }
        self.vector(lanes.add, result, result, addend);
        self.push_arithmetic(lanes, result);
    }

    /// `relaxed_laneselect` by the top bit of each lane. With AVX that is what `select` does; without it, `spread` makes a
    /// mask of whole lanes.
    pub(super) fn lane_select(&mut self, select: SseOp, spread: Spread) {
        if !self.features.avx {
            return self.lane_select_spread(spread);
        }
        let mask = self.pop_float();
        let unset = self.pop_float();
        let set = self.pop_float();
        let result = self.reuse_float(set);
        self.asm.vex_rrrr(select, result, unset, set, mask);
        self.push_vector(result);
    }

    fn lane_select_spread(&mut self, spread: Spread) {
        let mask = self.pop_float();
        let unset = self.pop_float();
        let set = self.pop_float();
        let whole = self.alloc_float();
        let result = self.reuse_float(set);
        match spread {
            Spread::Bytes => {
                self.vector_zeros(whole);
                self.vector(SseOp::PCMPGTB, whole, whole, mask);
            }
            Spread::Dwords => self.vector_shift(SseShift::PSRAD, whole, mask, 31),
            Spread::Quads => {
                self.vector_unary_imm(SseOp::PSHUFD, whole, mask, 0b11_11_01_01);
                self.vector_shift(SseShift::PSRAD, whole, whole, 31);
            }
        }
        self.vector(SseOp::PANDN, SCRATCH_FLOAT, whole, unset);
        self.vector(SseOp::PAND, result, set, whole);
        self.vector(SseOp::POR, result, result, SCRATCH_FLOAT);
        self.push_vector(result);
    }

    /// `i32x4.relaxed_dot_i8x16_i7x16_add_s`: sums of two products, of which two are added.
    pub(super) fn relaxed_dot_add(&mut self) {
        let addend = self.pop_float_operand();
        let result = self.pop_binary_swapped(SseOp::PMADDUBSW);
        let ones = self.constant_128(repeat(words(1)));
        self.vector(SseOp::PMADDWD, result, result, ones);
        self.vector(SseOp::PADDD, result, result, addend);
        self.push_vector(result);
    }
}

/// In lanes of which width top bits spread.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Spread {
    Bytes,
    Dwords,
    Quads,
}
