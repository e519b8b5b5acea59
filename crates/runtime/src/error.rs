//! What leaves Wasm other than results: traps, errors of host functions, panics of host functions.

use std::any::Any;
use std::fmt;

use abi::trap::TrapReason;
use wasm::decode::error::DecodeError;

use crate::backtrace::Backtrace;

/// An error of a host function, as the embedding layer made it. The runtime only carries it.
pub type HostError = Box<dyn Any + Send + Sync>;

/// Why a call into Wasm did not return.
pub enum Failure {
    /// Compiled code or a builtin trapped.
    Trap(TrapReason),
    /// A function could not be compiled at its first call; the message says why.
    Compile(String),
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
            Failure::Compile(message) => f.debug_tuple("Compile").field(message).finish(),
            Failure::Invalid(fault) => f.debug_tuple("Invalid").field(fault).finish(),
            Failure::Host(_) => f.write_str("Host"),
            Failure::Panic(_) => f.write_str("Panic"),
        }
    }
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

/// Why an entity could not be made or grown.
#[derive(Debug)]
pub enum ResourceError {
    /// The system refused the memory or address space.
    System {
        /// What for, e.g. `linear memory of 65536 bytes`.
        what: String,
        /// What the system said.
        error: std::io::Error,
    },
    /// The embedder's limiter refused, with its own error.
    Limiter(HostError),
    /// A limit was reached.
    Limit(String),
}

impl fmt::Display for ResourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ResourceError::System { what, error } => write!(f, "cannot allocate a {what}: {error}"),
            ResourceError::Limiter(_) => f.write_str("the resource limiter refused"),
            ResourceError::Limit(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for ResourceError {}
