//! Constants, splats, and single lanes.

use abi::assign::MachineType;
use wasm::ops::{ExtractLane, LaneShape};

use crate::asm::x64::{Gpr, Mem, SseOp, Width, Xmm};
use crate::function::Function;
use crate::operand::{FloatOperand, IntOperand, SCRATCH, SCRATCH_FLOAT};

use super::instruction::{bytes, dwords, repeat, words};

/// `pshufd`: both halves are the low one, and both are the high one.
const LOW_TWICE: u8 = 0b01_00_01_00;
const HIGH_TWICE: u8 = 0b11_10_11_10;

/// Constants and splats.
impl Function<'_> {
    /// `v128.const`
    pub(super) fn vector_constant(&mut self, bits: u128) {
        let result = self.alloc_float();
        self.vector_bits(result, bits);
        self.push_vector(result);
    }

    /// `splat`. Constants become constants.
    pub(super) fn splat(&mut self, shape: LaneShape) {
        if let Some(bits) = self.constant(0) {
            self.drop_top();
            let half = match shape {
                LaneShape::I8x16 => bytes(bits as u8),
                LaneShape::I16x8 => words(bits as u16),
                LaneShape::I32x4 | LaneShape::F32x4 => dwords(bits as u32),
                LaneShape::I64x2 | LaneShape::F64x2 => bits,
            };
            return self.vector_constant(repeat(half));
        }
        match shape {
            LaneShape::I8x16 | LaneShape::I16x8 | LaneShape::I32x4 | LaneShape::I64x2 => self.splat_int(shape),
            LaneShape::F32x4 => {
                let source = self.pop_float();
                let result = self.reuse_float(source);
                self.vector_imm(SseOp::SHUFPS, result, source, source, 0);
                self.push_vector(result);
            }
            LaneShape::F64x2 => self.unary(SseOp::MOVDDUP),
        }
    }

    fn splat_int(&mut self, shape: LaneShape) {
        let source = self.pop_int();
        let result = self.alloc_float();
        let width = if shape == LaneShape::I64x2 { Width::W64 } else { Width::W32 };
        self.asm.movd_from_gpr(width, result, source);
        self.spread(shape, result);
        self.push_vector(result);
    }

    /// Copies the lowest lane to all.
    pub(super) fn spread(&mut self, shape: LaneShape, register: Xmm) {
        match shape {
            LaneShape::I8x16 => {
                self.vector_zeros(SCRATCH_FLOAT);
                self.vector(SseOp::PSHUFB, register, register, SCRATCH_FLOAT);
            }
            LaneShape::I16x8 => {
                self.vector_unary_imm(SseOp::PSHUFLW, register, register, 0);
                self.vector_unary_imm(SseOp::PSHUFD, register, register, 0);
            }
            LaneShape::I32x4 | LaneShape::F32x4 => self.vector_unary_imm(SseOp::PSHUFD, register, register, 0),
            LaneShape::I64x2 | LaneShape::F64x2 => {
                self.vector_unary_imm(SseOp::PSHUFD, register, register, LOW_TWICE);
            }
        }
    }
}

/// Single lanes.
impl Function<'_> {
    /// `extract_lane`
    pub(super) fn extract_lane(&mut self, kind: ExtractLane, lane: u8) {
        match kind {
            ExtractLane::I8x16S | ExtractLane::I8x16U => {
                let result = self.extract_int(SseOp::PEXTRB, Width::W32, lane);
                if kind == ExtractLane::I8x16S {
                    self.asm.movsx8_rr(Width::W32, result, result);
                }
                self.push_int(result, MachineType::I32);
            }
            ExtractLane::I16x8S | ExtractLane::I16x8U => {
                let result = self.extract_int(SseOp::PEXTRW, Width::W32, lane);
                if kind == ExtractLane::I16x8S {
                    self.asm.movsx16_rr(Width::W32, result, result);
                }
                self.push_int(result, MachineType::I32);
            }
            ExtractLane::I32x4 => {
                let result = self.extract_int(SseOp::PEXTRD, Width::W32, lane);
                self.push_int(result, MachineType::I32);
            }
            ExtractLane::I64x2 => {
                let result = self.extract_int(SseOp::PEXTRD, Width::W64, lane);
                self.push_int(result, MachineType::I64);
            }
            ExtractLane::F32x4 => self.extract_float(MachineType::F32, lane, lane),
            ExtractLane::F64x2 => self.extract_float(MachineType::F64, lane, HIGH_TWICE),
        }
    }

    /// Pops a vector and extracts a lane, extended by zeros.
    fn extract_int(&mut self, op: SseOp, width: Width, lane: u8) -> Gpr {
        let source = self.pop_float();
        let result = self.alloc_int();
        if lane == 0 && op == SseOp::PEXTRD {
            self.asm.movd_to_gpr(width, result, source);
        } else {
            self.asm.sse_extract(op, width, result, source, lane);
        }
        result
    }

    /// Extracts a float lane: `order` brings it to the lowest place, where it is a scalar as it is.
    fn extract_float(&mut self, ty: MachineType, lane: u8, order: u8) {
        let source = self.pop_float();
        if lane == 0 {
            return self.push_float(source, ty);
        }
        let result = self.reuse_float(source);
        self.vector_unary_imm(SseOp::PSHUFD, result, source, order);
        self.push_float(result, ty);
    }

    /// `replace_lane`
    pub(super) fn replace_lane(&mut self, shape: LaneShape, lane: u8) {
        match shape {
            LaneShape::I8x16 => self.insert_int(SseOp::PINSRB, Width::W32, lane),
            LaneShape::I16x8 => self.insert_int(SseOp::PINSRW, Width::W32, lane),
            LaneShape::I32x4 => self.insert_int(SseOp::PINSRD, Width::W32, lane),
            LaneShape::I64x2 => self.insert_int(SseOp::PINSRD, Width::W64, lane),
            LaneShape::F32x4 => self.insert_f32(lane),
            LaneShape::F64x2 => self.insert_f64(lane),
        }
    }

    fn insert_int(&mut self, op: SseOp, width: Width, lane: u8) {
        let value = self.pop_int_operand();
        let source = self.pop_float();
        let result = self.reuse_float(source);
        let value = match value {
            IntOperand::Mem(place) => {
                self.insert_from_memory((op, width), result, source, place, lane);
                return self.push_vector(result);
            }
            IntOperand::Reg(value) => value,
            IntOperand::Imm(value) => {
                let bits = i64::from(value).cast_unsigned();
                self.asm.mov_ri(SCRATCH, if width == Width::W64 { bits } else { bits & 0xffff_ffff });
                SCRATCH
            }
        };
        if self.features.avx {
            self.asm.vex_insert(op, width, result, source, (value, lane));
        } else {
            self.vector_copy(result, source);
            self.asm.sse_insert(op, width, result, value, lane);
        }
        self.push_vector(result);
    }

    /// `result` = `source` with a lane from memory.
    pub(super) fn insert_from_memory(
        &mut self,
        (op, width): (SseOp, Width),
        result: Xmm,
        source: Xmm,
        place: Mem,
        lane: u8,
    ) {
        if self.features.avx {
            self.asm.vex_insert_m(op, width, result, source, (place, lane));
        } else {
            self.vector_copy(result, source);
            self.asm.sse_insert_m(op, width, result, place, lane);
        }
    }

    fn insert_f32(&mut self, lane: u8) {
        let value = self.pop_float_operand();
        let source = self.pop_float();
        let result = self.reuse_float(source);
        self.vector_imm(SseOp::INSERTPS, result, source, value, lane << 4);
        self.push_vector(result);
    }

    fn insert_f64(&mut self, lane: u8) {
        let value = self.pop_float_operand();
        let source = self.pop_float();
        let result = self.reuse_float(source);
        let op = match (value, lane) {
            (FloatOperand::Reg(_), 0) => SseOp::MOVSD,
            (FloatOperand::Reg(_), _) => SseOp::MOVLHPS,
            (FloatOperand::Mem(_), 0) => SseOp::MOVLPS,
            (FloatOperand::Mem(_), _) => SseOp::MOVHPS,
        };
        self.vector(op, result, source, value);
        self.push_vector(result);
    }
}
