//! What leaves Wasm other than results: traps, errors of host functions, panics of host functions.

use std::any::Any;
use std::fmt;

use abi::trap::TrapReason;
use wasm::decode::error::DecodeError;
use wasm::types::FuncIndex;

use crate::backtrace::Backtrace;

/// An error of a host function, as the embedding layer made it. The runtime only carries it.
pub type HostError = Box<dyn Any + Send + Sync>;

/// Why a call into Wasm did not return.
pub enum Failure {
    /// Compiled code or a builtin trapped.
    Trap(TrapReason),
    /// A function could not be compiled at its first call.
    Compile(Box<CompileFailure>),
    /// A function was found not to be valid at its first call.
    Invalid(DecodeError),
    /// A host function returned an error.
    Host(HostError),
    /// A host function panicked; the panic is to be resumed once no Wasm frame is above it.
    Panic(Box<dyn Any + Send>),
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Trap(reason) => f.debug_tuple("Trap").field(reason).finish(),
            Failure::Compile(failure) => f.debug_tuple("Compile").field(failure).finish(),
            Failure::Invalid(fault) => f.debug_tuple("Invalid").field(fault).finish(),
            Failure::Host(_) => f.write_str("Host"),
            Failure::Panic(_) => f.write_str("Panic"),
        }
    }
}

/// A function that could not be compiled at its first call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CompileFailure {
    /// The function.
    pub function: FuncIndex,
    /// Its name in the name section.
    pub name: Option<String>,
    /// What stood in the way.
    pub message: String,
}

/// A failure with the Wasm frames that were on the stack when it was raised.
#[derive(Debug)]
pub struct Raised {
    /// What happened.
    pub failure: Failure,
    /// Where, innermost frame first.
    pub backtrace: Backtrace,
}

impl From<TrapReason> for Failure {
    fn from(reason: TrapReason) -> Failure {
        Failure::Trap(reason)
    }
}

/// Why an entity could not be made or grown. It has no words: those are the embedding layer's.
#[derive(Debug)]
#[non_exhaustive]
pub enum ResourceError {
    /// The embedder's limiter refused, with its own error.
    Limiter(HostError),
    /// The embedder's limiter refused a memory of this many bytes.
    MemoryRefused(usize),
    /// The embedder's limiter refused a table of this many elements.
    TableRefused(usize),
    /// The embedder's limiter allows only so many of a kind of entity in a store.
    TooMany {
        /// Which kind, in the plural.
        what: &'static str,
        /// How many.
        most: usize,
    },
    /// A memory is larger than any may be.
    MemoryOverLimit {
        /// Its minimum, in pages.
        pages: u64,
        /// Bytes of a page.
        page_size: u64,
        /// Most bytes that a memory of its type has.
        limit: u64,
    },
    /// The system refused a memory.
    MemoryAllocation {
        /// Its size.
        bytes: usize,
        /// What the system said.
        error: std::io::Error,
    },
    /// A table is larger than any may be.
    TableOverLimit {
        /// Its minimum.
        elements: u64,
        /// Most elements that a table has.
        limit: u64,
    },
    /// There is no memory for a table of this many elements.
    TableAllocation(u64),
    /// A memory cannot grow to this many bytes: its maximum is reached.
    MemoryMaximum(usize),
    /// A memory cannot grow to this many bytes: the system has none.
    MemoryGrowth(usize),
    /// A table cannot grow to this many elements.
    TableGrowth(usize),
}
