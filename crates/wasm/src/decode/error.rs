//! What is wrong with a module, and where.

use std::fmt;

use crate::features::Feature;
use crate::types::FuncIndex;

/// The kind of fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DecodeErrorKind {
    /// The bytes are not in the binary format.
    Malformed,
    /// The format is right, the module breaks a rule of validation.
    Invalid,
    /// The module is larger than the limits allow.
    Limit,
    /// The module uses a proposal that is not supported or not enabled.
    Unsupported(Feature),
    /// An import that is answered at compile time has another type than what answers it.
    Import {
        /// Its position among the module's imports.
        index: u32,
    },
}

/// Why a module was refused. One pointer wide.
///
/// The text is the same however the module came: whole, in pieces, validated by one thread or many.
#[derive(Clone, PartialEq, Eq)]
pub struct DecodeError(Box<Fault>);

#[derive(Clone, PartialEq, Eq)]
struct Fault {
    kind: DecodeErrorKind,
    message: Box<str>,
    offset: usize,
    function: Option<(FuncIndex, Option<Box<str>>)>,
}

impl DecodeError {
    /// An error of this kind at a byte offset.
    #[cold]
    pub fn new(kind: DecodeErrorKind, offset: usize, message: impl Into<Box<str>>) -> DecodeError {
        DecodeError(Box::new(Fault { kind, message: message.into(), offset, function: None }))
    }

    /// Bytes that are not in the format.
    #[cold]
    pub fn malformed(offset: usize, message: impl Into<Box<str>>) -> DecodeError {
        DecodeError::new(DecodeErrorKind::Malformed, offset, message)
    }

    /// A broken rule of validation.
    #[cold]
    pub fn invalid(offset: usize, message: impl Into<Box<str>>) -> DecodeError {
        DecodeError::new(DecodeErrorKind::Invalid, offset, message)
    }

    /// The kind of fault.
    pub fn kind(&self) -> DecodeErrorKind {
        self.0.kind
    }

    /// What is wrong, without the position.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Where, in bytes from the start of the module.
    pub fn offset(&self) -> usize {
        self.0.offset
    }

    /// The function whose body is at fault, if it is in one.
    pub fn function(&self) -> Option<FuncIndex> {
        self.0.function.as_ref().map(|function| function.0)
    }

    /// The name of that function in the name section.
    pub fn function_name(&self) -> Option<&str> {
        self.0.function.as_ref()?.1.as_deref()
    }

    /// Says in which function the fault is.
    #[must_use]
    pub fn in_function(mut self, index: FuncIndex, name: Option<&str>) -> DecodeError {
        self.0.function = Some((index, name.map(Into::into)));
        self
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fault { message, offset, function, .. } = &*self.0;
        match function {
            Some((index, Some(name))) => write!(f, "in function {} (`{name}`): ", index.0)?,
            Some((index, None)) => write!(f, "in function {}: ", index.0)?,
            None => {}
        }
        write!(f, "{message} (at offset {offset:#x})")
    }
}

impl fmt::Debug for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DecodeError({:?}: {self})", self.0.kind)
    }
}

impl std::error::Error for DecodeError {}
