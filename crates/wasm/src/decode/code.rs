//! The reader of function bodies: one match on the opcode, no allocation, no recursion.
//!
//! It is made for consumers of validated bodies, and is safe on any bytes: what is not in the
//! format is an error with its offset. It does not check types, nesting, or index bounds.

use super::error::DecodeError;
use super::reader::Reader;
use super::section::refused;
use crate::features::Feature;
use crate::ops::{
    BlockType, BrTable, Call, Control, ExtractLane, LaneShape, LaneWidth, LoadExtend, LoadKind, MemArg, Memory,
    Numeric, Operator, Reference, Simd, SimdPlain, StoreKind, Variable, Visitor,
};
use crate::types::{
    DataIndex, ElemIndex, FuncIndex, GlobalIndex, LocalIndex, MemoryIndex, TableIndex, TypeIndex, ValType,
};

/// The one match on the opcode: `$emit!(chapter, operator)` is the value of each arm, so that a
/// visitor gets its operator without a value of every chapter in between.
macro_rules! read_operator {
    ($r:ident, $at:ident, $emit:ident) => {{
        let byte = $r.u8()?;
        match byte {
            0x00 => $emit!(control, Control::Unreachable),
            0x01 => $emit!(control, Control::Nop),
            0x02 => $emit!(control, Control::Block(block_type($r)?)),
            0x03 => $emit!(control, Control::Loop(block_type($r)?)),
            0x04 => $emit!(control, Control::If(block_type($r)?)),
            0x05 => $emit!(control, Control::Else),
            0x0b => $emit!(control, Control::End),
            0x0c => $emit!(control, Control::Br($r.var_u32()?)),
            0x0d => $emit!(control, Control::BrIf($r.var_u32()?)),
            0x0e => $emit!(control, Control::BrTable(br_table($r)?)),
            0x0f => $emit!(control, Control::Return),
            0x10 => $emit!(call, Call::Call(FuncIndex($r.var_u32()?))),
            0x11 => {
                let ty = TypeIndex($r.var_u32()?);
                $emit!(call, Call::CallIndirect { ty, table: TableIndex($r.var_u32()?) })
            }
            0x12 => $emit!(call, Call::ReturnCall(FuncIndex($r.var_u32()?))),
            0x13 => {
                let ty = TypeIndex($r.var_u32()?);
                $emit!(call, Call::ReturnCallIndirect { ty, table: TableIndex($r.var_u32()?) })
            }
            0x14 => $emit!(call, Call::CallRef(TypeIndex($r.var_u32()?))),
            0x15 => $emit!(call, Call::ReturnCallRef(TypeIndex($r.var_u32()?))),
            0x1a => $emit!(variable, Variable::Drop),
            0x1b => $emit!(variable, Variable::Select),
            0x1c => $emit!(variable, Variable::SelectTyped(select_type($r)?)),
            0x20 => $emit!(variable, Variable::LocalGet(LocalIndex($r.var_u32()?))),
            0x21 => $emit!(variable, Variable::LocalSet(LocalIndex($r.var_u32()?))),
            0x22 => $emit!(variable, Variable::LocalTee(LocalIndex($r.var_u32()?))),
            0x23 => $emit!(variable, Variable::GlobalGet(GlobalIndex($r.var_u32()?))),
            0x24 => $emit!(variable, Variable::GlobalSet(GlobalIndex($r.var_u32()?))),
            0x25 => $emit!(reference, Reference::TableGet(TableIndex($r.var_u32()?))),
            0x26 => $emit!(reference, Reference::TableSet(TableIndex($r.var_u32()?))),
            0x28..=0x35 => match LoadKind::from_opcode(byte) {
                Some(kind) => $emit!(memory, Memory::Load(kind, mem_arg($r)?)),
                None => return Err(unknown($at, u32::from(byte), None).into()),
            },
            0x36..=0x3e => match StoreKind::from_opcode(byte) {
                Some(kind) => $emit!(memory, Memory::Store(kind, mem_arg($r)?)),
                None => return Err(unknown($at, u32::from(byte), None).into()),
            },
            0x3f => $emit!(memory, Memory::Size(MemoryIndex($r.var_u32()?))),
            0x40 => $emit!(memory, Memory::Grow(MemoryIndex($r.var_u32()?))),
            0x41 => $emit!(variable, Variable::I32Const($r.var_i32()?)),
            0x42 => $emit!(variable, Variable::I64Const($r.var_i64()?)),
            0x43 => $emit!(variable, Variable::F32Const(u32::from_le_bytes($r.array()?))),
            0x44 => $emit!(variable, Variable::F64Const(u64::from_le_bytes($r.array()?))),
            0x45..=0xc4 => match Numeric::from_opcode(u32::from(byte)) {
                Some(op) => $emit!(numeric, op),
                None => return Err(unknown($at, u32::from(byte), None).into()),
            },
            0xd0 => $emit!(reference, Reference::RefNull($r.heap_type()?)),
            0xd1 => $emit!(reference, Reference::RefIsNull),
            0xd2 => $emit!(reference, Reference::RefFunc(FuncIndex($r.var_u32()?))),
            0xd4 => $emit!(reference, Reference::RefAsNonNull),
            0xd5 => $emit!(control, Control::BrOnNull($r.var_u32()?)),
            0xd6 => $emit!(control, Control::BrOnNonNull($r.var_u32()?)),
            0xfc => match prefixed_fc($r, $at)? {
                Prefixed::Numeric(op) => $emit!(numeric, op),
                Prefixed::Memory(op) => $emit!(memory, op),
                Prefixed::Reference(op) => $emit!(reference, op),
            },
            0xfd => $emit!(simd, prefixed_fd($r, $at)?),
            _ => return Err(unknown($at, u32::from(byte), None).into()),
        }
    }};
}

/// Reads one function body: first its locals, then its operators.
#[derive(Clone, Debug)]
pub struct BodyReader<'a> {
    reader: Reader<'a>,
}

type Result<T> = std::result::Result<T, DecodeError>;

impl<'a> BodyReader<'a> {
    /// Reads `body` (see `ModuleInfo::bodies`), whose first byte is at `base_offset` in the module.
    pub fn new(body: &'a [u8], base_offset: usize) -> BodyReader<'a> {
        BodyReader { reader: Reader::new(body, base_offset) }
    }

    /// Reads operators from where `reader` stands.
    pub(crate) fn from_reader(reader: Reader<'a>) -> BodyReader<'a> {
        BodyReader { reader }
    }

    /// The reader, behind what has been read.
    pub(crate) fn into_reader(self) -> Reader<'a> {
        self.reader
    }

    /// The declared locals as runs of one type, without the parameters. To be called once, first.
    ///
    /// # Errors
    /// Bytes that are not in the format, or a sum of the counts past 32 bits.
    pub fn locals(&mut self) -> Result<Vec<(u32, ValType)>> {
        let groups = self.reader.var_u32()?;
        // A group takes two bytes at least, which bounds what a false count can make us reserve.
        let mut locals = Vec::with_capacity((groups as usize).min(self.reader.remaining() / 2));
        let mut total = 0u32;
        for _ in 0..groups {
            let at = self.reader.offset();
            let count = self.reader.var_u32()?;
            total = total.checked_add(count).ok_or_else(|| DecodeError::malformed(at, "too many locals"))?;
            locals.push((count, self.reader.val_type()?));
        }
        Ok(locals)
    }

    /// The offset in the module of the next byte.
    #[inline]
    pub fn offset(&self) -> usize {
        self.reader.offset()
    }

    /// Whether every operator has been read.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.reader.is_empty()
    }

    /// Gives every operator that is left to `visitor`.
    ///
    /// # Errors
    /// The first fault of the bytes or the first error of the visitor.
    pub fn visit_all<V: Visitor>(&mut self, visitor: &mut V) -> std::result::Result<(), V::Error> {
        while !self.reader.is_empty() {
            self.next_visit(visitor)?;
        }
        Ok(())
    }

    /// Gives the next operator to `visitor`. At the end of the body it is an error.
    ///
    /// # Errors
    /// A fault of the bytes or the error of the visitor.
    #[inline]
    pub fn next_visit<V: Visitor>(&mut self, visitor: &mut V) -> std::result::Result<(), V::Error> {
        let r = &mut self.reader;
        let at = r.offset();
        macro_rules! emit {
            ($chapter:ident, $op:expr) => {
                visitor.$chapter($op, at)
            };
        }
        read_operator!(r, at, emit)
    }

    /// The next operator and its offset in the module; `None` at the end.
    ///
    /// # Errors
    /// Bytes that are not in the format.
    pub fn next_operator(&mut self) -> Result<Option<(Operator<'a>, usize)>> {
        let r = &mut self.reader;
        if r.is_empty() {
            return Ok(None);
        }
        let at = r.offset();
        macro_rules! emit {
            ($chapter:ident, $op:expr) => {
                Operator::from($op)
            };
        }
        let op: Operator<'a> = read_operator!(r, at, emit);
        Ok(Some((op, at)))
    }
}

/// What the prefix 0xfc leads to.
enum Prefixed {
    Numeric(Numeric),
    Memory(Memory),
    Reference(Reference),
}

#[inline]
fn block_type(r: &mut Reader<'_>) -> Result<BlockType> {
    let at = r.offset();
    match r.peek() {
        Some(0x40) => {
            r.u8()?;
            Ok(BlockType::Empty)
        }
        // One byte with bit 6 set is a negative number: a value type.
        Some(byte @ 0x41..0x80) => {
            r.u8()?;
            Ok(BlockType::Value(r.val_type_from(byte, at)?))
        }
        _ => Ok(BlockType::Func(r.block_type_index()?)),
    }
}

fn br_table<'a>(r: &mut Reader<'a>) -> Result<BrTable<'a>> {
    let len = r.var_u32()?;
    let start = r.position();
    for _ in 0..len {
        r.var_u32()?;
    }
    let encoded = r.since(start);
    Ok(BrTable::new(encoded, len, r.var_u32()?))
}

fn select_type(r: &mut Reader<'_>) -> Result<ValType> {
    let at = r.offset();
    match r.var_u32()? {
        1 => r.val_type(),
        _ => Err(DecodeError::invalid(at, "invalid result arity")),
    }
}

#[inline]
fn mem_arg(r: &mut Reader<'_>) -> Result<MemArg> {
    let at = r.offset();
    let flags = r.var_u32()?;
    if flags >= 0x80 {
        return Err(DecodeError::malformed(at, "malformed memop flags"));
    }
    let memory = if flags & 0x40 != 0 { r.var_u32()? } else { 0 };
    Ok(MemArg { align_log2: (flags & 0x3f) as u8, memory: MemoryIndex(memory), offset: r.var_u64()? })
}

/// Conversions, bulk operators and wide arithmetic.
fn prefixed_fc(r: &mut Reader<'_>, at: usize) -> Result<Prefixed> {
    let code = r.var_u32()?;
    Ok(match code {
        8 => {
            let data = DataIndex(r.var_u32()?);
            Prefixed::Memory(Memory::Init { data, memory: MemoryIndex(r.var_u32()?) })
        }
        9 => Prefixed::Memory(Memory::DataDrop(DataIndex(r.var_u32()?))),
        10 => {
            let dst = MemoryIndex(r.var_u32()?);
            Prefixed::Memory(Memory::Copy { dst, src: MemoryIndex(r.var_u32()?) })
        }
        11 => Prefixed::Memory(Memory::Fill(MemoryIndex(r.var_u32()?))),
        12 => {
            let elem = ElemIndex(r.var_u32()?);
            Prefixed::Reference(Reference::TableInit { elem, table: TableIndex(r.var_u32()?) })
        }
        13 => Prefixed::Reference(Reference::ElemDrop(ElemIndex(r.var_u32()?))),
        14 => {
            let dst = TableIndex(r.var_u32()?);
            Prefixed::Reference(Reference::TableCopy { dst, src: TableIndex(r.var_u32()?) })
        }
        15 => Prefixed::Reference(Reference::TableGrow(TableIndex(r.var_u32()?))),
        16 => Prefixed::Reference(Reference::TableSize(TableIndex(r.var_u32()?))),
        17 => Prefixed::Reference(Reference::TableFill(TableIndex(r.var_u32()?))),
        _ => match Numeric::from_fc_opcode(code) {
            Some(op) => Prefixed::Numeric(op),
            None => return Err(unknown(at, 0xfc, Some(code))),
        },
    })
}

/// Vectors.
fn prefixed_fd(r: &mut Reader<'_>, at: usize) -> Result<Simd> {
    let code = r.var_u32()?;
    Ok(match code {
        0 => Simd::Load(mem_arg(r)?),
        1 => Simd::LoadExtend(LoadExtend::I8x8S, mem_arg(r)?),
        2 => Simd::LoadExtend(LoadExtend::I8x8U, mem_arg(r)?),
        3 => Simd::LoadExtend(LoadExtend::I16x4S, mem_arg(r)?),
        4 => Simd::LoadExtend(LoadExtend::I16x4U, mem_arg(r)?),
        5 => Simd::LoadExtend(LoadExtend::I32x2S, mem_arg(r)?),
        6 => Simd::LoadExtend(LoadExtend::I32x2U, mem_arg(r)?),
        7 => Simd::LoadSplat(LaneWidth::W8, mem_arg(r)?),
        8 => Simd::LoadSplat(LaneWidth::W16, mem_arg(r)?),
        9 => Simd::LoadSplat(LaneWidth::W32, mem_arg(r)?),
        10 => Simd::LoadSplat(LaneWidth::W64, mem_arg(r)?),
        11 => Simd::Store(mem_arg(r)?),
        12 => Simd::V128Const(r.array()?),
        13 => Simd::Shuffle(r.array()?),
        21 => Simd::ExtractLane(ExtractLane::I8x16S, r.u8()?),
        22 => Simd::ExtractLane(ExtractLane::I8x16U, r.u8()?),
        23 => Simd::ReplaceLane(LaneShape::I8x16, r.u8()?),
        24 => Simd::ExtractLane(ExtractLane::I16x8S, r.u8()?),
        25 => Simd::ExtractLane(ExtractLane::I16x8U, r.u8()?),
        26 => Simd::ReplaceLane(LaneShape::I16x8, r.u8()?),
        27 => Simd::ExtractLane(ExtractLane::I32x4, r.u8()?),
        28 => Simd::ReplaceLane(LaneShape::I32x4, r.u8()?),
        29 => Simd::ExtractLane(ExtractLane::I64x2, r.u8()?),
        30 => Simd::ReplaceLane(LaneShape::I64x2, r.u8()?),
        31 => Simd::ExtractLane(ExtractLane::F32x4, r.u8()?),
        32 => Simd::ReplaceLane(LaneShape::F32x4, r.u8()?),
        33 => Simd::ExtractLane(ExtractLane::F64x2, r.u8()?),
        34 => Simd::ReplaceLane(LaneShape::F64x2, r.u8()?),
        84..=87 => Simd::LoadLane(lane_width(code - 84), mem_arg(r)?, r.u8()?),
        88..=91 => Simd::StoreLane(lane_width(code - 88), mem_arg(r)?, r.u8()?),
        92 => Simd::LoadZero32(mem_arg(r)?),
        93 => Simd::LoadZero64(mem_arg(r)?),
        _ => match SimdPlain::from_fd_opcode(code) {
            Some(op) => Simd::Plain(op),
            None => return Err(unknown(at, 0xfd, Some(code))),
        },
    })
}

fn lane_width(log2: u32) -> LaneWidth {
    match log2 {
        0 => LaneWidth::W8,
        1 => LaneWidth::W16,
        2 => LaneWidth::W32,
        _ => LaneWidth::W64,
    }
}

/// The error for an opcode outside the chapters, which names its proposal if it has one.
#[cold]
fn unknown(at: usize, byte: u32, sub: Option<u32>) -> DecodeError {
    let feature = match byte {
        0x06 | 0x07 | 0x09 | 0x18 | 0x19 => Some(Feature::LegacyExceptions),
        0x08 | 0x0a | 0x1f => Some(Feature::Exceptions),
        0xd3 | 0xfb => Some(Feature::Gc),
        0xfe => Some(Feature::Threads),
        _ => None,
    };
    if let Some(feature) = feature {
        return refused(feature, at);
    }
    let message = match sub {
        Some(sub) => format!("illegal opcode {byte:#04x} {sub:#x}"),
        None => format!("illegal opcode {byte:#04x}"),
    };
    DecodeError::malformed(at, message)
}

#[cfg(test)]
mod tests;
