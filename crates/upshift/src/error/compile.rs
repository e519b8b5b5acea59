//! `CompileError`: why there is no module, or no code for a function of it.

use std::fmt;

use runtime::error::CompileFailure;
use wasm::decode::error::{DecodeError, DecodeErrorKind};

use super::messages::{CompileErrorKind, compile as make, phrases};

/// Why a module or a function was refused.
///
/// ```
/// use upshift::{CompileError, CompileErrorKind, Engine, Module};
///
/// let engine = Engine::default();
/// let error = Module::new(&engine, "(module (func (result i32)))").unwrap_err();
/// let fault = error.downcast_ref::<CompileError>().unwrap();
/// assert_eq!(fault.kind(), CompileErrorKind::Invalid);
/// assert_eq!(fault.function_index(), Some(0));
/// assert!(fault.offset().is_some());
/// ```
#[derive(Clone, Debug)]
pub struct CompileError {
    kind: CompileErrorKind,
    /// The whole text.
    text: String,
    /// What is wrong, without the place.
    message: String,
    offset: Option<usize>,
    function: Option<(u32, Option<String>)>,
    import: Option<u32>,
}

impl CompileError {
    pub(super) fn new(kind: CompileErrorKind, text: String) -> CompileError {
        CompileError { kind, message: text.clone(), text, offset: None, function: None, import: None }
    }

    /// The same, with what is wrong apart from where.
    fn with_message(mut self, message: impl Into<String>) -> CompileError {
        self.message = message.into();
        self
    }

    /// A function that could not be compiled at its first call.
    pub(crate) fn of_function(failure: CompileFailure) -> CompileError {
        let CompileFailure { function, name, message } = failure;
        let place = match &name {
            Some(name) => phrases::named_function(function.0, name),
            None => phrases::function(function.0),
        };
        let mut error = make::not_compiled(format_args!("{place}: {message}")).with_message(message);
        error.function = Some((function.0, name));
        error
    }

    /// A module, or one of its functions when all are compiled at once, whose code could not be made.
    pub(crate) fn of_module(text: String, message: String) -> CompileError {
        make::module_not_compiled(text).with_message(message)
    }

    /// What kind of fault it is.
    pub fn kind(&self) -> CompileErrorKind {
        self.kind
    }

    /// What is wrong, without the place.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Where, in bytes from the start of the module.
    pub fn offset(&self) -> Option<usize> {
        self.offset
    }

    /// The function at fault, if it is one.
    pub fn function_index(&self) -> Option<u32> {
        self.function.as_ref().map(|function| function.0)
    }

    /// The name of that function in the name section.
    pub fn function_name(&self) -> Option<&str> {
        self.function.as_ref()?.1.as_deref()
    }

    /// The position of the import at fault among those of the module, if it is one.
    pub fn import_index(&self) -> Option<usize> {
        Some(self.import? as usize)
    }
}

impl fmt::Display for CompileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for CompileError {}

impl From<&DecodeError> for CompileError {
    fn from(fault: &DecodeError) -> CompileError {
        let (error, import) = match fault.kind() {
            DecodeErrorKind::Malformed => (make::malformed(fault), None),
            DecodeErrorKind::Invalid => (make::invalid(fault), None),
            DecodeErrorKind::Limit => (make::limit(fault), None),
            DecodeErrorKind::Unsupported(_) => (make::unsupported(fault), None),
            DecodeErrorKind::Import { index } => (make::import(fault), Some(index)),
        };
        let function = fault.function().map(|index| (index.0, fault.function_name().map(str::to_string)));
        CompileError { offset: Some(fault.offset()), function, import, ..error.with_message(fault.message()) }
    }
}
