//! Wide arithmetic: sums and differences of 128-bit numbers, products of 64-bit numbers in full.

use abi::assign::MachineType::I64;

use crate::asm::x64::{Alu, Gpr, Width};
use crate::function::Function;

impl Function<'_> {
    /// The lower halves by `low`, the upper ones by `high`, which takes the carry along.
    pub(super) fn wide_add(&mut self, low: Alu, high: Alu) {
        let second_high = self.pop_int_operand();
        let second_low = self.pop_int_operand();
        let first_high = self.pop_int_mut();
        let first_low = self.pop_int_mut();
        self.alu(low, Width::W64, first_low, second_low);
        self.alu(high, Width::W64, first_high, second_high);
        self.push_int(first_low, I64);
        self.push_int(first_high, I64);
    }

    pub(super) fn wide_multiply(&mut self, signed: bool) {
        self.pop_int_to(Gpr::RAX);
        self.take_int(Gpr::RDX);
        let first = self.pop_int();
        if signed {
            self.asm.imul(Width::W64, first);
        } else {
            self.asm.mul(Width::W64, first);
        }
        self.push_int(Gpr::RAX, I64);
        self.push_int(Gpr::RDX, I64);
    }
}
