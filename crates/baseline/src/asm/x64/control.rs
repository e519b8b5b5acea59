//! Stack, calls, returns, jumps to places not in this code, and instructions that do nothing or trap.

use super::buffer::Assembler;
use super::encode::{Fields, Opcode};
use super::operand::{Gpr, Mem, Width};

impl Assembler {
    /// `push src`.
    #[inline]
    pub(crate) fn push(&mut self, src: Gpr) {
        self.stack(0x50, src);
    }

    /// `pop dst`.
    #[inline]
    pub(crate) fn pop(&mut self, dst: Gpr) {
        self.stack(0x58, dst);
    }

    #[inline(always)]
    fn stack(&mut self, opcode: u8, register: Gpr) {
        let opcode = u64::from(opcode | register.number() & 7);
        if register.number() < 8 { self.put_short(opcode, 1) } else { self.put_short(opcode << 8 | 0x41, 2) }
    }

    /// `push qword [src]`.
    #[inline]
    pub(crate) fn push_m(&mut self, src: Mem) {
        self.mem_form(Opcode::one(0xff), Fields::new(6, Width::W32), src);
    }

    /// `push imm`, eight bytes extended by its sign.
    #[inline]
    pub(crate) fn push_i(&mut self, imm: i32) {
        match i8::try_from(imm) {
            Ok(imm) => self.put_short(0x6a | u64::from(imm.cast_unsigned()) << 8, 2),
            Err(_) => self.put_short(0x68 | u64::from(imm.cast_unsigned()) << 8, 5),
        }
    }

    /// `ret`.
    #[inline]
    pub(crate) fn ret(&mut self) {
        self.put_short(0xc3, 1);
    }

    /// `ret bytes`: takes that many bytes of arguments off the stack.
    #[inline]
    pub(crate) fn ret_i(&mut self, bytes: u16) {
        self.put_short(0xc2 | u64::from(bytes) << 8, 3);
    }

    /// `leave`.
    #[inline]
    pub(crate) fn leave(&mut self) {
        self.put_short(0xc9, 1);
    }

    /// `ud2`.
    #[inline]
    pub(crate) fn ud2(&mut self) {
        self.put_short(0x0b0f, 2);
    }

    /// `int3`.
    #[inline]
    pub(crate) fn int3(&mut self) {
        self.put_short(0xcc, 1);
    }

    /// `count` bytes that do nothing, in as few instructions as there are.
    pub(crate) fn nop(&mut self, count: u32) {
        let mut left = count as usize;
        while left > 0 {
            let bytes = nop_bytes(left);
            self.emit_bytes(bytes);
            left -= bytes.len();
        }
    }

    /// `nop`s up to a multiple of `alignment` (a power of two) from the start of the body.
    pub(crate) fn align_code(&mut self, alignment: u32) {
        self.nop(self.position().next_multiple_of(alignment) - self.position());
    }

    /// `call target`.
    #[inline]
    pub(crate) fn call_r(&mut self, target: Gpr) {
        self.reg_form(Opcode::one(0xff), Fields::new(2, Width::W32), target.number());
    }

    /// `call [target]`.
    #[inline]
    pub(crate) fn call_m(&mut self, target: Mem) {
        self.mem_form(Opcode::one(0xff), Fields::new(2, Width::W32), target);
    }

    /// `jmp target`.
    #[inline]
    pub(crate) fn jmp_r(&mut self, target: Gpr) {
        self.reg_form(Opcode::one(0xff), Fields::new(4, Width::W32), target.number());
    }

    /// `jmp [target]`.
    #[inline]
    pub(crate) fn jmp_m(&mut self, target: Mem) {
        self.mem_form(Opcode::one(0xff), Fields::new(4, Width::W32), target);
    }
}

/// The longest instruction of at most `count` bytes that does nothing, as the manuals recommend it; `count` is not 0.
pub(super) fn nop_bytes(count: usize) -> &'static [u8] {
    const NOPS: [&[u8]; 9] = [
        &[0x90],
        &[0x66, 0x90],
        &[0x0f, 0x1f, 0x00],
        &[0x0f, 0x1f, 0x40, 0x00],
        &[0x0f, 0x1f, 0x44, 0x00, 0x00],
        &[0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00],
        &[0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00],
        &[0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00],
        &[0x66, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00],
    ];
    NOPS[count.clamp(1, 9) - 1]
}
