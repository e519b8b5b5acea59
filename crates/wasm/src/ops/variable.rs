//! Locals, globals, scalar constants, and the operators that only move operands.

use std::fmt;

use crate::types::{GlobalIndex, LocalIndex, ValType};

/// An operator on variables, or a parametric or constant one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Variable {
    /// `local.get`
    LocalGet(LocalIndex),
    /// `local.set`
    LocalSet(LocalIndex),
    /// `local.tee`
    LocalTee(LocalIndex),
    /// `global.get`
    GlobalGet(GlobalIndex),
    /// `global.set`
    GlobalSet(GlobalIndex),
    /// `drop`
    Drop,
    /// `select` without a type: numbers and vectors only.
    Select,
    /// `select` with its one result type.
    SelectTyped(ValType),
    /// `i32.const`
    I32Const(i32),
    /// `i64.const`
    I64Const(i64),
    /// `f32.const`, as bits.
    F32Const(u32),
    /// `f64.const`, as bits.
    F64Const(u64),
}

impl Variable {
    /// The name in the text format.
    pub fn name(&self) -> &'static str {
        match self {
            Variable::LocalGet(_) => "local.get",
            Variable::LocalSet(_) => "local.set",
            Variable::LocalTee(_) => "local.tee",
            Variable::GlobalGet(_) => "global.get",
            Variable::GlobalSet(_) => "global.set",
            Variable::Drop => "drop",
            Variable::Select | Variable::SelectTyped(_) => "select",
            Variable::I32Const(_) => "i32.const",
            Variable::I64Const(_) => "i64.const",
            Variable::F32Const(_) => "f32.const",
            Variable::F64Const(_) => "f64.const",
        }
    }
}

impl fmt::Display for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match *self {
            Variable::LocalGet(local) | Variable::LocalSet(local) | Variable::LocalTee(local) => {
                write!(f, " {}", local.0)
            }
            Variable::GlobalGet(global) | Variable::GlobalSet(global) => write!(f, " {}", global.0),
            Variable::Drop | Variable::Select => Ok(()),
            Variable::SelectTyped(ty) => write!(f, " (result {ty})"),
            Variable::I32Const(value) => write!(f, " {value}"),
            Variable::I64Const(value) => write!(f, " {value}"),
            Variable::F32Const(bits) => {
                write_float(f, f32::from_bits(bits).into(), u64::from(bits & 0x7f_ffff), 0x40_0000)
            }
            Variable::F64Const(bits) => write_float(f, f64::from_bits(bits), bits & ((1 << 52) - 1), 1 << 51),
        }
    }
}

/// Writes a float as the text format wants it; `payload` is the significand field and `canonical`
/// the payload that needs no mention.
fn write_float(f: &mut fmt::Formatter<'_>, value: f64, payload: u64, canonical: u64) -> fmt::Result {
    if !value.is_nan() {
        // Rust writes infinity as `inf`, as the text format does.
        return write!(f, " {value:?}");
    }
    f.write_str(if value.is_sign_negative() { " -nan" } else { " nan" })?;
    if payload == canonical { Ok(()) } else { write!(f, ":{payload:#x}") }
}
