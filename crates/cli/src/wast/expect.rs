//! Compares results with what a script expects of them.

use upshift::{Store, Val};
use wast::WastRet;
use wast::core::{NanPattern, V128Pattern, WastRetCore};
use wast::token::{F32, F64};

use super::Outcome;
use super::values::{Hierarchy, hierarchy};

/// All results against all patterns.
pub(super) fn values(store: &mut Store<()>, actual: &[Val], expected: &[WastRet<'_>]) -> Result<(), Outcome> {
    if actual.len() != expected.len() {
        let text = format!("expected {} results, got {}: {actual:?}", expected.len(), actual.len());
        return Err(Outcome::Failed(text));
    }
    for (at, (actual, expected)) in actual.iter().zip(expected).enumerate() {
        let WastRet::Core(expected) = expected else { return Err(Outcome::unsupported("component value")) };
        if !value(store, actual, expected)? {
            let (actual, expected) = (show(actual), show_pattern(expected));
            return Err(Outcome::Failed(format!("result {at}: expected {expected}, got {actual}")));
        }
    }
    Ok(())
}

fn value(store: &mut Store<()>, actual: &Val, expected: &WastRetCore<'_>) -> Result<bool, Outcome> {
    Ok(match (expected, actual) {
        (WastRetCore::Either(cases), _) => {
            for case in cases {
                if value(store, actual, case)? {
                    return Ok(true);
                }
            }
            false
        }
        (WastRetCore::I32(expected), Val::I32(actual)) => expected == actual,
        (WastRetCore::I64(expected), Val::I64(actual)) => expected == actual,
        (WastRetCore::F32(expected), Val::F32(actual)) => f32_matches(*actual, expected),
        (WastRetCore::F64(expected), Val::F64(actual)) => f64_matches(*actual, expected),
        (WastRetCore::V128(expected), Val::V128(actual)) => v128_matches(actual.as_u128().to_le_bytes(), expected),
        (WastRetCore::RefNull(None), Val::FuncRef(None) | Val::ExternRef(None)) => true,
        (WastRetCore::RefNull(Some(ty)), Val::FuncRef(None)) => hierarchy(ty) == Some(Hierarchy::Func),
        (WastRetCore::RefNull(Some(ty)), Val::ExternRef(None)) => hierarchy(ty) == Some(Hierarchy::Extern),
        (WastRetCore::RefExtern(None), Val::ExternRef(reference)) => reference.is_some(),
        (WastRetCore::RefExtern(Some(number)), Val::ExternRef(Some(reference))) => {
            let data = reference.data(&*store).map_err(|error| Outcome::failed(format!("{error:#}")))?;
            data.and_then(|data| data.downcast_ref::<u32>()) == Some(number)
        }
        // Functions have no names at run time: any function will do, as in the specification's interpreter.
        (WastRetCore::RefFunc(_), Val::FuncRef(reference)) => reference.is_some(),
        (
            WastRetCore::RefHost(_)
            | WastRetCore::RefAny
            | WastRetCore::RefEq
            | WastRetCore::RefArray
            | WastRetCore::RefStruct
            | WastRetCore::RefI31
            | WastRetCore::RefI31Shared,
            _,
        ) => return Err(Outcome::unsupported("reference of the GC proposal")),
        (
            WastRetCore::I32(_)
            | WastRetCore::I64(_)
            | WastRetCore::F32(_)
            | WastRetCore::F64(_)
            | WastRetCore::V128(_)
            | WastRetCore::RefNull(_)
            | WastRetCore::RefExtern(_)
            | WastRetCore::RefFunc(_),
            _,
        ) => false,
    })
}

const F32_EXPONENT: u32 = 0x7f80_0000;
const F32_QUIET: u32 = 0x0040_0000;
const F64_EXPONENT: u64 = 0x7ff0_0000_0000_0000;
const F64_QUIET: u64 = 0x0008_0000_0000_0000;

/// A canonical NaN has only the quiet bit set in its fraction; an arithmetic one has at least that. The sign is free.
fn f32_matches(actual: u32, expected: &NanPattern<F32>) -> bool {
    match expected {
        NanPattern::CanonicalNan => actual & 0x7fff_ffff == F32_EXPONENT | F32_QUIET,
        NanPattern::ArithmeticNan => actual & (F32_EXPONENT | F32_QUIET) == F32_EXPONENT | F32_QUIET,
        NanPattern::Value(value) => actual == value.bits,
    }
}

fn f64_matches(actual: u64, expected: &NanPattern<F64>) -> bool {
    match expected {
        NanPattern::CanonicalNan => actual & 0x7fff_ffff_ffff_ffff == F64_EXPONENT | F64_QUIET,
        NanPattern::ArithmeticNan => actual & (F64_EXPONENT | F64_QUIET) == F64_EXPONENT | F64_QUIET,
        NanPattern::Value(value) => actual == value.bits,
    }
}

fn v128_matches(actual: [u8; 16], expected: &V128Pattern) -> bool {
    fn lanes<const N: usize, const COUNT: usize>(bytes: [u8; 16]) -> [[u8; N]; COUNT] {
        std::array::from_fn(|lane| std::array::from_fn(|byte| bytes[lane * N + byte]))
    }
    match expected {
        V128Pattern::I8x16(expected) => lanes(actual).map(i8::from_le_bytes) == *expected,
        V128Pattern::I16x8(expected) => lanes(actual).map(i16::from_le_bytes) == *expected,
        V128Pattern::I32x4(expected) => lanes(actual).map(i32::from_le_bytes) == *expected,
        V128Pattern::I64x2(expected) => lanes(actual).map(i64::from_le_bytes) == *expected,
        V128Pattern::F32x4(expected) => {
            let actual: [u32; 4] = lanes(actual).map(u32::from_le_bytes);
            actual.iter().zip(expected).all(|(&actual, expected)| f32_matches(actual, expected))
        }
        V128Pattern::F64x2(expected) => {
            let actual: [u64; 2] = lanes(actual).map(u64::from_le_bytes);
            actual.iter().zip(expected).all(|(&actual, expected)| f64_matches(actual, expected))
        }
    }
}

/// A value in the text format's spirit; floats with their bits, since NaNs differ only there.
fn show(value: &Val) -> String {
    match value {
        Val::I32(value) => format!("i32 {value} ({value:#x})"),
        Val::I64(value) => format!("i64 {value} ({value:#x})"),
        Val::F32(bits) => format!("f32 {:?} ({bits:#010x})", f32::from_bits(*bits)),
        Val::F64(bits) => format!("f64 {:?} ({bits:#018x})", f64::from_bits(*bits)),
        Val::V128(value) => format!("v128 {:#034x}", value.as_u128()),
        other => format!("{other:?}"),
    }
}

fn show_pattern(pattern: &WastRetCore<'_>) -> String {
    fn float<T>(pattern: &NanPattern<T>, show: impl Fn(&T) -> String) -> String {
        match pattern {
            NanPattern::CanonicalNan => "nan:canonical".to_string(),
            NanPattern::ArithmeticNan => "nan:arithmetic".to_string(),
            NanPattern::Value(value) => show(value),
        }
    }
    match pattern {
        WastRetCore::I32(value) => show(&Val::I32(*value)),
        WastRetCore::I64(value) => show(&Val::I64(*value)),
        WastRetCore::F32(pattern) => float(pattern, |value| show(&Val::F32(value.bits))),
        WastRetCore::F64(pattern) => float(pattern, |value| show(&Val::F64(value.bits))),
        other => format!("{other:?}"),
    }
}
