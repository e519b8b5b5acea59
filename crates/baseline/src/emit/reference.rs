//! References and tables.

use abi::assign::MachineType::{self, I32, I64};
use abi::builtins::Builtin;
use abi::layout::{is_funcref, reference_size};
use abi::trap::TrapReason;
use wasm::ops::Reference;
use wasm::types::{FuncIndex, TableIndex, TableType};

use crate::asm::x64::{Alu, Cond, Gpr, Mem, Scale, Width};
use crate::call_builtin::Argument::{Imm, Operand};
use crate::function::Function;
use crate::operand::{Condition, SCRATCH, width};

impl Function<'_> {
    pub(crate) fn emit_reference(&mut self, op: Reference) {
        match op {
            Reference::RefNull(heap) => {
                let ty = if is_funcref(heap, self.module.info) { I64 } else { I32 };
                self.push_const(ty, 0);
            }
            Reference::RefIsNull => self.equals_zero(),
            Reference::RefFunc(function) => self.ref_func(function),
            Reference::RefAsNonNull => self.as_non_null(),
            Reference::TableGet(table) => self.table_get(table),
            Reference::TableSet(table) => self.table_set(table),
            Reference::TableSize(table) => self.table_size(table),
            Reference::TableGrow(table) => {
                self.call_builtin(Builtin::table_grow, 2, &[Imm(table.0), Operand(0), Operand(1)]);
                self.push_index_result(self.table_type(table).index64);
            }
            Reference::TableFill(table) => {
                let arguments = [Imm(table.0), Operand(2), Operand(1), Operand(0)];
                self.call_builtin(Builtin::table_fill, 3, &arguments);
            }
            Reference::TableCopy { dst, src } => {
                let arguments = [Imm(dst.0), Imm(src.0), Operand(2), Operand(1), Operand(0)];
                self.call_builtin(Builtin::table_copy, 3, &arguments);
            }
            Reference::TableInit { elem, table } => {
                let arguments = [Imm(table.0), Imm(elem.0), Operand(2), Operand(1), Operand(0)];
                self.call_builtin(Builtin::table_init, 3, &arguments);
            }
            Reference::ElemDrop(elem) => self.call_builtin(Builtin::elem_drop, 0, &[Imm(elem.0)]),
        }
    }

    fn table_type(&self, table: TableIndex) -> TableType {
        self.module.info.tables[table.index()]
    }

    /// The type of a table's elements, as values.
    fn element_type(&self, table: TableIndex) -> MachineType {
        if reference_size(self.table_type(table).element, self.module.info) == 8 { I64 } else { I32 }
    }

    /// The address of a function's own reference in the instance context.
    fn ref_func(&mut self, function: FuncIndex) {
        // Validation admits only functions that can escape.
        let Some(offset) = self.module.layout.func_ref(function) else {
            return self.push_const(I64, 0);
        };
        let context = self.vmctx();
        let result = self.alloc_int();
        self.asm.lea(Width::W64, result, Self::header(context, offset as usize));
        self.push_int(result, I64);
    }

    fn as_non_null(&mut self) {
        let ty = self.values.peek(0).ty;
        let reference = self.pop_int();
        self.asm.test_rr(width(ty), reference, reference);
        self.trap_if(Condition::Flags(Cond::E), TrapReason::NullReference);
        self.push_int(reference, ty);
    }

    fn table_get(&mut self, table: TableIndex) {
        let ty = self.element_type(table);
        let index = self.pop_int();
        let (element, register) = self.table_element(table, index);
        self.mark_element();
        self.asm.mov_rm(width(ty), register, element);
        self.push_int(register, ty);
    }

    fn table_set(&mut self, table: TableIndex) {
        let ty = self.element_type(table);
        let value = self.pop_int();
        let index = self.pop_int();
        let (element, _) = self.table_element(table, index);
        self.mark_element();
        self.asm.mov_mr(width(ty), element, value);
    }

    /// With spectre guards, the access is what traps.
    fn mark_element(&mut self) {
        if self.settings().spectre_guards {
            self.trap_site(TrapReason::TableOutOfBounds);
        }
    }

    /// Where the element at `index` is, checked, and a register of the operator's own that leads to it.
    fn table_element(&mut self, table: TableIndex, index: Gpr) -> (Mem, Gpr) {
        let ty = self.table_type(table);
        let scale = if self.element_type(table) == I64 { Scale::X8 } else { Scale::X4 };
        let guarded = self.settings().spectre_guards;
        self.vmctx();
        let address = self.alloc_int();
        match fixed_length(&ty) {
            Some(length) => self.asm.alu_ri(Alu::Cmp, Width::W64, index, length),
            None => {
                let length = self.table_field(table, true, SCRATCH);
                self.asm.alu_rm(Alu::Cmp, Width::W64, index, length);
            }
        }
        if !guarded {
            self.trap_if(Condition::Flags(Cond::Ae), TrapReason::TableOutOfBounds);
        }
        let base = self.table_field(table, false, address);
        self.asm.mov_rm(Width::W64, address, base);
        let element = Mem::indexed(address, index, scale, 0);
        if !guarded {
            return (element, address);
        }
        self.asm.lea(Width::W64, address, element);
        self.asm.mov_ri(SCRATCH, 0);
        self.asm.cmov_rr(Cond::Ae, Width::W64, address, SCRATCH);
        (Mem::base(address, 0), address)
    }

    fn table_size(&mut self, table: TableIndex) {
        let ty = self.table_type(table);
        let result_type = if ty.index64 { I64 } else { I32 };
        if let Some(length) = fixed_length(&ty) {
            return self.push_const(result_type, u64::from(length.unsigned_abs()));
        }
        let result = self.alloc_int();
        let length = self.table_field(table, true, result);
        // Tables indexed by 32 bits have no more elements than those.
        self.asm.mov_rm(width(result_type), result, length);
        self.push_int(result, result_type);
    }
}

/// The length of a table that cannot grow, if an immediate holds it.
fn fixed_length(ty: &TableType) -> Option<i32> {
    if ty.max == Some(ty.min) { i32::try_from(ty.min).ok() } else { None }
}
