//! Linear memory: scalar loads and stores, size and growth, bulk operators.

use abi::builtins::Builtin;
use cranelift_codegen::ir::types::{F32, F64, I32, I64};
use cranelift_codegen::ir::{InstBuilder, Value};
use wasm::ops::{LoadKind, MemArg, Memory, StoreKind};
use wasm::types::MemoryIndex;

use super::state::Translator;

impl Translator<'_> {
    pub(crate) fn translate_memory(&mut self, op: Memory) {
        match op {
            Memory::Load(kind, arg) => self.load(kind, arg),
            Memory::Store(kind, arg) => self.store(kind, arg),
            Memory::Size(memory) => {
                let length = self.memory_length(memory);
                let shift = self.module.info.memories[memory.index()].page_size_log2;
                let pages = self.builder.ins().ushr_imm_u(length, i64::from(shift));
                self.push_memory_index(memory, pages);
            }
            Memory::Grow(memory) => {
                let delta = self.pop();
                let delta = self.index(delta);
                if let Some(pages) = self.call_indexed(Builtin::memory_grow, &[memory.0], &[delta]) {
                    self.push_memory_index(memory, pages);
                }
            }
            Memory::Fill(memory) => {
                let (dst, value, len) = self.pop3();
                let args = [self.index(dst), value, self.index(len)];
                self.call_indexed(Builtin::memory_fill, &[memory.0], &args);
            }
            Memory::Copy { dst: to, src: from } => {
                let (dst, src, len) = self.pop3();
                let args = [self.index(dst), self.index(src), self.index(len)];
                self.call_indexed(Builtin::memory_copy, &[to.0, from.0], &args);
            }
            Memory::Init { data, memory } => {
                let (dst, src, len) = self.pop3();
                let dst = self.index(dst);
                self.call_indexed(Builtin::memory_init, &[memory.0, data.0], &[dst, src, len]);
            }
            Memory::DataDrop(data) => {
                self.call_indexed(Builtin::data_drop, &[data.0], &[]);
            }
        }
    }

    /// Calls a builtin whose first arguments are indices of the module.
    pub(crate) fn call_indexed(&mut self, builtin: Builtin, indices: &[u32], args: &[Value]) -> Option<Value> {
        let mut all = [self.vmctx; 5];
        let count = indices.len() + args.len();
        for (slot, &index) in all.iter_mut().zip(indices) {
            *slot = self.builder.ins().iconst(I32, i64::from(index));
        }
        all[indices.len()..count].copy_from_slice(args);
        self.store_fuel();
        let result = self.call_builtin(builtin, &all[..count]);
        self.load_fuel();
        result
    }

    /// Pushes a 64-bit number of pages as the memory's own index type.
    fn push_memory_index(&mut self, memory: MemoryIndex, value: Value) {
        let wide = self.module.info.memories[memory.index()].index64;
        let value = if wide { value } else { self.builder.ins().ireduce(I32, value) };
        self.push(value);
    }

    fn load(&mut self, kind: LoadKind, arg: MemArg) {
        let at = self.pop_address(arg, kind.bytes());
        let ins = self.builder.ins();
        let (flags, base, offset) = (at.flags, at.base, at.offset);
        let value = match kind {
            LoadKind::I32 => ins.load(I32, flags, base, offset),
            LoadKind::I64 => ins.load(I64, flags, base, offset),
            LoadKind::F32 => ins.load(F32, flags, base, offset),
            LoadKind::F64 => ins.load(F64, flags, base, offset),
            LoadKind::I32S8 => ins.sload8(I32, flags, base, offset),
            LoadKind::I32U8 => ins.uload8(I32, flags, base, offset),
            LoadKind::I32S16 => ins.sload16(I32, flags, base, offset),
            LoadKind::I32U16 => ins.uload16(I32, flags, base, offset),
            LoadKind::I64S8 => ins.sload8(I64, flags, base, offset),
            LoadKind::I64U8 => ins.uload8(I64, flags, base, offset),
            LoadKind::I64S16 => ins.sload16(I64, flags, base, offset),
            LoadKind::I64U16 => ins.uload16(I64, flags, base, offset),
            LoadKind::I64S32 => ins.sload32(flags, base, offset),
            LoadKind::I64U32 => ins.uload32(flags, base, offset),
        };
        self.push(value);
    }

    fn store(&mut self, kind: StoreKind, arg: MemArg) {
        let value = self.pop();
        let at = self.pop_address(arg, kind.bytes());
        let ins = self.builder.ins();
        let (flags, base, offset) = (at.flags, at.base, at.offset);
        match kind {
            StoreKind::I32 | StoreKind::I64 | StoreKind::F32 | StoreKind::F64 => ins.store(flags, value, base, offset),
            StoreKind::I32As8 | StoreKind::I64As8 => ins.istore8(flags, value, base, offset),
            StoreKind::I32As16 | StoreKind::I64As16 => ins.istore16(flags, value, base, offset),
            StoreKind::I64As32 => ins.istore32(flags, value, base, offset),
        };
    }
}
