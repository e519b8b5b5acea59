//! Calls of builtins: C functions of the runtime.

use std::mem::offset_of;

use abi::assign::MachineType;
use abi::builtins::Builtin;
use abi::layout::InstanceHeader;

use crate::asm::x64::{Gpr, Mem, Width};
use crate::function::Function;
use crate::regs::{Cache, Reg, RegSet};
use crate::value_stack::Slot;

/// An argument of a builtin, after the context.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Argument {
    /// A number, such as an index of the module.
    Imm(u32),
    /// The operand this many places below the topmost one, before any is popped.
    Operand(u8),
}

/// The integer argument registers of C functions.
const C_PARAMS: [Gpr; 6] = [Gpr::RDI, Gpr::RSI, Gpr::RDX, Gpr::RCX, Gpr::R8, Gpr::R9];

/// Calls of straight code up to which values are kept in the image across them.
const FEW_CALLS: u32 = 5;

/// Most operands that a builtin takes.
const MAX_OPERANDS: usize = 4;

impl Function<'_> {
    /// Pops `operands` operands, all integers, and calls a builtin with the context and these arguments. Its result, if
    /// it has one, is in `rax`, pinned; an operator with an `i32` result clears the upper half before pushing it. No other
    /// register that was popped or allocated before outlives the call.
    pub(crate) fn call_builtin(&mut self, builtin: Builtin, operands: usize, arguments: &[Argument]) {
        let mut popped = [Slot::ABSENT; MAX_OPERANDS];
        for slot in popped.iter_mut().take(operands) {
            *slot = self.values.pop();
            if let Some(register) = slot.register() {
                self.regs.drop_use(register);
            }
        }
        self.settle_fuel();
        let context = self.regs.cache(Cache::Context);
        let sources = popped.iter().filter_map(Slot::register);
        self.save_registers(sources.fold(RegSet::EMPTY, |all, register| all.or(RegSet::of(register))));
        for (argument, &register) in arguments.iter().zip(&C_PARAMS[1..]) {
            let slot = match *argument {
                Argument::Imm(value) => Slot::constant_of(MachineType::I32, value.into()),
                Argument::Operand(from_top) => popped.get(usize::from(from_top)).copied().unwrap_or(Slot::ABSENT),
            };
            self.moves.add(register.into(), slot);
        }
        if let Some(context) = context {
            self.moves.add_reg(Gpr::RDI.into(), context, MachineType::I64);
        }
        self.emit_moves();
        if context.is_none() {
            self.asm.mov_rm(Width::W64, Gpr::RDI, self.vmctx_place());
        }
        self.emit_builtin_call(builtin);
        self.regs.pinned = RegSet::of(Reg::int(Gpr::RAX));
    }

    /// The call itself: the arguments are where they belong, the context in `rdi`.
    pub(crate) fn emit_builtin_call(&mut self, builtin: Builtin) {
        self.calls += 1;
        self.asm.mov_rm(Width::W64, Gpr::RAX, Self::header(Gpr::RDI, offset_of!(InstanceHeader, builtins)));
        self.mark_position();
        self.asm.call_m(Mem::base(Gpr::RAX, builtin as i32 * 8));
    }

    /// Registers that outlive calls and are worth taking. Each one that the body uses costs every pass through the function
    /// a store and a load, so straight code with few calls goes without.
    pub(crate) fn homes(&self) -> RegSet {
        let many = !self.loops.is_empty() || self.calls >= FEW_CALLS;
        if many { RegSet::CALLEE_SAVED } else { self.regs.saved }
    }

    /// Empties the registers that a call changes. Integers move to registers that outlive calls as long as there are some,
    /// everything else to the image. What was in the emptied registers is still there; `sources` are left alone.
    pub(crate) fn save_registers(&mut self, sources: RegSet) {
        let mut homes = self.homes().without(self.regs.taken()).without(sources);
        match self.regs.cache(Cache::MemoryBase) {
            Some(_) if !self.base_is_fixed() => self.regs.drop_cache(Cache::MemoryBase),
            Some(register) if RegSet::CALLER_SAVED.contains(register) => {
                if let Some(home) = homes.first() {
                    homes.remove(home);
                    self.regs.saved.insert(home);
                    self.regs.drop_cache(Cache::MemoryBase);
                    self.regs.set_cache(Cache::MemoryBase, home);
                    self.asm.mov_rr(Width::W64, home.gpr(), register.gpr());
                }
            }
            Some(_) | None => {}
        }
        for register in self.regs.taken().and(RegSet::CALLER_SAVED).iter() {
            if self.regs.cache_in(register).is_none() {
                // A value whose place is up to date is worth no new register.
                let stored = self.regs.owner(register).uses == 0 && !self.regs.dirty.contains(register);
                let fitting = if stored { homes.and(self.regs.saved) } else { homes };
                if let Some(home) = fitting.and(self.regs.saved).first().or(fitting.first()) {
                    homes.remove(home);
                    self.regs.saved.insert(home);
                    self.move_contents(register, home);
                    continue;
                }
            }
            self.free_reg(register);
        }
        for register in self.regs.taken().and(RegSet::FLOATS).iter() {
            self.free_reg(register);
        }
        self.regs.unpin();
    }
}
