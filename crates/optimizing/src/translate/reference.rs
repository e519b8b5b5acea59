//! References and tables.

use std::mem::offset_of;

use abi::builtins::Builtin;
use abi::layout::{Place, TableDefinition, is_funcref, reference_size};
use abi::trap::TrapReason;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{InstBuilder, Value};
use wasm::ops::Reference;
use wasm::types::{FuncIndex, TableIndex, TableType, ValType};

use super::access::Address;
use super::region::Region;
use super::state::{Translator, value_type};
use crate::traps::trap_code;

impl Translator<'_> {
    pub(crate) fn translate_reference(&mut self, op: Reference) {
        match op {
            Reference::RefNull(heap) => {
                let ty = if is_funcref(heap, self.module.info) { I64 } else { I32 };
                let null = self.builder.ins().iconst(ty, 0);
                self.push(null);
            }
            Reference::RefIsNull => {
                let reference = self.pop();
                let null = self.is_null(reference);
                let null = self.builder.ins().uextend(I32, null);
                self.push(null);
            }
            Reference::RefFunc(function) => self.ref_func(function),
            Reference::RefAsNonNull => {
                let reference = self.pop();
                self.trap_if_null(reference, TrapReason::NullReference);
                self.push(reference);
            }
            Reference::TableGet(table) => {
                let index = self.pop();
                let element = self.table_element(table, index, TrapReason::TableOutOfBounds);
                let ty = value_type(ValType::Ref(self.table_type(table).element));
                let value = self.builder.ins().load(ty, element.flags, element.base, element.offset);
                self.push(value);
            }
            Reference::TableSet(table) => {
                let (index, value) = self.pop2();
                let element = self.table_element(table, index, TrapReason::TableOutOfBounds);
                self.builder.ins().store(element.flags, value, element.base, element.offset);
            }
            Reference::TableSize(table) => {
                let length = self.table_length(table);
                self.push_table_index(table, length);
            }
            Reference::TableGrow(table) => {
                let (init, delta) = self.pop2();
                let (init, delta) = (self.index(init), self.index(delta));
                self.call_table(Builtin::table_grow, &[table.0], &[delta, init], Some(table));
            }
            Reference::TableFill(table) => {
                let (dst, value, len) = self.pop3();
                let args = [self.index(dst), self.index(value), self.index(len)];
                self.call_table(Builtin::table_fill, &[table.0], &args, None);
            }
            Reference::TableCopy { dst: to, src: from } => {
                let (dst, src, len) = self.pop3();
                let args = [self.index(dst), self.index(src), self.index(len)];
                self.call_table(Builtin::table_copy, &[to.0, from.0], &args, None);
            }
            Reference::TableInit { elem, table } => {
                let (dst, src, len) = self.pop3();
                let dst = self.index(dst);
                self.call_table(Builtin::table_init, &[table.0, elem.0], &[dst, src, len], None);
            }
            Reference::ElemDrop(elem) => self.call_table(Builtin::elem_drop, &[elem.0], &[], None),
        }
    }

    /// The address of a function's own reference in the instance context.
    fn ref_func(&mut self, function: FuncIndex) {
        // Validation admits only functions that can escape.
        let reference = match self.module.layout.func_ref(function) {
            Some(offset) => self.builder.ins().iadd_imm_u(self.vmctx, i64::from(offset)),
            None => self.i64(0),
        };
        self.push(reference);
    }

    /// Calls a builtin whose first arguments are indices of the module; pushes its result as an index of `result`.
    fn call_table(&mut self, builtin: Builtin, indices: &[u32], args: &[Value], result: Option<TableIndex>) {
        let value = self.call_indexed(builtin, indices, args);
        if let (Some(value), Some(table)) = (value, result) {
            self.push_table_index(table, value);
        }
    }

    fn table_type(&self, table: TableIndex) -> TableType {
        self.module.info.tables[table.index()]
    }

    /// Pushes a 64-bit number of elements as the table's own index type.
    fn push_table_index(&mut self, table: TableIndex, value: Value) {
        let value = if self.table_type(table).index64 { value } else { self.builder.ins().ireduce(I32, value) };
        self.push(value);
    }

    /// Where the element at `index` is, checked; `reason` is the trap if there is none.
    pub(crate) fn table_element(&mut self, table: TableIndex, index: Value, reason: TrapReason) -> Address {
        let ty = self.table_type(table);
        let size = reference_size(ty.element, self.module.info);
        let index = self.index(index);
        let length = self.table_length(table);
        let outside = self.builder.ins().icmp(IntCC::UnsignedGreaterThanOrEqual, index, length);
        let guarded = self.module.settings.spectre_guards;
        if !guarded {
            self.trap_if(outside, reason);
        }
        let base = self.table_base(table);
        let offset = self.builder.ins().ishl_imm_u(index, i64::from(size.trailing_zeros()));
        let mut address = self.builder.ins().iadd(base, offset);
        let mut flags = self.trusted(Region::TableElements);
        if guarded {
            let null = self.i64(0);
            address = self.builder.ins().select_spectre_guard(outside, null, address);
            flags = flags.with_trap_code(Some(trap_code(reason)));
        }
        Address { flags, base: address, offset: 0 }
    }

    /// The table's current length in elements, 64 bits wide.
    fn table_length(&mut self, table: TableIndex) -> Value {
        let ty = self.table_type(table);
        if is_fixed(&ty) {
            return self.i64(ty.min as i64);
        }
        let (definition, at) = self.table_definition(table);
        let flags = self.trusted(Region::TableDefinition);
        self.builder.ins().load(I64, flags, definition, at as i32 + offset_of!(TableDefinition, length) as i32)
    }

    fn table_base(&mut self, table: TableIndex) -> Value {
        let (definition, at) = self.table_definition(table);
        let at = at + offset_of!(TableDefinition, base) as u32;
        if is_fixed(&self.table_type(table)) {
            return self.constant_field(I64, definition, at);
        }
        let flags = self.trusted(Region::TableDefinition);
        self.builder.ins().load(I64, flags, definition, at as i32)
    }

    /// Base and offset of the table's definition.
    fn table_definition(&mut self, table: TableIndex) -> (Value, u32) {
        match self.module.layout.table(table) {
            Place::Defined(offset) => (self.vmctx, offset),
            Place::Imported(offset) => (self.context_pointer(offset as usize), 0),
        }
    }
}

/// Can tables of this type not grow? Then neither their length nor their base changes.
fn is_fixed(ty: &TableType) -> bool {
    ty.max == Some(ty.min)
}
