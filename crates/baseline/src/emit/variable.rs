//! Locals, globals, constants, `drop` and `select`.

use abi::assign::MachineType;
use wasm::ops::Variable;
use wasm::types::{GlobalIndex, LocalIndex};

use crate::asm::x64::{Alu, Cond, Gpr, SseOp, Width};
use crate::function::Function;
use crate::operand::{Condition, SCRATCH, width};
use crate::regs::{NONE, Reg, RegSet};
use crate::value_stack::Value;

/// The registers of a type.
fn class(ty: MachineType) -> RegSet {
    if ty.is_int() { RegSet::INTS } else { RegSet::FLOATS }
}

impl Function<'_> {
    #[inline]
    pub(crate) fn emit_variable(&mut self, op: Variable) {
        match op {
            Variable::LocalGet(local) => self.local_get(local),
            Variable::LocalSet(local) => {
                self.local_tee(local);
                self.drop_top();
            }
            Variable::LocalTee(local) => self.local_tee(local),
            Variable::GlobalGet(global) => self.global_get(global),
            Variable::GlobalSet(global) => self.global_set(global),
            Variable::Drop => {
                self.free_operator();
                self.drop_top();
            }
            Variable::Select | Variable::SelectTyped(_) => self.select(),
            Variable::I32Const(value) => self.push_const(MachineType::I32, u64::from(value.cast_unsigned())),
            Variable::I64Const(value) => self.push_const(MachineType::I64, value.cast_unsigned()),
            Variable::F32Const(bits) => self.push_const(MachineType::F32, u64::from(bits)),
            Variable::F64Const(bits) => self.push_const(MachineType::F64, bits),
        }
    }

    fn local_get(&mut self, local: LocalIndex) {
        let slot = self.values.get(local.0);
        let register = match slot.register() {
            Some(register) => register,
            None => {
                // Loaded once, it stays in the register.
                let register = self.alloc(class(slot.ty));
                self.load_value(register, slot);
                self.bind_local(local.0, register, false);
                register
            }
        };
        self.push_reg(register, slot.ty);
    }

    /// The local gets the value of the topmost operand, which stays.
    fn local_tee(&mut self, local: LocalIndex) {
        let top = self.values.peek(0);
        let current = self.values.get(local.0).register();
        if let Value::Reg(register) = top.value() {
            if current == Some(register) {
                return;
            }
            if self.regs.owner(register).local == NONE {
                self.unbind_local(current);
                self.bind_local(local.0, register, true);
                // The operand, which may have been alone in its register, shares it now.
                self.values.unflush_top();
                return;
            }
            self.regs.pinned.insert(register);
        }
        // A value that is another local's, or not in a register: the local keeps its own, if that has no copies.
        let register = match current {
            Some(register) if self.regs.owner(register).uses == 0 => register,
            _ => {
                self.unbind_local(current);
                self.alloc(class(top.ty))
            }
        };
        if top.constant() == Some(0) && !register.is_float() {
            self.asm.alu_rr(Alu::Xor, Width::W32, register.gpr(), register.gpr());
        } else {
            self.load_value(register, top);
        }
        self.bind_local(local.0, register, true);
    }

    fn unbind_local(&mut self, register: Option<Reg>) {
        if let Some(register) = register {
            self.regs.drop_local(register);
        }
    }

    fn bind_local(&mut self, local: u32, register: Reg, dirty: bool) {
        self.regs.set_local(register, local, dirty);
        if let Some(slot) = self.values.get_mut(local) {
            slot.set_register(register);
        }
    }

    fn global_get(&mut self, global: GlobalIndex) {
        let ty = MachineType::of(self.module.info.globals[global.index()].content);
        let register = self.alloc(class(ty));
        self.vmctx();
        let cell = self.follow(self.module.layout.global(global), SCRATCH);
        self.load_reg(ty, register, cell);
        self.push_reg(register, ty);
    }

    fn global_set(&mut self, global: GlobalIndex) {
        let top = self.values.peek(0);
        let value = match top.constant() {
            Some(bits) if top.ty == MachineType::I32 || i32::try_from(bits.cast_signed()).is_ok() => {
                self.drop_top();
                self.vmctx();
                let cell = self.follow(self.module.layout.global(global), SCRATCH);
                return self.store_const(top.ty, cell, bits);
            }
            _ => self.pop_reg(class(top.ty)),
        };
        self.vmctx();
        let cell = self.follow(self.module.layout.global(global), SCRATCH);
        self.store_reg(top.ty, cell, value);
    }

    fn select(&mut self) {
        let pending = self.take_condition();
        let condition = match pending {
            Some(condition) => condition,
            None => {
                if let Some(bits) = self.constant(0) {
                    self.drop_top();
                    return self.select_constant(bits != 0);
                }
                let condition = self.pop_int();
                return self.select_by(Condition::Flags(Cond::Ne), Some(condition));
            }
        };
        self.select_by(condition, None);
    }

    /// The condition is known: the first operand stays, or the second takes its place.
    fn select_constant(&mut self, first: bool) {
        let second = self.values.peek(0);
        if first {
            return self.drop_top();
        }
        let register = self.pop_reg(class(second.ty));
        self.drop_top();
        self.push_reg(register, second.ty);
    }

    /// Pops the second operand, then the first, and pushes one of them. The condition is in the flags, or will be once
    /// `tested` is compared with zero.
    fn select_by(&mut self, condition: Condition, tested: Option<Gpr>) {
        let ty = self.values.peek(0).ty;
        let second = self.pop_reg(class(ty));
        let result = self.pop_reg_mut(class(ty));
        if let Some(register) = tested {
            self.asm.test_rr(Width::W32, register, register);
        }
        if ty.is_int() {
            let (width, result, second) = (width(ty), result.gpr(), second.gpr());
            match condition {
                Condition::Flags(cond) => self.asm.cmov_rr(cond.invert(), width, result, second),
                Condition::FloatEqual => {
                    self.asm.cmov_rr(Cond::P, width, result, second);
                    self.asm.cmov_rr(Cond::Ne, width, result, second);
                }
                Condition::FloatNotEqual => {
                    // Equal and ordered selects the second.
                    let over = self.asm.new_label();
                    self.jump_on(condition, over);
                    self.asm.mov_rr(width, result, second);
                    self.asm.bind(over);
                }
            }
        } else {
            let over = self.asm.new_label();
            self.jump_on(condition, over);
            self.asm.sse_rr(SseOp::MOVAPS, result.xmm(), second.xmm());
            self.asm.bind(over);
        }
        self.push_reg(result, ty);
    }
}
