//! References, tables and calls: the whole rules.

use super::{INVALID, Result, Walk};
use crate::ops::{Call, Reference};
use crate::types::{FuncIndex, RefType, TableIndex, TypeIndex, ValType};
use crate::validate::facts::{Signature, Table};
use crate::validate::ty::Ty;

impl Walk<'_> {
    pub(super) fn reference(&mut self, op: Reference) -> Result<()> {
        let features = &self.facts.features;
        self.require(match op {
            Reference::RefAsNonNull => features.function_references,
            Reference::TableCopy { .. } | Reference::TableInit { .. } | Reference::ElemDrop(_) => features.bulk_memory,
            Reference::RefNull(_)
            | Reference::RefIsNull
            | Reference::RefFunc(_)
            | Reference::TableGet(_)
            | Reference::TableSet(_)
            | Reference::TableSize(_)
            | Reference::TableGrow(_)
            | Reference::TableFill(_) => features.reference_types,
        })?;
        match op {
            Reference::RefNull(heap) => {
                let ty = ValType::Ref(RefType { nullable: true, heap });
                self.push(self.facts.val_type(self.info, ty).ok_or(INVALID)?)
            }
            Reference::RefIsNull => {
                self.pop_ref()?;
                self.push(Ty::I32)
            }
            Reference::RefFunc(func) => {
                let ty = *self.info.functions.get(func.index()).ok_or(INVALID)?;
                self.require(self.facts.is_declared(func))?;
                self.push(self.facts.concrete(self.info, ty, false).ok_or(INVALID)?)
            }
            Reference::RefAsNonNull => {
                let ty = self.pop_ref()?.non_null();
                self.push(ty)
            }
            Reference::TableGet(table) => {
                let Table { element, index } = self.table(table)?;
                self.pop(index)?;
                self.push(element)
            }
            Reference::TableSet(table) => {
                let Table { element, index } = self.table(table)?;
                self.pop(element)?;
                self.pop(index)
            }
            Reference::TableSize(table) => {
                let index = self.table(table)?.index;
                self.push(index)
            }
            Reference::TableGrow(table) => {
                let Table { element, index } = self.table(table)?;
                self.pop(index)?;
                self.pop(element)?;
                self.push(index)
            }
            Reference::TableFill(table) => {
                let Table { element, index } = self.table(table)?;
                self.pop(index)?;
                self.pop(element)?;
                self.pop(index)
            }
            Reference::TableCopy { dst, src } => {
                let (src, dst) = (self.table(src)?, self.table(dst)?);
                self.require(src.element.matches(dst.element))?;
                self.pop(if src.index == Ty::I32 { Ty::I32 } else { dst.index })?;
                self.pop(src.index)?;
                self.pop(dst.index)
            }
            Reference::TableInit { elem, table } => {
                let table = self.table(table)?;
                let segment = *self.facts.elements.get(elem.index()).ok_or(INVALID)?;
                self.require(segment.matches(table.element))?;
                self.pop(Ty::I32)?;
                self.pop(Ty::I32)?;
                self.pop(table.index)
            }
            Reference::ElemDrop(elem) => self.require(elem.index() < self.facts.elements.len()),
        }
    }

    pub(super) fn call(&mut self, op: Call) -> Result<()> {
        let features = &self.facts.features;
        match op {
            Call::Call(func) => {
                let signature = self.callee(func)?;
                self.call_of(signature)
            }
            Call::CallIndirect { ty, table } => {
                if !features.reference_types {
                    self.zero_byte(1)?;
                }
                let signature = self.indirect(ty, table)?;
                self.call_of(signature)
            }
            Call::ReturnCall(func) => {
                self.require(features.tail_call)?;
                let signature = self.callee(func)?;
                self.tail_call_of(signature)
            }
            Call::ReturnCallIndirect { ty, table } => {
                self.require(features.tail_call)?;
                let signature = self.indirect(ty, table)?;
                self.tail_call_of(signature)
            }
            Call::CallRef(ty) => {
                let signature = self.referenced(ty)?;
                self.call_of(signature)
            }
            Call::ReturnCallRef(ty) => {
                let signature = self.referenced(ty)?;
                self.tail_call_of(signature)
            }
        }
    }

    fn call_of(&mut self, callee: Signature) -> Result<()> {
        self.pop_all(callee.params)?;
        self.push_all(callee.results)
    }

    fn tail_call_of(&mut self, callee: Signature) -> Result<()> {
        self.require(self.all_match(callee.results, self.results()?))?;
        self.pop_all(callee.params)?;
        self.unreachable()
    }

    fn callee(&self, func: FuncIndex) -> Result<Signature> {
        self.signature(*self.info.functions.get(func.index()).ok_or(INVALID)?)
    }

    fn signature(&self, ty: TypeIndex) -> Result<Signature> {
        self.facts.signatures.get(ty.index()).copied().ok_or(INVALID)
    }

    /// The type of a call through a table, whose index is taken.
    fn indirect(&mut self, ty: TypeIndex, table: TableIndex) -> Result<Signature> {
        let table = self.table(table)?;
        self.require(table.element.matches(Ty::FUNCREF))?;
        self.pop(table.index)?;
        self.signature(ty)
    }

    /// The type of a call through a reference, which is taken.
    fn referenced(&mut self, ty: TypeIndex) -> Result<Signature> {
        self.require(self.facts.features.function_references)?;
        let signature = self.signature(ty)?;
        self.pop(self.facts.concrete(self.info, ty, true).ok_or(INVALID)?)?;
        Ok(signature)
    }

    fn table(&self, index: TableIndex) -> Result<Table> {
        self.facts.tables.get(index.index()).copied().ok_or(INVALID)
    }
}
