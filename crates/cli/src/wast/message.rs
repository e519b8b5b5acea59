//! Trap messages in the words of the specification's test suite.

use upshift::Trap;

/// Does a trap's meaning fit the message that a script expects?
///
/// Scripts give a message's beginning, or add to it the index that was used. Kinds of null references are told apart only in
/// the expected text.
pub(super) fn same_trap(actual: Trap, expected: &str) -> bool {
    words(actual).iter().any(|word| word.starts_with(expected) || expected.starts_with(word))
        || (actual == Trap::NullReference && expected.starts_with("null ") && expected.ends_with(" reference"))
}

/// The messages that the suite has for a trap.
fn words(trap: Trap) -> &'static [&'static str] {
    match trap {
        Trap::StackOverflow => &["call stack exhausted"],
        Trap::MemoryOutOfBounds => &["out of bounds memory access"],
        Trap::HeapMisaligned => &["unaligned atomic"],
        Trap::TableOutOfBounds => &["out of bounds table access", "undefined element"],
        Trap::IndirectCallToNull => &["uninitialized element"],
        Trap::BadSignature => &["indirect call type mismatch"],
        Trap::IntegerOverflow => &["integer overflow"],
        Trap::IntegerDivisionByZero => &["integer divide by zero"],
        Trap::BadConversionToInteger => &["invalid conversion to integer"],
        Trap::UnreachableCodeReached => &["unreachable"],
        Trap::NullReference => &["null reference"],
        // The list is open; the other traps are the host's doing, and no script expects them.
        _ => &[],
    }
}
