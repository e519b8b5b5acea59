//! Control: blocks and branches.
//!
//! In unreachable code only the nesting is counted, up to the `else` or `end` that makes code reachable again. The value
//! stack and the registers stay as they were at the last branch, which is what [`Function::adopt`] expects.

use abi::assign::MachineType;
use abi::trap::TrapReason;
use wasm::ops::{BlockType, BrTable, Control};
use wasm::types::ValType;

use crate::asm::x64::{Alu, Cond, Label, Mem, Scale, Width};
use crate::cold::Cold;
use crate::function::Function;
use crate::operand::{Condition, IntOperand, SCRATCH, width};
use crate::regs::RegSet;
use crate::state::{State, StateId, Target};

/// An open block.
#[derive(Clone, Copy)]
pub(crate) struct Frame {
    kind: FrameKind,
    ty: BlockType,
    /// The slot of the block's first parameter or result.
    base: u32,
    /// Where a branch goes and what is in registers there, if anything branches there yet; of a loop always.
    label: Option<(Label, StateId)>,
    /// While a `br_table` is emitted: where it jumps to on the way to the label.
    edge: Option<Edge>,
}

/// Where a `br_table` jumps to.
#[derive(Clone, Copy)]
enum Edge {
    /// To the block's label: nothing is to be done on the way.
    Direct(Label),
    /// To code of its own.
    Own(Label),
}

#[derive(Clone, Copy)]
enum FrameKind {
    Function,
    Block,
    Loop {
        /// Offset of the `loop` operator in the module.
        at: u32,
        /// Where back-edges go whose budget is spent.
        spent: Option<Label>,
    },
    If {
        otherwise: Label,
        state: StateId,
    },
    Else,
}

/// The machine types of Wasm types.
fn machine_types(types: &[ValType]) -> impl Iterator<Item = MachineType> {
    types.iter().map(|&ty| MachineType::of(ty))
}

impl Function<'_> {
    /// Opens the block that is the function's body.
    pub(crate) fn open_function(&mut self) {
        let base = self.values.height();
        let frame = Frame { kind: FrameKind::Function, ty: BlockType::Empty, base, label: None, edge: None };
        self.frames.push(frame);
    }

    #[inline]
    pub(crate) fn emit_control(&mut self, op: Control<'_>) {
        match op {
            Control::Nop => self.free_operator(),
            Control::Unreachable => {
                self.settle_fuel();
                self.trap(TrapReason::Unreachable);
                self.reachable = false;
            }
            Control::Block(ty) => {
                self.free_operator();
                self.flush();
                self.open(FrameKind::Block, ty, None);
            }
            Control::Loop(ty) => {
                self.free_operator();
                self.open_loop(ty);
            }
            Control::If(ty) => self.open_if(ty),
            Control::Else => {
                self.free_operator();
                self.switch_to_else();
            }
            Control::End => {
                self.free_operator();
                self.close();
            }
            Control::Br(depth) => {
                self.settle_fuel();
                self.branch(depth);
                self.reachable = false;
            }
            Control::BrIf(depth) => self.branch_if(depth),
            Control::BrTable(table) => self.branch_table(table),
            Control::Return => {
                self.settle_fuel();
                self.branch(self.frames.len() as u32 - 1);
                self.reachable = false;
            }
            Control::BrOnNull(depth) => {
                self.settle_fuel();
                let ty = self.values.peek(0).ty;
                let reference = self.pop_int();
                self.asm.test_rr(width(ty), reference, reference);
                self.branch_on(Condition::Flags(Cond::E), depth);
                self.push_int(reference, ty);
            }
            Control::BrOnNonNull(depth) => {
                // The reference is the last value that the branch takes along; falling through drops it.
                self.settle_fuel();
                let ty = self.values.peek(0).ty;
                let reference = self.pop_int();
                self.push_int(reference, ty);
                self.asm.test_rr(width(ty), reference, reference);
                self.branch_on(Condition::Flags(Cond::Ne), depth);
                self.drop_top();
            }
        }
    }

    /// Tracks block structure in unreachable code.
    pub(crate) fn skip(&mut self, op: Control<'_>) {
        match op {
            Control::Block(_) | Control::Loop(_) | Control::If(_) => self.skipped += 1,
            Control::Else => {
                if self.skipped == 0 {
                    self.switch_to_else();
                }
            }
            Control::End => match self.skipped.checked_sub(1) {
                Some(left) => self.skipped = left,
                None => self.close(),
            },
            Control::Unreachable
            | Control::Nop
            | Control::Br(_)
            | Control::BrIf(_)
            | Control::BrTable(_)
            | Control::Return
            | Control::BrOnNull(_)
            | Control::BrOnNonNull(_) => {}
        }
    }

    fn open(&mut self, kind: FrameKind, ty: BlockType, label: Option<(Label, StateId)>) {
        let base = self.values.height() - ty.params(self.module.info).len() as u32;
        self.frames.push(Frame { kind, ty, base, label, edge: None });
    }

    fn open_loop(&mut self, ty: BlockType) {
        self.settle_fuel();
        self.flush();
        let state = self.loop_state();
        let state = self.states.keep(state);
        let header = self.asm.label_here();
        self.open(FrameKind::Loop { at: self.at, spent: None }, ty, Some((header, state)));
        self.loops.push(self.calls);
        self.poll_loop();
    }

    fn open_if(&mut self, ty: BlockType) {
        // Settling changes the flags: a condition that is in them goes to a register first.
        if self.settings().fuel {
            self.settle_condition();
            self.settle_fuel();
        }
        let condition = match self.take_condition() {
            Some(condition) => condition,
            None => self.test_top(),
        };
        self.flush();
        self.settle_locals();
        let state = self.state_here();
        let state = self.states.keep(state);
        let otherwise = self.asm.new_label();
        self.jump_on(condition.invert(), otherwise);
        self.open(FrameKind::If { otherwise, state }, ty, None);
    }

    /// Pops an `i32` and compares it with zero.
    fn test_top(&mut self) -> Condition {
        match self.pop_int_operand() {
            IntOperand::Reg(register) => self.asm.test_rr(Width::W32, register, register),
            IntOperand::Mem(mem) => self.asm.alu_mi(Alu::Cmp, Width::W32, mem, 0),
            IntOperand::Imm(value) => {
                self.asm.mov_ri(SCRATCH, u64::from(value.cast_unsigned()));
                self.asm.test_rr(Width::W32, SCRATCH, SCRATCH);
            }
        }
        Condition::Flags(Cond::Ne)
    }

    fn switch_to_else(&mut self) {
        let top = self.frames.len() - 1;
        let frame = self.frames[top];
        let FrameKind::If { otherwise, state } = frame.kind else { return };
        if self.reachable {
            self.settle_fuel();
            self.branch(0);
        }
        self.frames[top].kind = FrameKind::Else;
        self.asm.bind(otherwise);
        let info = self.module.info;
        self.adopt_kept(state, frame.base, frame.ty.params(info));
        self.states.give_back(state);
        self.reachable = true;
    }

    fn adopt_kept(&mut self, state: StateId, base: u32, types: &[ValType]) {
        let states = std::mem::take(&mut self.states);
        self.adopt(states.get(state), base, machine_types(types));
        self.states = states;
    }

    /// Closes the innermost block: control goes on behind it if its end or a branch to it can be reached.
    fn close(&mut self) {
        if self.reachable {
            self.settle_fuel();
        }
        let Some(top) = self.frames.len().checked_sub(1) else { return };
        match self.frames[top].kind {
            FrameKind::Function => return self.close_function(),
            FrameKind::If { otherwise, state } => self.close_missing_else(top, otherwise, state),
            FrameKind::Loop { at, spent } => self.close_loop(top, at, spent),
            FrameKind::Block | FrameKind::Else => {}
        }
        let Some(frame) = self.frames.pop() else { return };
        let Some((label, state)) = frame.label else { return };
        if matches!(frame.kind, FrameKind::Loop { .. }) {
            self.states.give_back(state);
            return;
        }
        let info = self.module.info;
        let results = frame.ty.results(info);
        if self.reachable {
            self.weaken(state);
        }
        if self.reachable {
            let states = std::mem::take(&mut self.states);
            self.conform(states.get(state), Target { base: frame.base, arity: results.len() as u32 });
            self.states = states;
        } else {
            self.asm.take_back_jump(label);
        }
        self.asm.bind(label);
        self.adopt_kept(state, frame.base, results);
        self.states.give_back(state);
        self.reachable = true;
    }

    /// An `if` without `else` passes its parameters on when the condition is zero.
    fn close_missing_else(&mut self, top: usize, otherwise: Label, state: StateId) {
        let frame = &mut self.frames[top];
        if frame.label.is_none() {
            // The empty arm is what follows: the other one conforms to it.
            frame.label = Some((otherwise, state));
            return;
        }
        self.switch_to_else();
    }

    /// Sees to it that back-edges whose budget is spent have a place to go to.
    fn close_loop(&mut self, top: usize, at: u32, spent: Option<Label>) {
        let frame = self.frames[top];
        self.loops.pop();
        let (Some((header, state)), Some(spent)) = (frame.label, spent) else { return };
        let state = self.states.get(state).clone();
        let params = machine_types(frame.ty.params(self.module.info));
        let image = self.image_of(&state, frame.base, params);
        self.cold.push(Cold::SpentLoop { label: spent, header, at, image });
    }

    fn close_function(&mut self) {
        if self.reachable {
            self.move_results();
        } else {
            let epilogue = self.epilogue;
            self.asm.take_back_jump(epilogue);
        }
        self.frames.pop();
        self.reachable = false;
    }

    /// The position of the block `depth` levels out.
    fn frame_at(&self, depth: u32) -> usize {
        (self.frames.len() - 1).saturating_sub(depth as usize)
    }

    /// Brings image places of locals up to date before the state of a label further down is fixed, so that branches to it
    /// which do not have them in registers need not load them. Not where that may be in a hot loop, unless it makes calls,
    /// before which they would be stored anyway.
    fn settle_locals(&mut self) {
        if self.is_small || self.loops.last().is_some_and(|&calls| calls == self.calls) {
            return;
        }
        for register in self.regs.dirty.without(RegSet::CALLEE_SAVED).iter() {
            let local = self.regs.owner(register).local;
            self.store_if_dirty(register, local);
        }
    }

    /// What a branch to this frame takes along.
    fn target(&self, at: usize) -> Target {
        let frame = &self.frames[at];
        let info = self.module.info;
        let arity = match frame.kind {
            FrameKind::Function => self.ty.results().len(),
            FrameKind::Loop { .. } => frame.ty.params(info).len(),
            FrameKind::Block | FrameKind::If { .. } | FrameKind::Else => frame.ty.results(info).len(),
        };
        Target { base: frame.base, arity: arity as u32 }
    }

    /// Label and state of a frame that is not the function's.
    fn label(&mut self, at: usize, target: Target) -> (Label, StateId) {
        if let Some((label, state)) = self.frames[at].label {
            if !matches!(self.frames[at].kind, FrameKind::Loop { .. }) {
                self.weaken(state);
            }
            return (label, state);
        }
        self.settle_locals();
        let state = self.state_for(target);
        let label = (self.asm.new_label(), self.states.keep(state));
        self.frames[at].label = Some(label);
        label
    }

    /// Goes to the block `depth` levels out.
    fn branch(&mut self, depth: u32) {
        let at = self.frame_at(depth);
        if at == 0 {
            self.move_results();
            let epilogue = self.epilogue;
            self.asm.jmp(epilogue);
            return;
        }
        let target = self.target(at);
        let (label, state) = self.label(at, target);
        let states = std::mem::take(&mut self.states);
        self.conform(states.get(state), target);
        self.jump_conformed(at, label, states.get(state));
        self.states = states;
    }

    /// Jumps to a label to whose state everything conforms.
    fn jump_conformed(&mut self, at: usize, label: Label, state: &State) {
        let FrameKind::Loop { at: operator, spent } = self.frames[at].kind else { return self.asm.jmp(label) };
        if !self.settings().profile {
            return self.asm.jmp(label);
        }
        let spent = match spent {
            Some(spent) => spent,
            None => {
                let spent = self.asm.new_label();
                self.frames[at].kind = FrameKind::Loop { at: operator, spent: Some(spent) };
                spent
            }
        };
        let context = self.context_in(state, SCRATCH);
        self.spend_on_loop(context, label);
        self.asm.jcc(Cond::Ns, label);
        self.asm.jmp(spent);
    }

    fn branch_if(&mut self, depth: u32) {
        if self.settings().fuel {
            self.settle_condition();
            self.settle_fuel();
        }
        let condition = match self.take_condition() {
            Some(condition) => condition,
            None => self.test_top(),
        };
        self.branch_on(condition, depth);
    }

    /// Goes to the block `depth` levels out if the condition holds.
    fn branch_on(&mut self, condition: Condition, depth: u32) {
        let at = self.frame_at(depth);
        if at == 0 {
            if self.ty.results().is_empty() {
                let epilogue = self.epilogue;
                return self.jump_on(condition, epilogue);
            }
        } else {
            let target = self.target(at);
            let (label, state) = self.label(at, target);
            if !self.spends(at) && self.conforms(self.states.get(state), target) {
                return self.jump_on(condition, label);
            }
        }
        let over = self.asm.new_label();
        self.jump_on(condition.invert(), over);
        self.branch(depth);
        self.asm.bind(over);
    }

    fn branch_table(&mut self, table: BrTable<'_>) {
        self.settle_fuel();
        if table.is_empty() {
            self.drop_top();
            self.branch(table.default());
            self.reachable = false;
            return;
        }
        let index = self.pop_int();
        let entry = self.alloc_int();
        // Here, for all edges.
        self.settle_locals();
        let default = self.edge(table.default());
        let mut targets = std::mem::take(&mut self.labels);
        targets.clear();
        for depth in table.targets() {
            targets.push(self.edge(depth));
        }
        let entries = self.asm.emit_jump_table(&targets);
        self.labels = targets;
        self.asm.alu_ri(Alu::Cmp, Width::W32, index, table.len().cast_signed());
        self.asm.jcc(Cond::Ae, default);
        let mut place = index;
        if self.settings().spectre_guards {
            // Even a mispredicted jump goes to one of the targets.
            self.asm.mov_rr(Width::W32, entry, index);
            self.asm.mov_ri(SCRATCH, 0);
            self.asm.cmov_rr(Cond::Ae, Width::W32, entry, SCRATCH);
            place = entry;
        }
        self.asm.lea(Width::W64, SCRATCH, Mem::rip(entries));
        self.asm.movsxd_rm(entry, Mem::indexed(SCRATCH, place, Scale::X4, 0));
        self.asm.alu_rr(Alu::Add, Width::W64, SCRATCH, entry);
        self.asm.jmp_r(SCRATCH);
        self.emit_edges(table);
        self.reachable = false;
    }

    /// Where a `br_table` jumps to for a label: the same for all its targets with this label.
    fn edge(&mut self, depth: u32) -> Label {
        let at = self.frame_at(depth);
        let edge = match self.frames[at].edge {
            Some(edge) => edge,
            None => {
                let edge = self.new_edge(at);
                self.frames[at].edge = Some(edge);
                edge
            }
        };
        match edge {
            Edge::Direct(label) | Edge::Own(label) => label,
        }
    }

    fn new_edge(&mut self, at: usize) -> Edge {
        if at != 0 {
            let target = self.target(at);
            let (label, state) = self.label(at, target);
            if !self.spends(at) && self.conforms(self.states.get(state), target) {
                return Edge::Direct(label);
            }
        }
        Edge::Own(self.asm.new_label())
    }

    /// Do branches to this frame spend from the budget?
    fn spends(&self, at: usize) -> bool {
        self.settings().profile && matches!(self.frames[at].kind, FrameKind::Loop { .. })
    }

    fn emit_edges(&mut self, table: BrTable<'_>) {
        for depth in table.targets().chain([table.default()]) {
            let at = self.frame_at(depth);
            if let Some(Edge::Own(edge)) = self.frames[at].edge.take() {
                self.asm.bind(edge);
                self.branch(depth);
            }
        }
    }
}
