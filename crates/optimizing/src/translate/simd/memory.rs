//! Vector loads and stores.

use cranelift_codegen::ir::types::{F32X4, F64X2, I8, I8X16, I16, I16X8, I32, I32X4, I64, I64X2};
use cranelift_codegen::ir::{InstBuilder, Type};
use wasm::ops::{LaneWidth, LoadExtend, MemArg};

use crate::translate::state::Translator;

/// Bytes of a vector.
const VECTOR: u32 = 16;
/// Bytes that a widening load reads.
const HALF: u32 = 8;

impl Translator<'_> {
    /// `v128.load`
    pub(super) fn vector_load(&mut self, arg: MemArg) {
        let at = self.pop_address(arg, VECTOR);
        let result = self.builder.ins().load(I8X16, at.flags, at.base, at.offset);
        self.push(result);
    }

    /// `v128.store`
    pub(super) fn vector_store(&mut self, arg: MemArg) {
        // Stored in the shape it will be loaded in, so that a load of the same place can be forwarded from here.
        let value = self.pop();
        let at = self.pop_address(arg, VECTOR);
        self.builder.ins().store(at.flags, value, at.base, at.offset);
    }

    /// `v128.load8x8_s` and its kin
    pub(super) fn vector_load_extend(&mut self, kind: LoadExtend, arg: MemArg) {
        let at = self.pop_address(arg, HALF);
        let (flags, base, offset) = (at.flags, at.base, at.offset);
        let result = match kind {
            LoadExtend::I8x8S => self.builder.ins().sload8x8(flags, base, offset),
            LoadExtend::I8x8U => self.builder.ins().uload8x8(flags, base, offset),
            LoadExtend::I16x4S => self.builder.ins().sload16x4(flags, base, offset),
            LoadExtend::I16x4U => self.builder.ins().uload16x4(flags, base, offset),
            LoadExtend::I32x2S => self.builder.ins().sload32x2(flags, base, offset),
            LoadExtend::I32x2U => self.builder.ins().uload32x2(flags, base, offset),
        };
        self.push_vector(result);
    }

    /// `v128.load*_splat`
    pub(super) fn vector_load_splat(&mut self, width: LaneWidth, arg: MemArg) {
        let (lane, vector, size) = lanes(width);
        let at = self.pop_address(arg, size);
        let scalar = self.builder.ins().load(lane, at.flags, at.base, at.offset);
        let result = self.builder.ins().splat(vector, scalar);
        self.push_vector(result);
    }

    /// `v128.load32_zero` and `v128.load64_zero`: one lane of `ty`, zeros above.
    pub(super) fn vector_load_zero(&mut self, ty: Type, arg: MemArg) {
        let lane = ty.lane_type();
        let at = self.pop_address(arg, lane.bytes());
        let scalar = self.builder.ins().load(lane, at.flags, at.base, at.offset);
        let result = self.builder.ins().scalar_to_vector(ty, scalar);
        self.push_vector(result);
    }

    /// `v128.load*_lane`
    pub(super) fn vector_load_lane(&mut self, width: LaneWidth, arg: MemArg, index: u8) {
        let (lane, ty, size) = lanes(width);
        let vector = self.pop_vector(ty);
        let at = self.pop_address(arg, size);
        let scalar = self.builder.ins().load(lane, at.flags, at.base, at.offset);
        let result = self.builder.ins().insertlane(vector, scalar, index);
        self.push_vector(result);
    }

    /// `v128.store*_lane`
    pub(super) fn vector_store_lane(&mut self, width: LaneWidth, arg: MemArg, index: u8) {
        let (_, ty, size) = lanes(width);
        // The lowest lane of a float vector is stored as it lies in the register.
        let ty = match (width, index) {
            (LaneWidth::W32, 0) => F32X4,
            (LaneWidth::W64, 0) => F64X2,
            (LaneWidth::W8 | LaneWidth::W16 | LaneWidth::W32 | LaneWidth::W64, _) => ty,
        };
        let vector = self.pop_vector(ty);
        let at = self.pop_address(arg, size);
        let scalar = self.builder.ins().extractlane(vector, index);
        self.builder.ins().store(at.flags, scalar, at.base, at.offset);
    }
}

/// The type of a lane of this width, of a vector of such lanes, and the lane's size in bytes.
fn lanes(width: LaneWidth) -> (Type, Type, u32) {
    match width {
        LaneWidth::W8 => (I8, I8X16, 1),
        LaneWidth::W16 => (I16, I16X8, 2),
        LaneWidth::W32 => (I32, I32X4, 4),
        LaneWidth::W64 => (I64, I64X2, 8),
    }
}
