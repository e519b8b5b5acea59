//! How operators take their operands and give their results: the face of the value stack that the emitters use.
//!
//! An operator pops its operands, topmost first, emits code, and pushes its results. The rules:
//! 1. `pop_int`/`pop_float` give a register that must not be changed: it may still be a local's, or another operand's.
//!    `pop_int_mut`/`pop_float_mut` give one that may be overwritten; it is usually pushed again as the result.
//!    `pop_int_operand`/`pop_float_operand` give what an instruction takes as its second operand: also an immediate or
//!    memory. `pop_int_to` gives a copy in the register that an instruction demands.
//! 2. What was popped or allocated is *pinned* up to the end of the operator: no later `pop` or `alloc` of the same
//!    operator gives the same register. What is not pushed is free again when the next operator begins.
//!    `reuse_int` gives a result register: the operand's own, if nothing else is in it any more.
//! 3. Registers that an instruction demands are taken with `take_int` *before* anything else is popped, or by
//!    `pop_int_to`; see [`Function::pop_int_to`].
//! 4. All of these may emit moves, loads and stores, none of which changes the flags. So a comparison emits its `cmp`
//!    last and calls `push_condition`.
//! 5. An `i32` in a register is always zero-extended to 64 bits; who pushes one sees to that (32-bit instructions do).
//! 6. `r11` and `xmm15` ([`SCRATCH`], [`SCRATCH_FLOAT`]) are never allocated. Any `pop` or `alloc` may change them, so
//!    they serve within one sequence of plain instructions.

use abi::assign::MachineType;

use crate::asm::x64::{Cond, Gpr, Mem, Width, Xmm};
use crate::function::Function;
use crate::regs::{NONE, Reg, RegSet};
use crate::value_stack::Value;

/// The integer register that is never allocated.
pub(crate) const SCRATCH: Gpr = Gpr::R11;

/// The vector register that is never allocated.
pub(crate) const SCRATCH_FLOAT: Xmm = Xmm::XMM15;

/// An integer as the second operand of an instruction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum IntOperand {
    /// A register that must not be changed.
    Reg(Gpr),
    /// The value: for an `i32` its bits, for an `i64` the number that sign extension makes of it.
    Imm(i32),
    /// A place on the frame.
    Mem(Mem),
}

/// A float or vector as the second operand of an instruction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum FloatOperand {
    /// A register that must not be changed.
    Reg(Xmm),
    /// A place on the frame, or a constant. For vectors only with AVX: places are not aligned to 16 bytes.
    Mem(Mem),
}

/// What a comparison left in the flags.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Condition {
    /// One condition of the machine.
    Flags(Cond),
    /// Equal and ordered, after `ucomis*`.
    FloatEqual,
    /// Not equal or unordered, after `ucomis*`.
    FloatNotEqual,
}

impl Condition {
    pub(crate) fn invert(self) -> Condition {
        match self {
            Condition::Flags(cond) => Condition::Flags(cond.invert()),
            Condition::FloatEqual => Condition::FloatNotEqual,
            Condition::FloatNotEqual => Condition::FloatEqual,
        }
    }
}

/// The width of an integer type.
#[inline]
pub(crate) fn width(ty: MachineType) -> Width {
    if ty == MachineType::I32 { Width::W32 } else { Width::W64 }
}

/// Integer operands.
impl Function<'_> {
    /// Pops an integer into a register that must not be changed.
    #[inline]
    pub(crate) fn pop_int(&mut self) -> Gpr {
        self.pop_reg(RegSet::INTS).gpr()
    }

    /// Pops an integer into a register that may be overwritten.
    #[inline]
    pub(crate) fn pop_int_mut(&mut self) -> Gpr {
        self.pop_reg_mut(RegSet::INTS).gpr()
    }

    /// Pops an integer as an instruction's second operand.
    #[inline]
    pub(crate) fn pop_int_operand(&mut self) -> IntOperand {
        let top = self.values.peek(0);
        let immediate = match top.value() {
            Value::Const(bits) if top.ty == MachineType::I32 => Some(bits as i32),
            Value::Const(bits) => i32::try_from(bits.cast_signed()).ok(),
            Value::Image => {
                self.values.pop();
                return IntOperand::Mem(self.place(top.depth));
            }
            Value::Reg(_) => None,
        };
        match immediate {
            Some(value) => {
                self.values.pop();
                IntOperand::Imm(value)
            }
            None => IntOperand::Reg(self.pop_int()),
        }
    }

    /// Pops an integer into this register, which may then be overwritten. Whatever else was in the register is moved
    /// away. The register must not be pinned by this operator, so pop what must be somewhere in particular first.
    pub(crate) fn pop_int_to(&mut self, register: Gpr) -> Gpr {
        let to = Reg::int(register);
        let slot = self.values.peek(0);
        if slot.register() == Some(to) {
            let owner = self.regs.owner(to);
            if owner.local == NONE && owner.uses == 1 {
                return self.pop_int();
            }
        }
        self.take_reg(to);
        let slot = self.values.pop();
        if let Some(from) = slot.register() {
            self.regs.drop_use(from);
        }
        self.load_value(to, slot);
        register
    }

    /// Pops the operands of a division: the dividend goes to `rax`, which may be changed; the divisor to the register
    /// given, which must not be and is neither `rax` nor `rdx`. `rdx` is free.
    pub(crate) fn pop_division(&mut self) -> Gpr {
        let rax = Reg::int(Gpr::RAX);
        let in_place = self.own_register(1) == Some(rax);
        if in_place {
            self.regs.pinned.insert(rax);
        } else {
            self.take_reg(rax);
        }
        self.take_reg(Reg::int(Gpr::RDX));
        let divisor = self.pop_int();
        let dividend = self.values.pop();
        if let Some(from) = dividend.register() {
            self.regs.drop_use(from);
        }
        if !in_place {
            self.load_value(rax, dividend);
        }
        divisor
    }

    /// A register for the result: the one that `operand` was popped to if nothing else is in it any more, or a new one.
    #[inline]
    pub(crate) fn reuse_int(&mut self, operand: Gpr) -> Gpr {
        if self.is_spent(operand.into()) { operand } else { self.alloc_int() }
    }

    /// Frees this register: what is in it is moved away. Pinned up to the end of the operator.
    pub(crate) fn take_int(&mut self, register: Gpr) {
        self.take_reg(Reg::int(register));
    }

    /// A register for a result or for the time of the operator.
    #[inline]
    pub(crate) fn alloc_int(&mut self) -> Gpr {
        self.alloc(RegSet::INTS).gpr()
    }

    /// Pushes an integer or a reference. The register may be one that was popped without the right to change it.
    #[inline]
    pub(crate) fn push_int(&mut self, register: Gpr, ty: MachineType) {
        self.push_reg(Reg::int(register), ty);
    }

    /// Pushes a constant: its bits, those of a 32-bit type zero-extended. Not for vectors.
    #[inline]
    pub(crate) fn push_const(&mut self, ty: MachineType, bits: u64) {
        self.values.push(ty, Value::Const(bits));
    }

    /// The constant `from_top` places below the topmost operand, if it is one. Pops nothing.
    #[inline]
    pub(crate) fn constant(&self, from_top: u32) -> Option<u64> {
        self.values.peek(from_top).constant()
    }

    /// The register of the operand `from_top` places below the topmost one, if it is in one that only it uses: one that
    /// `pop_int_mut` or `pop_float_mut` would give without a move. Pops nothing.
    pub(crate) fn own_register(&self, from_top: u32) -> Option<Reg> {
        let register = self.values.peek(from_top).register()?;
        let owner = self.regs.owner(register);
        (owner.local == NONE && owner.uses == 1).then_some(register)
    }

    /// Pops an operand and forgets it.
    #[inline]
    pub(crate) fn drop_top(&mut self) {
        if let Some(register) = self.values.pop().register() {
            self.regs.drop_use(register);
        }
    }

    /// Pushes the `i32` 1 or 0 that this condition on the flags is. It stays in the flags up to the next operator, so
    /// this is the operator's last step.
    #[inline]
    pub(crate) fn push_condition(&mut self, condition: Condition) {
        self.pending = Some(condition);
    }

    /// The condition the operator before left in the flags, if it did: the topmost operand, popped. Only for operators
    /// that the visitor does not make to begin with it in a register; see [`Function::begin`].
    #[inline]
    pub(crate) fn take_condition(&mut self) -> Option<Condition> {
        self.pending.take()
    }

    /// Puts a pending condition in a register.
    #[cold]
    #[inline(never)]
    pub(crate) fn settle_condition(&mut self) {
        let Some(condition) = self.pending.take() else { return };
        let register = self.alloc_int();
        self.set_from(condition, register);
        self.push_int(register, MachineType::I32);
        self.regs.unpin();
    }

    /// `register` = 1 if the condition holds, else 0.
    pub(crate) fn set_from(&mut self, condition: Condition, register: Gpr) {
        use crate::asm::x64::Alu;
        let asm = &mut self.asm;
        match condition {
            Condition::Flags(cond) => asm.setcc(cond, register),
            Condition::FloatEqual => {
                asm.setcc(Cond::Np, SCRATCH);
                asm.setcc(Cond::E, register);
                asm.alu_rr(Alu::And, Width::W32, register, SCRATCH);
            }
            Condition::FloatNotEqual => {
                asm.setcc(Cond::P, SCRATCH);
                asm.setcc(Cond::Ne, register);
                asm.alu_rr(Alu::Or, Width::W32, register, SCRATCH);
            }
        }
        asm.movzx8_rr(register, register);
    }
}

/// Float and vector operands.
impl Function<'_> {
    /// Pops a float or vector into a register that must not be changed.
    #[inline]
    pub(crate) fn pop_float(&mut self) -> Xmm {
        self.pop_reg(RegSet::FLOATS).xmm()
    }

    /// Pops a float or vector into a register that may be overwritten.
    #[inline]
    pub(crate) fn pop_float_mut(&mut self) -> Xmm {
        self.pop_reg_mut(RegSet::FLOATS).xmm()
    }

    /// Pops a float or vector as an instruction's second operand.
    #[inline]
    pub(crate) fn pop_float_operand(&mut self) -> FloatOperand {
        let top = self.values.peek(0);
        let mem = match top.value() {
            Value::Reg(_) => None,
            Value::Image if top.ty == MachineType::V128 && !self.features.avx => None,
            Value::Image => Some(self.place(top.depth)),
            Value::Const(bits) if top.ty == MachineType::F32 => Some(Mem::rip(self.asm.constant32(bits as u32))),
            Value::Const(bits) => Some(Mem::rip(self.asm.constant64(bits))),
        };
        match mem {
            Some(mem) => {
                self.values.pop();
                FloatOperand::Mem(mem)
            }
            None => FloatOperand::Reg(self.pop_float()),
        }
    }

    /// A register for the result: the one that `operand` was popped to if nothing else is in it any more, or a new one.
    #[inline]
    pub(crate) fn reuse_float(&mut self, operand: Xmm) -> Xmm {
        if self.is_spent(operand.into()) { operand } else { self.alloc_float() }
    }

    /// A register for a result or for the time of the operator.
    #[inline]
    pub(crate) fn alloc_float(&mut self) -> Xmm {
        self.alloc(RegSet::FLOATS).xmm()
    }

    /// Pushes a float or vector. The register may be one that was popped without the right to change it.
    #[inline]
    pub(crate) fn push_float(&mut self, register: Xmm, ty: MachineType) {
        self.push_reg(Reg::float(register), ty);
    }
}

/// Operands of either class.
impl Function<'_> {
    pub(crate) fn pop_reg(&mut self, class: RegSet) -> Reg {
        let slot = self.values.pop();
        match slot.register() {
            Some(register) => {
                self.regs.drop_use(register);
                self.regs.pin_popped(register);
                register
            }
            None => {
                let register = self.alloc(class);
                self.load_value(register, slot);
                register
            }
        }
    }

    pub(crate) fn pop_reg_mut(&mut self, class: RegSet) -> Reg {
        let slot = self.values.pop();
        if let Some(register) = slot.register() {
            self.regs.drop_use(register);
            self.regs.pin_popped(register);
            if self.is_spent(register) {
                return register;
            }
        }
        let register = self.alloc(class);
        self.load_value(register, slot);
        register
    }

    /// Holds the register nothing but the one value that the operator popped to it?
    #[inline]
    pub(crate) fn is_spent(&self, register: Reg) -> bool {
        let owner = self.regs.owner(register);
        owner.local == NONE && owner.uses == 0 && !self.regs.shared.contains(register)
    }

    #[inline]
    pub(crate) fn push_reg(&mut self, register: Reg, ty: MachineType) {
        let slot = self.values.height();
        self.values.push(ty, Value::Reg(register));
        self.regs.add_use(register, slot);
    }

    /// A free register of the class, pinned.
    #[inline]
    pub(crate) fn alloc(&mut self, class: RegSet) -> Reg {
        let available = self.regs.available().and(class);
        let cheap = available.without(RegSet::CALLEE_SAVED);
        let register = match cheap.first() {
            Some(register) => register,
            None => self.alloc_slowly(class),
        };
        self.regs.pinned.insert(register);
        register
    }

    #[cold]
    #[inline(never)]
    fn alloc_slowly(&mut self, class: RegSet) -> Reg {
        let available = self.regs.available().and(class);
        if let Some(register) = available.and(self.regs.saved).first().or(available.first()) {
            self.regs.saved.insert(register);
            return register;
        }
        self.evict_one(class)
    }
}
