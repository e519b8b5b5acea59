//! Control: blocks and branches.

use std::fmt;

use super::block::{BlockType, BrTable};

/// An operator that opens, closes or leaves a block. A `u32` is a label depth: 0 is the innermost.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Control<'a> {
    /// `unreachable`
    Unreachable,
    /// `nop`
    Nop,
    /// `block`
    Block(BlockType),
    /// `loop`
    Loop(BlockType),
    /// `if`
    If(BlockType),
    /// `else`
    Else,
    /// `end`
    End,
    /// `br`
    Br(u32),
    /// `br_if`
    BrIf(u32),
    /// `br_table`
    BrTable(BrTable<'a>),
    /// `return`
    Return,
    /// `br_on_null`
    BrOnNull(u32),
    /// `br_on_non_null`
    BrOnNonNull(u32),
}

impl Control<'_> {
    /// The name in the text format.
    pub fn name(&self) -> &'static str {
        match self {
            Control::Unreachable => "unreachable",
            Control::Nop => "nop",
            Control::Block(_) => "block",
            Control::Loop(_) => "loop",
            Control::If(_) => "if",
            Control::Else => "else",
            Control::End => "end",
            Control::Br(_) => "br",
            Control::BrIf(_) => "br_if",
            Control::BrTable(_) => "br_table",
            Control::Return => "return",
            Control::BrOnNull(_) => "br_on_null",
            Control::BrOnNonNull(_) => "br_on_non_null",
        }
    }
}

impl fmt::Display for Control<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Control::Block(ty) | Control::Loop(ty) | Control::If(ty) => ty.fmt(f),
            Control::Br(depth) | Control::BrIf(depth) | Control::BrOnNull(depth) | Control::BrOnNonNull(depth) => {
                write!(f, " {depth}")
            }
            Control::BrTable(table) => {
                for target in table.targets() {
                    write!(f, " {target}")?;
                }
                write!(f, " {}", table.default())
            }
            Control::Unreachable | Control::Nop | Control::Else | Control::End | Control::Return => Ok(()),
        }
    }
}
