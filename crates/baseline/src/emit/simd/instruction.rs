//! Vector instructions with a destination apart from their sources, as VEX has them; without AVX, a copy and the legacy
//! form.
//!
//! Without AVX, an instruction whose destination is its second source goes by way of `xmm15`, so sequences that keep a
//! value there see to it that none of theirs does. A destination that [`Function::reuse_float`] gave for the first source
//! never is the second one.

use abi::assign::MachineType;

use crate::asm::x64::{Mem, SseOp, SseShift, Xmm};
use crate::function::Function;
use crate::operand::{FloatOperand, SCRATCH_FLOAT};

impl From<Xmm> for FloatOperand {
    fn from(register: Xmm) -> FloatOperand {
        FloatOperand::Reg(register)
    }
}

impl From<Mem> for FloatOperand {
    fn from(place: Mem) -> FloatOperand {
        FloatOperand::Mem(place)
    }
}

/// Instructions.
impl Function<'_> {
    /// `dst = a op b`.
    pub(super) fn vector(&mut self, op: SseOp, dst: Xmm, a: Xmm, b: impl Into<FloatOperand>) {
        let b = b.into();
        if self.features.avx {
            return match b {
                FloatOperand::Reg(b) => self.asm.vex_rrr(op, dst, a, b),
                FloatOperand::Mem(b) => self.asm.vex_rrm(op, dst, a, b),
            };
        }
        match self.copy_first(dst, a, b) {
            FloatOperand::Reg(b) => self.asm.sse_rr(op, dst, b),
            FloatOperand::Mem(b) => self.asm.sse_rm(op, dst, b),
        }
    }

    /// `dst = a op b`, with an immediate.
    pub(super) fn vector_imm(&mut self, op: SseOp, dst: Xmm, a: Xmm, b: impl Into<FloatOperand>, imm: u8) {
        let b = b.into();
        if self.features.avx {
            return match b {
                FloatOperand::Reg(b) => self.asm.vex_rrri(op, dst, a, b, imm),
                FloatOperand::Mem(b) => self.asm.vex_rrmi(op, dst, a, b, imm),
            };
        }
        match self.copy_first(dst, a, b) {
            FloatOperand::Reg(b) => self.asm.sse_rri(op, dst, b, imm),
            FloatOperand::Mem(b) => self.asm.sse_rmi(op, dst, b, imm),
        }
    }

    /// Brings the first source to the destination, and gives the second source, moved if it was there.
    fn copy_first(&mut self, dst: Xmm, a: Xmm, b: FloatOperand) -> FloatOperand {
        if dst == a {
            return b;
        }
        let b = if b == FloatOperand::Reg(dst) {
            debug_assert!(a != SCRATCH_FLOAT && dst != SCRATCH_FLOAT);
            self.asm.sse_rr(SseOp::MOVAPS, SCRATCH_FLOAT, dst);
            FloatOperand::Reg(SCRATCH_FLOAT)
        } else {
            b
        };
        self.asm.sse_rr(SseOp::MOVAPS, dst, a);
        b
    }

    /// `dst = op src`.
    pub(super) fn vector_unary(&mut self, op: SseOp, dst: Xmm, src: impl Into<FloatOperand>) {
        match (src.into(), self.features.avx) {
            (FloatOperand::Reg(src), true) => self.asm.vex_rr(op, dst, src),
            (FloatOperand::Mem(src), true) => self.asm.vex_rm(op, dst, src),
            (FloatOperand::Reg(src), false) => self.asm.sse_rr(op, dst, src),
            (FloatOperand::Mem(src), false) => self.asm.sse_rm(op, dst, src),
        }
    }

    /// `dst = op src`, with an immediate.
    pub(super) fn vector_unary_imm(&mut self, op: SseOp, dst: Xmm, src: impl Into<FloatOperand>, imm: u8) {
        match (src.into(), self.features.avx) {
            (FloatOperand::Reg(src), true) => self.asm.vex_rri(op, dst, src, imm),
            (FloatOperand::Mem(src), true) => self.asm.vex_rmi(op, dst, src, imm),
            (FloatOperand::Reg(src), false) => self.asm.sse_rri(op, dst, src, imm),
            (FloatOperand::Mem(src), false) => self.asm.sse_rmi(op, dst, src, imm),
        }
    }

    /// `dst = src` with its lanes shifted by an immediate.
    pub(super) fn vector_shift(&mut self, shift: SseShift, dst: Xmm, src: Xmm, count: u8) {
        if self.features.avx {
            return self.asm.vex_shift_i(shift, dst, src, count);
        }
        self.vector_copy(dst, src);
        self.asm.sse_shift_i(shift, dst, count);
    }

    /// `dst = src`.
    pub(super) fn vector_copy(&mut self, dst: Xmm, src: Xmm) {
        if dst != src {
            self.asm.sse_rr(SseOp::MOVAPS, dst, src);
        }
    }

    /// `dst` = zeros.
    pub(super) fn vector_zeros(&mut self, dst: Xmm) {
        self.asm.zero_xmm(dst);
    }

    /// `dst` = ones, all of its bits.
    pub(super) fn vector_ones(&mut self, dst: Xmm) {
        self.vector(SseOp::PCMPEQD, dst, dst, dst);
    }

    /// `dst` = a constant of the pool, or one that needs none.
    pub(super) fn vector_bits(&mut self, dst: Xmm, bits: u128) {
        let (low, high) = (bits as u64, (bits >> 64) as u64);
        if bits == 0 {
            self.vector_zeros(dst);
        } else if bits == u128::MAX {
            self.vector_ones(dst);
        } else if low == high {
            let half = Mem::rip(self.asm.constant64(low));
            self.asm.sse_rm(SseOp::MOVDDUP, dst, half);
        } else if high == 0 {
            let half = Mem::rip(self.asm.constant64(low));
            self.asm.sse_rm(SseOp::MOVSD, dst, half);
        } else {
            let whole = Mem::rip(self.asm.constant128(bits));
            self.asm.sse_rm(SseOp::MOVAPS, dst, whole);
        }
    }

    /// A constant as a second source.
    pub(super) fn constant_128(&mut self, bits: u128) -> FloatOperand {
        FloatOperand::Mem(Mem::rip(self.asm.constant128(bits)))
    }
}

/// Eight bytes in both halves.
pub(super) const fn repeat(half: u64) -> u128 {
    (half as u128) << 64 | half as u128
}

/// A byte in eight lanes.
pub(super) const fn bytes(byte: u8) -> u64 {
    byte as u64 * 0x0101_0101_0101_0101
}

/// 16 bits in four lanes.
pub(super) const fn words(word: u16) -> u64 {
    word as u64 * 0x0001_0001_0001_0001
}

/// 32 bits in two lanes.
pub(super) const fn dwords(dword: u32) -> u64 {
    dword as u64 * 0x0000_0001_0000_0001
}

/// Operands, and operators that are one instruction.
impl Function<'_> {
    /// Pushes a vector.
    pub(super) fn push_vector(&mut self, register: Xmm) {
        self.push_float(register, MachineType::V128);
    }

    /// A register for the result of one instruction with two sources: one of theirs, if nothing else is in it.
    fn result_of(&mut self, first: Xmm, second: FloatOperand) -> Xmm {
        match second {
            FloatOperand::Reg(second) if self.features.avx && !self.is_spent(first.into()) => self.reuse_float(second),
            FloatOperand::Reg(_) | FloatOperand::Mem(_) => self.reuse_float(first),
        }
    }

    /// A register for the result of a sequence that reads its first source again: not that one.
    pub(super) fn result_beside(&mut self, second: FloatOperand) -> Xmm {
        match second {
            FloatOperand::Reg(second) if self.features.avx => self.reuse_float(second),
            FloatOperand::Reg(_) | FloatOperand::Mem(_) => self.alloc_float(),
        }
    }

    /// A register for the result of one instruction with one source.
    pub(super) fn result_for(&mut self, source: FloatOperand) -> Xmm {
        match source {
            FloatOperand::Reg(source) => self.reuse_float(source),
            FloatOperand::Mem(_) => self.alloc_float(),
        }
    }

    /// The first operand op the second. Gives the register, not pushed yet.
    pub(super) fn pop_binary(&mut self, op: SseOp) -> Xmm {
        let second = self.pop_float_operand();
        let first = self.pop_float();
        let result = self.result_of(first, second);
        self.vector(op, result, first, second);
        result
    }

    /// op the operand. Gives the register, not pushed yet.
    pub(super) fn pop_unary(&mut self, op: SseOp) -> Xmm {
        let source = self.pop_float_operand();
        let result = self.result_for(source);
        self.vector_unary(op, result, source);
        result
    }

    /// An operator that is one instruction with two sources.
    pub(super) fn binary(&mut self, op: SseOp) {
        let result = self.pop_binary(op);
        self.push_vector(result);
    }

    /// The second operand op the first. Gives the register, not pushed yet.
    pub(super) fn pop_binary_swapped(&mut self, op: SseOp) -> Xmm {
        let first = self.pop_float();
        let second = self.pop_float_operand();
        let result = self.result_of(first, second);
        self.vector(op, result, first, second);
        result
    }

    /// An operator that is one instruction whose first source is the second operand.
    pub(super) fn binary_swapped(&mut self, op: SseOp) {
        let result = self.pop_binary_swapped(op);
        self.push_vector(result);
    }

    /// As [`Function::binary`], with an immediate.
    pub(super) fn binary_imm(&mut self, op: SseOp, imm: u8) {
        let second = self.pop_float_operand();
        let first = self.pop_float();
        let result = self.result_of(first, second);
        self.vector_imm(op, result, first, second, imm);
        self.push_vector(result);
    }

    /// As [`Function::binary_swapped`], with an immediate.
    pub(super) fn binary_swapped_imm(&mut self, op: SseOp, imm: u8) {
        let first = self.pop_float();
        let second = self.pop_float_operand();
        let result = self.result_of(first, second);
        self.vector_imm(op, result, first, second, imm);
        self.push_vector(result);
    }

    /// An operator that is one instruction with one source.
    pub(super) fn unary(&mut self, op: SseOp) {
        let result = self.pop_unary(op);
        self.push_vector(result);
    }

    /// An operator that is one instruction whose second source is a constant.
    pub(super) fn with_constant(&mut self, op: SseOp, bits: u128) {
        let source = self.pop_float();
        let result = self.reuse_float(source);
        let constant = self.constant_128(bits);
        self.vector(op, result, source, constant);
        self.push_vector(result);
    }
}
