//! Vector loads and stores.

use wasm::ops::{LaneShape, LaneWidth, LoadExtend, MemArg};

use crate::asm::x64::{SseOp, Width, Xmm};
use crate::emit::memory::access::Access;
use crate::function::Function;

/// Bytes of a vector.
const VECTOR: u32 = 16;
/// Bytes that a widening load reads.
const HALF: u32 = 8;

impl Function<'_> {
    /// `v128.load`
    pub(super) fn vector_load(&mut self, arg: MemArg) {
        self.load_by(SseOp::MOVUPS, arg, VECTOR);
    }

    /// `v128.load32_zero`
    pub(super) fn vector_load_zero32(&mut self, arg: MemArg) {
        self.load_by(SseOp::MOVSS, arg, 4);
    }

    /// `v128.load64_zero`
    pub(super) fn vector_load_zero64(&mut self, arg: MemArg) {
        self.load_by(SseOp::MOVSD, arg, 8);
    }

    /// `v128.load8x8_s` and its kin
    pub(super) fn vector_load_extend(&mut self, kind: LoadExtend, arg: MemArg) {
        let op = match kind {
            LoadExtend::I8x8S => SseOp::PMOVSXBW,
            LoadExtend::I8x8U => SseOp::PMOVZXBW,
            LoadExtend::I16x4S => SseOp::PMOVSXWD,
            LoadExtend::I16x4U => SseOp::PMOVZXWD,
            LoadExtend::I32x2S => SseOp::PMOVSXDQ,
            LoadExtend::I32x2U => SseOp::PMOVZXDQ,
        };
        self.load_by(op, arg, HALF);
    }

    /// A load that is one instruction, which reads `size` bytes.
    fn load_by(&mut self, op: SseOp, arg: MemArg, size: u32) {
        let access = self.pop_access(arg, size);
        let result = self.alloc_float();
        self.mark_access(access);
        self.vector_unary(op, result, access.mem);
        self.push_vector(result);
    }

    /// `v128.load*_splat`
    pub(super) fn vector_load_splat(&mut self, width: LaneWidth, arg: MemArg) {
        match width {
            LaneWidth::W64 => return self.load_by(SseOp::MOVDDUP, arg, 8),
            LaneWidth::W32 if self.features.avx => return self.load_by(SseOp::VBROADCASTSS, arg, 4),
            LaneWidth::W8 | LaneWidth::W16 | LaneWidth::W32 => {}
        }
        let access = self.pop_access(arg, lane_bytes(width));
        let result = self.alloc_float();
        let shape = match width {
            LaneWidth::W8 => LaneShape::I8x16,
            LaneWidth::W16 => LaneShape::I16x8,
            LaneWidth::W32 | LaneWidth::W64 => LaneShape::I32x4,
        };
        if shape == LaneShape::I32x4 {
            self.mark_access(access);
            self.vector_unary(SseOp::MOVSS, result, access.mem);
        } else {
            // An insertion needs something to insert into, best what nobody waits for.
            self.vector_zeros(result);
            self.insert_accessed(width, result, access, 0);
        }
        self.spread(shape, result);
        self.push_vector(result);
    }

    /// `v128.load*_lane`
    pub(super) fn vector_load_lane(&mut self, width: LaneWidth, arg: MemArg, lane: u8) {
        let source = self.pop_float();
        let access = self.pop_access(arg, lane_bytes(width));
        let result = self.reuse_float(source);
        self.vector_copy(result, source);
        self.insert_accessed(width, result, access, lane);
        self.push_vector(result);
    }

    /// Loads a lane of `register`.
    fn insert_accessed(&mut self, width: LaneWidth, register: Xmm, access: Access, lane: u8) {
        let insert = match width {
            LaneWidth::W8 => (SseOp::PINSRB, Width::W32),
            LaneWidth::W16 => (SseOp::PINSRW, Width::W32),
            LaneWidth::W32 => (SseOp::PINSRD, Width::W32),
            LaneWidth::W64 => (SseOp::PINSRD, Width::W64),
        };
        self.mark_access(access);
        self.insert_from_memory(insert, register, register, access.mem, lane);
    }

    /// `v128.store`
    pub(super) fn vector_store(&mut self, arg: MemArg) {
        let value = self.pop_float();
        let access = self.pop_access(arg, VECTOR);
        self.mark_access(access);
        self.asm.sse_mr(SseOp::MOVUPS_STORE, access.mem, value);
    }

    /// `v128.store*_lane`
    pub(super) fn vector_store_lane(&mut self, width: LaneWidth, arg: MemArg, lane: u8) {
        let value = self.pop_float();
        let access = self.pop_access(arg, lane_bytes(width));
        self.mark_access(access);
        match (width, lane) {
            (LaneWidth::W32, 0) => self.asm.sse_mr(SseOp::MOVSS_STORE, access.mem, value),
            (LaneWidth::W64, 0) => self.asm.sse_mr(SseOp::MOVLPS_STORE, access.mem, value),
            (LaneWidth::W64, _) => self.asm.sse_mr(SseOp::MOVHPS_STORE, access.mem, value),
            (LaneWidth::W8, _) => self.asm.sse_extract_m(SseOp::PEXTRB, Width::W32, access.mem, value, lane),
            (LaneWidth::W16, _) => self.asm.sse_extract_m(SseOp::PEXTRW, Width::W32, access.mem, value, lane),
            (LaneWidth::W32, _) => self.asm.sse_extract_m(SseOp::PEXTRD, Width::W32, access.mem, value, lane),
        }
    }
}

fn lane_bytes(width: LaneWidth) -> u32 {
    1 << width.bytes_log2()
}
