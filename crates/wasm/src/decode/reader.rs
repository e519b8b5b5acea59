//! A cursor over bytes that knows its place in the module: LEB128 numbers, names, types.

use super::error::DecodeError;
use crate::types::{HeapType, RefType, TypeIndex, ValType};

/// Reads forward; every fault carries its offset in the module.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    pos: usize,
    /// The offset of `bytes[0]` in the module.
    base: usize,
}

type Result<T> = std::result::Result<T, DecodeError>;

impl<'a> Reader<'a> {
    /// Reads `bytes`, whose first byte is at `base` in the module.
    pub(crate) fn new(bytes: &'a [u8], base: usize) -> Reader<'a> {
        Reader { bytes, pos: 0, base }
    }

    /// The offset of the next byte in the module.
    #[inline]
    pub(crate) fn offset(&self) -> usize {
        self.base + self.pos
    }

    /// The position of the next byte in the bytes of this reader.
    #[inline]
    pub(crate) fn position(&self) -> usize {
        self.pos
    }

    /// The bytes read since `position`.
    pub(crate) fn since(&self, position: usize) -> &'a [u8] {
        self.bytes.get(position..self.pos).unwrap_or_default()
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.pos >= self.bytes.len()
    }

    pub(crate) fn remaining(&self) -> usize {
        self.bytes.len() - self.pos
    }

    #[cold]
    fn end(&self) -> DecodeError {
        DecodeError::malformed(self.base + self.bytes.len(), "unexpected end of bytes")
    }

    #[inline]
    pub(crate) fn u8(&mut self) -> Result<u8> {
        match self.bytes.get(self.pos) {
            Some(&byte) => {
                self.pos += 1;
                Ok(byte)
            }
            None => Err(self.end()),
        }
    }

    #[inline]
    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        match self.bytes[self.pos..].first_chunk::<N>() {
            Some(chunk) => {
                self.pos += N;
                Ok(*chunk)
            }
            None => Err(self.end()),
        }
    }

    pub(crate) fn take(&mut self, len: usize) -> Result<&'a [u8]> {
        match self.bytes[self.pos..].get(..len) {
            Some(bytes) => {
                self.pos += len;
                Ok(bytes)
            }
            None => Err(self.end()),
        }
    }

    /// A reader of the next `len` bytes, which this one skips.
    pub(crate) fn slice(&mut self, len: usize) -> Result<Reader<'a>> {
        let base = self.offset();
        Ok(Reader::new(self.take(len)?, base))
    }

    #[inline]
    pub(crate) fn var_u32(&mut self) -> Result<u32> {
        match self.bytes.get(self.pos) {
            Some(&byte) if byte < 0x80 => {
                self.pos += 1;
                Ok(u32::from(byte))
            }
            _ => Ok(self.unsigned(32)? as u32),
        }
    }

    #[inline]
    pub(crate) fn var_u64(&mut self) -> Result<u64> {
        match self.bytes.get(self.pos) {
            Some(&byte) if byte < 0x80 => {
                self.pos += 1;
                Ok(u64::from(byte))
            }
            _ => self.unsigned(64),
        }
    }

    #[inline]
    pub(crate) fn var_i32(&mut self) -> Result<i32> {
        match self.bytes.get(self.pos) {
            Some(&byte) if byte < 0x80 => {
                self.pos += 1;
                Ok(i32::from(((byte << 1) as i8) >> 1))
            }
            _ => Ok(self.signed(32)? as i32),
        }
    }

    #[inline]
    pub(crate) fn var_i64(&mut self) -> Result<i64> {
        match self.bytes.get(self.pos) {
            Some(&byte) if byte < 0x80 => {
                self.pos += 1;
                Ok(i64::from(((byte << 1) as i8) >> 1))
            }
            _ => self.signed(64),
        }
    }

    /// The long way of an unsigned number of `bits` bits.
    #[inline(never)]
    fn unsigned(&mut self, bits: u32) -> Result<u64> {
        let mut value = 0u64;
        let mut shift = 0;
        loop {
            let at = self.offset();
            let byte = self.u8()?;
            let left = bits - shift;
            if left < 7 && u32::from(byte & 0x7f) >> left != 0 && byte < 0x80 {
                return Err(DecodeError::malformed(at, "integer too large"));
            }
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
            shift += 7;
            if shift >= bits {
                return Err(DecodeError::malformed(at, "integer representation too long"));
            }
        }
    }

    /// The long way of a signed number of `bits` bits.
    #[inline(never)]
    fn signed(&mut self, bits: u32) -> Result<i64> {
        let mut value = 0i64;
        let mut shift = 0;
        loop {
            let at = self.offset();
            let byte = self.u8()?;
            let left = bits - shift;
            if left < 7 && byte < 0x80 {
                // The bits past the number must repeat its sign.
                let extra = (((byte << 1) as i8) >> 1) >> (left - 1);
                if extra != 0 && extra != -1 {
                    return Err(DecodeError::malformed(at, "integer too large"));
                }
            }
            value |= i64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                if shift < 64 && byte & 0x40 != 0 {
                    value |= -1i64 << shift;
                }
                return Ok(value);
            }
            if shift >= bits {
                return Err(DecodeError::malformed(at, "integer representation too long"));
            }
        }
    }

    /// A UTF-8 string with its length in front.
    pub(crate) fn name(&mut self, what: &str) -> Result<&'a str> {
        let len = self.var_u32()?;
        let at = self.offset();
        let bytes = self.take(len as usize)?;
        std::str::from_utf8(bytes)
            .map_err(|_| DecodeError::malformed(at, format!("malformed UTF-8 encoding in {what}")))
    }

    /// A value type.
    pub(crate) fn val_type(&mut self) -> Result<ValType> {
        let at = self.offset();
        let byte = self.u8()?;
        self.val_type_from(byte, at)
    }

    /// The value type whose first byte was `byte`, at `at`.
    pub(crate) fn val_type_from(&mut self, byte: u8, at: usize) -> Result<ValType> {
        Ok(match byte {
            0x7f => ValType::I32,
            0x7e => ValType::I64,
            0x7d => ValType::F32,
            0x7c => ValType::F64,
            0x7b => ValType::V128,
            _ => ValType::Ref(self.ref_type_from(byte, at)?),
        })
    }

    /// A reference type.
    pub(crate) fn ref_type(&mut self) -> Result<RefType> {
        let at = self.offset();
        let byte = self.u8()?;
        self.ref_type_from(byte, at)
    }

    fn ref_type_from(&mut self, byte: u8, at: usize) -> Result<RefType> {
        match byte {
            0x63 => Ok(RefType { nullable: true, heap: self.heap_type()? }),
            0x64 => Ok(RefType { nullable: false, heap: self.heap_type()? }),
            _ => match abstract_heap_type(byte) {
                Some(heap) => Ok(RefType { nullable: true, heap }),
                None => Err(DecodeError::malformed(at, format!("malformed value type {byte:#04x}"))),
            },
        }
    }

    /// A heap type: a negative number for an abstract one, else a type index.
    pub(crate) fn heap_type(&mut self) -> Result<HeapType> {
        let at = self.offset();
        if let Some(heap) = self.bytes.get(self.pos).and_then(|&byte| abstract_heap_type(byte)) {
            self.pos += 1;
            return Ok(heap);
        }
        match u32::try_from(self.signed(33)?) {
            Ok(index) => Ok(HeapType::Concrete(TypeIndex(index))),
            Err(_) => Err(DecodeError::malformed(at, "malformed heap type")),
        }
    }

    /// The index of a block type whose first byte has not been read.
    pub(crate) fn block_type_index(&mut self) -> Result<TypeIndex> {
        let at = self.offset();
        match u32::try_from(self.signed(33)?) {
            Ok(index) => Ok(TypeIndex(index)),
            Err(_) => Err(DecodeError::malformed(at, "malformed block type")),
        }
    }

    /// The value of `i32.const` and `end`, when they come next: almost every segment has them for its offset.
    pub(crate) fn i32_const_end(&mut self) -> Option<i32> {
        if self.peek() != Some(0x41) {
            return None;
        }
        let start = self.pos;
        self.pos += 1;
        let value = self.var_i32().ok();
        if value.is_some() && self.peek() == Some(0x0b) {
            self.pos += 1;
            return value;
        }
        self.pos = start;
        None
    }

    /// The next byte, left unread.
    #[inline]
    pub(crate) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.pos).copied()
    }
}

fn abstract_heap_type(byte: u8) -> Option<HeapType> {
    Some(match byte {
        0x70 => HeapType::Func,
        0x6f => HeapType::Extern,
        0x6e => HeapType::Any,
        0x6d => HeapType::Eq,
        0x6c => HeapType::I31,
        0x6b => HeapType::Struct,
        0x6a => HeapType::Array,
        0x69 => HeapType::Exn,
        0x71 => HeapType::None,
        0x72 => HeapType::NoExtern,
        0x73 => HeapType::NoFunc,
        0x74 => HeapType::NoExn,
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
