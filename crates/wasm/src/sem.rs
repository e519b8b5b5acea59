//! What every scalar operator computes: written once, for interpreter, constant folding and
//! constant expressions alike.
//!
//! A function has the name of its operator. Integers are signed in signatures whatever the
//! operator makes of them; comparisons give 0 or 1. NaN results are the positive canonical NaN
//! unless an operator must keep bits (`abs`, `neg`, `copysign`): one choice of those the spec
//! allows, so that folding and interpreting agree.

use std::fmt;

pub mod convert;
pub mod float;
pub mod int;

/// Why an operator has no result.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Trap {
    /// The divisor is zero.
    DivideByZero,
    /// The quotient or the converted number does not fit.
    IntegerOverflow,
    /// A NaN was converted to an integer.
    InvalidConversion,
}

impl fmt::Display for Trap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Trap::DivideByZero => "integer divide by zero",
            Trap::IntegerOverflow => "integer overflow",
            Trap::InvalidConversion => "invalid conversion to integer",
        })
    }
}

impl std::error::Error for Trap {}

#[cfg(test)]
mod tests;
