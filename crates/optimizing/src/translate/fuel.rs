//! Fuel, epochs and interrupts: the checks that let a host bound how long code runs.
//!
//! Fuel is counted per operator at translation, kept in a variable while the function runs, and stored to the store's
//! context before everything that may look at it: calls, returns, and `unreachable`. A trap inside an instruction may
//! leave the count of the last straight run of operators out. Function entries and loop headers check both.

use std::mem::offset_of;

use abi::builtins::Builtin;
use abi::layout::{INTERRUPT_WIDTH, InstanceHeader, StoreContext};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{InstBuilder, Value};
use cranelift_frontend::Variable;

use super::region::Region;
use super::state::Translator;
use crate::signature;

/// Fuel accounting of one function.
pub(crate) struct Fuel {
    /// The store's fuel, without `pending`.
    variable: Variable,
    /// Operators passed since the variable was last brought up to date.
    pub(crate) pending: i64,
}

impl Translator<'_> {
    /// Emits what stands at a function's entry.
    pub(crate) fn enter_function(&mut self) {
        if self.module.settings.fuel {
            let variable = self.builder.declare_var(I64);
            self.fuel = Some(Fuel { variable, pending: 0 });
            self.load_fuel();
        }
        self.poll();
    }

    /// Emits the checks of a function entry or loop header.
    pub(crate) fn poll(&mut self) {
        if self.fuel.is_some() {
            self.check_fuel();
        }
        if self.module.settings.epoch_interruption {
            self.check_epoch();
        }
    }

    /// Emits the checks of a loop header.
    pub(crate) fn poll_loop(&mut self) {
        self.check_interrupt();
        self.poll();
    }

    /// The call keeps all registers and needs nothing but the store's context, so that all a loop pays is the comparison.
    fn check_interrupt(&mut self) {
        let store = self.store_context();
        let flags = self.trusted(Region::Interrupt);
        const { assert!(INTERRUPT_WIDTH == 4) };
        let word = self.builder.ins().load(I32, flags, store, offset_of!(StoreContext, interrupt) as i32);
        let asked = self.builder.ins().icmp_imm_s(IntCC::NotEqual, word, 0);
        self.rarely(asked, |this| {
            this.store_fuel();
            let signature = match this.scratch.on_interrupt {
                Some(signature) => signature,
                None => *this.scratch.on_interrupt.insert(this.builder.import_signature(signature::on_interrupt())),
            };
            let flags = this.trusted(Region::CallPointers);
            let code = this.builder.ins().load(I64, flags, store, offset_of!(StoreContext, on_interrupt) as i32);
            this.builder.ins().call_indirect(signature, code, &[]);
            this.load_fuel();
        });
    }

    /// Takes back the operator that was just begun: it is free.
    pub(crate) fn free_operator(&mut self) {
        if let Some(fuel) = &mut self.fuel {
            fuel.pending -= 1;
        }
    }

    /// Brings the variable up to date; to be called where control flow parts or meets.
    pub(crate) fn settle_fuel(&mut self) {
        let Some(fuel) = &mut self.fuel else { return };
        let pending = std::mem::take(&mut fuel.pending);
        if pending != 0 {
            let variable = fuel.variable;
            let used = self.builder.use_var(variable);
            let used = self.builder.ins().iadd_imm_s(used, pending);
            self.builder.def_var(variable, used);
        }
    }

    /// Stores the fuel where others can see it.
    pub(crate) fn store_fuel(&mut self) {
        self.settle_fuel();
        let Some(fuel) = &self.fuel else { return };
        let used = self.builder.use_var(fuel.variable);
        let (flags, store) = (self.trusted(Region::Fuel), self.store_context());
        self.builder.ins().store(flags, used, store, offset_of!(StoreContext, fuel) as i32);
    }

    /// Loads the fuel again after something that may have spent some.
    pub(crate) fn load_fuel(&mut self) {
        let Some(fuel) = &self.fuel else { return };
        let variable = fuel.variable;
        let (flags, store) = (self.trusted(Region::Fuel), self.store_context());
        let used = self.builder.ins().load(I64, flags, store, offset_of!(StoreContext, fuel) as i32);
        self.builder.def_var(variable, used);
    }

    /// Raises the trap if the fuel is spent.
    pub(crate) fn check_fuel(&mut self) {
        self.settle_fuel();
        let Some(fuel) = &self.fuel else { return };
        let used = self.builder.use_var(fuel.variable);
        let spent = self.builder.ins().icmp_imm_s(IntCC::SignedGreaterThanOrEqual, used, 0);
        self.rarely(spent, |this| {
            this.store_fuel();
            this.call_builtin(Builtin::out_of_fuel, &[]);
            this.load_fuel();
        });
    }

    fn check_epoch(&mut self) {
        let store = self.store_context();
        let counter = self.constant_field(I64, store, offset_of!(StoreContext, epoch) as u32);
        let flags = self.trusted(Region::Epoch);
        let now = self.builder.ins().load(I64, flags, counter, 0);
        let flags = self.trusted(Region::EpochDeadline);
        let at = offset_of!(StoreContext, epoch_deadline) as i32;
        let deadline = self.builder.ins().load(I64, flags, store, at);
        let reached = self.builder.ins().icmp(IntCC::UnsignedGreaterThanOrEqual, now, deadline);
        self.rarely(reached, |this| {
            this.store_fuel();
            this.call_builtin(Builtin::new_epoch, &[]);
            this.load_fuel();
        });
    }

    /// Runs `body` in a cold block if `condition` is not zero, then goes on.
    fn rarely(&mut self, condition: Value, body: impl FnOnce(&mut Self)) {
        let (cold, next) = (self.builder.create_block(), self.builder.create_block());
        self.builder.set_cold_block(cold);
        self.builder.ins().brif(condition, cold, &[], next, &[]);
        self.builder.seal_block(cold);
        self.builder.switch_to_block(cold);
        body(self);
        self.builder.ins().jump(next, &[]);
        self.builder.seal_block(next);
        self.builder.switch_to_block(next);
    }

    fn store_context(&mut self) -> Value {
        self.context_pointer(offset_of!(InstanceHeader, store))
    }
}
