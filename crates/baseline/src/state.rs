//! Merge states: what is in registers where control flow meets.
//!
//! A label's state is fixed by the first branch to it, or for a loop at its header: which register holds which slot, as
//! seen from the target: a local, an operand below the block, or a value that the branch takes along. Everything else is
//! in its image place. So a branch costs work in the number of registers, not of locals.
//!
//! That a register means one slot needs operands below the block to be alone in theirs: at the entry of each block, those
//! that share one, and constants, are stored to the image ([`Function::flush`]). `ValueStack::flushed` says how far that
//! has been done already.

use std::mem::offset_of;

use abi::assign::MachineType;
use abi::layout::{MemoryDefinition, Place};
use wasm::types::MemoryIndex;

use crate::asm::x64::{Gpr, Mem, SseOp, Width};
use crate::function::Function;
use crate::operand::SCRATCH_FLOAT;
use crate::regs::{Cache, NONE, Reg, RegSet};
use crate::value_stack::{Slot, Value, slot_bytes};

/// What is in registers at a label.
#[derive(Clone)]
pub(crate) struct State {
    /// Registers that hold a slot.
    pub(crate) held: RegSet,
    /// Those of them that hold a local whose image place may be out of date.
    pub(crate) dirty: RegSet,
    pub(crate) caches: [Option<Reg>; 2],
    /// By register: the slot.
    pub(crate) slots: [u32; 32],
}

impl State {
    fn new() -> State {
        State { held: RegSet::EMPTY, dirty: RegSet::EMPTY, caches: [None; 2], slots: [NONE; 32] }
    }

    fn hold(&mut self, register: Reg, slot: u32) {
        self.held.insert(register);
        self.slots[register.index()] = slot;
    }

    /// The register of a slot.
    fn register_of(&self, slot: u32) -> Option<Reg> {
        self.held.iter().find(|register| self.slots[register.index()] == slot)
    }

    fn has(&self, register: Reg, slot: u32) -> bool {
        self.held.contains(register) && self.slots[register.index()] == slot
    }
}

/// The number of a state that is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct StateId(u32);

/// The states in use. Those given back are used again, so that memory is bound by the nesting of blocks.
#[derive(Default)]
pub(crate) struct States {
    states: Vec<State>,
    free: Vec<StateId>,
}

impl States {
    pub(crate) fn clear(&mut self) {
        self.states.clear();
        self.free.clear();
    }

    pub(crate) fn keep(&mut self, state: State) -> StateId {
        match self.free.pop() {
            Some(id) => {
                self.states[id.0 as usize] = state;
                id
            }
            None => {
                self.states.push(state);
                StateId(self.states.len() as u32 - 1)
            }
        }
    }

    pub(crate) fn get(&self, id: StateId) -> &State {
        &self.states[id.0 as usize]
    }

    fn get_mut(&mut self, id: StateId) -> &mut State {
        &mut self.states[id.0 as usize]
    }

    /// The state is not used any more.
    pub(crate) fn give_back(&mut self, id: StateId) {
        self.free.push(id);
    }
}

/// How many of the values that a branch takes along may be in registers although they were not.
const NEW_REGISTERS: usize = 2;

/// Where a branch goes.
#[derive(Clone, Copy)]
pub(crate) struct Target {
    /// The slot of the first value that it takes along, there.
    pub(crate) base: u32,
    /// How many values it takes along.
    pub(crate) arity: u32,
}

/// Making states.
impl Function<'_> {
    /// The registers as they are, just after a flush.
    pub(crate) fn state_here(&self) -> State {
        let mut state = State::new();
        for register in self.regs.taken().iter() {
            let owner = self.regs.owner(register);
            if owner.local != NONE {
                state.hold(register, owner.local);
            } else if owner.uses != 0 {
                state.hold(register, owner.slot);
            }
        }
        state.dirty = self.regs.dirty;
        state.caches = Cache::ALL.map(|cache| self.regs.cache(cache));
        state
    }

    /// The registers at a loop's header, just after a flush. Locals in registers are dirty there, so that a back-edge need
    /// not store those that the loop changes.
    pub(crate) fn loop_state(&mut self) -> State {
        for register in self.regs.taken().iter() {
            if self.regs.owner(register).local != NONE {
                self.regs.dirty.insert(register);
            }
        }
        self.state_here()
    }

    /// A state for the target of a branch from here that costs this branch little.
    pub(crate) fn state_for(&self, target: Target) -> State {
        let mut state = State::new();
        for register in self.regs.taken().iter() {
            let owner = self.regs.owner(register);
            if owner.local != NONE {
                state.hold(register, owner.local);
            } else if owner.uses != 0 && owner.slot < target.base {
                state.hold(register, owner.slot);
            }
        }
        state.dirty = self.regs.dirty;
        state.caches = Cache::ALL.map(|cache| self.regs.cache(cache));
        let first = self.values.height() - target.arity;
        let mut free = RegSet::INTS.or(RegSet::FLOATS).without(self.regs.taken()).without(RegSet::CALLEE_SAVED);
        for index in 0..target.arity.min(8) {
            let value = self.values.get(first + index);
            let slot = target.base + index;
            match value.register() {
                Some(register) if self.is_alone(register) => state.hold(register, slot),
                _ if index as usize >= NEW_REGISTERS => {}
                _ => {
                    let class = if is_int(value.ty) { RegSet::INTS } else { RegSet::FLOATS };
                    if let Some(register) = free.and(class).first() {
                        free.remove(register);
                        state.hold(register, slot);
                    }
                }
            }
        }
        state
    }

    fn is_alone(&self, register: Reg) -> bool {
        let owner = self.regs.owner(register);
        owner.local == NONE && owner.uses == 1
    }
}

fn is_int(ty: MachineType) -> bool {
    ty.is_int()
}

/// Going to a label.
impl Function<'_> {
    /// Is everything where the state wants it, so that [`Function::conform`] emits nothing?
    pub(crate) fn conforms(&self, state: &State, target: Target) -> bool {
        for register in self.regs.taken().iter() {
            let owner = self.regs.owner(register);
            if owner.local != NONE {
                if self.regs.dirty.contains(register)
                    && !(state.has(register, owner.local) && state.dirty.contains(register))
                {
                    return false;
                }
            } else if owner.uses != 0 && owner.slot < target.base && !state.has(register, owner.slot) {
                return false;
            }
        }
        let first = self.values.height() - target.arity;
        for register in state.held.iter() {
            let slot = state.slots[register.index()];
            let source = if slot >= target.base { first + (slot - target.base) } else { slot };
            if self.values.get(source).register() != Some(register) {
                return false;
            }
        }
        for cache in Cache::ALL {
            let wanted = state.caches[cache as usize];
            if wanted.is_some() && wanted != self.regs.cache(cache) {
                return false;
            }
        }
        (0..target.arity).all(|index| {
            let value = self.values.get(first + index);
            match value.value() {
                Value::Reg(register) => state.has(register, target.base + index),
                Value::Image => first == target.base,
                Value::Const(_) => false,
            }
        })
    }

    /// Takes out of the state of a label further down what is not in a register here and need not be: clean locals, whose
    /// image places serve the branches before this one too, and caches.
    pub(crate) fn weaken(&mut self, id: StateId) {
        let state = self.states.get_mut(id);
        for register in state.held.without(state.dirty).iter() {
            let slot = state.slots[register.index()];
            if slot < self.values.locals && self.values.get(slot).register().is_none() {
                state.held.remove(register);
            }
        }
        for cache in Cache::ALL {
            if self.regs.cache(cache).is_none() {
                state.caches[cache as usize] = None;
            }
        }
    }

    /// Emits what brings everything where the state wants it. What this function knows of
    /// the registers stays as it is: it holds for the code that does not take the branch.
    pub(crate) fn conform(&mut self, state: &State, target: Target) {
        self.store_for(state, target);
        self.store_results(state, target);
        for register in state.held.iter() {
            let slot = state.slots[register.index()];
            if slot < target.base {
                let value = self.values.get(slot);
                self.moves.add(register, value);
            }
        }
        let mut missing = [None; 2];
        for cache in Cache::ALL {
            let Some(wanted) = state.caches[cache as usize] else { continue };
            match self.regs.cache(cache) {
                Some(register) => self.moves.add_reg(wanted, register, MachineType::I64),
                None => missing[cache as usize] = Some(wanted),
            }
        }
        self.emit_moves();
        for cache in Cache::ALL {
            if let Some(wanted) = missing[cache as usize] {
                self.load_cache(cache, wanted);
            }
        }
    }

    /// Loads a cache by way of the frame, whatever is in registers.
    pub(crate) fn load_cache(&mut self, cache: Cache, to: Reg) {
        let to = to.gpr();
        self.asm.mov_rm(Width::W64, to, self.vmctx_place());
        if cache == Cache::MemoryBase {
            let base = offset_of!(MemoryDefinition, base) as i32;
            let field = match self.module.layout.memory(MemoryIndex(0)) {
                Place::Defined(offset) => Mem::base(to, offset as i32 + base),
                Place::Imported(offset) => {
                    self.asm.mov_rm(Width::W64, to, Mem::base(to, offset as i32));
                    Mem::base(to, base)
                }
            };
            self.asm.mov_rm(Width::W64, to, field);
        }
    }

    /// Stores what must be in the image: dirty locals that the state does not have dirty in a register, and operands
    /// below the block that it has in none.
    fn store_for(&mut self, state: &State, target: Target) {
        for register in self.regs.taken().iter() {
            let owner = self.regs.owner(register);
            let slot = match owner.local {
                NONE if owner.uses != 0 && owner.slot < target.base => {
                    if state.has(register, owner.slot) || state.register_of(owner.slot).is_some() {
                        continue;
                    }
                    owner.slot
                }
                NONE => continue,
                local => {
                    let kept = if state.has(register, local) { Some(register) } else { state.register_of(local) };
                    if !self.regs.dirty.contains(register) || kept.is_some_and(|kept| state.dirty.contains(kept)) {
                        continue;
                    }
                    local
                }
            };
            let value = self.values.get(slot);
            let place = self.place(value.depth);
            self.store_reg(value.ty, place, register);
        }
    }

    /// Stores the values that go along and belong in the image; the others become moves.
    fn store_results(&mut self, state: &State, target: Target) {
        let first = self.values.height() - target.arity;
        let mut depth = self.values.depth_below(target.base);
        // Each place is at or above the one that its value comes from, so that rising order overwrites nothing.
        for index in 0..target.arity {
            let value = self.values.get(first + index);
            depth += slot_bytes(value.ty);
            match state.register_of(target.base + index) {
                Some(register) if value.value() == Value::Image && target.arity > 1 && value.depth != depth => {
                    // The next ones may be stored over it before registers are loaded.
                    self.store_slot(value, self.place(depth), false);
                    self.moves.add(register, value.at_depth(depth));
                }
                Some(register) => self.moves.add(register, value),
                None => self.store_slot(value, self.place(depth), value.depth == depth),
            }
        }
    }

    /// Stores a value to memory; `in_place` says that its image place is that memory.
    pub(crate) fn store_slot(&mut self, value: Slot, to: Mem, in_place: bool) {
        match value.value() {
            Value::Reg(register) => self.store_reg(value.ty, to, register),
            Value::Const(bits) => self.store_const(value.ty, to, bits),
            Value::Image if in_place => {}
            Value::Image => {
                let from = self.place(value.depth);
                self.copy_memory(value.ty, to, from);
            }
        }
    }

    /// Copies a value from memory to memory, all 8 bytes of its slot or 16.
    pub(crate) fn copy_memory(&mut self, ty: MachineType, to: Mem, from: Mem) {
        let (load, store) = match ty {
            MachineType::V128 => (SseOp::MOVUPS, SseOp::MOVUPS_STORE),
            MachineType::I32 | MachineType::I64 | MachineType::F32 | MachineType::F64 => {
                (SseOp::MOVSD, SseOp::MOVSD_STORE)
            }
        };
        self.asm.sse_rm(load, SCRATCH_FLOAT, from);
        self.asm.sse_mr(store, to, SCRATCH_FLOAT);
    }
}

/// Being at a label.
impl Function<'_> {
    /// What this function knows of the registers becomes the state; the operands from `base` on are `types`.
    pub(crate) fn adopt(&mut self, state: &State, base: u32, types: impl Iterator<Item = MachineType>) {
        for register in self.regs.taken().iter() {
            let owner = self.regs.owner(register);
            let slot = if owner.local != NONE { owner.local } else { owner.slot };
            let holds = owner.local != NONE || owner.uses != 0;
            if holds
                && slot < base
                && let Some(slot) = self.values.get_mut(slot)
            {
                slot.set_image();
            }
        }
        self.values.slots.truncate(base as usize);
        for ty in types {
            self.values.push(ty, Value::Image);
        }
        self.regs.release_all();
        for register in state.held.iter() {
            let at = state.slots[register.index()];
            if at < self.values.locals {
                self.regs.set_local(register, at, state.dirty.contains(register));
            } else {
                self.regs.add_use(register, at);
            }
            if let Some(slot) = self.values.get_mut(at) {
                slot.set_register(register);
            }
        }
        for cache in Cache::ALL {
            if let Some(register) = state.caches[cache as usize] {
                self.regs.set_cache(cache, register);
            }
        }
        self.values.flushed = self.values.height();
        self.regs.unpin();
    }

    /// The context in a register after going to the state: its own, or `otherwise`, into which it is loaded.
    pub(crate) fn context_in(&mut self, state: &State, otherwise: Gpr) -> Gpr {
        match state.caches[Cache::Context as usize] {
            Some(register) => register.gpr(),
            None => {
                self.asm.mov_rm(Width::W64, otherwise, self.vmctx_place());
                otherwise
            }
        }
    }
}
