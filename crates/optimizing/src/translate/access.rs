//! The address of an access to linear memory: the one place where bounds are checked.
//!
//! A guarded memory needs no check for small offsets: whatever the index, the address lies in the reservation or its
//! guard, and what is past the length faults. Everything else compares `index + offset + size` with the length in
//! 64 bits without wrapping. With spectre guards the outcome selects between the address and null, so that not even a
//! mispredicted access leaves the memory; the fault at null is the trap.

use std::mem::offset_of;

use abi::layout::{MemoryDefinition, Place};
use abi::memory::{GUARD, MemoryStyle};
use abi::trap::TrapReason;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I8, I64};
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Value};
use wasm::ops::MemArg;
use wasm::types::{MemoryIndex, MemoryType};

use super::region::Region;
use super::state::{Translator, memory_flags};
use crate::traps::trap_code;

/// Where and how to access linear memory: operands for a load or store instruction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Address {
    /// Little endian, with the trap for a fault and the memory's alias region.
    pub(crate) flags: MemFlagsData,
    /// Address without the offset.
    pub(crate) base: Value,
    /// Constant offset for the instruction.
    pub(crate) offset: i32,
}

impl Translator<'_> {
    /// Pops the index of an access of `size` bytes and checks its bounds.
    pub(crate) fn pop_address(&mut self, arg: MemArg, size: u32) -> Address {
        let index = self.pop();
        self.address(index, arg, size)
    }

    /// The address of an access of `size` bytes at `index`, checked.
    pub(crate) fn address(&mut self, index: Value, arg: MemArg, size: u32) -> Address {
        let region = Region::memory(arg.memory, self.module.info.num_imported_memories);
        let region = self.region(region);
        let flags = memory_flags(trap_code(TrapReason::MemoryOutOfBounds)).with_alias_region(Some(region));
        let index = self.index(index);
        let end = arg.offset.checked_add(u64::from(size));
        match (self.module.memory_style(arg.memory), end) {
            (MemoryStyle::Guarded, Some(end)) if end <= GUARD => {
                let base = self.memory_base(arg.memory);
                let base = self.builder.ins().iadd(base, index);
                // GUARD is far below 2^31.
                Address { flags, base, offset: arg.offset as i32 }
            }
            _ => self.checked_address(index, arg, end, flags),
        }
    }

    fn checked_address(&mut self, index: Value, arg: MemArg, end: Option<u64>, flags: MemFlagsData) -> Address {
        let Some(end) = end else {
            // Even index 0 is past any memory.
            let always = self.builder.ins().iconst(I8, 1);
            self.trap_if(always, TrapReason::MemoryOutOfBounds);
            return Address { flags, base: index, offset: 0 };
        };
        let outside = self.is_outside(index, arg.memory, end);
        let base = self.memory_base(arg.memory);
        let address = self.builder.ins().iadd(base, index);
        if !self.module.settings.spectre_guards {
            self.trap_if(outside, TrapReason::MemoryOutOfBounds);
            if let Ok(offset) = i32::try_from(arg.offset) {
                return Address { flags, base: address, offset };
            }
        }
        let address = if arg.offset == 0 { address } else { self.offset_address(address, arg.offset) };
        if !self.module.settings.spectre_guards {
            return Address { flags, base: address, offset: 0 };
        }
        let null = self.i64(0);
        let base = self.builder.ins().select_spectre_guard(outside, null, address);
        Address { flags, base, offset: 0 }
    }

    fn offset_address(&mut self, address: Value, offset: u64) -> Value {
        let offset = self.i64(offset as i64);
        self.builder.ins().iadd(address, offset)
    }

    /// Does `index + end` pass the memory's length? `end` is the constant offset plus the size of the access.
    fn is_outside(&mut self, index: Value, memory: MemoryIndex, end: u64) -> Value {
        let ty = self.module.info.memories[memory.index()];
        let length = self.memory_length(memory);
        if ty.min_bytes().is_some_and(|min| end <= min) {
            // Memories do not shrink: the difference cannot wrap.
            let last = match fixed_length(&ty) {
                Some(fixed) => self.i64(fixed.wrapping_sub(end) as i64),
                None => {
                    let end = self.i64(end as i64);
                    self.builder.ins().isub(length, end)
                }
            };
            return self.builder.ins().icmp(IntCC::UnsignedGreaterThan, index, last);
        }
        let end = self.i64(end as i64);
        let sum = if ty.index64 {
            let code = trap_code(TrapReason::MemoryOutOfBounds);
            self.builder.ins().uadd_overflow_trap(index, end, code)
        } else {
            // Both are below 2^33.
            self.builder.ins().iadd(index, end)
        };
        self.builder.ins().icmp(IntCC::UnsignedGreaterThan, sum, length)
    }

    /// The memory's current length in bytes.
    pub(crate) fn memory_length(&mut self, memory: MemoryIndex) -> Value {
        let ty = self.module.info.memories[memory.index()];
        if let Some(length) = fixed_length(&ty) {
            return self.i64(length as i64);
        }
        let (definition, at) = self.memory_definition(memory);
        let flags = self.trusted(Region::MemoryDefinition);
        self.builder.ins().load(I64, flags, definition, at as i32 + offset_of!(MemoryDefinition, length) as i32)
    }

    /// The address of byte 0.
    fn memory_base(&mut self, memory: MemoryIndex) -> Value {
        let ty = self.module.info.memories[memory.index()];
        let (definition, at) = self.memory_definition(memory);
        let at = at + offset_of!(MemoryDefinition, base) as u32;
        if self.module.memory_style(memory) == MemoryStyle::Guarded || fixed_length(&ty).is_some() {
            return self.constant_field(I64, definition, at);
        }
        let flags = self.trusted(Region::MemoryDefinition);
        self.builder.ins().load(I64, flags, definition, at as i32)
    }

    /// Base and offset of the memory's definition.
    fn memory_definition(&mut self, memory: MemoryIndex) -> (Value, u32) {
        match self.module.layout.memory(memory) {
            Place::Defined(offset) => (self.vmctx, offset),
            Place::Imported(offset) => (self.context_pointer(offset as usize), 0),
        }
    }
}

/// The length of a memory that cannot grow. An imported memory that matches such a type has just this length, too.
fn fixed_length(ty: &MemoryType) -> Option<u64> {
    if ty.max == Some(ty.min) { ty.min_bytes() } else { None }
}
