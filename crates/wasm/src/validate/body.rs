//! One function body by the slow validator, which says what is wrong and where.

use wasmparser::{BinaryReader, FuncValidator, ValidatorResources, WasmFeatures};

use super::{Body, convert};
use crate::decode::code::BodyReader;
use crate::decode::error::{DecodeError, DecodeErrorKind};
use crate::decode::section::{check_heap_type, check_val_type, too_many};
use crate::features::Features;
use crate::limits::Limits;
use crate::ops::{BlockType, Control, Operator, Reference, Variable};

/// The rules a body is under.
pub(super) struct Rules<'a> {
    /// How many parameters the function has.
    pub(super) params: usize,
    pub(super) features: &'a Features,
    pub(super) wasm_features: WasmFeatures,
    pub(super) limits: &'a Limits,
}

impl Rules<'_> {
    pub(super) fn validate(
        &self,
        body: Body<'_>,
        validator: &mut FuncValidator<ValidatorResources>,
    ) -> Result<(), DecodeError> {
        self.check_locals(body)?;
        let mut reader = BinaryReader::new_features(body.bytes, body.offset as u64, self.wasm_features);
        validator.read_locals(&mut reader).map_err(convert::error)?;
        while let Some(&opcode) = body.bytes.get(reader.current_position()) {
            match opcode {
                // What can name a type or a proposal that is off, or exceed a limit of ours.
                0x02..=0x04 | 0x06..=0x0a | 0x0e | 0x18 | 0x19 | 0x1c | 0x1f | 0xd0 | 0xd3 | 0xfb | 0xfe => {
                    self.check_operator(body, reader.current_position())?;
                }
                _ => {}
            }
            let at = reader.original_position();
            match reader.visit_operator(&mut validator.visitor(at)) {
                Ok(Ok(())) => {}
                Ok(Err(fault)) | Err(fault) => return Err(convert::error(fault)),
            }
        }
        let end = reader.original_position();
        reader.finish_expression(&validator.visitor(end)).map_err(convert::error)
    }

    fn check_locals(&self, body: Body<'_>) -> Result<(), DecodeError> {
        // A fault of the format is left to the validator, which comes to the same place.
        let Ok(locals) = BodyReader::new(body.bytes, body.offset).locals() else { return Ok(()) };
        let mut total = self.params as u64;
        for (count, ty) in locals {
            check_val_type(self.features, ty, body.offset)?;
            total += u64::from(count);
        }
        let limit = u64::from(self.limits.locals);
        if total > limit { Err(too_many("local", total, limit, body.offset)) } else { Ok(()) }
    }

    fn check_operator(&self, body: Body<'_>, position: usize) -> Result<(), DecodeError> {
        let at = body.offset + position;
        let op = match BodyReader::new(&body.bytes[position..], at).next_operator() {
            Ok(Some((op, _))) => op,
            Err(fault) if matches!(fault.kind(), DecodeErrorKind::Unsupported(_)) => return Err(fault),
            // The validator comes to the same place and says what is wrong.
            Ok(None) | Err(_) => return Ok(()),
        };
        match op {
            Operator::Control(
                Control::Block(BlockType::Value(ty))
                | Control::Loop(BlockType::Value(ty))
                | Control::If(BlockType::Value(ty)),
            )
            | Operator::Variable(Variable::SelectTyped(ty)) => check_val_type(self.features, ty, at),
            Operator::Reference(Reference::RefNull(heap)) => check_heap_type(self.features, heap, at),
            Operator::Control(Control::BrTable(table)) if table.len() > self.limits.br_table_size => {
                let limit = self.limits.br_table_size.into();
                Err(too_many("br_table target", table.len().into(), limit, at))
            }
            _ => Ok(()),
        }
    }
}
