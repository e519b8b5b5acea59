//! Cold code: what a function hardly ever does is written behind its body.

use std::mem::offset_of;

use abi::assign::MachineType;
use abi::builtins::{Builtin, NativeEntry};
use abi::compiled::SourcePosition;
use abi::layout::{InstanceHeader, StoreContext};
use abi::trap::TrapReason;

use crate::asm::x64::{Cond, Gpr, Label, Mem, Width};
use crate::function::Function;
use crate::operand::SCRATCH;
use crate::regs::{Cache, Reg, RegSet};
use crate::state::State;
use crate::value_stack::slot_bytes;

/// Cold code that waits to be written.
pub(crate) enum Cold {
    /// A trap.
    Trap {
        /// Where the code jumps to.
        label: Label,
        reason: TrapReason,
        /// The operator that traps.
        at: u32,
    },
    /// The budget is spent at a back-edge: offers the frame to optimized code.
    SpentLoop {
        label: Label,
        header: Label,
        /// The `loop` operator.
        at: u32,
        image: Image,
    },
    /// A builtin that the code calls at a loop header or the function's entry, and then goes on.
    Poll { label: Label, back: Label, builtin: Builtin, at: u32, image: Image },
    /// Something is asked of the store's thread, at a loop header; `r11` leads to the store's context. What deals with it keeps
    /// all registers, but the memory may move.
    Interrupt {
        label: Label,
        back: Label,
        at: u32,
        /// The register of memory 0's base.
        base: Option<Reg>,
    },
    /// The end of a tail call.
    TailCall {
        label: Label,
        /// Bytes of the callee's stack arguments.
        new: u32,
    },
    /// An indirect call whose target is not the first that its site has seen. The reference is in `rax`, its distance
    /// from the context in `r11d`, and `r10` leads to the site.
    Record { label: Label, back: Label },
}

/// What is in registers at a place where each of them means one slot.
pub(crate) struct Image {
    held: Box<[Held]>,
    caches: [Option<Reg>; 2],
    /// Bytes of the frame image in use there.
    size: u32,
}

/// A slot that is in a register.
struct Held {
    register: Reg,
    ty: MachineType,
    depth: u32,
    /// Its place in the image is not up to date.
    dirty: bool,
}

impl Function<'_> {
    /// The registers at the header of a block at `base` with these parameters, in this state.
    pub(crate) fn image_of(&self, state: &State, base: u32, params: impl Iterator<Item = MachineType>) -> Image {
        let mut size = self.values.depth_below(base);
        let mut held = Vec::with_capacity(16);
        for register in state.held.iter() {
            let slot = state.slots[register.index()];
            if slot < base {
                let value = self.values.get(slot);
                let dirty = slot >= self.values.locals || state.dirty.contains(register);
                held.push(Held { register, ty: value.ty, depth: value.depth, dirty });
            }
        }
        for (index, ty) in params.enumerate() {
            size += slot_bytes(ty);
            let slot = base + index as u32;
            let register = state.held.iter().find(|register| state.slots[register.index()] == slot);
            held.extend(register.map(|register| Held { register, ty, depth: size, dirty: true }));
        }
        Image { held: held.into(), caches: state.caches, size }
    }

    /// The registers as they are; each must mean one slot.
    pub(crate) fn image_here(&self) -> Image {
        let state = self.state_here();
        self.image_of(&state, self.values.height(), std::iter::empty())
    }

    fn save_image(&mut self, image: &Image) {
        for held in image.held.iter().filter(|held| held.dirty) {
            let place = self.place(held.depth);
            self.store_reg(held.ty, place, held.register);
        }
    }

    /// Loads what a call has changed.
    fn load_image(&mut self, image: &Image) {
        for held in &image.held {
            if RegSet::CALLEE_SAVED.contains(held.register) {
                continue;
            }
            let place = self.place(held.depth);
            self.load_reg(held.ty, held.register, place);
        }
        for cache in Cache::ALL {
            let lost = |register: &Reg| cache != Cache::Context || !RegSet::CALLEE_SAVED.contains(*register);
            if let Some(register) = image.caches[cache as usize].filter(lost) {
                self.load_cache(cache, register);
            }
        }
    }

    /// Writes all cold code.
    pub(crate) fn emit_cold(&mut self) {
        for cold in std::mem::take(&mut self.cold) {
            match cold {
                Cold::Trap { label, reason, at } => {
                    self.at = at;
                    self.asm.bind(label);
                    self.trap(reason);
                }
                Cold::SpentLoop { label, header, at, image } => {
                    self.at = at;
                    self.asm.bind(label);
                    self.emit_spent_loop(header, &image);
                }
                Cold::Poll { label, back, builtin, at, image } => {
                    self.at = at;
                    self.asm.bind(label);
                    self.save_image(&image);
                    self.asm.mov_rm(Width::W64, Gpr::RDI, self.vmctx_place());
                    self.emit_builtin_call(builtin);
                    self.load_image(&image);
                    self.asm.jmp(back);
                }
                Cold::Interrupt { label, back, at, base } => {
                    self.at = at;
                    self.asm.bind(label);
                    self.mark_position();
                    self.asm.call_m(Mem::base(SCRATCH, offset_of!(StoreContext, on_interrupt) as i32));
                    if let Some(register) = base {
                        self.load_cache(Cache::MemoryBase, register);
                    }
                    self.asm.jmp(back);
                }
                Cold::TailCall { label, new } => {
                    self.asm.bind(label);
                    self.emit_tail_exit(new);
                }
                Cold::Record { label, back } => {
                    self.asm.bind(label);
                    self.emit_record();
                    self.asm.jmp(back);
                }
            }
        }
        if let Some(offer) = self.osr_offer.take() {
            self.asm.bind(offer);
            self.emit_osr_offer();
        }
    }

    fn emit_spent_loop(&mut self, header: Label, image: &Image) {
        self.save_image(image);
        self.asm.mov_ri(Gpr::RDX, self.at.into());
        self.asm.mov_ri(Gpr::R8, image.size.into());
        let offer = match self.osr_offer {
            Some(offer) => offer,
            None => *self.osr_offer.insert(self.asm.new_label()),
        };
        self.mark_position();
        self.asm.call(offer);
        self.load_image(image);
        self.asm.jmp(header);
    }

    /// What the loops of a function share: offers the frame to optimized code. Returns if there is none; otherwise takes
    /// the frame down and goes on there, with the context and the result buffer as at the function's entry.
    fn emit_osr_offer(&mut self) {
        self.asm.push(Gpr::RAX);
        self.asm.mov_rm(Width::W64, Gpr::RDI, self.vmctx_place());
        self.asm.mov_ri(Gpr::RSI, self.function.0.into());
        self.asm.mov_ri(Gpr::RCX, self.image_top as u64);
        self.emit_builtin_call(Builtin::loop_tier_up);
        self.asm.pop(Gpr::RCX);
        let leave = self.asm.new_label();
        self.asm.test_rr(Width::W64, Gpr::RAX, Gpr::RAX);
        self.asm.jcc(Cond::Ne, leave);
        self.asm.ret();
        self.asm.bind(leave);
        // The return address that is not used.
        self.asm.pop(Gpr::RCX);
        self.pop_saved();
        self.asm.mov_rm(Width::W64, Gpr::RDI, self.vmctx_place());
        if self.has_buffer {
            self.asm.mov_rm(Width::W64, Gpr::RSI, self.buffer_place());
        }
        self.asm.leave();
        self.asm.jmp_r(Gpr::RAX);
    }

    /// Calls the recorder of targets. It changes `r10`, `r11` and the flags only; `rdi` is not an argument yet.
    fn emit_record(&mut self) {
        self.asm.push(Gpr::RAX);
        self.asm.push(Gpr::RAX);
        self.asm.mov_rm(Width::W64, Gpr::RAX, self.vmctx_place());
        self.asm.mov_rm(Width::W64, Gpr::RAX, Self::header(Gpr::RAX, offset_of!(InstanceHeader, builtins)));
        self.asm.call_m(Mem::base(Gpr::RAX, NativeEntry::RecordTarget as i32 * 8));
        self.asm.pop(Gpr::RAX);
        self.asm.pop(Gpr::RAX);
    }

    /// The cold half of the prologue's budget check: everything is as at the function's entry.
    pub(crate) fn emit_spent_entry(&mut self) {
        self.tables.add_position(self.asm.position(), SourcePosition::NONE);
        self.asm.mov_ri(SCRATCH, self.function.0.into());
        self.asm.mov_rm(Width::W64, Gpr::R10, Self::header(Gpr::RDI, offset_of!(InstanceHeader, builtins)));
        self.asm.jmp_m(Mem::base(Gpr::R10, NativeEntry::TierUp as i32 * 8));
    }
}
