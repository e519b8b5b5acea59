//! Trap codes: our reasons as Cranelift's user codes, and Cranelift's own codes as our reasons.

use abi::trap::TrapReason;
use cranelift_codegen::ir::TrapCode;

/// The code that stands for `reason`.
pub(crate) fn trap_code(reason: TrapReason) -> TrapCode {
    // Reasons are small numbers from 1; Cranelift reserves the highest few.
    TrapCode::unwrap_user(reason as u8)
}

/// What a code means; `None` for one that translation never gives.
pub(crate) fn trap_reason(code: TrapCode) -> Option<TrapReason> {
    match code {
        TrapCode::STACK_OVERFLOW => Some(TrapReason::StackOverflow),
        TrapCode::INTEGER_OVERFLOW => Some(TrapReason::IntegerOverflow),
        TrapCode::INTEGER_DIVISION_BY_ZERO => Some(TrapReason::IntegerDivideByZero),
        TrapCode::BAD_CONVERSION_TO_INTEGER => Some(TrapReason::InvalidConversionToInteger),
        TrapCode::HEAP_OUT_OF_BOUNDS => Some(TrapReason::MemoryOutOfBounds),
        code => TrapReason::from_code(code.as_raw().get()),
    }
}

#[cfg(test)]
mod tests;
