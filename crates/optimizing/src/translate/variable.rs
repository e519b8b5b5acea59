//! Locals, globals, constants, `drop` and `select`.

use abi::layout::Place;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::immediates::{Ieee32, Ieee64};
use cranelift_codegen::ir::{InstBuilder, InstructionData, Opcode, Value, ValueDef};
use wasm::ops::Variable;
use wasm::types::GlobalIndex;

use super::region::Region;
use super::state::{Translator, value_type};

impl Translator<'_> {
    pub(crate) fn translate_variable(&mut self, op: Variable) {
        match op {
            Variable::LocalGet(local) => {
                let value = self.builder.use_var(self.local(local));
                self.push(value);
            }
            Variable::LocalSet(local) => {
                let value = self.pop();
                self.builder.def_var(self.local(local), value);
            }
            Variable::LocalTee(local) => {
                let value = self.pop();
                self.builder.def_var(self.local(local), value);
                self.push(value);
            }
            Variable::GlobalGet(global) => self.global_get(global),
            Variable::GlobalSet(global) => self.global_set(global),
            Variable::Drop => {
                self.free_operator();
                self.pop();
            }
            Variable::Select | Variable::SelectTyped(_) => {
                let (first, second, condition) = self.pop3();
                let value = self.select(condition, first, second);
                self.push(value);
            }
            Variable::I32Const(value) => {
                let value = self.i32(value);
                self.push(value);
            }
            Variable::I64Const(value) => {
                let value = self.i64(value);
                self.push(value);
            }
            Variable::F32Const(bits) => {
                let value = self.builder.ins().f32const(Ieee32::with_bits(bits));
                self.push(value);
            }
            Variable::F64Const(bits) => {
                let value = self.builder.ins().f64const(Ieee64::with_bits(bits));
                self.push(value);
            }
        }
    }

    /// One of two values.
    ///
    /// A conditional move waits for both of them and for the condition, while a branch that is predicted waits for nothing.
    /// So where an integer depends on whether something is a certain value, which it mostly is or mostly is not, it is
    /// chosen by a branch: scanners that step over escaped characters gain a tenth.
    fn select(&mut self, condition: Value, first: Value, second: Value) -> Value {
        let ty = self.builder.func.dfg.value_type(first);
        if !ty.is_int() || !self.is_test_for_value(condition) {
            return self.builder.ins().select(condition, first, second);
        }
        let next = self.builder.create_block();
        let value = self.builder.append_block_param(next, ty);
        self.builder.ins().brif(condition, next, &[first.into()], next, &[second.into()]);
        self.builder.seal_block(next);
        self.builder.switch_to_block(next);
        value
    }

    /// Is this `x == k` or `x != k`, with a constant that is not zero?
    fn is_test_for_value(&self, condition: Value) -> bool {
        let dfg = &self.builder.func.dfg;
        let data = |value| match dfg.value_def(dfg.resolve_aliases(value)) {
            ValueDef::Result(inst, _) => Some(dfg.insts[inst]),
            ValueDef::Param(..) | ValueDef::Union(..) => None,
        };
        // Compares give a bit, which is extended to an `i32`.
        let compare = match data(condition) {
            Some(InstructionData::Unary { opcode: Opcode::Uextend, arg }) => data(arg),
            other => other,
        };
        let Some(InstructionData::IntCompare { args, cond: IntCC::Equal | IntCC::NotEqual, .. }) = compare else {
            return false;
        };
        let is_value = |arg| matches!(data(arg), Some(InstructionData::UnaryImm { opcode: Opcode::Iconst, imm }) if imm.bits() != 0);
        args.into_iter().any(is_value)
    }

    fn global_get(&mut self, global: GlobalIndex) {
        let declared = self.module.info.globals[global.index()];
        let ty = value_type(declared.content);
        let (cell, at) = self.global_cell(global);
        let value = if declared.mutable {
            let flags = self.trusted(Region::global(global, self.module.info.num_imported_globals));
            self.builder.ins().load(ty, flags, cell, at as i32)
        } else {
            self.constant_field(ty, cell, at)
        };
        self.push(value);
    }

    fn global_set(&mut self, global: GlobalIndex) {
        let value = self.pop();
        let (cell, at) = self.global_cell(global);
        let flags = self.trusted(Region::global(global, self.module.info.num_imported_globals));
        self.builder.ins().store(flags, value, cell, at as i32);
    }

    /// Base and offset of a global's cell.
    fn global_cell(&mut self, global: GlobalIndex) -> (Value, u32) {
        match self.module.layout.global(global) {
            Place::Defined(offset) => (self.vmctx, offset),
            Place::Imported(offset) => (self.context_pointer(offset as usize), 0),
        }
    }
}
