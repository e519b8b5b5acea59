//! Relaxed SIMD: of the results that the specification allows, the one that x86-64 gives fastest.
//!
//! The choice depends on the machine alone, never on the function or on constants in it, so that one engine gives the
//! same result everywhere:
//! | operator | where the specification leaves a choice |
//! |---|---|
//! | `relaxed_swizzle` | an index takes its low four bits; zero if its top bit is set |
//! | `relaxed_trunc_*_s` | the smallest integer for what does not fit |
//! | `relaxed_trunc_*_u` | as `trunc_sat` |
//! | `relaxed_madd`, `relaxed_nmadd` | rounded once on machines with FMA, twice on others |
//! | `relaxed_laneselect` | by the top bit of each lane; `i16x8` by bits, for want of an instruction |
//! | `relaxed_min`, `relaxed_max` | as `pmin`, `pmax` |
//! | `relaxed_q15mulr_s` | -1 times -1 gives -1 |
//! | `relaxed_dot*` | the second operand is unsigned, the sums of two products saturate |
//!
//! [`crate::isa`] refuses machines that lack one of these instructions, FMA apart.

use cranelift_codegen::ir::types::{I8X16, I16X8, I32X4};
use cranelift_codegen::ir::{InstBuilder, Type};

use super::arithmetic::SIGNED;
use crate::translate::state::Translator;

/// Is the product added or subtracted?
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sign {
    /// Added.
    Plus,
    /// Subtracted.
    Minus,
}

impl Translator<'_> {
    /// `relaxed_madd` and `relaxed_nmadd`. Without the instruction, `fma` would be a library call per lane.
    pub(super) fn multiply_add(&mut self, ty: Type, sign: Sign) {
        let addend = self.pop_vector(ty);
        let (left, right) = self.pop_vectors(ty);
        let left = match sign {
            Sign::Plus => left,
            Sign::Minus => self.builder.ins().fneg(left),
        };
        let result = if self.target.isa.has_native_fma() {
            self.builder.ins().fma(left, right, addend)
        } else {
            let product = self.builder.ins().fmul(left, right);
            self.builder.ins().fadd(product, addend)
        };
        self.push_vector(result);
    }

    /// `relaxed_laneselect`
    pub(super) fn lane_select(&mut self, ty: Type) {
        let mask = self.pop_vector(ty);
        let (left, right) = self.pop_vectors(ty);
        let result = if ty == I16X8 {
            self.builder.ins().bitselect(mask, left, right)
        } else {
            self.builder.ins().blendv(mask, left, right)
        };
        self.push_vector(result);
    }

    /// `i16x8.relaxed_dot_i8x16_i7x16_s`
    pub(super) fn relaxed_dot(&mut self) {
        let (left, right) = self.pop_vectors(I8X16);
        let result = self.builder.ins().x86_pmaddubsw(left, right);
        self.push_vector(result);
    }

    /// `i32x4.relaxed_dot_i8x16_i7x16_add_s`
    pub(super) fn relaxed_dot_add(&mut self) {
        let addend = self.pop_vector(I32X4);
        let (left, right) = self.pop_vectors(I8X16);
        let pairs = self.builder.ins().x86_pmaddubsw(left, right);
        let quads = self.sum_of_pairs(I16X8, SIGNED, pairs);
        let result = self.builder.ins().iadd(quads, addend);
        self.push_vector(result);
    }
}
