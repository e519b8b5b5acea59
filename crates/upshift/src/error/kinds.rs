//! The error types that a downcast of [`Error`](super::Error) may find: of compilation and of linking.

use std::fmt;

use crate::types::{ExternType, ImportType};

/// What kind of fault a [`CompileError`] is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum CompileErrorKind {
    /// The bytes are not in the binary format.
    Malformed,
    /// The format is right, but the module breaks a rule of validation.
    Invalid,
    /// The module is larger than the limits of the engine allow.
    Limit,
    /// The module uses a proposal that is not supported, or off in the engine's configuration.
    Unsupported,
    /// The module is valid, but an import that is answered at compile time has another type than what answers it.
    Import,
    /// The module is valid, but its machine code could not be made, or found no place.
    Compile,
}

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
    pub(crate) kind: CompileErrorKind,
    /// The whole text.
    pub(crate) text: String,
    /// What is wrong, without the place.
    pub(crate) message: String,
    pub(crate) offset: Option<usize>,
    pub(crate) function: Option<(u32, Option<String>)>,
}

impl CompileError {
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
}

impl fmt::Display for CompileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for CompileError {}

/// An import that was given something of another type than the module declares.
#[derive(Clone, Debug)]
pub struct LinkError {
    pub(crate) module: String,
    pub(crate) name: String,
    pub(crate) expected: String,
    pub(crate) given: String,
}

impl LinkError {
    /// The module part of the import's name.
    pub fn module(&self) -> &str {
        &self.module
    }

    /// The field part of the import's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The type that the module declares, in words.
    pub fn expected(&self) -> &str {
        &self.expected
    }

    /// The type of what was given, in words.
    pub fn given(&self) -> &str {
        &self.given
    }
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LinkError { module, name, expected, given } = self;
        write!(f, "incompatible import type for `{module}::{name}`: expected {expected}, given {given}")
    }
}

impl std::error::Error for LinkError {}

/// An import for which nothing was defined.
#[derive(Clone, Debug)]
pub struct UnknownImportError {
    module: String,
    name: String,
    ty: ExternType,
}

impl UnknownImportError {
    pub(crate) fn new(import: &ImportType<'_>) -> UnknownImportError {
        UnknownImportError { module: import.module().into(), name: import.name().into(), ty: import.ty() }
    }

    /// The module part of the import's name.
    pub fn module(&self) -> &str {
        &self.module
    }

    /// The field part of the import's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The type that the module declares.
    pub fn ty(&self) -> ExternType {
        self.ty.clone()
    }
}

impl fmt::Display for UnknownImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let UnknownImportError { module, name, ty } = self;
        write!(f, "unknown import: `{module}::{name}` has not been defined (expected {ty})")
    }
}

impl std::error::Error for UnknownImportError {}
