//! Values on the command line: arguments of `--invoke`, and its results.

use upshift::{V128, Val, ValType};

/// Reads an argument of a type.
///
/// # Errors
/// When the text is no such value; the message says what would be one.
pub(crate) fn parse(text: &str, ty: &ValType) -> Result<Val, String> {
    let expected = |what: &str| format!("`{text}` is not {what}");
    match ty {
        ValType::I32 => integer(text, 32).map(|bits| Val::I32(bits as u32 as i32)).ok_or_else(|| expected("an i32")),
        ValType::I64 => integer(text, 64).map(|bits| Val::I64(bits as u64 as i64)).ok_or_else(|| expected("an i64")),
        ValType::F32 => text.parse().map(|value: f32| Val::F32(value.to_bits())).map_err(|_| expected("an f32")),
        ValType::F64 => text.parse().map(|value: f64| Val::F64(value.to_bits())).map_err(|_| expected("an f64")),
        ValType::V128 => {
            let value = integer(text, 128).map(|bits| Val::V128(V128::from(bits)));
            value.ok_or_else(|| expected("a v128, written as one number of 128 bits"))
        }
        ValType::Ref(ty) if text == "null" && ty.is_nullable() => Ok(Val::null_ref(ty.heap_type())),
        ValType::Ref(ty) => Err(format!("`{text}` is not a {ty}: the only reference that can be written is `null`")),
    }
}

/// An integer of so many bits, signed or unsigned, decimal or with `0x`; as its two's complement.
fn integer(text: &str, bits: u32) -> Option<u128> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let digits = digits.replace('_', "");
    let magnitude = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(digits) => u128::from_str_radix(digits, 16).ok()?,
        None => digits.parse::<u128>().ok()?,
    };
    let limit = if negative { 1 << (bits - 1) } else { u128::MAX >> (128 - bits) };
    (magnitude <= limit).then(|| if negative { magnitude.wrapping_neg() } else { magnitude })
}

/// A result: integers as signed decimals, vectors in hexadecimal.
pub(crate) fn show(value: &Val) -> String {
    match value {
        Val::I32(value) => value.to_string(),
        Val::I64(value) => value.to_string(),
        Val::F32(bits) => f32::from_bits(*bits).to_string(),
        Val::F64(bits) => f64::from_bits(*bits).to_string(),
        Val::V128(value) => format!("{:#034x}", value.as_u128()),
        Val::FuncRef(None) | Val::ExternRef(None) => "null".to_string(),
        Val::FuncRef(Some(_)) => "funcref".to_string(),
        Val::ExternRef(Some(_)) => "externref".to_string(),
    }
}

#[cfg(test)]
mod tests;
