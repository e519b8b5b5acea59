//! What a function starts and ends with. The prologue is written last and put in front of the body, when the frame's size
//! and the registers to save are known.
//!
//! ```text
//! [rbp + 16 ..]  stack arguments, popped by the callee
//! [rbp +  8]     return address
//! [rbp]          the caller's frame pointer
//! [rbp -  8]     instance context
//! [rbp - 16]     address of the result buffer, if the function's type has one
//! below          the frame image, growing down; then callee-saved registers that the body uses
//! ```

use std::mem::offset_of;

use abi::assign::{Location, MachineType, Params, Results};
use abi::feedback::{FunctionProfile, entry_cost};
use abi::layout::{InstanceHeader, StoreContext};
use abi::trap::TrapReason;
use wasm::types::ValType;

use crate::asm::x64::{Alu, Assembler, Cond, Gpr, Label, Mem, Size, SseOp, Width};
use crate::function::Function;
use crate::operand::{SCRATCH, SCRATCH_FLOAT};
use crate::profile::{immediate_bytes, patch, place_in_profile};
use crate::regs::{Cache, Reg};
use crate::value_stack::Value;

/// Most bytes of a frame with all that its calls put below it.
const MAX_FRAME: u32 = 16 << 20;

/// Frames up to this size are checked without their size: the limit leaves that much room.
const SMALL_FRAME: u32 = 1 << 10;

/// Frames of functions that call nothing need no check up to this size. Those that do have one for interrupts, too.
const LEAF_FRAME: u32 = 4 << 10;

/// Most vector stores that clear locals one by one.
const MAX_STORES: u32 = 12;

/// Where cold code is that the prologue jumps to.
#[derive(Clone, Copy)]
pub(crate) struct PrologueExits {
    pub(crate) overflow: Option<Label>,
    pub(crate) spent: Option<Label>,
}

/// The prologue, finished.
pub(crate) struct Prologue {
    /// Bytes of the frame, with the frame pointer and the return address.
    pub(crate) frame_size: u32,
    /// Where displacements into the profile are.
    pub(crate) fixup: Option<u32>,
    /// Jumps to cold code: where their distances are, and the label.
    jumps: [Option<(u32, Label)>; 2],
}

impl Function<'_> {
    /// Where the frame keeps the context.
    pub(crate) fn vmctx_place(&self) -> Mem {
        Mem::base(Gpr::RBP, -8)
    }

    /// Where the frame keeps the address of the result buffer.
    pub(crate) fn buffer_place(&self) -> Mem {
        Mem::base(Gpr::RBP, -16)
    }

    /// Makes slots for parameters and locals and takes the parameters in.
    pub(crate) fn take_parameters(&mut self, locals: &[(u32, ValType)]) {
        let mut places = Params::of(self.ty);
        for &param in self.ty.params() {
            let ty = MachineType::of(param);
            let slot = self.values.height();
            match places.locate(ty) {
                Location::Int(register) => {
                    let register = Gpr::new(register);
                    if ty == MachineType::I32 {
                        self.asm.mov_rr(Width::W32, register, register);
                    }
                    self.take_parameter(register.into(), ty, slot);
                }
                Location::Vector(register) => self.take_parameter(Reg::new(16 | register), ty, slot),
                Location::Stack(offset) | Location::Buffer(offset) => {
                    self.values.push(ty, Value::Image);
                    let to = self.place(self.values.depth());
                    self.copy_memory(ty, to, Mem::base(Gpr::RBP, 16 + offset as i32));
                }
            }
        }
        self.zeroed_from = self.values.depth();
        for &(count, ty) in locals {
            let ty = MachineType::of(ty);
            for _ in 0..count {
                self.values.push(ty, Value::Image);
            }
        }
        self.zeroed_to = self.values.depth();
        self.values.locals = self.values.height();
        self.values.flushed = self.values.locals;
        self.regs.set_cache(Cache::Context, Gpr::RDI.into());
    }

    fn take_parameter(&mut self, register: Reg, ty: MachineType, slot: u32) {
        self.values.push(ty, Value::Reg(register));
        self.regs.set_local(register, slot, true);
    }

    /// Moves the topmost operands to where the convention wants results. What this function knows of the registers
    /// stays as it is.
    pub(crate) fn move_results(&mut self) {
        let types = self.ty.results();
        let first = self.values.height() - types.len() as u32;
        if self.has_buffer {
            self.asm.mov_rm(Width::W64, SCRATCH, self.buffer_place());
        }
        let mut places = Results::of(types);
        for index in 0..types.len() as u32 {
            let value = self.values.get(first + index);
            match places.locate(value.ty) {
                Location::Int(register) => self.moves.add(Reg::int(Gpr::new(register)), value),
                Location::Vector(register) => self.moves.add(Reg::new(16 | register), value),
                Location::Buffer(offset) | Location::Stack(offset) => {
                    let to = Mem::base(SCRATCH, offset as i32);
                    match value.value() {
                        Value::Const(bits) => self.store_halves(value.ty, to, bits),
                        Value::Reg(_) | Value::Image => self.store_slot(value, to, false),
                    }
                }
            }
        }
        self.emit_moves();
    }

    /// Stores a constant without a scratch register.
    fn store_halves(&mut self, ty: MachineType, to: Mem, bits: u64) {
        self.asm.mov_mi(Size::S32, to, bits as i32);
        if matches!(ty, MachineType::I64 | MachineType::F64) {
            self.asm.mov_mi(Size::S32, to.offset(4).unwrap_or(to), (bits >> 32) as i32);
        }
    }

    /// Where the callee-saved registers that the body uses are kept: at the lower end of the frame, pushed by rising
    /// number. To be used when the body is written.
    fn saved_places(&self) -> impl Iterator<Item = (Gpr, Mem)> + use<> {
        let bottom = self.frame_bytes().unwrap_or(MAX_FRAME) as i32;
        let count = self.regs.saved.iter().count() as i32;
        (1..)
            .zip(self.regs.saved.iter())
            .map(move |(index, register)| (register.gpr(), Mem::base(Gpr::RBP, 8 * (count - index) - bottom)))
    }

    /// Loads the caller's values of callee-saved registers; `rsp` is where the prologue has left it.
    pub(crate) fn pop_saved(&mut self) {
        let saved = self.regs.saved.0;
        for register in (0..16).rev().filter(|register| saved & 1 << register != 0) {
            self.asm.pop(Gpr::new(register));
        }
    }

    /// Loads the caller's values of callee-saved registers, wherever `rsp` is.
    pub(crate) fn restore_saved(&mut self) {
        for (register, place) in self.saved_places() {
            self.asm.mov_rm(Width::W64, register, place);
        }
    }

    /// What every return comes to.
    pub(crate) fn emit_epilogue(&mut self) {
        let epilogue = self.epilogue;
        self.asm.bind(epilogue);
        self.pop_saved();
        self.asm.leave();
        match u16::try_from(Params::stack_bytes(self.ty)) {
            Ok(0) => self.asm.ret(),
            Ok(bytes) => self.asm.ret_i(bytes),
            Err(_) => self.fail("too many bytes of stack arguments"),
        }
    }

    /// Bytes below the frame pointer's target. None past the limit.
    fn frame_bytes(&self) -> Option<u32> {
        let saved = 8 * self.regs.saved.iter().count() as u32;
        let bytes = (self.image_top as u32).checked_add(self.values.max_depth)?.checked_add(saved)?;
        bytes.checked_next_multiple_of(16).filter(|bytes| bytes.saturating_add(self.outgoing) <= MAX_FRAME)
    }

    /// Writes the cold code of the prologue, behind all other code.
    pub(crate) fn emit_prologue_exits(&mut self) -> PrologueExits {
        self.at = abi::compiled::SourcePosition::NONE;
        let total = self.frame_bytes().unwrap_or(MAX_FRAME) + self.outgoing;
        let overflow = (self.calls != 0 || self.has_tail_calls || total > LEAF_FRAME).then(|| {
            let label = self.asm.label_here();
            self.trap(TrapReason::StackOverflow);
            label
        });
        let spent = self.settings().profile.then(|| {
            let label = self.asm.label_here();
            self.emit_spent_entry();
            label
        });
        PrologueExits { overflow, spent }
    }

    /// Writes the prologue. None if the frame is too large.
    pub(crate) fn write_prologue(&self, asm: &mut Assembler, exits: PrologueExits) -> Option<Prologue> {
        let frame = self.frame_bytes()?;
        let mut jumps = [None; 2];
        let mut fixup = None;
        if let Some(spent) = exits.spent {
            let cost = entry_cost(self.asm.position());
            asm.mov_rm(Width::W64, SCRATCH, Self::header(Gpr::RDI, offset_of!(InstanceHeader, profile)));
            asm.alu_mi(Alu::Sub, Width::W32, place_in_profile(SCRATCH), cost);
            fixup = Some(patch(asm, immediate_bytes(cost), offset_of!(FunctionProfile, budget) as u32));
            jumps[0] = Some((jump_out(asm, Cond::S), spent));
        }
        asm.push(Gpr::RBP);
        asm.mov_rr(Width::W64, Gpr::RBP, Gpr::RSP);
        asm.push(Gpr::RDI);
        let mut pushed = 8;
        if self.has_buffer {
            asm.push(Gpr::RSI);
            pushed += 8;
        }
        if let Some(overflow) = exits.overflow {
            jumps[1] = Some((check_stack(asm, frame + self.outgoing), overflow));
        }
        let saved = 8 * self.regs.saved.iter().count() as u32;
        if frame > pushed + saved {
            asm.alu_ri(Alu::Sub, Width::W64, Gpr::RSP, (frame - pushed - saved) as i32);
        }
        for register in self.regs.saved.iter() {
            asm.push(register.gpr());
        }
        self.clear_locals(asm);
        Some(Prologue { frame_size: frame + 16, fixup, jumps })
    }

    /// Stores zero to all locals that are not parameters.
    fn clear_locals(&self, asm: &mut Assembler) {
        let (mut bytes, bottom) = (self.zeroed_to - self.zeroed_from, self.image_top + self.zeroed_to as i32);
        if bytes == 0 {
            return;
        }
        if bytes == 8 {
            return asm.mov_mi(Size::S64, Mem::base(Gpr::RBP, -bottom), 0);
        }
        asm.zero_xmm(SCRATCH_FLOAT);
        if !bytes.is_multiple_of(16) {
            bytes -= 8;
            let last = Mem::base(Gpr::RBP, bytes as i32 - bottom);
            asm.sse_mr(SseOp::MOVQ_STORE, last, SCRATCH_FLOAT);
        }
        if bytes / 16 <= MAX_STORES {
            for offset in (0..bytes as i32).step_by(16) {
                asm.sse_mr(SseOp::MOVUPS_STORE, Mem::base(Gpr::RBP, offset - bottom), SCRATCH_FLOAT);
            }
            return;
        }
        // `r11` runs from minus the size up to zero.
        asm.mov_ri(SCRATCH, i64::from(bytes).wrapping_neg().cast_unsigned());
        let more = asm.label_here();
        let place = Mem::indexed(Gpr::RBP, SCRATCH, crate::asm::x64::Scale::X1, bytes as i32 - bottom);
        asm.sse_mr(SseOp::MOVUPS_STORE, place, SCRATCH_FLOAT);
        asm.alu_ri(Alu::Add, Width::W64, SCRATCH, 16);
        asm.jcc(Cond::Ne, more);
    }

    /// Makes the prologue's jumps go to the body's cold code.
    pub(crate) fn link_prologue(&self, asm: &mut Assembler, prologue: &Prologue) {
        let size = self.asm.prologue_size(asm);
        for &(field, label) in prologue.jumps.iter().flatten() {
            let target = size.wrapping_add(self.asm.label_position(label).unwrap_or(0));
            asm.patch_i32(field, target.wrapping_sub(field + 4).cast_signed());
        }
    }
}

/// Compares the stack with the store's limit; gives the place of the distance of the jump for too little of it.
fn check_stack(asm: &mut Assembler, frame: u32) -> u32 {
    let limit = Mem::base(SCRATCH, offset_of!(StoreContext, stack_limit) as i32);
    asm.mov_rm(Width::W64, SCRATCH, Mem::base(Gpr::RDI, offset_of!(InstanceHeader, store) as i32));
    if frame <= SMALL_FRAME {
        asm.alu_rm(Alu::Cmp, Width::W64, Gpr::RSP, limit);
    } else {
        // Frames are far smaller than addresses of stacks, so this does not wrap.
        asm.lea(Width::W64, Gpr::R10, Mem::base(Gpr::RSP, -(frame as i32)));
        asm.alu_rm(Alu::Cmp, Width::W64, Gpr::R10, limit);
    }
    jump_out(asm, Cond::B)
}

/// A jump out of the prologue; gives the place of its distance.
fn jump_out(asm: &mut Assembler, cond: Cond) -> u32 {
    asm.emit_bytes(&[0x0f, 0x80 | cond as u8, 0, 0, 0, 0]);
    asm.position().saturating_sub(4)
}
