//! Calls: of functions by index, through tables, by reference, and of builtins.
//!
//! A function is reached through its slot of a code table, which tier-up may change at any time, so the code pointer is
//! loaded anew for each call. Only a function that calls itself does so directly: it is in the best tier already, and
//! its code lives while it runs. A null function reference is found by the fault of the first load from it.
//!
//! Pointers that only serve calls are loaded at the call, not hoisted: a predicted call hides the loads, while a
//! hoisted pointer would take one of the five registers that outlive calls.

use std::mem::offset_of;

use abi::assign::results_need_buffer;
use abi::builtins::Builtin;
use abi::layout::{FuncImport, FuncRef, InstanceHeader, InstanceLayout, VALUE_SLOT};
use abi::trap::TrapReason;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{
    ExtFuncData, ExternalName, FuncRef as CraneliftFuncRef, InstBuilder, MemFlagsData, SigRef, StackSlotData,
    StackSlotKind, Type, UserExternalName, Value,
};
use wasm::ops::Call;
use wasm::types::{FuncIndex, FuncType, HeapType, TableIndex, TypeIndex};

use super::Translated;
use super::region::Region;
use super::state::{Translator, value_type};
use crate::signature;
use crate::traps::trap_code;

/// What is called: its code and its context.
#[derive(Clone, Copy)]
struct Callee {
    code: Code,
    vmctx: Value,
    ty: TypeIndex,
}

/// The code of a callee.
#[derive(Clone, Copy)]
enum Code {
    /// At this address.
    At(Value),
    /// The code under compilation.
    Own,
}

impl Translator<'_> {
    pub(crate) fn translate_call(&mut self, op: Call) -> Translated {
        let site = self.planned_site();
        self.mark_cold(site);
        let site = site.filter(|site| !site.targets.is_empty());
        match op {
            Call::Call(function) => {
                if let Some(&inlinee) = site.and_then(|site| site.targets.first()) {
                    return self.inline_body(inlinee);
                }
                let callee = self.function(function);
                self.call_function(callee);
            }
            Call::CallIndirect { ty, table } => {
                let reference = self.table_reference(table);
                let call = |this: &mut Self| {
                    let callee = this.element_function(reference, table, ty);
                    this.call_function(callee);
                };
                match site {
                    Some(site) => return self.call_guarded(reference, ty, site, call),
                    None => call(self),
                }
            }
            Call::CallRef(ty) => {
                let reference = self.pop();
                let call = |this: &mut Self| {
                    let callee = this.referenced_function(reference, ty, Some(TrapReason::NullReference));
                    this.call_function(callee);
                };
                match site {
                    Some(site) => return self.call_guarded(reference, ty, site, call),
                    None => call(self),
                }
            }
            Call::ReturnCall(function) => {
                let callee = self.function(function);
                self.tail_call(callee);
            }
            Call::ReturnCallIndirect { ty, table } => {
                let reference = self.table_reference(table);
                let callee = self.element_function(reference, table, ty);
                self.tail_call(callee);
            }
            Call::ReturnCallRef(ty) => {
                let reference = self.pop();
                let callee = self.referenced_function(reference, ty, Some(TrapReason::NullReference));
                self.tail_call(callee);
            }
        }
        Ok(())
    }

    /// A function of the module's index space.
    fn function(&mut self, function: FuncIndex) -> Callee {
        let ty = self.module.info.functions[function.index()];
        match self.module.info.defined_func_index(function) {
            Some(own) if own == self.function && self.calls_itself => Callee { code: Code::Own, vmctx: self.vmctx, ty },
            Some(defined) => {
                let table = self.call_pointer(self.vmctx, offset_of!(InstanceHeader, code_table));
                let code = self.load_code(table, InstanceLayout::code_slot(defined));
                Callee { code, vmctx: self.vmctx, ty }
            }
            None => {
                let import = self.module.layout.func_import(function) as usize;
                let slot = self.call_pointer(self.vmctx, import + offset_of!(FuncImport, slot));
                let vmctx = self.call_pointer(self.vmctx, import + offset_of!(FuncImport, vmctx));
                let code = self.load_code(slot, 0);
                Callee { code, vmctx, ty }
            }
        }
    }

    /// A pointer that serves a call, `offset` bytes into what `base` points to.
    fn call_pointer(&mut self, base: Value, offset: usize) -> Value {
        let flags = self.trusted(Region::CallPointers);
        self.builder.ins().load(I64, flags, base, offset as i32)
    }

    /// The code pointer in a slot of a code table.
    fn load_code(&mut self, base: Value, offset: u32) -> Code {
        let flags = self.trusted(Region::CodeTable);
        Code::At(self.builder.ins().load(I64, flags, base, offset as i32))
    }

    /// The reference in a table of functions at a popped index; it may be null.
    fn table_reference(&mut self, table: TableIndex) -> Value {
        let index = self.pop();
        let element = self.table_element(table, index, TrapReason::UndefinedElement);
        self.builder.ins().load(I64, element.flags, element.base, element.offset)
    }

    /// The function that a reference from a table refers to, checked to be of type `ty`.
    fn element_function(&mut self, reference: Value, table: TableIndex, ty: TypeIndex) -> Callee {
        if self.module.info.tables[table.index()].element.heap == HeapType::Concrete(ty) {
            // Validation has let only such functions into the table.
            return self.referenced_function(reference, ty, Some(TrapReason::UninitializedElement));
        }
        let found = offset_of!(FuncRef, type_id);
        let found = self.load_func_ref(I32, reference, found, Some(TrapReason::UninitializedElement));
        let ids = self.context_pointer(offset_of!(InstanceHeader, type_ids));
        let wanted = self.constant_field(I32, ids, InstanceLayout::type_id(ty));
        let other = self.builder.ins().icmp(IntCC::NotEqual, found, wanted);
        self.trap_if(other, TrapReason::IndirectCallTypeMismatch);
        self.referenced_function(reference, ty, None)
    }

    /// The function that a reference refers to; `null` is the trap if it may be null.
    fn referenced_function(&mut self, reference: Value, ty: TypeIndex, null: Option<TrapReason>) -> Callee {
        let slot = self.load_func_ref(I64, reference, offset_of!(FuncRef, slot), null);
        let code = self.load_code(slot, 0);
        let distance = self.load_func_ref(I64, reference, offset_of!(FuncRef, distance), None);
        let vmctx = self.builder.ins().iadd(reference, distance);
        Callee { code, vmctx, ty }
    }

    /// A field of a function reference. References do not change, but this one may be null up to the first load, so
    /// the load stays where it is.
    fn load_func_ref(&mut self, ty: Type, reference: Value, field: usize, null: Option<TrapReason>) -> Value {
        let flags = self.trusted(Region::FuncRef).with_readonly().with_trap_code(null.map(trap_code));
        self.builder.ins().load(ty, flags, reference, field as i32)
    }

    fn call_function(&mut self, callee: Callee) {
        let info = self.module.info;
        let Some(ty) = info.type_func(callee.ty) else { return };
        let buffer = results_need_buffer(ty.results()).then(|| self.call_buffer(ty.results().len()));
        let signature = self.signature(callee.ty, ty);
        self.pop_arguments(callee, ty, buffer);
        self.store_fuel();
        let call = match callee.code {
            Code::At(code) => self.builder.ins().call_indirect(signature, code, &self.scratch.values),
            Code::Own => {
                let own = self.own_function(signature);
                self.builder.ins().call(own, &self.scratch.values)
            }
        };
        self.load_fuel();
        match buffer {
            None => self.scratch.stack.extend_from_slice(self.builder.func.dfg.inst_results(call)),
            Some(buffer) => self.push_buffered(buffer, ty),
        }
    }

    fn tail_call(&mut self, callee: Callee) {
        let info = self.module.info;
        let Some(ty) = info.type_func(callee.ty) else { return };
        // The callee's results are ours, and so is their buffer.
        let buffer = self.result_buffer;
        let signature = self.signature(callee.ty, ty);
        self.pop_arguments(callee, ty, buffer);
        self.store_fuel();
        match callee.code {
            Code::At(code) => self.builder.ins().return_call_indirect(signature, code, &self.scratch.values),
            Code::Own => {
                let own = self.own_function(signature);
                self.builder.ins().return_call(own, &self.scratch.values)
            }
        };
        self.reachable = false;
    }

    /// The function under compilation as a callee. `finish` resolves the relocation: it is the only one there can be.
    fn own_function(&mut self, signature: SigRef) -> CraneliftFuncRef {
        if let Some(own) = self.own {
            return own;
        }
        let name = UserExternalName { namespace: 0, index: self.function.0 };
        let name = ExternalName::User(self.builder.func.declare_imported_user_function(name));
        let own = self.builder.import_function(ExtFuncData { name, signature, colocated: true, patchable: false });
        *self.own.insert(own)
    }

    /// Moves the arguments of a call from the operand stack to `scratch.values`, after the context and the buffer.
    fn pop_arguments(&mut self, callee: Callee, ty: &FuncType, buffer: Option<Value>) {
        let first = self.height() - ty.params().len();
        let scratch = &mut *self.scratch;
        scratch.values.clear();
        scratch.values.push(callee.vmctx);
        scratch.values.extend(buffer);
        scratch.values.extend(scratch.stack.drain(first..));
    }

    /// The address of a buffer on the frame for this many results. All calls share it: results are loaded at once.
    fn call_buffer(&mut self, results: usize) -> Value {
        let size = (results * VALUE_SLOT) as u32;
        let slot = match self.call_results {
            Some(slot) => slot,
            None => {
                let data = StackSlotData::new(StackSlotKind::ExplicitSlot, size, 4);
                *self.call_results.insert(self.builder.create_sized_stack_slot(data))
            }
        };
        let data = &mut self.builder.func.sized_stack_slots[slot];
        data.size = data.size.max(size);
        self.builder.ins().stack_addr(I64, slot, 0)
    }

    fn push_buffered(&mut self, buffer: Value, ty: &FuncType) {
        let region = self.region(Region::Values);
        let flags = MemFlagsData::new().with_notrap().with_alias_region(Some(region));
        for (index, &result) in ty.results().iter().enumerate() {
            let at = (index * VALUE_SLOT) as i32;
            let value = self.builder.ins().load(value_type(result), flags, buffer, at);
            self.push(value);
        }
    }

    /// The signature of functions of this type, declared once per function.
    fn signature(&mut self, index: TypeIndex, ty: &FuncType) -> SigRef {
        match self.scratch.signatures.binary_search_by_key(&index, |&(index, _)| index) {
            Ok(at) => self.scratch.signatures[at].1,
            Err(at) => {
                let signature = self.builder.import_signature(signature::function(ty));
                self.scratch.signatures.insert(at, (index, signature));
                signature
            }
        }
    }

    /// Calls a builtin with the arguments that follow the context; gives its result, if it has one.
    pub(crate) fn call_builtin(&mut self, builtin: Builtin, args: &[Value]) -> Option<Value> {
        let number = builtin as usize;
        if self.scratch.builtins.len() < Builtin::COUNT {
            self.scratch.builtins.resize(Builtin::COUNT, None);
        }
        let signature = match self.scratch.builtins[number] {
            Some(signature) => signature,
            None => {
                let signature = self.builder.import_signature(signature::builtin(builtin));
                *self.scratch.builtins[number].insert(signature)
            }
        };
        let table = self.call_pointer(self.vmctx, offset_of!(InstanceHeader, builtins));
        let code = self.call_pointer(table, number * 8);
        self.scratch.values.clear();
        self.scratch.values.push(self.vmctx);
        self.scratch.values.extend_from_slice(args);
        let call = self.builder.ins().call_indirect(signature, code, &self.scratch.values);
        self.builder.func.dfg.inst_results(call).first().copied()
    }
}
