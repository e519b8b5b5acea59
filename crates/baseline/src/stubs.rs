//! The ways into Wasm and out of it: stubs that move values between slots and the convention's locations, one of each
//! for a function type.

use std::mem::offset_of;

use abi::assign::{Location, MachineType, Params, Results, results_need_buffer};
use abi::compiled::{CompiledCode, SourcePosition, TrapSite};
use abi::compiler::CompileError;
use abi::layout::{HostContext, StoreContext, VALUE_SLOT};
use abi::trap::TrapReason;
use wasm::types::{FuncType, ValType};

use crate::asm::x64::{Alu, Assembler, Cond, Gpr, Mem, SseOp, Width, Xmm};

/// Bytes of a frame above the frame pointer's target: the saved frame pointer and the return address.
const FRAME_RECORD: u32 = 16;

/// Copies pass through this one: it is no argument and no result.
const COPY: Xmm = Xmm::XMM15;

/// The stub through which C calls compiled functions of this type; see [`abi::compiler::Compiler::entry_stub`].
/// It gets the code in `rdi`, the context in `rsi`, the values in `rdx`.
pub(crate) fn entry(ty: &FuncType) -> Result<CompiledCode, CompileError> {
    const VALUES: Gpr = Gpr::RBX;
    let mut asm = Assembler::new();
    let stack = Params::stack_bytes(ty);
    asm.push(Gpr::RBP);
    asm.mov_rr(Width::W64, Gpr::RBP, Gpr::RSP);
    asm.alu_ri(Alu::Sub, Width::W64, Gpr::RSP, (16 + stack) as i32);
    asm.mov_mr(Width::W64, Mem::base(Gpr::RBP, -8), VALUES);
    asm.mov_rr(Width::W64, Gpr::RAX, Gpr::RDI);
    asm.mov_rr(Width::W64, Gpr::RDI, Gpr::RSI);
    asm.mov_rr(Width::W64, VALUES, Gpr::RDX);
    let buffered = results_need_buffer(ty.results());
    if buffered {
        // The callee reads its parameters before it writes a result over them: they are copied here.
        asm.mov_rr(Width::W64, Gpr::RSI, VALUES);
    }
    let mut places = Params::of(ty);
    for_each_slot(ty.params(), |ty, offset| {
        let from = Mem::base(VALUES, offset);
        match places.locate(ty) {
            Location::Int(register) => load_int(&mut asm, ty, register, from),
            Location::Vector(register) => load_vector(&mut asm, ty, Xmm::new(register), from),
            Location::Stack(at) | Location::Buffer(at) => copy(&mut asm, ty, Mem::base(Gpr::RSP, at as i32), from),
        }
    });
    asm.call_r(Gpr::RAX);
    if !buffered {
        let mut places = Results::of(ty.results());
        for_each_slot(ty.results(), |ty, offset| store(&mut asm, ty, places.locate(ty), Mem::base(VALUES, offset)));
    }
    asm.mov_rm(Width::W64, VALUES, Mem::base(Gpr::RBP, -8));
    asm.leave();
    asm.ret();
    finish(asm, Vec::new(), 16 + stack)
}

/// The stub through which compiled code calls host functions of this type; see
/// [`abi::compiler::Compiler::exit_stub`].
pub(crate) fn exit(ty: &FuncType) -> Result<CompiledCode, CompileError> {
    // No check of the stack limit: this small frame is within what is left to the host below it.
    let mut asm = Assembler::new();
    let slots = ty.params().len().max(ty.results().len());
    let size = (slots * VALUE_SLOT) as u32 + 16;
    let (context, buffer) = (Mem::base(Gpr::RBP, -8), Mem::base(Gpr::RBP, -16));
    let buffered = results_need_buffer(ty.results());
    asm.push(Gpr::RBP);
    asm.mov_rr(Width::W64, Gpr::RBP, Gpr::RSP);
    asm.alu_ri(Alu::Sub, Width::W64, Gpr::RSP, size as i32);
    asm.mov_mr(Width::W64, context, Gpr::RDI);
    if buffered {
        asm.mov_mr(Width::W64, buffer, Gpr::RSI);
    }
    let mut places = Params::of(ty);
    for_each_slot(ty.params(), |ty, offset| store(&mut asm, ty, places.locate(ty), Mem::base(Gpr::RSP, offset)));
    let field = |offset: usize| Mem::base(Gpr::RDI, offset as i32);
    asm.mov_rm(Width::W64, Gpr::RAX, field(offset_of!(HostContext, store)));
    asm.mov_mr(Width::W64, Mem::base(Gpr::RAX, offset_of!(StoreContext, exit_fp) as i32), Gpr::RBP);
    asm.mov_rr(Width::W64, Gpr::RSI, Gpr::RSP);
    asm.call_m(field(offset_of!(HostContext, function)));
    let raising = asm.new_label();
    asm.test_rr(Width::W64, Gpr::RAX, Gpr::RAX);
    asm.jcc(Cond::Ne, raising);
    if buffered {
        asm.mov_rm(Width::W64, Gpr::R11, buffer);
    }
    let mut places = Results::of(ty.results());
    for_each_slot(ty.results(), |ty, offset| {
        let from = Mem::base(Gpr::RSP, offset);
        match places.locate(ty) {
            Location::Int(register) => load_int(&mut asm, ty, register, from),
            Location::Vector(register) => load_vector(&mut asm, ty, Xmm::new(register), from),
            Location::Buffer(at) | Location::Stack(at) => copy(&mut asm, ty, Mem::base(Gpr::R11, at as i32), from),
        }
    });
    asm.leave();
    match u16::try_from(Params::stack_bytes(ty)) {
        Ok(0) => asm.ret(),
        Ok(bytes) => asm.ret_i(bytes),
        Err(_) => return Err(CompileError::limit(None, "too many bytes of stack arguments")),
    }
    asm.bind(raising);
    asm.mov_rm(Width::W64, Gpr::RDI, context);
    asm.mov_rm(Width::W64, Gpr::RAX, field(offset_of!(HostContext, raise)));
    asm.mov_rm(Width::W64, Gpr::RDI, field(offset_of!(HostContext, store)));
    asm.call_r(Gpr::RAX);
    let trap = TrapSite { offset: asm.position(), reason: TrapReason::Unreachable };
    asm.ud2();
    finish(asm, vec![trap], size)
}

/// Calls `each` with the machine type and the offset of every value slot.
fn for_each_slot(types: &[ValType], mut each: impl FnMut(MachineType, i32)) {
    for (index, &ty) in types.iter().enumerate() {
        each(MachineType::of(ty), (index * VALUE_SLOT) as i32);
    }
}

fn int_width(ty: MachineType) -> Width {
    if ty == MachineType::I32 { Width::W32 } else { Width::W64 }
}

fn load_int(asm: &mut Assembler, ty: MachineType, register: u8, from: Mem) {
    asm.mov_rm(int_width(ty), Gpr::new(register), from);
}

fn load_vector(asm: &mut Assembler, ty: MachineType, to: Xmm, from: Mem) {
    let op = match ty {
        MachineType::V128 => SseOp::MOVUPS,
        MachineType::F32 => SseOp::MOVSS,
        MachineType::F64 | MachineType::I32 | MachineType::I64 => SseOp::MOVSD,
    };
    asm.sse_rm(op, to, from);
}

fn store_vector(asm: &mut Assembler, ty: MachineType, to: Mem, from: Xmm) {
    let op = match ty {
        MachineType::V128 => SseOp::MOVUPS_STORE,
        MachineType::F32 => SseOp::MOVSS_STORE,
        MachineType::F64 | MachineType::I32 | MachineType::I64 => SseOp::MOVSD_STORE,
    };
    asm.sse_mr(op, to, from);
}

/// Copies a value of 8 bytes or 16.
fn copy(asm: &mut Assembler, ty: MachineType, to: Mem, from: Mem) {
    let ty = if ty == MachineType::V128 { ty } else { MachineType::F64 };
    load_vector(asm, ty, COPY, from);
    store_vector(asm, ty, to, COPY);
}

/// Stores a value from where the convention has it, seen from a frame whose pointer is set.
fn store(asm: &mut Assembler, ty: MachineType, from: Location, to: Mem) {
    match from {
        Location::Int(register) => asm.mov_mr(int_width(ty), to, Gpr::new(register)),
        Location::Vector(register) => store_vector(asm, ty, to, Xmm::new(register)),
        Location::Stack(at) | Location::Buffer(at) => {
            copy(asm, ty, to, Mem::base(Gpr::RBP, FRAME_RECORD as i32 + at as i32));
        }
    }
}

fn finish(mut asm: Assembler, traps: Vec<TrapSite>, frame: u32) -> Result<CompiledCode, CompileError> {
    let prologue = Assembler::new();
    Ok(CompiledCode {
        bytes: asm.finish(&prologue),
        alignment: 16,
        traps,
        positions: vec![SourcePosition { code_offset: 0, wasm_offset: SourcePosition::NONE }],
        frame_size: frame + FRAME_RECORD,
        ..CompiledCode::default()
    })
}
