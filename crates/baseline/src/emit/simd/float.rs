//! Float lanes.
//!
//! Where the optimizing tier makes NaNs canonical if the settings ask for it, so does this one: arithmetic, roundings, and
//! the conversions between the two float types.

use crate::asm::x64::{Mem, SseOp, SseShift, Xmm};
use crate::function::Function;
use crate::operand::{FloatOperand, SCRATCH_FLOAT};

use super::instruction::{dwords, repeat};

/// `cmpps`: equal; less; less or equal; unordered; not equal; not less.
pub(super) const EQ: u8 = 0;
pub(super) const LT: u8 = 1;
pub(super) const LE: u8 = 2;
pub(super) const UNORD: u8 = 3;
pub(super) const NE: u8 = 4;
pub(super) const NLT: u8 = 5;

/// `roundps`: which way.
pub(super) const NEAREST: u8 = 0;
pub(super) const FLOOR: u8 = 1;
pub(super) const CEIL: u8 = 2;
pub(super) const TRUNC: u8 = 3;

/// The instructions for one type of lane.
#[derive(Debug)]
pub(super) struct Lanes {
    compare: SseOp,
    select: SseOp,
    min: SseOp,
    max: SseOp,
    pub(super) add: SseOp,
    sub: SseOp,
    pub(super) mul: SseOp,
    shift_right: SseShift,
    /// Bits of sign, exponent and the highest one of the fraction.
    above_fraction: u8,
    /// All but the sign, in all lanes.
    pub(super) magnitude: u128,
    canonical_nan: u128,
}

/// `f32x4`
pub(super) const F32X4: &Lanes = &Lanes {
    compare: SseOp::CMPPS,
    select: SseOp::VBLENDVPS,
    min: SseOp::MINPS,
    max: SseOp::MAXPS,
    add: SseOp::ADDPS,
    sub: SseOp::SUBPS,
    mul: SseOp::MULPS,
    shift_right: SseShift::PSRLD,
    above_fraction: 10,
    magnitude: repeat(dwords(0x7fff_ffff)),
    canonical_nan: repeat(dwords(0x7fc0_0000)),
};

/// `f64x2`
pub(super) const F64X2: &Lanes = &Lanes {
    compare: SseOp::CMPPD,
    select: SseOp::VBLENDVPD,
    min: SseOp::MINPD,
    max: SseOp::MAXPD,
    add: SseOp::ADDPD,
    sub: SseOp::SUBPD,
    mul: SseOp::MULPD,
    shift_right: SseShift::PSRLQ,
    above_fraction: 13,
    magnitude: repeat(0x7fff_ffff_ffff_ffff),
    canonical_nan: repeat(0x7ff8_0000_0000_0000),
};

impl Function<'_> {
    /// Pushes the result of arithmetic, which is in a register of its own.
    pub(super) fn push_arithmetic(&mut self, lanes: &Lanes, result: Xmm) {
        if self.settings().canonical_nans {
            self.make_nans_canonical(lanes, result);
        }
        self.push_vector(result);
    }

    /// Lanes that are NaN become the canonical one.
    fn make_nans_canonical(&mut self, lanes: &Lanes, result: Xmm) {
        let is_nan = self.alloc_float();
        let nan = Mem::rip(self.asm.constant128(lanes.canonical_nan));
        self.vector_imm(lanes.compare, is_nan, result, result, UNORD);
        if self.features.avx {
            return self.asm.vex_rrmr(lanes.select, result, result, nan, is_nan);
        }
        self.vector(SseOp::PANDN, SCRATCH_FLOAT, is_nan, result);
        self.vector(SseOp::PAND, is_nan, is_nan, FloatOperand::Mem(nan));
        self.vector(SseOp::POR, result, is_nan, SCRATCH_FLOAT);
    }

    /// Arithmetic of two operands.
    pub(super) fn arithmetic(&mut self, lanes: &Lanes, op: SseOp) {
        let result = self.pop_binary(op);
        self.push_arithmetic(lanes, result);
    }

    /// Arithmetic of one operand; `lanes` is the result's.
    pub(super) fn arithmetic_unary(&mut self, lanes: &Lanes, op: SseOp) {
        let result = self.pop_unary(op);
        self.push_arithmetic(lanes, result);
    }

    /// `ceil`, `floor`, `trunc`, `nearest`
    pub(super) fn round(&mut self, lanes: &Lanes, op: SseOp, way: u8) {
        let source = self.pop_float_operand();
        let result = self.result_for(source);
        self.vector_unary_imm(op, result, source, way);
        self.push_arithmetic(lanes, result);
    }

    /// `min`. The instruction gives its second source if both are zeros or one is NaN, so it is done both ways round: the
    /// union has the sign if one zero has it, and is NaN if one of them is. A NaN is then made quiet and all ones, and
    /// loses the rest of its fraction.
    pub(super) fn min(&mut self, lanes: &Lanes) {
        let second = self.pop_float();
        let first = self.pop_float();
        let other = self.alloc_float();
        let result = self.reuse_float(first);
        self.vector(lanes.min, other, second, first);
        self.vector(lanes.min, result, first, second);
        self.vector(SseOp::ORPS, result, result, other);
        self.vector_imm(lanes.compare, other, other, result, UNORD);
        self.vector(SseOp::ORPS, result, result, other);
        self.vector_shift(lanes.shift_right, other, other, lanes.above_fraction);
        self.vector(SseOp::ANDNPS, other, other, result);
        self.push_arithmetic(lanes, other);
    }

    /// `max`. Likewise both ways round; the difference in bits is that of the signs of two zeros, which the subtraction
    /// then takes away, or makes a NaN.
    pub(super) fn max(&mut self, lanes: &Lanes) {
        let second = self.pop_float();
        let first = self.pop_float();
        let difference = self.alloc_float();
        let is_nan = self.alloc_float();
        let result = self.reuse_float(first);
        self.vector(lanes.max, difference, second, first);
        self.vector(lanes.max, result, first, second);
        self.vector(SseOp::XORPS, difference, difference, result);
        self.vector(SseOp::ORPS, result, result, difference);
        self.vector_imm(lanes.compare, is_nan, result, result, UNORD);
        self.vector(lanes.sub, result, result, difference);
        self.vector_shift(lanes.shift_right, is_nan, is_nan, lanes.above_fraction);
        self.vector(SseOp::ANDNPS, is_nan, is_nan, result);
        self.push_arithmetic(lanes, is_nan);
    }

    /// `pmin` and `relaxed_min`: the instruction in just this order.
    pub(super) fn pseudo_min(&mut self, lanes: &Lanes) {
        self.binary_swapped(lanes.min);
    }

    /// `pmax` and `relaxed_max`
    pub(super) fn pseudo_max(&mut self, lanes: &Lanes) {
        self.binary_swapped(lanes.max);
    }

    /// `abs`
    pub(super) fn absolute(&mut self, lanes: &Lanes) {
        self.with_constant(SseOp::ANDPS, lanes.magnitude);
    }

    /// `neg`
    pub(super) fn negate_floats(&mut self, lanes: &Lanes) {
        self.with_constant(SseOp::XORPS, !lanes.magnitude);
    }
}
