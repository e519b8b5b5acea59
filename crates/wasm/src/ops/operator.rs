//! Any operator as one value: for listings and tests, where a visitor would be too much.

use std::fmt;

use super::{Call, Control, Memory, Numeric, Reference, Simd, Variable};

/// An operator of any chapter.
#[derive(Clone, Copy, PartialEq, Debug)]
#[allow(missing_docs)] // The variants are the chapters.
pub enum Operator<'a> {
    Control(Control<'a>),
    Call(Call),
    Variable(Variable),
    Numeric(Numeric),
    Memory(Memory),
    Reference(Reference),
    Simd(Simd),
}

macro_rules! from_chapters {
    ($($chapter:ident)*) => {$(
        impl From<$chapter> for Operator<'_> {
            fn from(op: $chapter) -> Self {
                Operator::$chapter(op)
            }
        }
    )*};
}

from_chapters! { Call Variable Numeric Memory Reference Simd }

impl<'a> From<Control<'a>> for Operator<'a> {
    fn from(op: Control<'a>) -> Self {
        Operator::Control(op)
    }
}

impl Operator<'_> {
    /// The name in the text format.
    pub fn name(&self) -> &'static str {
        match self {
            Operator::Control(op) => op.name(),
            Operator::Call(op) => op.name(),
            Operator::Variable(op) => op.name(),
            Operator::Numeric(op) => op.name(),
            Operator::Memory(op) => op.name(),
            Operator::Reference(op) => op.name(),
            Operator::Simd(op) => op.name(),
        }
    }
}

impl fmt::Display for Operator<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Operator::Control(op) => op.fmt(f),
            Operator::Call(op) => op.fmt(f),
            Operator::Variable(op) => op.fmt(f),
            Operator::Numeric(op) => op.fmt(f),
            Operator::Memory(op) => op.fmt(f),
            Operator::Reference(op) => op.fmt(f),
            Operator::Simd(op) => op.fmt(f),
        }
    }
}
