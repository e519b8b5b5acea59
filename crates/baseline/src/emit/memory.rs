//! Linear memory: scalar loads and stores, size and growth, bulk operators.

use abi::assign::MachineType::{self, F32, F64, I32, I64};
use abi::builtins::Builtin;
use wasm::ops::{LoadKind, MemArg, Memory, StoreKind};
use wasm::types::MemoryIndex;

use self::access::{Access, fixed_length};
use crate::asm::x64::{Gpr, Shift, Size, SseOp, Width};
use crate::call_builtin::Argument::{Imm, Operand};
use crate::function::Function;

pub(crate) mod access;

impl Function<'_> {
    pub(crate) fn emit_memory(&mut self, op: Memory) {
        match op {
            Memory::Load(kind, arg) => self.load(kind, arg),
            Memory::Store(kind, arg) => self.store(kind, arg),
            Memory::Size(memory) => self.memory_size(memory),
            Memory::Grow(memory) => {
                self.call_builtin(Builtin::memory_grow, 1, &[Imm(memory.0), Operand(0)]);
                self.push_index_result(self.memory_type(memory).index64);
            }
            Memory::Fill(memory) => {
                let arguments = [Imm(memory.0), Operand(2), Operand(1), Operand(0)];
                self.call_builtin(Builtin::memory_fill, 3, &arguments);
            }
            Memory::Copy { dst, src } => {
                let arguments = [Imm(dst.0), Imm(src.0), Operand(2), Operand(1), Operand(0)];
                self.call_builtin(Builtin::memory_copy, 3, &arguments);
            }
            Memory::Init { data, memory } => {
                let arguments = [Imm(memory.0), Imm(data.0), Operand(2), Operand(1), Operand(0)];
                self.call_builtin(Builtin::memory_init, 3, &arguments);
            }
            Memory::DataDrop(data) => self.call_builtin(Builtin::data_drop, 0, &[Imm(data.0)]),
        }
    }

    /// Pushes what a builtin gave, 64 bits wide, as an index of this width.
    pub(super) fn push_index_result(&mut self, index64: bool) {
        if index64 {
            return self.push_int(Gpr::RAX, I64);
        }
        // -1 comes with all 64 bits set.
        self.asm.mov_rr(Width::W32, Gpr::RAX, Gpr::RAX);
        self.push_int(Gpr::RAX, I32);
    }

    fn memory_size(&mut self, memory: MemoryIndex) {
        let memory_type = self.memory_type(memory);
        let (ty, width) = if memory_type.index64 { (I64, Width::W64) } else { (I32, Width::W32) };
        let shift = memory_type.page_size_log2;
        if let Some(length) = fixed_length(&memory_type) {
            let pages = length >> (shift & 63);
            return self.push_const(ty, if memory_type.index64 { pages } else { pages & u64::from(u32::MAX) });
        }
        let result = self.alloc_int();
        let length = self.memory_length(memory, result);
        if shift == 0 {
            self.asm.mov_rm(width, result, length);
        } else {
            self.asm.mov_rm(Width::W64, result, length);
            self.asm.shift_ri(Shift::Shr, Width::W64, result, shift);
        }
        self.push_int(result, ty);
    }

    fn load(&mut self, kind: LoadKind, arg: MemArg) {
        let access = self.pop_access(arg, kind.bytes());
        match kind {
            LoadKind::F32 => self.load_float(F32, access),
            LoadKind::F64 => self.load_float(F64, access),
            LoadKind::I32 | LoadKind::I32S8 | LoadKind::I32U8 | LoadKind::I32S16 | LoadKind::I32U16 => {
                self.load_int(kind, I32, access);
            }
            LoadKind::I64
            | LoadKind::I64S8
            | LoadKind::I64U8
            | LoadKind::I64S16
            | LoadKind::I64U16
            | LoadKind::I64S32
            | LoadKind::I64U32 => self.load_int(kind, I64, access),
        }
    }

    fn load_float(&mut self, ty: MachineType, access: Access) {
        let to = self.alloc_float();
        self.mark_access(access);
        let op = if ty == F32 { SseOp::MOVSS } else { SseOp::MOVSD };
        self.asm.sse_rm(op, to, access.mem);
        self.push_float(to, ty);
    }

    fn load_int(&mut self, kind: LoadKind, ty: MachineType, access: Access) {
        let to = match access.spare {
            Some(index) => self.reuse_int(index),
            None => self.alloc_int(),
        };
        self.mark_access(access);
        let from = access.mem;
        match kind {
            LoadKind::I32 | LoadKind::I64U32 => self.asm.mov_rm(Width::W32, to, from),
            LoadKind::I64 => self.asm.mov_rm(Width::W64, to, from),
            LoadKind::I32U8 | LoadKind::I64U8 => self.asm.movzx8_rm(to, from),
            LoadKind::I32U16 | LoadKind::I64U16 => self.asm.movzx16_rm(to, from),
            LoadKind::I32S8 => self.asm.movsx8_rm(Width::W32, to, from),
            LoadKind::I64S8 => self.asm.movsx8_rm(Width::W64, to, from),
            LoadKind::I32S16 => self.asm.movsx16_rm(Width::W32, to, from),
            LoadKind::I64S16 => self.asm.movsx16_rm(Width::W64, to, from),
            LoadKind::I64S32 => self.asm.movsxd_rm(to, from),
            // Not integers: see `load`.
            LoadKind::F32 | LoadKind::F64 => {}
        }
        self.push_int(to, ty);
    }

    fn store(&mut self, kind: StoreKind, arg: MemArg) {
        let size = match kind {
            StoreKind::I32As8 | StoreKind::I64As8 => Size::S8,
            StoreKind::I32As16 | StoreKind::I64As16 => Size::S16,
            StoreKind::I32 | StoreKind::I64As32 | StoreKind::F32 => Size::S32,
            StoreKind::I64 | StoreKind::F64 => Size::S64,
        };
        if let Some(imm) = self.constant(0).and_then(|bits| storable(size, bits)) {
            self.drop_top();
            let access = self.pop_access(arg, kind.bytes());
            self.mark_access(access);
            return self.asm.mov_mi(size, access.mem, imm);
        }
        match kind {
            StoreKind::F32 | StoreKind::F64 => {
                let value = self.pop_float();
                let access = self.pop_access(arg, kind.bytes());
                self.mark_access(access);
                let op = if kind == StoreKind::F32 { SseOp::MOVSS_STORE } else { SseOp::MOVSD_STORE };
                self.asm.sse_mr(op, access.mem, value);
            }
            StoreKind::I32
            | StoreKind::I64
            | StoreKind::I32As8
            | StoreKind::I32As16
            | StoreKind::I64As8
            | StoreKind::I64As16
            | StoreKind::I64As32 => {
                let value = self.pop_int();
                let access = self.pop_access(arg, kind.bytes());
                self.mark_access(access);
                self.asm.mov_mr_sized(size, access.mem, value);
            }
        }
    }
}

/// The immediate that stores these bits, if there is one. Only the low bits count but for eight bytes.
fn storable(size: Size, bits: u64) -> Option<i32> {
    match size {
        Size::S8 | Size::S16 | Size::S32 => Some(bits as i32),
        Size::S64 => i32::try_from(bits.cast_signed()).ok(),
    }
}
