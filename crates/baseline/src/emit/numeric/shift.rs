//! Shifts and rotations. The machine takes counts modulo the width, as Wasm does.

use abi::assign::MachineType;

use super::FoldBinary;
use super::count::bits;
use crate::asm::x64::{Gpr, Mem, Scale, Shift, Width};
use crate::function::Function;
use crate::operand::width;
use crate::regs::Reg;

impl Function<'_> {
    pub(super) fn shift_int(&mut self, op: Shift, ty: MachineType, fold: FoldBinary) {
        if self.fold_binary(ty, fold) {
            return;
        }
        let width = width(ty);
        let result = match self.constant(0) {
            Some(count) => {
                self.drop_top();
                let count = count as u8 & (bits(width) - 1);
                if count == 0 {
                    return;
                }
                self.shift_by(op, width, count)
            }
            None if self.features.bmi2 && is_shift(op) && !self.fits_short_form() => self.shift_with_bmi2(op, width),
            None => {
                self.pop_int_to(Gpr::RCX);
                let result = self.pop_int_mut();
                self.asm.shift_cl(op, width, result);
                result
            }
        };
        self.push_int(result, ty);
    }

    fn shift_by(&mut self, op: Shift, width: Width, count: u8) -> Gpr {
        let from = self.pop_int();
        let result = self.reuse_int(from);
        if result != from {
            match op {
                Shift::Shl if count == 1 => {
                    self.asm.lea(width, result, Mem::indexed(from, from, Scale::X1, 0));
                    return result;
                }
                Shift::Rol | Shift::Ror if self.features.bmi2 => {
                    let count = if op == Shift::Ror { count } else { bits(width) - count };
                    self.asm.rorx(width, result, from, count);
                    return result;
                }
                Shift::Shl | Shift::Shr | Shift::Sar | Shift::Rol | Shift::Ror => {
                    self.asm.mov_rr(width, result, from);
                }
            }
        }
        self.asm.shift_ri(op, width, result, count);
        result
    }

    /// Is everything where the instruction of two bytes wants it?
    fn fits_short_form(&self) -> bool {
        self.own_register(1).is_some() && self.values.peek(0).register() == Some(Reg::int(Gpr::RCX))
    }

    fn shift_with_bmi2(&mut self, op: Shift, width: Width) -> Gpr {
        let count = self.pop_int();
        let from = self.pop_int();
        let result = if self.is_spent(from.into()) { from } else { self.reuse_int(count) };
        match op {
            Shift::Shr => self.asm.shrx(width, result, from, count),
            Shift::Sar => self.asm.sarx(width, result, from, count),
            Shift::Shl | Shift::Rol | Shift::Ror => self.asm.shlx(width, result, from, count),
        }
        result
    }
}

fn is_shift(op: Shift) -> bool {
    matches!(op, Shift::Shl | Shift::Shr | Shift::Sar)
}
