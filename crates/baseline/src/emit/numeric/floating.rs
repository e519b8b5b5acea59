//! Float arithmetic.
//!
//! NaNs: with `canonical_nans`, every arithmetic result that is NaN becomes the positive canonical one, after the same
//! operators as in the optimizing tier; `abs`, `neg` and `copysign` only touch the sign. Otherwise the machine decides:
//! the first operand that is NaN, made quiet.

use abi::assign::MachineType::{self, F32};

use super::conversion::Rounded;
use super::{FoldBinary, FoldUnary};
use crate::asm::x64::{Cond, Mem, SseOp, Xmm};
use crate::function::Function;
use crate::operand::{FloatOperand, SCRATCH_FLOAT};

/// The float's instruction of a pair.
#[inline]
pub(super) fn by_type(ty: MachineType, single: SseOp, double: SseOp) -> SseOp {
    if ty == F32 { single } else { double }
}

/// On the bits, since compilers that know how a float was made may find that it "is no NaN with other bits".
fn is_nan(ty: MachineType, bits: u64) -> bool {
    let infinite = if ty == F32 { u64::from(f32::INFINITY.to_bits()) } else { f64::INFINITY.to_bits() };
    bits & magnitude(ty) as u64 > infinite
}

/// The bits of the positive canonical NaN.
fn canonical_nan(ty: MachineType) -> u64 {
    if ty == F32 { 0x7fc0_0000 } else { 0x7ff8_0000_0000_0000 }
}

/// All bits but the sign.
fn magnitude(ty: MachineType) -> u128 {
    if ty == F32 { (u32::MAX >> 1).into() } else { (u64::MAX >> 1).into() }
}

impl Function<'_> {
    /// The result of an arithmetic operator that was computed here, unless it is a NaN whose bits the machine chooses.
    fn folded(&self, ty: MachineType, bits: u64) -> Option<u64> {
        match (is_nan(ty, bits), self.settings().canonical_nans) {
            (false, _) => Some(bits),
            (true, true) => Some(canonical_nan(ty)),
            (true, false) => None,
        }
    }

    /// Computes an arithmetic operator of constants; then all is done.
    #[inline]
    fn fold_float_binary(&mut self, ty: MachineType, fold: FoldBinary) -> bool {
        let (Some(first), Some(second)) = (self.constant(1), self.constant(0)) else { return false };
        let Some(bits) = self.folded(ty, fold(first, second)) else { return false };
        self.drop_top();
        self.drop_top();
        self.push_const(ty, bits);
        true
    }

    /// Computes an arithmetic operator of a constant; then all is done.
    #[inline]
    fn fold_float_unary(&mut self, ty: MachineType, fold: FoldUnary) -> bool {
        let Some(operand) = self.constant(0) else { return false };
        let Some(bits) = self.folded(ty, fold(operand)) else { return false };
        self.drop_top();
        self.push_const(ty, bits);
        true
    }

    /// Pushes an arithmetic result.
    #[inline]
    fn push_result(&mut self, result: Xmm, ty: MachineType) {
        if self.settings().canonical_nans {
            self.canonicalize(result, ty);
        }
        self.push_float(result, ty);
    }

    #[inline(never)]
    fn canonicalize(&mut self, result: Xmm, ty: MachineType) {
        let number = self.asm.new_label();
        self.asm.sse_rr(by_type(ty, SseOp::UCOMISS, SseOp::UCOMISD), result, result);
        self.asm.jcc(Cond::Np, number);
        self.load_const(ty, result.into(), canonical_nan(ty));
        self.asm.bind(number);
    }

    /// `register = register op operand`.
    #[inline]
    fn sse(&mut self, op: SseOp, register: Xmm, operand: FloatOperand) {
        match operand {
            FloatOperand::Reg(other) => self.asm.sse_rr(op, register, other),
            FloatOperand::Mem(mem) => self.asm.sse_rm(op, register, mem),
        }
    }

    /// Addition, subtraction, multiplication, division.
    pub(super) fn float_binary(&mut self, op: SseOp, ty: MachineType, fold: FoldBinary) {
        if self.fold_float_binary(ty, fold) {
            return;
        }
        let second = self.pop_float_operand();
        let result = if self.features.avx {
            self.vex_binary(op, second)
        } else {
            let result = self.pop_float_mut();
            self.sse(op, result, second);
            result
        };
        self.push_result(result, ty);
    }

    /// Pops the first operand. The result takes over the register of either.
    #[inline]
    fn vex_binary(&mut self, op: SseOp, second: FloatOperand) -> Xmm {
        let first = self.pop_float();
        match second {
            _ if self.is_spent(first.into()) => {
                self.sse(op, first, second);
                first
            }
            FloatOperand::Reg(second) => {
                let result = self.reuse_float(second);
                self.asm.vex_rrr(op, result, first, second);
                result
            }
            FloatOperand::Mem(second) => {
                let result = self.alloc_float();
                self.asm.vex_rrm(op, result, first, second);
                result
            }
        }
    }

    /// Operators of one operand that are one instruction: square root, promotion, demotion.
    pub(super) fn float_unary(&mut self, op: SseOp, to: MachineType, fold: FoldUnary) {
        if self.fold_float_unary(to, fold) {
            return;
        }
        let result = self.unary_registers(|this, result, operand| match result == operand {
            true => this.asm.sse_rr(op, result, operand),
            // The rest of the register comes from the operand, not from what was in the result's.
            false => this.asm.vex_rrr(op, result, operand, operand),
        });
        self.push_result(result, to);
    }

    /// Pops an operand for an instruction that merges its result into a register: both registers are the same one, or
    /// there is AVX.
    #[inline]
    fn unary_registers(&mut self, emit: impl FnOnce(&mut Self, Xmm, Xmm)) -> Xmm {
        if self.features.avx {
            let operand = self.pop_float();
            let result = self.reuse_float(operand);
            emit(self, result, operand);
            result
        } else {
            let operand = self.pop_float_mut();
            emit(self, operand, operand);
            operand
        }
    }

    /// To a whole number.
    pub(super) fn round_float(&mut self, rounded: Rounded, ty: MachineType, fold: FoldUnary) {
        if self.fold_float_unary(ty, fold) {
            return;
        }
        let op = by_type(ty, SseOp::ROUNDSS, SseOp::ROUNDSD);
        let mode = rounded as u8;
        let result = self.unary_registers(|this, result, operand| match result == operand {
            true => this.asm.sse_rri(op, result, operand, mode),
            false => this.asm.vex_rrri(op, result, operand, operand, mode),
        });
        self.push_result(result, ty);
    }

    /// Changes the sign bit: `ANDPS` clears it, `XORPS` flips it.
    pub(super) fn change_sign(&mut self, op: SseOp, ty: MachineType, fold: FoldUnary) {
        if self.fold_unary(ty, fold) {
            return;
        }
        let mask = if op == SseOp::ANDPS { magnitude(ty) } else { magnitude(ty) + 1 };
        let mask = Mem::rip(self.asm.constant128(mask));
        let result = self.unary_registers(|this, result, operand| match result == operand {
            true => this.asm.sse_rm(op, result, mask),
            false => this.asm.vex_rrm(op, result, operand, mask),
        });
        self.push_float(result, ty);
    }

    pub(super) fn copy_sign(&mut self, ty: MachineType, fold: FoldBinary) {
        if self.fold_binary(ty, fold) {
            return;
        }
        if let Some(sign) = self.constant(0) {
            self.drop_top();
            let negative = sign & (magnitude(ty) as u64 + 1) != 0;
            let result = self.pop_float_mut();
            let (op, mask) = match negative {
                true => (SseOp::ORPS, magnitude(ty) + 1),
                false => (SseOp::ANDPS, magnitude(ty)),
            };
            let mask = Mem::rip(self.asm.constant128(mask));
            self.asm.sse_rm(op, result, mask);
            return self.push_float(result, ty);
        }
        let sign = self.pop_float();
        let result = self.pop_float_mut();
        let mask = Mem::rip(self.asm.constant128(magnitude(ty)));
        self.asm.sse_rm(SseOp::MOVAPS, SCRATCH_FLOAT, mask);
        self.asm.sse_rr(SseOp::ANDPS, result, SCRATCH_FLOAT);
        self.asm.sse_rr(SseOp::ANDNPS, SCRATCH_FLOAT, sign);
        self.asm.sse_rr(SseOp::ORPS, result, SCRATCH_FLOAT);
        self.push_float(result, ty);
    }

    pub(super) fn minimum(&mut self, ty: MachineType, fold: FoldBinary) {
        // Of zeros, the negative one.
        self.choose(by_type(ty, SseOp::MINSS, SseOp::MINSD), SseOp::ORPS, ty, fold);
    }

    pub(super) fn maximum(&mut self, ty: MachineType, fold: FoldBinary) {
        // Of zeros, the positive one.
        self.choose(by_type(ty, SseOp::MAXSS, SseOp::MAXSD), SseOp::ANDPS, ty, fold);
    }

    /// The machine's own instruction serves for ordered operands that differ. Equal ones differ in the sign of zero at most,
    /// which `equal` settles; if one is NaN, the sum is NaN too. The second operand is the result's register, as in the
    /// optimizing tier: so both choose the same of two NaNs.
    fn choose(&mut self, differ: SseOp, equal: SseOp, ty: MachineType, fold: FoldBinary) {
        if self.fold_float_binary(ty, fold) {
            return;
        }
        let result = self.pop_float_mut();
        let first = self.pop_float();
        let (ordered, unequal, done) = (self.asm.new_label(), self.asm.new_label(), self.asm.new_label());
        self.asm.sse_rr(by_type(ty, SseOp::UCOMISS, SseOp::UCOMISD), result, first);
        self.asm.jcc(Cond::Ne, unequal);
        self.asm.jcc(Cond::Np, ordered);
        self.asm.sse_rr(by_type(ty, SseOp::ADDSS, SseOp::ADDSD), result, first);
        self.asm.jmp(done);
        self.asm.bind(ordered);
        self.asm.sse_rr(equal, result, first);
        self.asm.jmp(done);
        self.asm.bind(unequal);
        self.asm.sse_rr(differ, result, first);
        self.asm.bind(done);
        self.push_result(result, ty);
    }
}
