//! Linear memory and vectors: the whole rules.

use super::{INVALID, Result, Walk};
use crate::decode::error::DecodeError;
use crate::decode::reader::Reader;
use crate::ops::{MemArg, Memory, Simd, SimdPlain};
use crate::types::{DataIndex, MemoryIndex};
use crate::validate::ty::Ty;

impl Walk<'_> {
    pub(super) fn memory(&mut self, op: Memory) -> Result<()> {
        let features = &self.facts.features;
        match op {
            Memory::Load(kind, arg) => self.load(arg, kind.bytes_log2(), Ty::number(kind.value_type())),
            Memory::Store(kind, arg) => self.store(arg, kind.bytes_log2(), Ty::number(kind.value_type())),
            Memory::Size(memory) => {
                let index = self.index_type_or_zero(memory)?;
                self.push(index)
            }
            Memory::Grow(memory) => {
                let index = self.index_type_or_zero(memory)?;
                self.pop(index)?;
                self.push(index)
            }
            Memory::Fill(memory) => {
                self.require(features.bulk_memory)?;
                let index = self.index_type(memory)?;
                self.pop(index)?;
                self.pop(Ty::I32)?;
                self.pop(index)
            }
            Memory::Copy { dst, src } => {
                self.require(features.bulk_memory)?;
                let (dst, src) = (self.index_type(dst)?, self.index_type(src)?);
                self.pop(if src == Ty::I32 { Ty::I32 } else { dst })?;
                self.pop(src)?;
                self.pop(dst)
            }
            Memory::Init { data, memory } => {
                self.require(features.bulk_memory)?;
                let index = self.index_type(memory)?;
                self.segment(data)?;
                self.pop(Ty::I32)?;
                self.pop(Ty::I32)?;
                self.pop(index)
            }
            Memory::DataDrop(data) => {
                self.require(features.bulk_memory)?;
                self.segment(data)
            }
        }
    }

    pub(super) fn simd(&mut self, op: Simd) -> Result<()> {
        let features = &self.facts.features;
        let is_relaxed = matches!(op, Simd::Plain(op) if op as u16 >= SimdPlain::I8x16RelaxedSwizzle as u16);
        self.require(if is_relaxed { features.relaxed_simd } else { features.simd })?;
        match op {
            Simd::V128Const(_) => self.push(Ty::V128),
            Simd::Shuffle(lanes) => {
                self.require(lanes.iter().all(|&lane| lane < 32))?;
                self.pop(Ty::V128)?;
                self.pop(Ty::V128)?;
                self.push(Ty::V128)
            }
            Simd::ExtractLane(kind, lane) => {
                let shape = kind.shape();
                self.require(lane < shape.lanes())?;
                self.pop(Ty::V128)?;
                self.push(Ty::number(shape.lane_type()))
            }
            Simd::ReplaceLane(shape, lane) => {
                self.require(lane < shape.lanes())?;
                self.pop(Ty::number(shape.lane_type()))?;
                self.pop(Ty::V128)?;
                self.push(Ty::V128)
            }
            Simd::Load(arg) => self.load(arg, 4, Ty::V128),
            Simd::Store(arg) => self.store(arg, 4, Ty::V128),
            Simd::LoadExtend(_, arg) | Simd::LoadZero64(arg) => self.load(arg, 3, Ty::V128),
            Simd::LoadZero32(arg) => self.load(arg, 2, Ty::V128),
            Simd::LoadSplat(width, arg) => self.load(arg, width.bytes_log2(), Ty::V128),
            Simd::LoadLane(width, arg, lane) => {
                self.require(lane < 16 >> width.bytes_log2())?;
                self.pop(Ty::V128)?;
                self.load(arg, width.bytes_log2(), Ty::V128)
            }
            Simd::StoreLane(width, arg, lane) => {
                self.require(lane < 16 >> width.bytes_log2())?;
                self.store(arg, width.bytes_log2(), Ty::V128)
            }
            Simd::Plain(op) => {
                for &param in op.params().iter().rev() {
                    self.pop(Ty::number(param))?;
                }
                op.results().iter().try_for_each(|&result| self.push(Ty::number(result)))
            }
        }
    }

    fn load(&mut self, arg: MemArg, align_log2: u8, ty: Ty) -> Result<()> {
        let index = self.access(arg, align_log2)?;
        self.pop(index)?;
        self.push(ty)
    }

    fn store(&mut self, arg: MemArg, align_log2: u8, ty: Ty) -> Result<()> {
        let index = self.access(arg, align_log2)?;
        self.pop(ty)?;
        self.pop(index)
    }

    /// Checks the immediate of an access; what indexes its memory.
    fn access(&self, arg: MemArg, align_log2: u8) -> Result<Ty> {
        let features = &self.facts.features;
        if !features.multi_memory || !features.memory64 {
            self.require(self.is_old_mem_arg().unwrap_or(false))?;
        }
        self.require(arg.align_log2 <= align_log2)?;
        let index = self.index_type(arg.memory)?;
        self.require(index == Ty::I64 || u32::try_from(arg.offset).is_ok())?;
        Ok(index)
    }

    /// Whether an immediate keeps to the form it had before a proposal that is off.
    fn is_old_mem_arg(&self) -> std::result::Result<bool, DecodeError> {
        let features = &self.facts.features;
        let mut reader = Reader::new(self.bytes.get(self.pos..).unwrap_or_default(), 0);
        if reader.u8()? == 0xfd {
            reader.var_u32()?;
        }
        if reader.var_u32()? & 0x40 != 0 {
            if !features.multi_memory {
                return Ok(false);
            }
            reader.var_u32()?;
        }
        if !features.memory64 {
            reader.var_u32()?;
        }
        Ok(true)
    }

    /// What indexes the memory of an operator that had a zero byte before there were several.
    fn index_type_or_zero(&self, memory: MemoryIndex) -> Result<Ty> {
        if !self.facts.features.multi_memory {
            self.zero_byte(0)?;
        }
        self.index_type(memory)
    }

    fn index_type(&self, memory: MemoryIndex) -> Result<Ty> {
        self.facts.memories.get(memory.index()).copied().ok_or(INVALID)
    }

    fn segment(&self, data: DataIndex) -> Result<()> {
        self.require(self.facts.data_count.is_some_and(|count| data.0 < count))
    }
}
