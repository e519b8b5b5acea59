//! Locked instructions and fences.

use super::buffer::Assembler;
use super::encode::{Fields, Opcode};
use super::operand::{Alu, Gpr, Mem, Size, Width};

impl Assembler {
    /// `lock cmpxchg [dst], src`: if `[dst]` is `rax` (of this size), it becomes `src`; `rax` becomes what was there.
    #[inline]
    pub(crate) fn lock_cmpxchg(&mut self, size: Size, dst: Mem, src: Gpr) {
        self.locked(Opcode::two(0xb0), size, dst, src);
    }

    /// `lock xadd [dst], src`: adds, and `src` becomes what was there.
    #[inline]
    pub(crate) fn lock_xadd(&mut self, size: Size, dst: Mem, src: Gpr) {
        self.locked(Opcode::two(0xc0), size, dst, src);
    }

    /// `lock op [dst], src` for `add`, `sub`, `and`, `or`, `xor`; `adc` and `sbb` too, but not `cmp`, which writes nothing.
    #[inline]
    pub(crate) fn lock_alu(&mut self, op: Alu, size: Size, dst: Mem, src: Gpr) {
        debug_assert!(op != Alu::Cmp);
        self.locked(Opcode::one((op as u8) << 3), size, dst, src);
    }

    /// `xchg [dst], src`, which needs no lock to be atomic. The strongest store.
    #[inline]
    pub(crate) fn xchg_m(&mut self, size: Size, dst: Mem, src: Gpr) {
        let fields = Fields::new(src.number(), Width::W32);
        self.sized_mem_form(Opcode::one(0x86), size, fields, dst, src.number());
    }

    /// `lock op dword/qword [dst], imm`.
    #[inline]
    pub(crate) fn lock_alu_mi(&mut self, op: Alu, width: Width, dst: Mem, imm: i32) {
        debug_assert!(op != Alu::Cmp);
        self.put_short(0xf0, 1);
        self.alu_mi(op, width, dst, imm);
    }

    /// `mfence`.
    #[inline]
    pub(crate) fn mfence(&mut self) {
        self.put_short(0xf0_ae0f, 3);
    }

    /// `pause`.
    #[inline]
    pub(crate) fn pause(&mut self) {
        self.put_short(0x90f3, 2);
    }

    #[inline(always)]
    fn locked(&mut self, op: Opcode, size: Size, dst: Mem, src: Gpr) {
        self.put_short(0xf0, 1);
        let fields = Fields::new(src.number(), Width::W32);
        self.sized_mem_form(op, size, fields, dst, src.number());
    }
}
