//! One operator by the whole rules: what the fast loop does not take.

use super::{INVALID, Refusal, Result, Walk};
use crate::decode::code::BodyReader;
use crate::decode::error::DecodeError;
use crate::decode::reader::Reader;
use crate::ops::{Call, Control, Memory, Numeric, Reference, Simd, Variable, Visitor};
use crate::validate::signature::{CLASSES, Class};
use crate::validate::ty::Ty;

impl Walk<'_> {
    /// Takes the operator at `pos`, and those behind it that are not for the fast loop either.
    #[inline(never)]
    pub(super) fn rare(&mut self) -> Result<()> {
        let mut body = BodyReader::new(self.bytes.get(self.pos..).unwrap_or_default(), self.pos);
        loop {
            body.next_visit(self)?;
            self.pos = body.offset();
            let Some(frame) = self.stacks.frames.last() else { return Ok(()) };
            let next = self.bytes.get(self.pos).ok_or(INVALID)?;
            // Unreachable code has operands that are not on the stack.
            if CLASSES[usize::from(*next)] != Class::Rare && !frame.unreachable {
                return Ok(());
            }
        }
    }

    fn variable(&mut self, op: Variable) -> Result<()> {
        match op {
            Variable::LocalGet(index) => {
                let ty = self.local(index.0)?;
                self.require(!ty.is_marked())?;
                self.push(ty)
            }
            Variable::LocalSet(index) => {
                let ty = self.local(index.0)?;
                self.pop(ty.unmarked())?;
                self.init(index.0, ty);
                Ok(())
            }
            Variable::LocalTee(index) => {
                let ty = self.local(index.0)?;
                self.pop(ty.unmarked())?;
                self.init(index.0, ty);
                self.push(ty.unmarked())
            }
            Variable::GlobalGet(index) => {
                let ty = self.facts.globals.get(index.index()).ok_or(INVALID)?.unmarked();
                self.push(ty)
            }
            Variable::GlobalSet(index) => {
                let ty = *self.facts.globals.get(index.index()).ok_or(INVALID)?;
                self.require(!ty.is_marked())?;
                self.pop(ty)
            }
            Variable::Drop => self.pop_any().map(drop),
            Variable::Select => self.select(),
            Variable::SelectTyped(ty) => {
                self.require(self.facts.features.reference_types)?;
                let ty = self.facts.val_type(self.info, ty).ok_or(INVALID)?;
                self.pop(Ty::I32)?;
                self.pop(ty)?;
                self.pop(ty)?;
                self.push(ty)
            }
            Variable::I32Const(_) => self.push(Ty::I32),
            Variable::I64Const(_) => self.push(Ty::I64),
            Variable::F32Const(_) => self.push(Ty::F32),
            Variable::F64Const(_) => self.push(Ty::F64),
        }
    }

    fn select(&mut self) -> Result<()> {
        self.pop(Ty::I32)?;
        let (second, first) = (self.pop_any()?, self.pop_any()?);
        let ty = if first == Ty::BOTTOM { second } else { first };
        self.require(!ty.is_ref() && (first == Ty::BOTTOM || second == Ty::BOTTOM || first == second))?;
        self.require(!second.is_ref())?;
        self.push(ty)
    }

    fn numeric(&mut self, op: Numeric) -> Result<()> {
        let features = &self.facts.features;
        // The table has the proposals' operators together, behind all others.
        self.require(if (op as u16) < Numeric::I32Extend8S as u16 {
            true
        } else if (op as u16) < Numeric::I32TruncSatF32S as u16 {
            features.sign_extension
        } else if (op as u16) < Numeric::I64Add128 as u16 {
            features.saturating_float_to_int
        } else {
            features.wide_arithmetic
        })?;
        for &param in op.params().iter().rev() {
            self.pop(Ty::number(param))?;
        }
        op.results().iter().try_for_each(|&result| self.push(Ty::number(result)))
    }

    /// The immediate behind these indices must be one byte of zero, as it was before it became an index.
    pub(super) fn zero_byte(&self, indices: usize) -> Result<()> {
        let mut reader = Reader::new(self.bytes.get(self.pos + 1..).unwrap_or_default(), 0);
        for _ in 0..indices {
            reader.var_u32()?;
        }
        self.require(reader.u8()? == 0)
    }

    pub(super) fn require(&self, holds: bool) -> Result<()> {
        if holds { Ok(()) } else { Err(INVALID) }
    }
}

/// What is not in the format is not valid. The slow validator words it.
impl From<DecodeError> for Refusal {
    fn from(_: DecodeError) -> Refusal {
        INVALID
    }
}

impl Visitor for Walk<'_> {
    type Error = Refusal;

    fn control(&mut self, op: Control<'_>, _: usize) -> Result<()> {
        self.control(op)
    }

    fn call(&mut self, op: Call, _: usize) -> Result<()> {
        self.call(op)
    }

    fn variable(&mut self, op: Variable, _: usize) -> Result<()> {
        self.variable(op)
    }

    fn numeric(&mut self, op: Numeric, _: usize) -> Result<()> {
        self.numeric(op)
    }

    fn memory(&mut self, op: Memory, _: usize) -> Result<()> {
        self.memory(op)
    }

    fn reference(&mut self, op: Reference, _: usize) -> Result<()> {
        self.reference(op)
    }

    fn simd(&mut self, op: Simd, _: usize) -> Result<()> {
        self.simd(op)
    }
}
