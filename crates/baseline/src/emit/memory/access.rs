//! The address of an access to linear memory: the one place where bounds are checked.
//!
//! A guarded memory needs no check for small offsets: whatever the index, the address lies in the reservation or its
//! guard, and what is past the length faults; the access is one instruction with base, index and displacement. Everything
//! else compares with the length. With spectre guards the outcome selects between the address and null, so that not even a
//! mispredicted access leaves the memory; the fault at null is the trap.

use abi::memory::{GUARD, MemoryStyle};
use abi::trap::TrapReason;
use wasm::ops::MemArg;
use wasm::types::MemoryType;

use crate::asm::x64::{Alu, Cond, Gpr, Mem, Scale, Width};
use crate::function::Function;
use crate::operand::{Condition, SCRATCH};

/// Where and how to access linear memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Access {
    /// The instruction's operand.
    pub(crate) mem: Mem,
    /// The register that the index was popped to, for `reuse_int`.
    pub(crate) spare: Option<Gpr>,
    /// Is it a fault that traps?
    faults: bool,
}

impl Function<'_> {
    /// To be called right before the instruction that makes the access: no pops or allocations in between.
    #[inline]
    pub(crate) fn mark_access(&mut self, access: Access) {
        if access.faults {
            self.trap_site(TrapReason::MemoryOutOfBounds);
        }
    }

    /// Pops the index of an access of `size` bytes and checks its bounds.
    #[inline]
    pub(crate) fn pop_access(&mut self, arg: MemArg, size: u32) -> Access {
        let end = arg.offset.checked_add(u64::from(size));
        match (self.module.memory_style(arg.memory), end) {
            (MemoryStyle::Guarded, Some(end)) if end <= GUARD => self.guarded_access(arg),
            _ => self.checked_access(arg, end),
        }
    }

    #[inline]
    fn guarded_access(&mut self, arg: MemArg) -> Access {
        // GUARD is far below 2^31, as is the reservation above it.
        let offset = arg.offset as i32;
        if let Some(disp) = self.constant(0).and_then(|index| displacement(index, arg.offset)) {
            self.drop_top();
            let base = self.memory_base(arg.memory);
            return Access { mem: Mem::base(base, disp), spare: None, faults: true };
        }
        let index = self.pop_int();
        let base = self.memory_base(arg.memory);
        Access { mem: Mem::indexed(base, index, Scale::X1, offset), spare: Some(index), faults: true }
    }

    #[inline(never)]
    fn checked_access(&mut self, arg: MemArg, end: Option<u64>) -> Access {
        let ty = self.memory_type(arg.memory);
        let least = ty.min_bytes().unwrap_or(u64::MAX);
        let reach = self.constant(0).and_then(|index| index.checked_add(end?));
        if reach.is_some_and(|reach| reach <= least)
            && let Some(disp) = self.constant(0).and_then(|index| displacement(index, arg.offset))
        {
            // Memories do not shrink.
            self.drop_top();
            let base = self.memory_base(arg.memory);
            return Access { mem: Mem::base(base, disp), spare: None, faults: false };
        }
        let index = self.pop_int();
        let fixed = fixed_length(&ty);
        let Some(end) = end.filter(|&end| fixed.is_none_or(|fixed| end <= fixed)) else {
            // Even index 0 is past the memory.
            self.asm.alu_rr(Alu::Cmp, Width::W32, SCRATCH, SCRATCH);
            self.trap_if(Condition::Flags(Cond::E), TrapReason::MemoryOutOfBounds);
            return Access { mem: Mem::base(index, 0), spare: Some(index), faults: false };
        };
        // Nothing may be popped or allocated once the flags are set. The context leads to the length.
        if fixed.is_none() {
            self.vmctx();
        }
        let base = self.memory_base(arg.memory);
        let address = self.alloc_int();
        if self.settings().spectre_guards {
            self.compare_end(arg, &ty, index, end, address);
            match i32::try_from(arg.offset) {
                Ok(offset) => self.asm.lea(Width::W64, address, Mem::indexed(base, index, Scale::X1, offset)),
                Err(_) => {
                    self.asm.mov_ri(address, arg.offset);
                    self.asm.lea(Width::W64, address, Mem::indexed(base, address, Scale::X1, 0));
                    self.asm.lea(Width::W64, address, Mem::indexed(address, index, Scale::X1, 0));
                }
            }
            self.asm.mov_ri(SCRATCH, 0);
            self.asm.cmov_rr(Cond::A, Width::W64, address, SCRATCH);
            return Access { mem: Mem::base(address, 0), spare: Some(address), faults: true };
        }
        self.compare_end(arg, &ty, index, end, address);
        self.trap_if(Condition::Flags(Cond::A), TrapReason::MemoryOutOfBounds);
        match i32::try_from(arg.offset) {
            Ok(offset) => {
                Access { mem: Mem::indexed(base, index, Scale::X1, offset), spare: Some(index), faults: false }
            }
            Err(_) => {
                self.asm.mov_ri(address, arg.offset);
                self.asm.alu_rr(Alu::Add, Width::W64, address, index);
                Access { mem: Mem::indexed(base, address, Scale::X1, 0), spare: Some(address), faults: false }
            }
        }
    }

    /// "Above" if `index + end` passes the memory's length. `end` is the constant offset plus the size of the access.
    /// Changes `temporary` and `r11`.
    fn compare_end(&mut self, arg: MemArg, ty: &MemoryType, index: Gpr, end: u64, temporary: Gpr) {
        if let Some(fixed) = fixed_length(ty) {
            // The caller has seen that it is not less.
            let last = fixed.wrapping_sub(end);
            return match i32::try_from(last) {
                Ok(last) => self.asm.alu_ri(Alu::Cmp, Width::W64, index, last),
                Err(_) => {
                    self.asm.mov_ri(SCRATCH, last);
                    self.asm.alu_rr(Alu::Cmp, Width::W64, index, SCRATCH);
                }
            };
        }
        let short = i32::try_from(end).ok();
        match short {
            Some(end) if !ty.index64 => {
                // Both are far below 2^63.
                self.asm.lea(Width::W64, temporary, Mem::base(index, end));
            }
            _ => {
                self.asm.mov_ri(temporary, end);
                self.asm.alu_rr(Alu::Add, Width::W64, temporary, index);
                self.trap_if(Condition::Flags(Cond::B), TrapReason::MemoryOutOfBounds);
            }
        }
        let length = self.memory_length(arg.memory, SCRATCH);
        self.asm.alu_rm(Alu::Cmp, Width::W64, temporary, length);
    }
}

/// The displacement of a constant index, if it is small enough.
fn displacement(index: u64, offset: u64) -> Option<i32> {
    i32::try_from(index.checked_add(offset)?).ok()
}

/// The length of a memory that cannot grow. An imported memory that matches such a type has just this length, too.
pub(crate) fn fixed_length(ty: &MemoryType) -> Option<u64> {
    if ty.max == Some(ty.min) { ty.min_bytes() } else { None }
}
