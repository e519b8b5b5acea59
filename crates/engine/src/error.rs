//! Why an engine or a module could not be made.

use std::fmt;

use abi::compiler::CompileError;
use runtime::hooks::LazyError;
use wasm::decode::error::DecodeError;

/// Why an engine could not be made.
#[derive(Debug)]
pub enum EngineError {
    /// The processor lacks what a compiler needs.
    Machine(String),
    /// The system refused something.
    System {
        /// What it was for.
        what: &'static str,
        /// What the system said.
        error: std::io::Error,
    },
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EngineError::Machine(message) => f.write_str(message),
            EngineError::System { what, error } => write!(f, "cannot {what}: {error}"),
        }
    }
}

impl std::error::Error for EngineError {}

/// Why a module could not be made.
#[derive(Clone, Debug)]
pub enum ModuleError {
    /// Its bytes are not a valid module.
    Invalid(DecodeError),
    /// It is valid, but passes a limit of the compiler or of code memory.
    Compile(CompileError),
    /// Nobody wanted it any more.
    Cancelled,
    /// The engine was dropped before it was made.
    EngineDropped,
}

impl fmt::Display for ModuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ModuleError::Invalid(error) => error.fmt(f),
            ModuleError::Compile(error) => error.fmt(f),
            ModuleError::Cancelled => f.write_str("the compilation was cancelled"),
            ModuleError::EngineDropped => f.write_str("the engine was dropped before the module was made"),
        }
    }
}

impl std::error::Error for ModuleError {}

impl From<DecodeError> for ModuleError {
    fn from(error: DecodeError) -> ModuleError {
        ModuleError::Invalid(error)
    }
}

impl From<CompileError> for ModuleError {
    fn from(error: CompileError) -> ModuleError {
        ModuleError::Compile(error)
    }
}

impl From<LazyError> for ModuleError {
    fn from(error: LazyError) -> ModuleError {
        match error {
            LazyError::Invalid(fault) => ModuleError::Invalid(fault),
            LazyError::Compile(error) => ModuleError::Compile(error),
        }
    }
}
