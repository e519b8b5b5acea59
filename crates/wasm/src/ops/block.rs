//! What a block takes and gives, and where a `br_table` goes.

use std::fmt;

use crate::module::ModuleInfo;
use crate::types::{TypeIndex, ValType};

/// The type of a block, loop or if.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BlockType {
    /// Nothing in, nothing out.
    Empty,
    /// Nothing in, one value out.
    Value(ValType),
    /// As the function type with this index.
    Func(TypeIndex),
}

impl BlockType {
    /// The types the block takes; empty when the index is not a function type (never in a
    /// validated body).
    pub fn params(self, module: &ModuleInfo) -> &[ValType] {
        match self {
            BlockType::Empty | BlockType::Value(_) => &[],
            BlockType::Func(ty) => module.type_func(ty).map_or(&[], |ty| ty.params()),
        }
    }

    /// The types the block gives.
    pub fn results<'a>(&'a self, module: &'a ModuleInfo) -> &'a [ValType] {
        match self {
            BlockType::Empty => &[],
            BlockType::Value(ty) => std::slice::from_ref(ty),
            BlockType::Func(ty) => module.type_func(*ty).map_or(&[], |ty| ty.results()),
        }
    }
}

impl fmt::Display for BlockType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BlockType::Empty => Ok(()),
            BlockType::Value(ty) => write!(f, " (result {ty})"),
            BlockType::Func(ty) => write!(f, " (type {})", ty.0),
        }
    }
}

/// The immediates of a `br_table`, read from the body as they are asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BrTable<'a> {
    /// `len` targets as unsigned LEB128; checked when the operator was read.
    encoded: &'a [u8],
    len: u32,
    default: u32,
}

impl<'a> BrTable<'a> {
    /// `encoded` must hold `len` well-formed 32-bit LEB128 numbers.
    pub(crate) fn new(encoded: &'a [u8], len: u32, default: u32) -> BrTable<'a> {
        BrTable { encoded, len, default }
    }

    /// How many targets there are, without the default.
    pub fn len(&self) -> u32 {
        self.len
    }

    /// True when only the default is left.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The label depth taken when the index is past the targets.
    pub fn default(&self) -> u32 {
        self.default
    }

    /// The label depths for index 0, 1, 2 ..., without the default.
    pub fn targets(&self) -> BrTargets<'a> {
        BrTargets { rest: self.encoded, left: self.len }
    }
}

/// The targets of a `br_table`.
#[derive(Clone, Debug)]
pub struct BrTargets<'a> {
    rest: &'a [u8],
    left: u32,
}

impl Iterator for BrTargets<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        self.left = self.left.checked_sub(1)?;
        let mut value = 0u32;
        let mut shift = 0;
        loop {
            let (&byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            value |= u32::from(byte & 0x7f).unbounded_shl(shift);
            shift += 7;
            if byte < 0x80 {
                return Some(value);
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left as usize, Some(self.left as usize))
    }
}

impl ExactSizeIterator for BrTargets<'_> {}
