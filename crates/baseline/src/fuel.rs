//! Fuel, epochs and interrupts: the checks that let a host bound how long code runs.
//!
//! Fuel is counted per operator as it is emitted, and added to the store's where control flow parts or meets, before calls
//! and before `unreachable`: the places where the optimizing tier adds it, so that both tiers use the same.

use std::mem::offset_of;

use abi::builtins::Builtin;
use abi::compiler::Settings;
use abi::layout::{INTERRUPT_WIDTH, StoreContext};

use crate::asm::x64::{Alu, Cond, Mem, Width};
use crate::cold::Cold;
use crate::function::Function;
use crate::operand::SCRATCH;
use crate::regs::Cache;

impl Function<'_> {
    #[inline]
    pub(crate) fn settings(&self) -> Settings {
        self.module.settings
    }

    /// Takes back the operator that was just begun: it is free.
    #[inline]
    pub(crate) fn free_operator(&mut self) {
        self.fuel = self.fuel.saturating_sub(1);
    }

    /// Adds what operators have used to the store's fuel. Changes the flags and `r11`, if fuel is counted.
    #[inline]
    pub(crate) fn settle_fuel(&mut self) {
        if self.settings().fuel && self.fuel != 0 {
            let place = self.fuel_place();
            self.asm.alu_mi(Alu::Add, Width::W64, place, self.fuel.cast_signed());
        }
        self.fuel = 0;
    }

    /// Emits the checks of a function entry or loop header, where each register means one slot and all that was used is
    /// settled.
    pub(crate) fn poll(&mut self) {
        if self.settings().fuel {
            let place = self.fuel_place();
            self.asm.alu_mi(Alu::Cmp, Width::W64, place, 0);
            self.call_rarely(Cond::Ge, Builtin::out_of_fuel);
        }
        if self.settings().epoch_interruption {
            self.load_store_context(SCRATCH);
            let now = self.alloc_int();
            self.asm.mov_rm(Width::W64, now, Mem::base(SCRATCH, offset_of!(StoreContext, epoch) as i32));
            self.asm.mov_rm(Width::W64, now, Mem::base(now, 0));
            let deadline = Mem::base(SCRATCH, offset_of!(StoreContext, epoch_deadline) as i32);
            self.asm.alu_rm(Alu::Cmp, Width::W64, now, deadline);
            self.call_rarely(Cond::Ae, Builtin::new_epoch);
        }
    }

    /// Emits the checks of a loop header, where each register means one slot and all that was used is settled.
    pub(crate) fn poll_loop(&mut self) {
        let place = self.store_field(offset_of!(StoreContext, interrupt));
        const { assert!(INTERRUPT_WIDTH == 4) };
        self.asm.alu_mi(Alu::Cmp, Width::W32, place, 0);
        let (label, back) = (self.asm.new_label(), self.asm.new_label());
        self.asm.jcc(Cond::Ne, label);
        self.asm.bind(back);
        let base = self.regs.cache(Cache::MemoryBase);
        self.cold.push(Cold::Interrupt { label, back, at: self.at, base });
        self.poll();
    }

    /// Calls a builtin if the condition holds, then goes on.
    fn call_rarely(&mut self, condition: Cond, builtin: Builtin) {
        let (label, back) = (self.asm.new_label(), self.asm.new_label());
        self.asm.jcc(condition, label);
        self.asm.bind(back);
        let image = self.image_here();
        self.cold.push(Cold::Poll { label, back, builtin, at: self.at, image });
    }
}
