//! Division and remainder.
//!
//! A division that the machine cannot do faults, and the fault is the trap: no check is needed where only one reason is
//! left for it. Constant divisors need none at all; powers of two no division either, nor do most others of 32 bits.

use abi::assign::MachineType::{self, I32};
use abi::trap::TrapReason;

use super::TryFoldBinary;
use super::count::bits;
use super::integer::immediate;
use crate::asm::x64::{Alu, Cond, Gpr, Shift, Width};
use crate::function::Function;
use crate::operand::{Condition, IntOperand, SCRATCH, width};

/// Which of the four operators.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Division {
    DivS,
    DivU,
    RemS,
    RemU,
}

impl Function<'_> {
    pub(super) fn divide(&mut self, division: Division, ty: MachineType, fold: TryFoldBinary) {
        let divisor = self.constant(0);
        if let (Some(a), Some(b)) = (self.constant(1), divisor)
            && let Some(result) = fold(a, b)
        {
            self.drop_top();
            self.drop_top();
            return self.push_const(ty, result);
        }
        match divisor {
            None | Some(0) => self.divide_checked(division, ty),
            Some(divisor) => self.divide_by(division, ty, divisor),
        }
    }

    fn divide_checked(&mut self, division: Division, ty: MachineType) {
        let width = width(ty);
        let divisor = self.pop_division();
        match division {
            Division::DivU | Division::RemU => {
                self.asm.alu_rr(Alu::Xor, Width::W32, Gpr::RDX, Gpr::RDX);
                self.trap_site(TrapReason::IntegerDivideByZero);
                self.asm.div(width, divisor);
            }
            Division::DivS => {
                self.asm.test_rr(width, divisor, divisor);
                self.trap_if(Condition::Flags(Cond::E), TrapReason::IntegerDivideByZero);
                self.asm.cdq(width);
                self.trap_site(TrapReason::IntegerOverflow);
                self.asm.idiv(width, divisor);
            }
            Division::RemS => {
                // By -1 the remainder is 0, which the machine does not find if the quotient has no representation.
                let done = self.asm.new_label();
                self.asm.alu_rr(Alu::Xor, Width::W32, Gpr::RDX, Gpr::RDX);
                self.asm.alu_ri(Alu::Cmp, width, divisor, -1);
                self.asm.jcc(Cond::E, done);
                self.asm.cdq(width);
                self.trap_site(TrapReason::IntegerDivideByZero);
                self.asm.idiv(width, divisor);
                self.asm.bind(done);
            }
        }
        self.push_int(result_of(division), ty);
    }

    /// The divisor is a constant other than 0.
    fn divide_by(&mut self, division: Division, ty: MachineType, divisor: u64) {
        let width = width(ty);
        let all_ones = u64::MAX >> (64 - bits(width));
        let power = divisor.is_power_of_two().then(|| divisor.trailing_zeros() as u8);
        match (division, power) {
            (Division::DivS | Division::DivU, Some(0)) => self.drop_top(),
            (Division::RemS | Division::RemU, Some(0)) => self.drop_for_zero(ty),
            (Division::RemS, None) if divisor == all_ones => self.drop_for_zero(ty),
            (Division::DivS, None) if divisor == all_ones => {
                self.drop_top();
                let result = self.pop_int_mut();
                self.asm.neg(width, result);
                self.trap_if(Condition::Flags(Cond::O), TrapReason::IntegerOverflow);
                self.push_int(result, ty);
            }
            (Division::DivU, Some(power)) => {
                self.drop_top();
                let result = self.pop_int_mut();
                self.asm.shift_ri(Shift::Shr, width, result, power);
                self.push_int(result, ty);
            }
            (Division::RemU, Some(_)) => {
                self.drop_top();
                let mask = self.constant_operand(ty, divisor - 1);
                let result = self.pop_int_mut();
                self.alu(Alu::And, width, result, mask);
                self.push_int(result, ty);
            }
            // The greatest power is a negative number if it is signed.
            (Division::DivS, Some(power)) if power < bits(width) - 1 => {
                let result = self.add_bias(width, power);
                self.asm.shift_ri(Shift::Sar, width, result, power);
                self.push_int(result, ty);
            }
            (Division::RemS, Some(power)) if power < 31 => {
                let result = self.add_bias(width, power);
                self.asm.alu_ri(Alu::And, width, result, (1 << power) - 1);
                self.asm.alu_rr(Alu::Sub, width, result, SCRATCH);
                self.push_int(result, ty);
            }
            (Division::DivU | Division::RemU, None) => {
                if ty == I32 && self.divide_unsigned_by(divisor as u32, division == Division::RemU) {
                    return;
                }
                let divisor = self.pop_division();
                self.asm.alu_rr(Alu::Xor, Width::W32, Gpr::RDX, Gpr::RDX);
                self.asm.div(width, divisor);
                self.push_int(result_of(division), ty);
            }
            (Division::DivS | Division::RemS, _) => {
                let positive = ty == I32 && power.is_none() && divisor <= i32::MAX as u64;
                if positive && self.divide_signed_by(divisor as u32, division == Division::RemS) {
                    return;
                }
                let divisor = self.pop_division();
                self.asm.cdq(width);
                self.asm.idiv(width, divisor);
                self.push_int(result_of(division), ty);
            }
        }
    }

    /// Both operands go; the result is 0.
    fn drop_for_zero(&mut self, ty: MachineType) {
        self.drop_top();
        self.drop_top();
        self.push_const(ty, 0);
    }

    /// A constant as an instruction's second operand.
    fn constant_operand(&mut self, ty: MachineType, bits: u64) -> IntOperand {
        match immediate(ty, bits) {
            Some(imm) => IntOperand::Imm(imm),
            None => {
                let register = self.alloc_int();
                self.asm.mov_ri(register, bits);
                IntOperand::Reg(register)
            }
        }
    }

    /// Pops a dividend and its divisor, 2^`power` with a power of at least 1. Gives the dividend plus, if it is negative,
    /// 2^`power` - 1, so that shifting rounds to zero; what was added is in `r11`.
    fn add_bias(&mut self, width: Width, power: u8) -> Gpr {
        self.drop_top();
        let result = self.pop_int_mut();
        self.asm.mov_rr(width, SCRATCH, result);
        if power > 1 {
            self.asm.shift_ri(Shift::Sar, width, SCRATCH, bits(width) - 1);
        }
        self.asm.shift_ri(Shift::Shr, width, SCRATCH, bits(width) - power);
        self.asm.alu_rr(Alu::Add, width, result, SCRATCH);
        result
    }
}

/// Where the machine leaves the result.
fn result_of(division: Division) -> Gpr {
    match division {
        Division::DivS | Division::DivU => Gpr::RAX,
        Division::RemS | Division::RemU => Gpr::RDX,
    }
}
