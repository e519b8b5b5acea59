//! From operators to intermediate code: the visitor that sends every operator to its chapter.

use wasm::decode::error::DecodeError;
use wasm::ops::{Call, Control, Memory, Numeric, Reference, Simd, Variable, Visitor};

mod access;
mod call;
mod control;
mod fuel;
mod memory;
mod numeric;
mod reference;
mod region;
mod simd;
pub(crate) mod state;
#[cfg(test)]
mod tests;
mod variable;

use state::Translator;

/// Why a body could not be translated: a fault of the decoder or a limit of the compiler.
#[derive(Debug)]
pub(crate) struct TranslateError(pub String);

impl From<DecodeError> for TranslateError {
    fn from(error: DecodeError) -> TranslateError {
        TranslateError(error.to_string())
    }
}

/// What translating one operator gives.
pub(crate) type Translated = Result<(), TranslateError>;

impl Visitor for Translator<'_> {
    type Error = TranslateError;

    fn control(&mut self, op: Control<'_>, at: usize) -> Translated {
        if self.reachable {
            self.begin(at);
            self.translate_control(op);
        } else {
            self.skip(op);
        }
        Ok(())
    }

    fn call(&mut self, op: Call, at: usize) -> Translated {
        if self.reachable {
            self.begin(at);
            self.translate_call(op);
        }
        Ok(())
    }

    fn variable(&mut self, op: Variable, at: usize) -> Translated {
        if self.reachable {
            self.begin(at);
            self.translate_variable(op);
        }
        Ok(())
    }

    fn numeric(&mut self, op: Numeric, at: usize) -> Translated {
        if self.reachable {
            self.begin(at);
            self.translate_numeric(op);
        }
        Ok(())
    }

    fn memory(&mut self, op: Memory, at: usize) -> Translated {
        if self.reachable {
            self.begin(at);
            self.translate_memory(op);
        }
        Ok(())
    }

    fn reference(&mut self, op: Reference, at: usize) -> Translated {
        if self.reachable {
            self.begin(at);
            self.translate_reference(op);
        }
        Ok(())
    }

    fn simd(&mut self, op: Simd, at: usize) -> Translated {
        if self.reachable {
            self.begin(at);
            self.translate_simd(op);
        }
        Ok(())
    }
}
