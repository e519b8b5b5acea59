//! Conversions between integers and floats.
//!
//! The machine converts signed numbers only and gives the least integer for what does not fit. An `i32` of either
//! signedness fits the 64-bit conversion, so there it is enough to see whether the result is an `i32`; the unsigned
//! 64-bit numbers from 2^63 on are converted less 2^63.

use abi::assign::MachineType::{self, F32, F64, I32, I64};
use abi::trap::TrapReason;

use super::floating::by_type;
use super::{FoldUnary, TryFoldUnary};
use crate::asm::x64::{Alu, Cond, Gpr, Label, Mem, Shift, SseOp, Width, Xmm};
use crate::function::Function;
use crate::operand::{Condition, FloatOperand, IntOperand, SCRATCH, SCRATCH_FLOAT};

/// How to round to a whole number: the immediate of `rounds*`, which raises no exception for the inexact result.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum Rounded {
    ToEven = 8,
    Down = 9,
    Up = 10,
    ToZero = 11,
}

/// The integer of a conversion.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Integer {
    S32,
    U32,
    S64,
    U64,
}

impl Integer {
    fn ty(self) -> MachineType {
        match self {
            Integer::S32 | Integer::U32 => I32,
            Integer::S64 | Integer::U64 => I64,
        }
    }
}

/// 2^63 as an integer: the sign bit.
const TOP: u64 = 1 << 63;

/// The bits of 2^63, or of -2^63, as a float.
fn two_to_63(ty: MachineType, negative: bool) -> u64 {
    if ty == F32 {
        (if negative { -9_223_372_036_854_775_808.0f32 } else { 9_223_372_036_854_775_808.0 }).to_bits().into()
    } else {
        (if negative { -9_223_372_036_854_775_808.0f64 } else { 9_223_372_036_854_775_808.0 }).to_bits()
    }
}

/// Floats to integers.
impl Function<'_> {
    fn float_constant(&mut self, ty: MachineType, bits: u64) -> Mem {
        Mem::rip(if ty == F32 { self.asm.constant32(bits as u32) } else { self.asm.constant64(bits) })
    }

    /// `cvtts*2si`, 64 bits wide.
    fn convert_signed(&mut self, ty: MachineType, to: Gpr, from: Xmm) {
        self.asm.sse_to_gpr(by_type(ty, SseOp::CVTTSS2SI, SseOp::CVTTSD2SI), Width::W64, to, from);
    }

    /// `ucomis*` of the float with itself (parity: it is NaN) or another one.
    fn compare_floats(&mut self, ty: MachineType, first: Xmm, second: Xmm) {
        self.asm.sse_rr(by_type(ty, SseOp::UCOMISS, SseOp::UCOMISD), first, second);
    }

    /// Converts `from`, at least 2^63, less 2^63. What is 2^64 and above gives the least integer. Changes `xmm15`.
    fn convert_upper_half(&mut self, ty: MachineType, to: Gpr, from: Xmm) {
        let offset = self.float_constant(ty, two_to_63(ty, false));
        self.asm.sse_rr(SseOp::MOVAPS, SCRATCH_FLOAT, from);
        self.asm.sse_rm(by_type(ty, SseOp::SUBSS, SseOp::SUBSD), SCRATCH_FLOAT, offset);
        self.convert_signed(ty, to, SCRATCH_FLOAT);
    }

    /// Compares the 64-bit result with what is left of it as the integer of 32 bits.
    fn compare_with_low_half(&mut self, signed: bool, register: Gpr) {
        if signed {
            self.asm.movsxd_rr(SCRATCH, register);
        } else {
            self.asm.mov_rr(Width::W32, SCRATCH, register);
        }
        self.asm.alu_rr(Alu::Cmp, Width::W64, SCRATCH, register);
    }

    /// The conversions that trap.
    pub(super) fn truncate(&mut self, to: Integer, ty: MachineType, fold: TryFoldUnary) {
        if let Some(bits) = self.constant(0).and_then(fold) {
            self.drop_top();
            return self.push_const(to.ty(), bits);
        }
        let from = self.pop_float();
        let result = self.alloc_int();
        self.compare_floats(ty, from, from);
        self.trap_if(Condition::Flags(Cond::P), TrapReason::InvalidConversionToInteger);
        self.convert_signed(ty, result, from);
        match to {
            Integer::S32 | Integer::U32 => {
                self.compare_with_low_half(to == Integer::S32, result);
                self.trap_if(Condition::Flags(Cond::Ne), TrapReason::IntegerOverflow);
                if to == Integer::S32 {
                    self.asm.mov_rr(Width::W32, result, result);
                }
            }
            Integer::S64 => {
                let done = self.asm.new_label();
                self.jump_unless_least(result, done);
                let least = self.float_constant(ty, two_to_63(ty, true));
                self.asm.sse_rm(by_type(ty, SseOp::UCOMISS, SseOp::UCOMISD), from, least);
                self.trap_if(Condition::Flags(Cond::Ne), TrapReason::IntegerOverflow);
                self.asm.bind(done);
            }
            Integer::U64 => {
                let done = self.asm.new_label();
                self.asm.test_rr(Width::W64, result, result);
                self.asm.jcc(Cond::Ns, done);
                // Of a negative number this gives a negative one again.
                self.convert_upper_half(ty, result, from);
                self.asm.test_rr(Width::W64, result, result);
                self.trap_if(Condition::Flags(Cond::S), TrapReason::IntegerOverflow);
                self.asm.mov_ri(SCRATCH, TOP);
                self.asm.alu_rr(Alu::Xor, Width::W64, result, SCRATCH);
                self.asm.bind(done);
            }
        }
        self.push_int(result, to.ty());
    }

    /// Jumps if a 64-bit result is not what the machine gives for floats that do not fit.
    fn jump_unless_least(&mut self, result: Gpr, label: Label) {
        // Subtracting 1 overflows for that number only.
        self.asm.alu_ri(Alu::Cmp, Width::W64, result, 1);
        self.asm.jcc(Cond::No, label);
    }

    /// The conversions that give the nearest integer, and 0 for NaN.
    pub(super) fn saturate(&mut self, to: Integer, ty: MachineType, fold: FoldUnary) {
        if self.fold_unary(to.ty(), fold) {
            return;
        }
        let from = self.pop_float();
        let result = self.alloc_int();
        let done = self.asm.new_label();
        self.convert_signed(ty, result, from);
        match to {
            Integer::S32 => {
                self.compare_with_low_half(true, result);
                self.asm.jcc(Cond::E, done);
                self.saturate_signed(ty, result, from, (i32::MAX as u32).into(), done);
                self.asm.bind(done);
                self.asm.mov_rr(Width::W32, result, result);
            }
            Integer::S64 => {
                self.jump_unless_least(result, done);
                self.saturate_signed(ty, result, from, u64::MAX >> 1, done);
                self.asm.bind(done);
            }
            Integer::U32 => {
                self.compare_with_low_half(false, result);
                self.asm.jcc(Cond::E, done);
                self.zero_unless_positive(ty, result, from, done);
                self.asm.mov_ri(result, u32::MAX.into());
                self.asm.bind(done);
            }
            Integer::U64 => {
                self.asm.test_rr(Width::W64, result, result);
                self.asm.jcc(Cond::Ns, done);
                self.zero_unless_positive(ty, result, from, done);
                self.convert_upper_half(ty, result, from);
                // All ones if that did not fit; else the bit that was subtracted.
                self.asm.mov_rr(Width::W64, SCRATCH, result);
                self.asm.shift_ri(Shift::Sar, Width::W64, SCRATCH, 63);
                self.asm.alu_rr(Alu::Or, Width::W64, result, SCRATCH);
                self.asm.mov_ri(SCRATCH, TOP);
                self.asm.alu_rr(Alu::Or, Width::W64, result, SCRATCH);
                self.asm.bind(done);
            }
        }
        self.push_int(result, to.ty());
    }

    /// What does not fit: 0 for NaN, `greatest`, or one more, which is the least.
    fn saturate_signed(&mut self, ty: MachineType, result: Gpr, from: Xmm, greatest: u64, done: Label) {
        self.asm.mov_ri(result, 0);
        self.compare_floats(ty, from, from);
        self.asm.jcc(Cond::P, done);
        self.asm.sse_to_gpr(by_type(ty, SseOp::MOVMSKPS, SseOp::MOVMSKPD), Width::W32, SCRATCH, from);
        self.asm.alu_ri(Alu::And, Width::W32, SCRATCH, 1);
        self.asm.mov_ri(result, greatest);
        self.asm.alu_rr(Alu::Add, Width::W64, result, SCRATCH);
    }

    /// Of NaN and negative numbers, 0 is the result. Changes `xmm15`.
    fn zero_unless_positive(&mut self, ty: MachineType, result: Gpr, from: Xmm, done: Label) {
        self.asm.mov_ri(result, 0);
        self.asm.zero_xmm(SCRATCH_FLOAT);
        self.compare_floats(ty, from, SCRATCH_FLOAT);
        self.asm.jcc(Cond::Be, done);
    }
}

/// Integers to floats, and bits.
impl Function<'_> {
    pub(super) fn float_from(&mut self, from: Integer, ty: MachineType, fold: FoldUnary) {
        if self.fold_unary(ty, fold) {
            return;
        }
        let op = by_type(ty, SseOp::CVTSI2SS, SseOp::CVTSI2SD);
        let result = match from {
            Integer::S32 => self.convert_int(op, Width::W32),
            // All 64 bits of the register are the number.
            Integer::U32 => self.convert_int(op, Width::W64),
            Integer::S64 => self.convert_int(op, Width::W64),
            Integer::U64 => self.convert_unsigned(op, ty),
        };
        self.push_float(result, ty);
    }

    fn convert_int(&mut self, op: SseOp, width: Width) -> Xmm {
        let from = self.pop_int();
        let result = self.alloc_float();
        // The conversion keeps the rest of the register, and so waits for it.
        self.asm.zero_xmm(result);
        self.asm.sse_from_gpr(op, width, result, from);
        result
    }

    /// From 2^63 on, half the number is converted, with a last bit that makes it round as the whole, and doubled.
    fn convert_unsigned(&mut self, op: SseOp, ty: MachineType) -> Xmm {
        let from = self.pop_int_mut();
        let result = self.alloc_float();
        let (upper, done) = (self.asm.new_label(), self.asm.new_label());
        self.asm.zero_xmm(result);
        self.asm.test_rr(Width::W64, from, from);
        self.asm.jcc(Cond::S, upper);
        self.asm.sse_from_gpr(op, Width::W64, result, from);
        self.asm.jmp(done);
        self.asm.bind(upper);
        self.asm.mov_rr(Width::W32, SCRATCH, from);
        self.asm.alu_ri(Alu::And, Width::W32, SCRATCH, 1);
        self.asm.shift_ri(Shift::Shr, Width::W64, from, 1);
        self.asm.alu_rr(Alu::Or, Width::W64, from, SCRATCH);
        self.asm.sse_from_gpr(op, Width::W64, result, from);
        self.asm.sse_rr(by_type(ty, SseOp::ADDSS, SseOp::ADDSD), result, result);
        self.asm.bind(done);
        result
    }

    /// A float's bits as an integer.
    pub(super) fn reinterpret_float(&mut self, to: MachineType) {
        let width = crate::operand::width(to);
        if let Some(bits) = self.constant(0) {
            self.drop_top();
            return self.push_const(to, bits);
        }
        let operand = self.pop_float_operand();
        let result = self.alloc_int();
        match operand {
            FloatOperand::Reg(from) => self.asm.movd_to_gpr(width, result, from),
            FloatOperand::Mem(from) => self.asm.mov_rm(width, result, from),
        }
        self.push_int(result, to);
    }

    /// An integer's bits as a float.
    pub(super) fn reinterpret_int(&mut self, to: MachineType) {
        if let Some(bits) = self.constant(0) {
            self.drop_top();
            return self.push_const(to, bits);
        }
        let operand = self.pop_int_operand();
        let result = self.alloc_float();
        match operand {
            IntOperand::Reg(from) => {
                let width = if to == F64 { Width::W64 } else { Width::W32 };
                self.asm.movd_from_gpr(width, result, from);
            }
            IntOperand::Mem(from) => self.load_reg(to, result.into(), from),
            // Constants went before.
            IntOperand::Imm(_) => {}
        }
        self.push_float(result, to);
    }
}
