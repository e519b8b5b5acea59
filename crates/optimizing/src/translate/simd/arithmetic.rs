//! How the vector operators without immediates become instructions: one method per form.

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::types::{F64X2, I8X16, I16X8, I32, I32X4, I64X2};
use cranelift_codegen::ir::{InstBuilder, InstructionData, Opcode, Type, Value, ValueDef};

use crate::translate::state::Translator;

/// The pair of instructions that widens the halves of a vector: low, then high.
pub(super) type Widening = (Opcode, Opcode);

/// Widens with the sign.
pub(super) const SIGNED: Widening = (Opcode::SwidenLow, Opcode::SwidenHigh);

/// Widens with zeros.
pub(super) const UNSIGNED: Widening = (Opcode::UwidenLow, Opcode::UwidenHigh);

impl Translator<'_> {
    /// An instruction from one vector of shape `ty`.
    pub(super) fn vector_unary(&mut self, ty: Type, opcode: Opcode) {
        let operand = self.pop_vector(ty);
        let result = self.unary(opcode, ty, operand);
        self.push_vector(result);
    }

    /// An instruction from two vectors of shape `ty`.
    pub(super) fn vector_binary(&mut self, ty: Type, opcode: Opcode) {
        let (left, right) = self.pop_vectors(ty);
        let result = self.binary(opcode, ty, left, right);
        self.push_vector(result);
    }

    /// A conversion, from a vector of shape `from`.
    pub(super) fn convert(&mut self, from: Type, opcode: Opcode, to: Type) {
        let operand = self.pop_vector(from);
        let result = self.unary(opcode, to, operand);
        self.push_vector(result);
    }

    /// A shift of all lanes; the count is taken modulo the width of a lane, as the instruction does itself.
    pub(super) fn shift(&mut self, ty: Type, opcode: Opcode) {
        let count = self.pop();
        let vector = self.pop_vector(ty);
        let result = self.binary(opcode, ty, vector, count);
        self.push_vector(result);
    }

    /// A comparison of integer lanes: all ones or all zeros.
    pub(super) fn compare_ints(&mut self, ty: Type, condition: IntCC) {
        let (left, right) = self.pop_vectors(ty);
        let result = self.builder.ins().icmp(condition, left, right);
        self.push_vector(result);
    }

    /// A comparison of float lanes: all ones or all zeros.
    pub(super) fn compare_floats(&mut self, ty: Type, condition: FloatCC) {
        let (left, right) = self.pop_vectors(ty);
        let result = self.builder.ins().fcmp(condition, left, right);
        self.push_vector(result);
    }

    /// `any_true` or `all_true`.
    pub(super) fn test(&mut self, ty: Type, opcode: Opcode) {
        let vector = self.pop_vector(ty);
        let truth = self.unary(opcode, ty, vector);
        let result = self.builder.ins().uextend(I32, truth);
        self.push(result);
    }

    /// The sign bits of the lanes.
    pub(super) fn bit_mask(&mut self, ty: Type) {
        let vector = self.pop_vector(ty);
        let result = self.builder.ins().vhigh_bits(I32, vector);
        self.push(result);
    }

    /// `v128.andnot`
    pub(super) fn and_not(&mut self) {
        let (left, right) = self.pop_vectors(I8X16);
        let result = self.builder.ins().band_not(left, right);
        self.push(result);
    }

    /// `v128.bitselect`. If the mask is a comparison, the selection is done in the shape of the comparison: lowering
    /// sees then that one blend is enough.
    pub(super) fn bit_select(&mut self) {
        let mask = self.pop();
        let mask = self.bitcast_source(mask).filter(|&source| self.is_comparison(source)).unwrap_or(mask);
        let ty = self.builder.func.dfg.value_type(mask);
        let (left, right) = self.pop_vectors(ty);
        let result = self.builder.ins().bitselect(mask, left, right);
        self.push_vector(result);
    }

    fn is_comparison(&self, value: Value) -> bool {
        let dfg = &self.builder.func.dfg;
        let ValueDef::Result(inst, _) = dfg.value_def(value) else { return false };
        matches!(dfg.insts[inst], InstructionData::IntCompare { .. } | InstructionData::FloatCompare { .. })
    }

    /// `pmin`: `right < left ? right : left`, which is one instruction in exactly this form.
    pub(super) fn pseudo_min(&mut self, ty: Type) {
        let (left, right) = self.pop_vectors(ty);
        let less = self.builder.ins().fcmp(FloatCC::LessThan, right, left);
        self.select_lanes(ty, less, right, left);
    }

    /// `pmax`: `left < right ? right : left`, which is one instruction in exactly this form.
    pub(super) fn pseudo_max(&mut self, ty: Type) {
        let (left, right) = self.pop_vectors(ty);
        let less = self.builder.ins().fcmp(FloatCC::LessThan, left, right);
        self.select_lanes(ty, less, right, left);
    }

    fn select_lanes(&mut self, ty: Type, condition: Value, if_true: Value, if_false: Value) {
        let mask = self.as_vector(condition, ty);
        let result = self.builder.ins().bitselect(mask, if_true, if_false);
        self.push_vector(result);
    }

    /// `extadd_pairwise`: widens lanes of shape `ty` and adds neighbours.
    pub(super) fn extend_add(&mut self, ty: Type, widening: Widening) {
        let vector = self.pop_vector(ty);
        let sum = self.sum_of_pairs(ty, widening, vector);
        self.push_vector(sum);
    }

    /// The sums of neighbouring lanes of a vector of shape `ty`, in lanes of twice the width.
    pub(super) fn sum_of_pairs(&mut self, ty: Type, (low, high): Widening, vector: Value) -> Value {
        let low = self.unary(low, ty, vector);
        let high = self.unary(high, ty, vector);
        self.builder.ins().iadd_pairwise(low, high)
    }

    /// `extmul`: the full products of the halves that `widen` takes.
    pub(super) fn extend_multiply(&mut self, ty: Type, widen: Opcode) {
        let (left, right) = self.pop_vectors(ty);
        let product = self.widened_product(ty, widen, left, right);
        self.push_vector(product);
    }

    fn widened_product(&mut self, ty: Type, widen: Opcode, left: Value, right: Value) -> Value {
        let left = self.unary(widen, ty, left);
        let right = self.unary(widen, ty, right);
        self.builder.ins().imul(left, right)
    }

    /// `i32x4.dot_i16x8_s`
    pub(super) fn dot_product(&mut self) {
        let (left, right) = self.pop_vectors(I16X8);
        let low = self.widened_product(I16X8, Opcode::SwidenLow, left, right);
        let high = self.widened_product(I16X8, Opcode::SwidenHigh, left, right);
        let result = self.builder.ins().iadd_pairwise(low, high);
        self.push_vector(result);
    }

    /// Doubles to integers in the low half, zeros above. Cranelift lowers `f64x2` to `i64x2` only in this pair with a
    /// narrowing against zeros.
    pub(super) fn truncate_to_low(&mut self, truncate: Opcode, narrow: Opcode) {
        let doubles = self.pop_vector(F64X2);
        let wide = self.unary(truncate, I64X2, doubles);
        let zeros = self.vector_constant_as(I64X2, [0; 16]);
        let result = self.binary(narrow, I64X2, wide, zeros);
        self.push_vector(result);
    }

    /// Integers of the low half to doubles.
    pub(super) fn convert_low(&mut self, widen: Opcode, convert: Opcode) {
        let ints = self.pop_vector(I32X4);
        let wide = self.unary(widen, I32X4, ints);
        let result = self.unary(convert, F64X2, wide);
        self.push_vector(result);
    }

    /// Inserts a unary instruction; `ty` is its controlling type.
    pub(super) fn unary(&mut self, opcode: Opcode, ty: Type, operand: Value) -> Value {
        let (inst, dfg) = self.builder.ins().Unary(opcode, ty, operand);
        dfg.first_result(inst)
    }

    /// Inserts a binary instruction; `ty` is its controlling type.
    pub(super) fn binary(&mut self, opcode: Opcode, ty: Type, left: Value, right: Value) -> Value {
        let (inst, dfg) = self.builder.ins().Binary(opcode, ty, left, right);
        dfg.first_result(inst)
    }
}
