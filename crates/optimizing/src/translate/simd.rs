//! Vectors: `v128` operators in the shapes of Cranelift's vector types.
//!
//! On the value stack, in locals and at block boundaries every vector has the one type [`I8X16`]. An operator takes its
//! operands in the shape it works on and gives its result back as `I8X16`, by bitcasts that cost no instruction. Where
//! an operand is itself a bitcast from the wanted shape, [`Translator::as_vector`] takes the bitcast's source, so that
//! chains of operators on one shape are free of bitcasts and lowering sees through them.

use cranelift_codegen::ir::types::{F32X4, F64X2, I8, I8X16, I16, I16X8, I32, I32X4, I64X2};
use cranelift_codegen::ir::{InstBuilder, InstructionData, Opcode, Type, Value, ValueDef};
use wasm::ops::{ExtractLane, LaneShape, Simd};

use super::state::Translator;

mod arithmetic;
mod memory;
mod plain;
mod relaxed;
#[cfg(test)]
mod tests;

impl Translator<'_> {
    /// Translates one vector operator.
    pub(crate) fn translate_simd(&mut self, op: Simd) {
        match op {
            Simd::V128Const(bytes) => self.vector_constant(bytes),
            Simd::Shuffle(lanes) => self.shuffle(lanes),
            Simd::ExtractLane(kind, lane) => self.extract_lane(kind, lane),
            Simd::ReplaceLane(shape, lane) => self.replace_lane(vector_type(shape), lane),
            Simd::Load(arg) => self.vector_load(arg),
            Simd::Store(arg) => self.vector_store(arg),
            Simd::LoadExtend(kind, arg) => self.vector_load_extend(kind, arg),
            Simd::LoadSplat(width, arg) => self.vector_load_splat(width, arg),
            Simd::LoadZero32(arg) => self.vector_load_zero(I32X4, arg),
            Simd::LoadZero64(arg) => self.vector_load_zero(I64X2, arg),
            Simd::LoadLane(width, arg, lane) => self.vector_load_lane(width, arg, lane),
            Simd::StoreLane(width, arg, lane) => self.vector_store_lane(width, arg, lane),
            Simd::Plain(op) => self.translate_simd_plain(op),
        }
    }

    /// What `value` is a bitcast of, if it is one.
    pub(crate) fn bitcast_source(&self, value: Value) -> Option<Value> {
        let dfg = &self.builder.func.dfg;
        let ValueDef::Result(inst, _) = dfg.value_def(value) else { return None };
        match dfg.insts[inst] {
            InstructionData::LoadNoOffset { opcode: Opcode::Bitcast, arg, .. } => Some(arg),
            _ => None,
        }
    }

    fn vector_constant(&mut self, bytes: [u8; 16]) {
        let value = self.vector_constant_as(I8X16, bytes);
        self.push(value);
    }

    /// A constant of shape `ty`.
    fn vector_constant_as(&mut self, ty: Type, bytes: [u8; 16]) -> Value {
        let constant = self.builder.func.dfg.constants.insert(bytes.to_vec().into());
        self.builder.ins().vconst(ty, constant)
    }

    /// `i8x16.shuffle`. When all lanes come from one operand, it is passed twice: one `pshufb` does it then.
    fn shuffle(&mut self, lanes: [u8; 16]) {
        let (left, right) = self.pop_vectors(I8X16);
        let (left, right) = if lanes.iter().all(|&lane| lane < 16) {
            (left, left)
        } else if lanes.iter().all(|&lane| lane >= 16) {
            (right, right)
        } else {
            (left, right)
        };
        let mask = self.builder.func.dfg.immediates.push(lanes.to_vec().into());
        let result = self.builder.ins().shuffle(left, right, mask);
        self.push(result);
    }

    fn extract_lane(&mut self, kind: ExtractLane, lane: u8) {
        let vector = self.pop_vector(vector_type(kind.shape()));
        let scalar = self.builder.ins().extractlane(vector, lane);
        let result = match kind {
            ExtractLane::I8x16S | ExtractLane::I16x8S => self.builder.ins().sextend(I32, scalar),
            ExtractLane::I8x16U | ExtractLane::I16x8U => self.builder.ins().uextend(I32, scalar),
            ExtractLane::I32x4 | ExtractLane::I64x2 | ExtractLane::F32x4 | ExtractLane::F64x2 => scalar,
        };
        self.push(result);
    }

    fn replace_lane(&mut self, ty: Type, lane: u8) {
        let scalar = self.pop();
        let scalar = self.narrow_to_lane(ty, scalar);
        let vector = self.pop_vector(ty);
        let result = self.builder.ins().insertlane(vector, scalar, lane);
        self.push_vector(result);
    }

    fn splat(&mut self, ty: Type) {
        let scalar = self.pop();
        let scalar = self.narrow_to_lane(ty, scalar);
        let result = self.builder.ins().splat(ty, scalar);
        self.push_vector(result);
    }

    /// A scalar of the stack as a lane of `ty`: small lanes take the low bits of an `i32`.
    fn narrow_to_lane(&mut self, ty: Type, scalar: Value) -> Value {
        match ty.lane_type() {
            lane @ (I8 | I16) => self.builder.ins().ireduce(lane, scalar),
            _ => scalar,
        }
    }
}

/// Cranelift's type for vectors of this shape.
fn vector_type(shape: LaneShape) -> Type {
    match shape {
        LaneShape::I8x16 => I8X16,
        LaneShape::I16x8 => I16X8,
        LaneShape::I32x4 => I32X4,
        LaneShape::I64x2 => I64X2,
        LaneShape::F32x4 => F32X4,
        LaneShape::F64x2 => F64X2,
    }
}
