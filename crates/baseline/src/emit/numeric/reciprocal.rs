//! Division of 32-bit integers by a constant: a product with the constant's reciprocal, 64 bits wide, and a shift.
//!
//! With `m = (2^p + e) / d` a whole number, `n * m / 2^p` is `n / d` plus `n * e / (d * 2^p)`. As long as `e <= 2^(p - k)`
//! for numbers below `2^k`, the error is less than `1 / d`, so both have the same whole part. (Granlund and Montgomery,
//! "Division by invariant integers using multiplication".) For negative numbers the product is rounded down, so one is
//! added.

use abi::assign::MachineType::I32;

use crate::asm::x64::{Alu, Gpr, Shift, Width};
use crate::function::Function;
use crate::operand::SCRATCH;

#[cfg(test)]
mod tests;

/// A reciprocal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Reciprocal {
    multiplier: u32,
    /// `p`, at least 32.
    shift: u8,
}

impl Reciprocal {
    /// The reciprocal of `divisor`, no power of two, with this shift, for numbers below 2^`bits`.
    fn with_shift(divisor: u32, shift: u8, bits: u8) -> Option<Reciprocal> {
        let (divisor, power) = (u64::from(divisor), 1u64 << shift);
        let excess = divisor - power % divisor;
        let multiplier = u32::try_from((power + excess) / divisor).ok()?;
        (excess <= 1 << (shift - bits)).then_some(Reciprocal { multiplier, shift })
    }

    /// For all numbers of 32 bits; not all divisors have one.
    fn unsigned(divisor: u32) -> Option<Reciprocal> {
        Reciprocal::with_shift(divisor, 32 + divisor.ilog2() as u8, 32)
    }

    /// For magnitudes up to 2^31: a multiplier that is an immediate, if there is one. All have one of 32 bits.
    fn signed(divisor: u32) -> Option<Reciprocal> {
        let shift = 31 + divisor.ilog2() as u8;
        Reciprocal::with_shift(divisor, shift, 31).or_else(|| Reciprocal::with_shift(divisor, shift + 1, 31))
    }
}

impl Function<'_> {
    /// `i32.div_u` or `i32.rem_u` by a constant that is no power of two. False, and nothing done, if that takes a division.
    pub(super) fn divide_unsigned_by(&mut self, divisor: u32, remainder: bool) -> bool {
        let Some(Reciprocal { multiplier, shift }) = Reciprocal::unsigned(divisor) else { return false };
        self.drop_top();
        let dividend = self.pop_int();
        let result = self.reuse_int(dividend);
        let quotient = if remainder || result == dividend { SCRATCH } else { result };
        self.asm.mov_ri(quotient, multiplier.into());
        self.asm.imul_rr(Width::W64, quotient, dividend);
        self.asm.shift_ri(Shift::Shr, Width::W64, quotient, shift);
        if remainder {
            self.subtract_multiple(result, dividend, quotient, divisor);
        } else {
            self.copy_int(Width::W32, result, quotient);
        }
        self.push_int(result, I32);
        true
    }

    /// `i32.div_s` or `i32.rem_s` by a positive constant that is no power of two. False, and nothing done, if that takes a
    /// division.
    pub(super) fn divide_signed_by(&mut self, divisor: u32, remainder: bool) -> bool {
        let Some(Reciprocal { multiplier, shift }) = Reciprocal::signed(divisor) else { return false };
        self.drop_top();
        let dividend = self.pop_int();
        let result = self.reuse_int(dividend);
        let quotient = if remainder { self.alloc_int() } else { result };
        self.asm.movsxd_rr(quotient, dividend);
        if let Ok(multiplier) = i32::try_from(multiplier) {
            self.asm.imul_rri(Width::W64, SCRATCH, quotient, multiplier);
        } else {
            self.asm.mov_ri(SCRATCH, multiplier.into());
            self.asm.imul_rr(Width::W64, SCRATCH, quotient);
        }
        self.asm.shift_ri(Shift::Sar, Width::W64, SCRATCH, shift);
        // 1 for negative numbers.
        self.asm.shift_ri(Shift::Shr, Width::W32, quotient, 31);
        self.asm.alu_rr(Alu::Add, Width::W32, quotient, SCRATCH);
        if remainder {
            self.subtract_multiple(result, dividend, quotient, divisor);
        }
        self.push_int(result, I32);
        true
    }

    /// `result = dividend - quotient * divisor`; changes `quotient`.
    fn subtract_multiple(&mut self, result: Gpr, dividend: Gpr, quotient: Gpr, divisor: u32) {
        self.asm.imul_rri(Width::W32, quotient, quotient, divisor.cast_signed());
        self.copy_int(Width::W32, result, dividend);
        self.asm.alu_rr(Alu::Sub, Width::W32, result, quotient);
    }
}
