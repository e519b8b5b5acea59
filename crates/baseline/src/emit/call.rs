//! Calls: of functions by index, through tables, by reference.
//!
//! A function is reached through its slot of a code table, which tier-up may change at any time, so the code pointer is
//! loaded anew for each call, also when a function calls itself. A null function reference is found by the fault of the
//! first load from it.
//!
//! 1. The callee of an indirect call is looked up and checked: its reference is in `rax`, which is no argument register.
//! 2. The arguments are popped, and what other values are in registers that calls change is stored.
//! 3. Arguments go to the stack, then to registers; calls are counted; the callee's context goes to `rdi`.
//! 4. Behind the call, results are pushed as they come.
//!
//! `rsp` is lowered for stack arguments and the result buffer of one call only, and the callee pops its arguments.

use std::mem::offset_of;

use abi::assign::{Location, MachineType, Params, Results, results_need_buffer};
use abi::layout::{FuncImport, FuncRef, InstanceHeader, InstanceLayout, VALUE_SLOT};
use abi::trap::TrapReason;
use wasm::ops::Call;
use wasm::types::{DefinedFuncIndex, FuncIndex, FuncType, HeapType, TableIndex, TypeIndex};

use crate::asm::x64::{Alu, Cond, Gpr, Mem, Scale, SseOp, Width};
use crate::cold::Cold;
use crate::function::Function;
use crate::operand::{Condition, SCRATCH, SCRATCH_FLOAT};
use crate::regs::{Cache, Reg, RegSet};
use crate::value_stack::{Slot, Value};

/// What is called.
#[derive(Clone, Copy)]
enum Callee {
    Defined(DefinedFuncIndex),
    /// An imported function: its place in the instance context.
    Import(u32),
    /// The function reference in `rax`. The trap if it may be null still.
    Reference(Option<TrapReason>),
}

impl<'a> Function<'a> {
    pub(crate) fn emit_call(&mut self, op: Call) {
        match op {
            Call::Call(function) => {
                let callee = self.callee(function);
                let ty = self.module.info.functions[function.index()];
                self.call_function(callee, ty);
            }
            Call::CallIndirect { ty, table } => {
                let callee = self.table_function(table, ty);
                self.call_function(callee, ty);
            }
            Call::CallRef(ty) => {
                let callee = self.popped_function();
                self.call_function(callee, ty);
            }
            Call::ReturnCall(function) => {
                let callee = self.callee(function);
                let ty = self.module.info.functions[function.index()];
                self.tail_call(callee, ty);
            }
            Call::ReturnCallIndirect { ty, table } => {
                let callee = self.table_function(table, ty);
                self.tail_call(callee, ty);
            }
            Call::ReturnCallRef(ty) => {
                let callee = self.popped_function();
                self.tail_call(callee, ty);
            }
        }
    }

    /// A function of the module's index space.
    fn callee(&self, function: FuncIndex) -> Callee {
        match self.module.info.defined_func_index(function) {
            Some(defined) => Callee::Defined(defined),
            None => Callee::Import(self.module.layout.func_import(function)),
        }
    }

    fn popped_function(&mut self) -> Callee {
        self.pop_int_to(Gpr::RAX);
        Callee::Reference(Some(TrapReason::NullReference))
    }

    /// The function in a table at a popped index, checked to be of type `ty`.
    fn table_function(&mut self, table: TableIndex, ty: TypeIndex) -> Callee {
        self.pop_int_to(Gpr::RAX);
        self.vmctx();
        let declared = self.module.info.tables[table.index()];
        let index = Gpr::RAX;
        let element = self.alloc_int();
        let base = self.table_field(table, false, element);
        self.asm.mov_rm(Width::W64, element, base);
        self.asm.lea(Width::W64, element, Mem::indexed(element, index, Scale::X8, 0));
        match i32::try_from(declared.min) {
            Ok(length) if declared.max == Some(declared.min) => self.asm.alu_ri(Alu::Cmp, Width::W64, index, length),
            _ => {
                let length = self.table_field(table, true, SCRATCH);
                self.asm.alu_rm(Alu::Cmp, Width::W64, index, length);
            }
        }
        if self.settings().spectre_guards {
            // An element out of bounds is at null, even for a mispredicted call; the fault there is the trap.
            self.asm.mov_ri(SCRATCH, 0);
            self.asm.cmov_rr(Cond::Ae, Width::W64, element, SCRATCH);
            self.trap_site(TrapReason::UndefinedElement);
        } else {
            self.trap_if(Condition::Flags(Cond::Ae), TrapReason::UndefinedElement);
        }
        self.asm.mov_rm(Width::W64, Gpr::RAX, Mem::base(element, 0));
        if declared.element.heap == HeapType::Concrete(ty) {
            // Validation has let only such functions into the table.
            return Callee::Reference(Some(TrapReason::UninitializedElement));
        }
        let context = self.vmctx_or(SCRATCH);
        self.asm.mov_rm(Width::W64, SCRATCH, Self::header(context, offset_of!(InstanceHeader, type_ids)));
        self.asm.mov_rm(Width::W32, SCRATCH, Mem::base(SCRATCH, InstanceLayout::type_id(ty) as i32));
        self.trap_site(TrapReason::UninitializedElement);
        let found = Mem::base(Gpr::RAX, offset_of!(FuncRef, type_id) as i32);
        self.asm.alu_rm(Alu::Cmp, Width::W32, SCRATCH, found);
        self.trap_if(Condition::Flags(Cond::Ne), TrapReason::IndirectCallTypeMismatch);
        Callee::Reference(None)
    }

    /// Makes sure of a reference that may be null.
    fn check_null(&mut self, callee: Callee) {
        if let Callee::Reference(Some(reason)) = callee {
            self.trap_site(reason);
            self.asm.test_mr(Width::W32, Mem::base(Gpr::RAX, 0), Gpr::RAX);
        }
    }

    /// Moves the arguments from the value stack to `self.arguments`.
    fn pop_arguments(&mut self, count: usize) {
        let first = self.values.slots.len().saturating_sub(count);
        let mut arguments = std::mem::take(&mut self.arguments);
        arguments.clear();
        arguments.extend_from_slice(&self.values.slots[first..]);
        self.values.slots.truncate(first);
        self.values.flushed = self.values.flushed.min(first as u32);
        for register in arguments.iter().filter_map(Slot::register) {
            self.regs.drop_use(register);
        }
        self.arguments = arguments;
    }

    /// Moves the popped arguments to where the convention wants them: those on the stack first, at `stack` and up.
    /// The context's register gets the caller's own context. What was in registers is lost.
    fn place_arguments(&mut self, ty: &FuncType, context: Option<Reg>, stack: Mem) {
        let arguments = std::mem::take(&mut self.arguments);
        let mut places = Params::of(ty);
        for &argument in &arguments {
            match places.locate(argument.ty) {
                Location::Int(register) => self.moves.add(Reg::int(Gpr::new(register)), argument),
                Location::Vector(register) => self.moves.add(Reg::new(16 | register), argument),
                Location::Stack(offset) | Location::Buffer(offset) => {
                    let to = stack.offset(offset as i32).unwrap_or(stack);
                    self.store_slot(argument, to, false);
                }
            }
        }
        if let Some(context) = context {
            self.moves.add_reg(Gpr::RDI.into(), context, MachineType::I64);
        }
        self.emit_moves();
        if context.is_none() {
            self.asm.mov_rm(Width::W64, Gpr::RDI, self.vmctx_place());
        }
        self.arguments = arguments;
    }

    /// Where the callee's code pointer is, after the arguments are placed; its context goes to `rdi`. Counts the call.
    fn resolve(&mut self, callee: Callee) -> Mem {
        match callee {
            Callee::Defined(function) => {
                self.count_direct_call(function, Gpr::RDI);
                let table = Self::header(Gpr::RDI, offset_of!(InstanceHeader, code_table));
                self.asm.mov_rm(Width::W64, Gpr::RAX, table);
                Mem::base(Gpr::RAX, InstanceLayout::code_slot(function) as i32)
            }
            Callee::Import(import) => {
                let field = |offset: usize| Mem::base(Gpr::RDI, (import as usize + offset) as i32);
                self.asm.mov_rm(Width::W64, Gpr::RAX, field(offset_of!(FuncImport, slot)));
                self.asm.mov_rm(Width::W64, Gpr::RDI, field(offset_of!(FuncImport, vmctx)));
                Mem::base(Gpr::RAX, 0)
            }
            Callee::Reference(null) => {
                self.count_indirect_call();
                if let Some(reason) = null {
                    self.trap_site(reason);
                }
                let field = |offset: usize| Mem::base(Gpr::RAX, offset as i32);
                self.asm.mov_rm(Width::W64, Gpr::RDI, field(offset_of!(FuncRef, distance)));
                self.asm.alu_rr(Alu::Add, Width::W64, Gpr::RDI, Gpr::RAX);
                self.asm.mov_rm(Width::W64, Gpr::RAX, field(offset_of!(FuncRef, slot)));
                Mem::base(Gpr::RAX, 0)
            }
        }
    }

    /// What comes before the arguments are placed. Gives the register that has the context.
    fn prepare(&mut self, callee: Callee, ty: &FuncType) -> Option<Reg> {
        if self.settings().profile {
            // Before the reference is looked at for counting.
            self.check_null(callee);
        }
        self.settle_fuel();
        self.pop_arguments(ty.params().len());
        let context = self.regs.cache(Cache::Context);
        let sources = self.arguments.iter().filter_map(Slot::register);
        let sources = sources.fold(RegSet::EMPTY, |all, register| all.or(RegSet::of(register)));
        self.save_registers(sources);
        context
    }

    fn call_function(&mut self, callee: Callee, ty: TypeIndex) {
        let info = self.module.info;
        let Some(ty) = info.type_func(ty) else { return };
        let context = self.prepare(callee, ty);
        let stack = Params::stack_bytes(ty);
        let buffered = results_need_buffer(ty.results());
        let buffer = if buffered { (ty.results().len() * VALUE_SLOT) as u32 } else { 0 };
        self.lower_stack(stack + buffer);
        self.place_arguments(ty, context, Mem::base(Gpr::RSP, 0));
        if buffered {
            self.asm.lea(Width::W64, Gpr::RSI, Mem::base(Gpr::RSP, stack as i32));
        }
        let code = self.resolve(callee);
        self.calls += 1;
        self.mark_position();
        self.asm.call_m(code);
        self.push_results(ty);
        if buffer != 0 {
            self.asm.lea(Width::W64, Gpr::RSP, Mem::base(Gpr::RSP, buffer as i32));
        }
    }

    /// Makes room below the frame for one call.
    fn lower_stack(&mut self, bytes: u32) {
        if bytes != 0 {
            self.outgoing = self.outgoing.max(bytes);
            self.asm.alu_ri(Alu::Sub, Width::W64, Gpr::RSP, bytes as i32);
        }
    }

    /// Pushes the results of a call that has just returned. A buffer of results is at `rsp`.
    fn push_results(&mut self, ty: &FuncType) {
        let mut places = Results::of(ty.results());
        for &result in ty.results() {
            let result = MachineType::of(result);
            match places.locate(result) {
                Location::Int(register) => {
                    let register = Gpr::new(register);
                    if result == MachineType::I32 {
                        self.asm.mov_rr(Width::W32, register, register);
                    }
                    self.push_int(register, result);
                }
                Location::Vector(register) => self.push_reg(Reg::new(16 | register), result),
                Location::Buffer(offset) | Location::Stack(offset) => {
                    self.values.push(result, Value::Image);
                    let to = self.place(self.values.depth());
                    self.copy_memory(result, to, Mem::base(Gpr::RSP, offset as i32));
                }
            }
        }
    }

    /// Replaces this function's frame by the callee's. Its results are ours, and so is their buffer.
    fn tail_call(&mut self, callee: Callee, ty: TypeIndex) {
        let info = self.module.info;
        let Some(ty) = info.type_func(ty) else { return };
        let context = self.prepare(callee, ty);
        let (own, new) = (Params::stack_bytes(self.ty), Params::stack_bytes(ty));
        // Arguments on the stack end where ours do. If there are more of them, they would cover what is still needed:
        // they are put below the frame first.
        let below = new > own;
        let target = Mem::base(Gpr::RBP, 16 + (own as i32 - new as i32));
        if below {
            self.lower_stack(new);
        }
        self.place_arguments(ty, context, if below { Mem::base(Gpr::RSP, 0) } else { target });
        if self.has_buffer {
            self.asm.mov_rm(Width::W64, Gpr::RSI, self.buffer_place());
        }
        let code = self.resolve(callee);
        self.asm.mov_rm(Width::W64, Gpr::RAX, code);
        self.has_tail_calls = true;
        // Which registers are to be restored is known at the function's end.
        let exit = match self.tail_exit {
            Some(exit) if own == new => exit,
            _ => {
                let label = self.asm.new_label();
                self.cold.push(Cold::TailCall { label, new });
                if own == new {
                    self.tail_exit = Some(label);
                }
                label
            }
        };
        self.asm.jmp(exit);
        self.reachable = false;
    }

    /// The end of a tail call whose callee takes `new` bytes of stack arguments: its arguments are placed, `rax` is its
    /// code. Takes the frame down.
    pub(crate) fn emit_tail_exit(&mut self, new: u32) {
        let own = Params::stack_bytes(self.ty);
        self.restore_saved();
        if own == new {
            self.asm.leave();
        } else {
            let target = Mem::base(Gpr::RBP, 16 + (own as i32 - new as i32));
            self.asm.mov_rm(Width::W64, Gpr::R10, Mem::base(Gpr::RBP, 0));
            self.asm.mov_rm(Width::W64, SCRATCH, Mem::base(Gpr::RBP, 8));
            if new > own {
                self.copy_up(new, target);
            }
            self.asm.lea(Width::W64, Gpr::RSP, target.offset(-8).unwrap_or(target));
            self.asm.mov_mr(Width::W64, Mem::base(Gpr::RSP, 0), SCRATCH);
            self.asm.mov_rr(Width::W64, Gpr::RBP, Gpr::R10);
        }
        self.asm.jmp_r(Gpr::RAX);
    }

    /// Copies stack arguments from `rsp` up to `target`, the highest first, since the two may overlap.
    fn copy_up(&mut self, bytes: u32, target: Mem) {
        for offset in (0..bytes as i32).step_by(16).rev() {
            self.asm.sse_rm(SseOp::MOVUPS, SCRATCH_FLOAT, Mem::base(Gpr::RSP, offset));
            let to = target.offset(offset).unwrap_or(target);
            self.asm.sse_mr(SseOp::MOVUPS_STORE, to, SCRATCH_FLOAT);
        }
    }
}
