//! Macro instructions: moves between registers, image and constants; making registers free; the cached context and memory
//! base; traps.
//!
//! Nothing here but the checks and calls that say so changes the flags.

use std::mem::offset_of;

use abi::assign::MachineType;
use abi::layout::{InstanceHeader, MemoryDefinition, Place, StoreContext, TableDefinition};
use abi::memory::MemoryStyle;
use abi::trap::TrapReason;
use wasm::types::{MemoryIndex, MemoryType, TableIndex};

use crate::asm::x64::{Cond, Gpr, Label, Mem, Size, SseOp, Width};
use crate::cold::Cold;
use crate::function::Function;
use crate::operand::{Condition, SCRATCH, width};
use crate::regs::{Cache, NONE, Reg, RegSet};
use crate::value_stack::{Slot, Value};

/// Moves.
impl Function<'_> {
    /// The place in the frame image at this depth.
    #[inline]
    pub(crate) fn place(&self, depth: u32) -> Mem {
        Mem::base(Gpr::RBP, -(self.image_top + depth as i32))
    }

    /// The slot's value, which is not in `register`, is copied there; what was there is lost.
    pub(crate) fn load_value(&mut self, register: Reg, slot: Slot) {
        match slot.value() {
            Value::Reg(from) => self.move_reg(slot.ty, register, from),
            Value::Image => {
                let place = self.place(slot.depth);
                self.load_reg(slot.ty, register, place);
            }
            Value::Const(bits) => self.load_const(slot.ty, register, bits),
        }
    }

    /// Copies a register to another one of its class.
    #[inline]
    pub(crate) fn move_reg(&mut self, ty: MachineType, to: Reg, from: Reg) {
        if to.is_float() {
            self.asm.sse_rr(SseOp::MOVAPS, to.xmm(), from.xmm());
        } else {
            self.asm.mov_rr(width(ty), to.gpr(), from.gpr());
        }
    }

    /// Loads a value of a type from memory; a 32-bit integer is zero-extended.
    #[inline]
    pub(crate) fn load_reg(&mut self, ty: MachineType, to: Reg, from: Mem) {
        match ty {
            MachineType::I32 => self.asm.mov_rm(Width::W32, to.gpr(), from),
            MachineType::I64 => self.asm.mov_rm(Width::W64, to.gpr(), from),
            MachineType::F32 => self.asm.sse_rm(SseOp::MOVSS, to.xmm(), from),
            MachineType::F64 => self.asm.sse_rm(SseOp::MOVSD, to.xmm(), from),
            MachineType::V128 => self.asm.sse_rm(SseOp::MOVUPS, to.xmm(), from),
        }
    }

    /// Stores a value of a type to memory, in its own size.
    #[inline]
    pub(crate) fn store_reg(&mut self, ty: MachineType, to: Mem, from: Reg) {
        match ty {
            MachineType::I32 => self.asm.mov_mr(Width::W32, to, from.gpr()),
            MachineType::I64 => self.asm.mov_mr(Width::W64, to, from.gpr()),
            MachineType::F32 => self.asm.sse_mr(SseOp::MOVSS_STORE, to, from.xmm()),
            MachineType::F64 => self.asm.sse_mr(SseOp::MOVSD_STORE, to, from.xmm()),
            MachineType::V128 => self.asm.sse_mr(SseOp::MOVUPS_STORE, to, from.xmm()),
        }
    }

    /// Loads a constant, without changing the flags.
    pub(crate) fn load_const(&mut self, ty: MachineType, to: Reg, bits: u64) {
        match ty {
            MachineType::I32 | MachineType::I64 => self.asm.mov_ri(to.gpr(), bits),
            MachineType::F32 | MachineType::F64 | MachineType::V128 if bits == 0 => self.asm.zero_xmm(to.xmm()),
            MachineType::F32 => {
                let constant = self.asm.constant32(bits as u32);
                self.asm.sse_rm(SseOp::MOVSS, to.xmm(), Mem::rip(constant));
            }
            MachineType::F64 | MachineType::V128 => {
                let constant = self.asm.constant64(bits);
                self.asm.sse_rm(SseOp::MOVSD, to.xmm(), Mem::rip(constant));
            }
        }
    }

    /// Stores a constant to memory. May change `r11`.
    pub(crate) fn store_const(&mut self, ty: MachineType, to: Mem, bits: u64) {
        match ty {
            MachineType::I32 | MachineType::F32 => self.asm.mov_mi(Size::S32, to, bits as i32),
            MachineType::I64 | MachineType::F64 | MachineType::V128 => match i32::try_from(bits.cast_signed()) {
                Ok(imm) => self.asm.mov_mi(Size::S64, to, imm),
                Err(_) => {
                    self.asm.mov_ri(SCRATCH, bits);
                    self.asm.mov_mr(Width::W64, to, SCRATCH);
                }
            },
        }
    }
}

/// Making registers free.
impl Function<'_> {
    /// Calls `each` with every operand slot that is this register.
    fn for_each_use(&mut self, register: Reg, mut each: impl FnMut(&mut Self, u32)) {
        let owner = self.regs.owner(register);
        let (mut left, mut slot) = (owner.uses, owner.slot);
        while left != 0 && slot < self.values.height() {
            if self.values.get(slot).register() == Some(register) {
                each(self, slot);
                left -= 1;
            }
            slot += 1;
        }
    }

    /// Frees a register of the class that is not pinned: one that is cheap to free.
    #[inline(never)]
    pub(crate) fn evict_one(&mut self, class: RegSet) -> Reg {
        let candidates = class.without(self.regs.pinned);
        let Some(victim) = self.cheapest(candidates) else {
            self.fail("an operator pins every register");
            return if class == RegSet::FLOATS { Reg::new(31) } else { Reg::int(SCRATCH) };
        };
        self.regs.clock = victim.number() + 1;
        self.free_reg(victim);
        victim
    }

    /// The register to evict, the clock deciding among equals: a clean local, a cache, a dirty local, an operand.
    fn cheapest(&self, candidates: RegSet) -> Option<Reg> {
        let after = RegSet(u32::MAX.unbounded_shl(self.regs.clock.into()));
        let mut best: Option<(u32, Reg)> = None;
        for register in candidates.and(after).iter().chain(candidates.without(after).iter()) {
            let owner = self.regs.owner(register);
            let cost = match owner.local {
                NONE if owner.uses == 0 => 1,
                _ if owner.uses != 0 => 2 + owner.uses.min(8),
                _ if self.regs.dirty.contains(register) => 2,
                _ => 0,
            };
            if best.is_none_or(|(least, _)| cost < least) {
                best = Some((cost, register));
            }
        }
        best.map(|(_, register)| register)
    }

    /// Stores what the register holds to its places; it holds nothing then.
    pub(crate) fn free_reg(&mut self, register: Reg) {
        if let Some(cache) = self.regs.cache_in(register) {
            self.regs.drop_cache(cache);
            return;
        }
        self.for_each_use(register, |this, slot| this.operand_to_image(register, slot));
        let local = self.regs.owner(register).local;
        if local != NONE {
            self.store_if_dirty(register, local);
            if let Some(slot) = self.values.get_mut(local) {
                slot.set_image();
            }
        }
        self.regs.release(register);
    }

    /// Stores the operand in `slot`, which is in `register`, to its place. The use stays counted.
    fn operand_to_image(&mut self, register: Reg, slot: u32) {
        let value = self.values.get(slot);
        let place = self.place(value.depth);
        self.store_reg(value.ty, place, register);
        if let Some(slot) = self.values.get_mut(slot) {
            slot.set_image();
        }
    }

    /// Brings the image place of the local in this register up to date.
    pub(crate) fn store_if_dirty(&mut self, register: Reg, local: u32) {
        if self.regs.dirty.contains(register) {
            let slot = self.values.get(local);
            let place = self.place(slot.depth);
            self.store_reg(slot.ty, place, register);
            self.regs.dirty.remove(register);
        }
    }

    /// Moves what is in the register to another one, or to the image if there is none. The register is pinned.
    pub(crate) fn take_reg(&mut self, register: Reg) {
        if self.regs.pinned.contains(register) {
            self.fail("an operator takes a register that it has pinned");
            return;
        }
        self.regs.pinned.insert(register);
        if RegSet::CALLEE_SAVED.contains(register) {
            self.regs.saved.insert(register);
        }
        if !self.regs.taken().contains(register) {
            return;
        }
        if let Some(cache) = self.regs.cache_in(register) {
            self.regs.drop_cache(cache);
            return;
        }
        let class = if register.is_float() { RegSet::FLOATS } else { RegSet::CALLER_SAVED.or(self.regs.saved) };
        match self.regs.available().and(class).first() {
            Some(other) => self.move_contents(register, other),
            None => self.free_reg(register),
        }
    }

    /// Moves all that `from` holds to `to`, which is free.
    pub(crate) fn move_contents(&mut self, from: Reg, to: Reg) {
        // All 64 bits: an `i64` may share the register with an `i32`.
        self.move_reg(MachineType::I64, to, from);
        self.for_each_use(from, |this, slot| {
            if let Some(slot) = this.values.get_mut(slot) {
                slot.set_register(to);
            }
        });
        if let Some(slot) = self.values.get_mut(self.regs.owner(from).local) {
            slot.set_register(to);
        }
        self.regs.rename(from, to);
    }

    /// Stores every operand that is a constant or shares its register to its place: what lies below a block is then in
    /// the image, or alone in a register.
    pub(crate) fn flush(&mut self) {
        let height = self.values.height();
        for at in self.values.flushed.max(self.values.locals)..height {
            let slot = self.values.get(at);
            match slot.value() {
                Value::Image => {}
                Value::Const(bits) => {
                    let place = self.place(slot.depth);
                    self.store_const(slot.ty, place, bits);
                    if let Some(slot) = self.values.get_mut(at) {
                        slot.set_image();
                    }
                }
                Value::Reg(register) => self.flush_register(register, at),
            }
        }
        self.values.flushed = height;
    }

    fn flush_register(&mut self, register: Reg, at: u32) {
        let owner = self.regs.owner(register);
        if owner.local == NONE && owner.uses == 1 {
            // A copy below it may have been stored just now, so its slot is not known exactly.
            self.regs.set_only_use(register, at);
            return;
        }
        self.operand_to_image(register, at);
        self.regs.drop_lowest_use(register, at);
    }
}

/// The instance context and what it leads to.
impl Function<'_> {
    /// The instance context in a register that must not be changed, pinned.
    pub(crate) fn vmctx(&mut self) -> Gpr {
        if let Some(register) = self.regs.cache(Cache::Context) {
            self.regs.pinned.insert(register);
            return register.gpr();
        }
        let register = self.alloc_int();
        self.load_vmctx(register);
        self.regs.set_cache(Cache::Context, register.into());
        register
    }

    /// Copies the instance context to a register, `r11` perhaps. Allocates nothing.
    pub(crate) fn load_vmctx(&mut self, to: Gpr) {
        match self.regs.cache(Cache::Context) {
            Some(from) if from == Reg::int(to) => {}
            Some(from) => self.asm.mov_rr(Width::W64, to, from.gpr()),
            None => self.asm.mov_rm(Width::W64, to, self.vmctx_place()),
        }
    }

    /// The instance context if it is in a register, else after loading it to `otherwise`. Allocates nothing.
    pub(crate) fn vmctx_or(&mut self, otherwise: Gpr) -> Gpr {
        if let Some(register) = self.regs.cache(Cache::Context) {
            return register.gpr();
        }
        self.load_vmctx(otherwise);
        otherwise
    }

    /// A field of the instance header.
    pub(crate) fn header(context: Gpr, offset: usize) -> Mem {
        Mem::base(context, offset as i32)
    }

    /// Loads the store's context to a register, `r11` perhaps. Allocates nothing.
    pub(crate) fn load_store_context(&mut self, to: Gpr) {
        let context = self.vmctx_or(to);
        self.asm.mov_rm(Width::W64, to, Self::header(context, offset_of!(InstanceHeader, store)));
    }

    /// A field of the store's context, in which `r11` leads to it from now on.
    pub(crate) fn store_field(&mut self, offset: usize) -> Mem {
        self.load_store_context(SCRATCH);
        Mem::base(SCRATCH, offset as i32)
    }

    /// Where the store's fuel is; changes `r11`.
    pub(crate) fn fuel_place(&mut self) -> Mem {
        self.store_field(offset_of!(StoreContext, fuel))
    }

    /// The address of a memory's byte 0 in a register that must not be changed, pinned. The register of memory 0 lasts
    /// for the following operators, up to a call.
    pub(crate) fn memory_base(&mut self, memory: MemoryIndex) -> Gpr {
        if memory.0 == 0
            && let Some(register) = self.regs.cache(Cache::MemoryBase)
        {
            self.regs.pinned.insert(register);
            return register.gpr();
        }
        // Where there was a call, there will be another one.
        let homes = self.regs.available().and(self.homes());
        let register = match homes.and(self.regs.saved).first().or(homes.first()) {
            Some(home) if self.calls != 0 && memory.0 == 0 && self.base_is_fixed() => {
                self.regs.saved.insert(home);
                self.regs.pinned.insert(home);
                home.gpr()
            }
            _ => self.alloc_int(),
        };
        self.load_memory_base(memory, register);
        if memory.0 == 0 {
            self.regs.set_cache(Cache::MemoryBase, register.into());
        }
        register
    }

    /// Loads the address of a memory's byte 0. Allocates nothing.
    pub(crate) fn load_memory_base(&mut self, memory: MemoryIndex, to: Gpr) {
        let definition = self.memory_definition(memory, to);
        let field = definition.offset(offset_of!(MemoryDefinition, base) as i32).unwrap_or(definition);
        self.asm.mov_rm(Width::W64, to, field);
    }

    /// Where a memory's current length in bytes is; `otherwise` may be changed to lead there. Allocates nothing.
    pub(crate) fn memory_length(&mut self, memory: MemoryIndex, otherwise: Gpr) -> Mem {
        let definition = self.memory_definition(memory, otherwise);
        definition.offset(offset_of!(MemoryDefinition, length) as i32).unwrap_or(definition)
    }

    /// Where a memory's definition is; `otherwise` may be changed to lead there. Allocates nothing.
    pub(crate) fn memory_definition(&mut self, memory: MemoryIndex, otherwise: Gpr) -> Mem {
        let place = self.module.layout.memory(memory);
        self.follow(place, otherwise)
    }

    /// Where a table's definition is; `otherwise` may be changed to lead there. Allocates nothing.
    pub(crate) fn table_definition(&mut self, table: TableIndex, otherwise: Gpr) -> Mem {
        let place = self.module.layout.table(table);
        self.follow(place, otherwise)
    }

    /// Where a table's element 0 has its address, or with `length` the table's length in elements (64 bits).
    pub(crate) fn table_field(&mut self, table: TableIndex, length: bool, otherwise: Gpr) -> Mem {
        let definition = self.table_definition(table, otherwise);
        let field = if length { offset_of!(TableDefinition, length) } else { offset_of!(TableDefinition, base) };
        definition.offset(field as i32).unwrap_or(definition)
    }

    /// Where an entity of the instance context is that may be imported; `otherwise` may be changed to lead there.
    pub(crate) fn follow(&mut self, place: Place, otherwise: Gpr) -> Mem {
        let context = self.vmctx_or(otherwise);
        match place {
            Place::Defined(offset) => Mem::base(context, offset as i32),
            Place::Imported(offset) => {
                self.asm.mov_rm(Width::W64, otherwise, Mem::base(context, offset as i32));
                Mem::base(otherwise, 0)
            }
        }
    }

    /// A memory's type.
    pub(crate) fn memory_type(&self, memory: MemoryIndex) -> MemoryType {
        self.module.info.memories[memory.index()]
    }

    /// Does the base of memory 0 never change?
    pub(crate) fn base_is_fixed(&self) -> bool {
        self.module.memory_style(MemoryIndex(0)) == MemoryStyle::Guarded
    }
}

/// Jumps, traps and positions.
impl Function<'_> {
    /// The next instruction may trap, for this reason: by a fault of memory or of division, or as `ud2`.
    #[inline]
    pub(crate) fn trap_site(&mut self, reason: TrapReason) {
        self.mark_position();
        self.tables.add_trap(self.asm.position(), reason);
    }

    /// From here to the next mark, code belongs to the operator at hand. For calls and instructions that trap only.
    #[inline]
    pub(crate) fn mark_position(&mut self) {
        self.tables.add_position(self.asm.position(), self.at);
    }

    /// Jumps to the label if the condition holds.
    pub(crate) fn jump_on(&mut self, condition: Condition, label: Label) {
        match condition {
            Condition::Flags(cond) => self.asm.jcc(cond, label),
            Condition::FloatNotEqual => {
                self.asm.jcc(Cond::P, label);
                self.asm.jcc(Cond::Ne, label);
            }
            Condition::FloatEqual => {
                let over = self.asm.new_label();
                self.asm.jcc(Cond::P, over);
                self.asm.jcc(Cond::E, label);
                self.asm.bind(over);
            }
        }
    }

    /// Traps if the condition holds.
    pub(crate) fn trap_if(&mut self, condition: Condition, reason: TrapReason) {
        let label = self.asm.new_label();
        self.jump_on(condition, label);
        let at = self.at;
        self.cold.push(Cold::Trap { label, reason, at });
    }

    /// Traps. The code behind it cannot be reached; only the emitters of control may use it.
    pub(crate) fn trap(&mut self, reason: TrapReason) {
        self.trap_site(reason);
        self.asm.ud2();
    }
}
