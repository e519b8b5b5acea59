//! Shifts of lanes. Counts are taken modulo the width of a lane.

use crate::asm::x64::{Alu, SseOp, SseShift, Width, Xmm};
use crate::function::Function;
use crate::operand::{IntOperand, SCRATCH, SCRATCH_FLOAT};

use super::instruction::{bytes, repeat};

/// A shift by an immediate, and the same by a register.
pub(super) type Shift = (SseShift, SseOp);

pub(super) const SHL_16: Shift = (SseShift::PSLLW, SseOp::PSLLW);
pub(super) const SHL_32: Shift = (SseShift::PSLLD, SseOp::PSLLD);
pub(super) const SHL_64: Shift = (SseShift::PSLLQ, SseOp::PSLLQ);
pub(super) const SHR_16: Shift = (SseShift::PSRLW, SseOp::PSRLW);
pub(super) const SHR_32: Shift = (SseShift::PSRLD, SseOp::PSRLD);
pub(super) const SHR_64: Shift = (SseShift::PSRLQ, SseOp::PSRLQ);
pub(super) const SAR_16: Shift = (SseShift::PSRAW, SseOp::PSRAW);
pub(super) const SAR_32: Shift = (SseShift::PSRAD, SseOp::PSRAD);

/// The highest bit of 64.
const SIGN: u64 = 1 << 63;

impl Function<'_> {
    /// Pops the count if it is known.
    fn pop_known_count(&mut self, mask: u8) -> Option<u8> {
        let count = self.constant(0)?;
        self.drop_top();
        Some(count as u8 & mask)
    }

    /// Puts a count, of which the bits of `mask` matter, in `xmm15`, and `more` with it. Nothing may be popped or
    /// allocated before it is used.
    fn load_count(&mut self, count: IntOperand, mask: u8, more: u8) {
        match count {
            IntOperand::Reg(count) => self.asm.mov_rr(Width::W32, SCRATCH, count),
            IntOperand::Mem(place) => self.asm.mov_rm(Width::W32, SCRATCH, place),
            IntOperand::Imm(count) => self.asm.mov_ri(SCRATCH, u64::from(count.cast_unsigned())),
        }
        self.asm.alu_ri(Alu::And, Width::W32, SCRATCH, mask.into());
        if more != 0 {
            self.asm.alu_ri(Alu::Add, Width::W32, SCRATCH, more.into());
        }
        self.asm.movd_from_gpr(Width::W32, SCRATCH_FLOAT, SCRATCH);
    }

    /// A shift that the machine has; `mask` is the width of a lane less one.
    pub(super) fn shift(&mut self, (by_imm, by_register): Shift, mask: u8) {
        if let Some(count) = self.pop_known_count(mask) {
            let source = self.pop_float();
            if count == 0 {
                return self.push_vector(source);
            }
            let result = self.reuse_float(source);
            self.vector_shift(by_imm, result, source, count);
            return self.push_vector(result);
        }
        let count = self.pop_int_operand();
        let source = self.pop_float();
        let result = self.reuse_float(source);
        self.load_count(count, mask, 0);
        self.vector(by_register, result, source, SCRATCH_FLOAT);
        self.push_vector(result);
    }

    /// `i8x16.shl`: 16 bits at a time, without what would go from the lower byte to the upper one.
    pub(super) fn shift_bytes_left(&mut self) {
        if let Some(count) = self.pop_known_count(7) {
            return self.shift_bytes_known(SseShift::PSLLW, count, 0xff << count);
        }
        let (source, result, mask) = self.begin_shift_of_bytes();
        self.vector(SseOp::PAND, result, source, mask);
        self.vector(SseOp::PSLLW, result, result, SCRATCH_FLOAT);
        self.push_vector(result);
    }

    /// `i8x16.shr_u`, likewise.
    pub(super) fn shift_bytes_right(&mut self) {
        if let Some(count) = self.pop_known_count(7) {
            return self.shift_bytes_known(SseShift::PSRLW, count, 0xff >> count);
        }
        let (source, result, mask) = self.begin_shift_of_bytes();
        self.vector(SseOp::PSRLW, result, source, SCRATCH_FLOAT);
        self.vector(SseOp::PAND, result, result, mask);
        self.push_vector(result);
    }

    fn shift_bytes_known(&mut self, shift: SseShift, count: u8, mask: u8) {
        let source = self.pop_float();
        if count == 0 {
            return self.push_vector(source);
        }
        let result = self.reuse_float(source);
        let mask = self.constant_128(repeat(bytes(mask)));
        self.vector_shift(shift, result, source, count);
        self.vector(SseOp::PAND, result, result, mask);
        self.push_vector(result);
    }

    /// Pops a shift of bytes by a count that is not known. Gives the vector, a register for the result, and one whose
    /// bytes have as many ones as a byte has bits left; the count is in `xmm15`.
    fn begin_shift_of_bytes(&mut self) -> (Xmm, Xmm, Xmm) {
        let count = self.pop_int_operand();
        let source = self.pop_float();
        let mask = self.alloc_float();
        let result = self.reuse_float(source);
        self.load_count(count, 7, 0);
        self.vector_ones(mask);
        self.vector_shift(SseShift::PSRLW, mask, mask, 8);
        self.vector(SseOp::PSRLW, mask, mask, SCRATCH_FLOAT);
        self.vector(SseOp::PACKUSWB, mask, mask, mask);
        (source, result, mask)
    }

    /// `i8x16.shr_s`: every byte becomes the upper half of 16 bits, is shifted there by eight more, and comes back.
    pub(super) fn shift_bytes_right_signed(&mut self) {
        if let Some(count) = self.pop_known_count(7) {
            let source = self.pop_float();
            if count == 0 {
                return self.push_vector(source);
            }
            let (low, high) = self.double_bytes(source);
            self.vector_shift(SseShift::PSRAW, low, low, count + 8);
            self.vector_shift(SseShift::PSRAW, high, high, count + 8);
            return self.join_words(low, high);
        }
        let count = self.pop_int_operand();
        let source = self.pop_float();
        let (low, high) = self.double_bytes(source);
        self.load_count(count, 7, 8);
        self.vector(SseOp::PSRAW, low, low, SCRATCH_FLOAT);
        self.vector(SseOp::PSRAW, high, high, SCRATCH_FLOAT);
        self.join_words(low, high);
    }

    /// Every byte twice: those of the low half, and those of the high half.
    fn double_bytes(&mut self, source: Xmm) -> (Xmm, Xmm) {
        let high = self.alloc_float();
        let low = self.reuse_float(source);
        self.vector(SseOp::PUNPCKHBW, high, source, source);
        self.vector(SseOp::PUNPCKLBW, low, source, source);
        (low, high)
    }

    fn join_words(&mut self, low: Xmm, high: Xmm) {
        self.vector(SseOp::PACKSSWB, low, low, high);
        self.push_vector(low);
    }

    /// `i64x2.shr_s`, which the machine does not have: the sign bit, shifted with zeros as the lane is, says in which bits
    /// the lane differs from what it should be; flipping that one bit and subtracting it sets all of those above.
    pub(super) fn shift_quads_right_signed(&mut self) {
        if let Some(count) = self.pop_known_count(63) {
            let source = self.pop_float();
            if count == 0 {
                return self.push_vector(source);
            }
            let result = self.reuse_float(source);
            let sign = self.constant_128(repeat(SIGN >> count));
            self.vector_shift(SseShift::PSRLQ, result, source, count);
            self.vector(SseOp::PXOR, result, result, sign);
            self.vector(SseOp::PSUBQ, result, result, sign);
            return self.push_vector(result);
        }
        let count = self.pop_int_operand();
        let source = self.pop_float();
        let sign = self.alloc_float();
        let result = self.reuse_float(source);
        self.load_count(count, 63, 0);
        self.vector_ones(sign);
        self.vector_shift(SseShift::PSLLQ, sign, sign, 63);
        self.vector(SseOp::PSRLQ, sign, sign, SCRATCH_FLOAT);
        self.vector(SseOp::PSRLQ, result, source, SCRATCH_FLOAT);
        self.vector(SseOp::PXOR, result, result, sign);
        self.vector(SseOp::PSUBQ, result, result, sign);
        self.push_vector(result);
    }
}
