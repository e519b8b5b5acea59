//! The operators of the language, one enum per chapter, and the visitor every consumer implements.
//!
//! Each chapter is exhaustive, and a consumer matches it without a `_` arm: an operator that a
//! tier forgets does not compile. The chapters for GC, atomics and exceptions join this list with
//! their proposals; until then validation refuses the modules that use them.

use crate::decode::error::DecodeError;

/// Writes an enum whose rows are `opcode Variant "text" [params] -> [results]`.
macro_rules! plain_operators {
    (
        $(#[$doc:meta])* $name:ident,
        $( $section:ident ($secdoc:literal) { $( $code:literal $variant:ident $text:literal [$($param:ident)*] -> [$($result:ident)*], )* } )*
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[allow(missing_docs)] // The variants are the operators' own names.
        #[repr(u16)]
        pub enum $name { $($( #[doc = concat!("`", $text, "`")] $variant, )*)* }

        impl $name {
            /// Every operator of the table, in the order of the table.
            pub const ALL: &'static [$name] = &[$($( $name::$variant, )*)*];

            $(
                #[doc = $secdoc]
                #[inline]
                pub const fn $section(code: u32) -> Option<$name> {
                    match code {
                        $( $code => Some($name::$variant), )*
                        _ => None,
                    }
                }
            )*

            /// The name in the text format.
            pub fn name(self) -> &'static str {
                match self { $($( $name::$variant => $text, )*)* }
            }

            /// The types of the operands, deepest first.
            pub const fn params(self) -> &'static [$crate::types::ValType] {
                match self { $($( $name::$variant => &[$($crate::types::ValType::$param),*], )*)* }
            }

            /// The types of the results, deepest first.
            pub const fn results(self) -> &'static [$crate::types::ValType] {
                match self { $($( $name::$variant => &[$($crate::types::ValType::$result),*], )*)* }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

mod block;
mod call;
mod control;
mod memory;
mod numeric;
mod operator;
mod reference;
mod simd;
mod variable;

pub use block::{BlockType, BrTable, BrTargets};
pub use call::Call;
pub use control::Control;
pub use memory::{LoadKind, MemArg, Memory, StoreKind};
pub use numeric::Numeric;
pub use operator::Operator;
pub use reference::Reference;
pub use simd::{ExtractLane, LaneShape, LaneWidth, LoadExtend, Simd, SimdPlain};
pub use variable::Variable;

/// A consumer of a function body. Methods are called in the order of the operators; `at` is the
/// offset of the operator's first byte in the wire bytes of the module.
///
/// The bodies it is given have been validated; a consumer may still return its own errors.
pub trait Visitor {
    /// What a method may fail with.
    type Error: From<DecodeError>;

    /// Blocks, branches and `end`.
    fn control(&mut self, op: Control<'_>, at: usize) -> Result<(), Self::Error>;
    /// Calls.
    fn call(&mut self, op: Call, at: usize) -> Result<(), Self::Error>;
    /// Locals, globals, scalar constants and the parametric operators.
    fn variable(&mut self, op: Variable, at: usize) -> Result<(), Self::Error>;
    /// Scalar arithmetic.
    fn numeric(&mut self, op: Numeric, at: usize) -> Result<(), Self::Error>;
    /// Linear memory.
    fn memory(&mut self, op: Memory, at: usize) -> Result<(), Self::Error>;
    /// References and tables.
    fn reference(&mut self, op: Reference, at: usize) -> Result<(), Self::Error>;
    /// 128-bit vectors.
    fn simd(&mut self, op: Simd, at: usize) -> Result<(), Self::Error>;
}
