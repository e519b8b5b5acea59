//! `ErrorThrower`: errors as a scripting interface throws them, with the name of the function that was called in front.
//!
//! An [`Error`] knows nothing of who will show it. A scripting interface makes an [`ErrorThrower`] with the name of each of
//! its functions; that says of an error which class to throw, and in which words. Programs in Rust see the same errors
//! without a name in front.

use std::fmt;

use super::{CompileError, Error, LinkError, RuntimeError, UsageError};
use crate::trap::Trap;

/// The classes of errors that the JavaScript interface of WebAssembly throws.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum ErrorClass {
    /// `WebAssembly.CompileError`.
    CompileError,
    /// `WebAssembly.LinkError`.
    LinkError,
    /// `WebAssembly.RuntimeError`.
    RuntimeError,
    /// `RangeError`.
    RangeError,
    /// `TypeError`.
    TypeError,
    /// None of these: a value of the host, which is thrown as it is.
    Host,
}

impl ErrorClass {
    /// The name of the class, without its namespace.
    pub fn name(self) -> &'static str {
        match self {
            ErrorClass::CompileError => "CompileError",
            ErrorClass::LinkError => "LinkError",
            ErrorClass::RuntimeError => "RuntimeError",
            ErrorClass::RangeError => "RangeError",
            ErrorClass::TypeError => "TypeError",
            ErrorClass::Host => "Error",
        }
    }
}

/// Makes errors for one function of a scripting interface.
///
/// ```
/// use upshift::{Engine, ErrorClass, ErrorThrower, Linker, Module, Store};
///
/// let engine = Engine::default();
/// let module = Module::new(&engine, r#"(module (import "env" "f" (func)))"#).unwrap();
/// let error = Linker::new(&engine).instantiate(Store::new(&engine, ()), &module).unwrap_err();
/// let thrown = ErrorThrower::new("WebAssembly.Instance()").throw(&error);
/// assert_eq!(thrown.class, ErrorClass::LinkError);
/// assert_eq!(
///     thrown.message,
///     "WebAssembly.Instance(): Import #0 \"env\" \"f\": has not been defined (expected function () -> ()); \
///      nothing is defined at all"
/// );
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ErrorThrower<'a> {
    api: &'a str,
}

/// What to throw.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Thrown {
    /// The class.
    pub class: ErrorClass,
    /// The code of the message's kind, if it has one.
    pub code: Option<&'static str>,
    /// The message, with the function's name in front.
    pub message: String,
}

impl<'a> ErrorThrower<'a> {
    /// For the function of this name, such as `WebAssembly.compile()`. An empty name puts nothing in front.
    pub fn new(api: &'a str) -> ErrorThrower<'a> {
        ErrorThrower { api }
    }

    /// The name of the function.
    pub fn api(&self) -> &'a str {
        self.api
    }

    /// What to throw for an error. A trap goes without the name in front: it is Wasm's, not the function's.
    pub fn throw(&self, error: &Error) -> Thrown {
        if let Some(trap) = error.downcast_ref::<Trap>() {
            let class = match trap {
                Trap::StackOverflow => ErrorClass::RangeError,
                _ => ErrorClass::RuntimeError,
            };
            return Thrown { class, code: None, message: trap.message().to_string() };
        }
        if let Some(fault) = error.downcast_ref::<CompileError>() {
            return self.make(ErrorClass::CompileError, Some(fault.kind().code()), fault);
        }
        if let Some(fault) = error.downcast_ref::<LinkError>() {
            return self.make(ErrorClass::LinkError, Some(fault.kind().code()), fault.for_script());
        }
        if let Some(fault) = error.downcast_ref::<RuntimeError>() {
            let class = if fault.kind().is_range() { ErrorClass::RangeError } else { ErrorClass::RuntimeError };
            return self.make(class, Some(fault.kind().code()), format_args!("{error:#}"));
        }
        if let Some(fault) = error.downcast_ref::<UsageError>() {
            return self.make(ErrorClass::TypeError, Some(fault.kind().code()), fault);
        }
        Thrown { class: ErrorClass::Host, code: None, message: format!("{error:#}") }
    }

    /// What to throw for a fault that the scripting interface itself finds.
    pub fn fault(&self, class: ErrorClass, message: impl fmt::Display) -> Thrown {
        self.make(class, None, message)
    }

    fn make(&self, class: ErrorClass, code: Option<&'static str>, message: impl fmt::Display) -> Thrown {
        let message = if self.api.is_empty() { message.to_string() } else { format!("{}: {message}", self.api) };
        Thrown { class, code, message }
    }
}

/// As a script's uncaught error is shown.
impl fmt::Display for Thrown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.class.name(), self.message)
    }
}
