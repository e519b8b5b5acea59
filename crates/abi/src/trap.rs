//! The trap table: every reason for which compiled code or a builtin stops, its code, and its message.

use std::fmt;

macro_rules! traps {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $message:literal;)*) => {
        /// Why execution trapped. The codes are stable: they are stored with compiled code.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[repr(u8)]
        #[non_exhaustive]
        pub enum TrapReason {
            $($(#[$doc])* $name = $code,)*
        }

        impl TrapReason {
            /// Every reason, in the order of its code.
            pub const ALL: &'static [TrapReason] = &[$(TrapReason::$name,)*];

            /// The reason with this code, if there is one.
            pub fn from_code(code: u8) -> Option<TrapReason> {
                match code {
                    $($code => Some(TrapReason::$name),)*
                    _ => None,
                }
            }

            /// The message, in the words of the specification's test suite.
            pub fn message(self) -> &'static str {
                match self {
                    $(TrapReason::$name => $message,)*
                }
            }
        }
    };
}

traps! {
    /// An `unreachable` instruction was executed.
    Unreachable = 1, "unreachable";
    /// A load, store or bulk operation left the bounds of its memory, or a data segment's.
    MemoryOutOfBounds = 2, "out of bounds memory access";
    /// A table access left the bounds of its table, or an element segment's.
    TableOutOfBounds = 3, "out of bounds table access";
    /// `call_indirect` found no such element.
    UndefinedElement = 4, "undefined element";
    /// `call_indirect` found a null element.
    UninitializedElement = 5, "uninitialized element";
    /// `call_indirect` found a function of another type.
    IndirectCallTypeMismatch = 6, "indirect call type mismatch";
    /// A signed division or remainder whose result has no representation.
    IntegerOverflow = 7, "integer overflow";
    /// A division or remainder by zero.
    IntegerDivideByZero = 8, "integer divide by zero";
    /// A float that is NaN was converted to an integer.
    InvalidConversionToInteger = 9, "invalid conversion to integer";
    /// The stack limit of the store was reached.
    StackOverflow = 10, "call stack exhausted";
    /// A null reference was called or dereferenced.
    NullReference = 11, "null reference";
    /// All fuel was consumed.
    OutOfFuel = 12, "all fuel consumed";
    /// The epoch deadline passed, or the host asked for an interrupt.
    Interrupt = 13, "wasm trap: interrupt";
    /// A function could not be compiled at its first call (out of code memory, or a compiler limit).
    CompilationFailed = 14, "function could not be compiled";
    /// An import that was left undefined on request was called.
    UndefinedImport = 15, "undefined import called";
    /// An atomic access was not aligned.
    UnalignedAtomic = 16, "unaligned atomic";
}

impl fmt::Display for TrapReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl std::error::Error for TrapReason {}
