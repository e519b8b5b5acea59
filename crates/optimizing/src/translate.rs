//! From operators to intermediate code: the visitor that sends every operator to its chapter.

use abi::compiler::{CompileError, CompileErrorKind};
use wasm::decode::error::DecodeError;
use wasm::ops::{Call, Control, Memory, Numeric, Reference, Simd, Variable, Visitor};
use wasm::types::DefinedFuncIndex;

mod access;
mod call;
mod control;
mod fuel;
mod inline;
mod memory;
mod numeric;
pub(crate) mod osr;
mod reference;
mod region;
mod simd;
pub(crate) mod state;
#[cfg(test)]
mod tests;
mod variable;

use state::Translator;

/// Why a body could not be translated: a fault of the decoder, a limit of the compiler, or the job's budget.
#[derive(Debug)]
pub(crate) struct TranslateError {
    pub(crate) kind: CompileErrorKind,
    pub(crate) message: String,
}

impl TranslateError {
    /// A limit of the compiler.
    pub(crate) fn limit(message: impl Into<String>) -> TranslateError {
        TranslateError { kind: CompileErrorKind::Limit, message: message.into() }
    }

    /// The job's budget.
    pub(crate) fn budget(message: impl Into<String>) -> TranslateError {
        TranslateError { kind: CompileErrorKind::Budget, message: message.into() }
    }
}

impl TranslateError {
    /// The error as the tier gives it.
    pub(crate) fn of(self, function: Option<DefinedFuncIndex>) -> CompileError {
        CompileError { function, kind: self.kind, message: self.message }
    }
}

impl From<DecodeError> for TranslateError {
    fn from(error: DecodeError) -> TranslateError {
        TranslateError::limit(error.to_string())
    }
}

/// What translating one operator gives.
pub(crate) type Translated = Result<(), TranslateError>;

impl Visitor for Translator<'_> {
    type Error = TranslateError;

    fn control(&mut self, op: Control<'_>, at: usize) -> Translated {
        if self.reachable {
            self.begin(at)?;
            self.translate_control(op);
        } else {
            self.skip(op);
        }
        Ok(())
    }

    fn call(&mut self, op: Call, at: usize) -> Translated {
        if self.reachable {
            self.begin(at)?;
            return self.translate_call(op);
        }
        Ok(())
    }

    fn variable(&mut self, op: Variable, at: usize) -> Translated {
        if self.reachable {
            self.begin(at)?;
            self.translate_variable(op);
        }
        Ok(())
    }

    fn numeric(&mut self, op: Numeric, at: usize) -> Translated {
        if self.reachable {
            self.begin(at)?;
            self.translate_numeric(op);
        }
        Ok(())
    }

    fn memory(&mut self, op: Memory, at: usize) -> Translated {
        if self.reachable {
            self.begin(at)?;
            self.translate_memory(op);
        }
        Ok(())
    }

    fn reference(&mut self, op: Reference, at: usize) -> Translated {
        if self.reachable {
            self.begin(at)?;
            self.translate_reference(op);
        }
        Ok(())
    }

    fn simd(&mut self, op: Simd, at: usize) -> Translated {
        if self.reachable {
            self.begin(at)?;
            self.translate_simd(op);
        }
        Ok(())
    }
}
