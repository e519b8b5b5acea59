//! From operators to machine code: the visitor that sends every operator to its chapter.

use wasm::ops::{Call, Control, Memory, Numeric, Reference, Simd, Variable, Visitor};

use crate::function::{EmitError, Emitted, Function};

mod call;
mod control;
mod memory;
mod numeric;
mod reference;
mod simd;
mod variable;

pub(crate) use control::Frame;

impl Visitor for Function<'_> {
    type Error = EmitError;

    fn control(&mut self, op: Control<'_>, at: usize) -> Emitted {
        // A branch or a call may take much code, so do not go on for nothing.
        if self.asm.overflowed() {
            return Err(EmitError::too_long());
        }
        if self.reachable {
            match op {
                Control::If(_) | Control::BrIf(_) => self.begin_with_condition(at),
                _ => self.begin(at),
            }
            self.emit_control(op);
        } else {
            self.skip(op);
        }
        Ok(())
    }

    fn call(&mut self, op: Call, at: usize) -> Emitted {
        if self.asm.overflowed() {
            return Err(EmitError::too_long());
        }
        if self.reachable {
            self.begin(at);
            self.emit_call(op);
        }
        Ok(())
    }

    fn variable(&mut self, op: Variable, at: usize) -> Emitted {
        if self.reachable {
            match op {
                Variable::Select | Variable::SelectTyped(_) => self.begin_with_condition(at),
                _ => self.begin(at),
            }
            self.emit_variable(op);
        }
        Ok(())
    }

    #[inline]
    fn numeric(&mut self, op: Numeric, at: usize) -> Emitted {
        if self.reachable {
            match op {
                Numeric::I32Eqz => self.begin_with_condition(at),
                _ => self.begin(at),
            }
            self.emit_numeric(op);
        }
        Ok(())
    }

    fn memory(&mut self, op: Memory, at: usize) -> Emitted {
        if self.reachable {
            self.begin(at);
            self.emit_memory(op);
        }
        Ok(())
    }

    fn reference(&mut self, op: Reference, at: usize) -> Emitted {
        if self.reachable {
            self.begin(at);
            self.emit_reference(op);
        }
        Ok(())
    }

    fn simd(&mut self, op: Simd, at: usize) -> Emitted {
        if self.reachable {
            self.begin(at);
            self.emit_simd(op);
        }
        Ok(())
    }
}
