//! Vectors: what `v128` operators become.
//!
//! Sequences are written once, in three-operand instructions ([`instruction`]): with AVX each is one instruction, without
//! it a copy may come before it. An operator that is one instruction is one row of [`plain`].

use wasm::ops::Simd;

use crate::function::Function;

mod compare;
mod convert;
mod float;
mod instruction;
mod integer;
mod lane;
mod memory;
mod plain;
mod relaxed;
mod shift;
mod shuffle;
#[cfg(test)]
mod tests;

impl Function<'_> {
    /// Emits one vector operator.
    pub(crate) fn emit_simd(&mut self, op: Simd) {
        match op {
            Simd::V128Const(bytes) => self.vector_constant(u128::from_le_bytes(bytes)),
            Simd::Shuffle(lanes) => self.shuffle(lanes),
            Simd::ExtractLane(kind, lane) => self.extract_lane(kind, lane),
            Simd::ReplaceLane(shape, lane) => self.replace_lane(shape, lane),
            Simd::Load(arg) => self.vector_load(arg),
            Simd::Store(arg) => self.vector_store(arg),
            Simd::LoadExtend(kind, arg) => self.vector_load_extend(kind, arg),
            Simd::LoadSplat(width, arg) => self.vector_load_splat(width, arg),
            Simd::LoadZero32(arg) => self.vector_load_zero32(arg),
            Simd::LoadZero64(arg) => self.vector_load_zero64(arg),
            Simd::LoadLane(width, arg, lane) => self.vector_load_lane(width, arg, lane),
            Simd::StoreLane(width, arg, lane) => self.vector_store_lane(width, arg, lane),
            Simd::Plain(op) => self.emit_simd_plain(op),
        }
    }
}
