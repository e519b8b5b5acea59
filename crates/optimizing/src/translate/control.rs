//! Control: blocks become basic blocks whose parameters are the operands that cross a branch.
//!
//! A block that nothing branches to costs nothing: its label is made at the first branch. In unreachable code only the
//! nesting is counted, up to the `else` or `end` that makes code reachable again.

use std::ops::Range;

use abi::layout::VALUE_SLOT;
use abi::trap::TrapReason;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, BlockArg, BlockCall, InstBuilder, JumpTableData, MemFlagsData, Value};
use wasm::ops::{BlockType, BrTable, Control};

use super::region::Region;
use super::state::{Translator, value_type};

/// Most targets of a `br_table` that becomes a chain of compares.
const CHAIN: u32 = 4;

/// An open block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    kind: FrameKind,
    ty: BlockType,
    /// Operands below the block's parameters.
    height: usize,
    /// Where a branch goes: a loop's header, or what follows the `end`, if anything branches there yet.
    label: Option<Block>,
    /// While a `br_table` is translated: the block on the way to the label.
    edge: Option<Block>,
    /// The loop that an OSR entry starts in lies inside.
    around_resumption: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum FrameKind {
    Function,
    Block,
    Loop,
    /// The parameters are on the operand stack twice: once for the `else` arm.
    If {
        otherwise: Block,
    },
    Else,
}

/// Does a table name its labels so often, or so many of them, that a block on the way to each pays even without operands?
/// The values that merge at a label cost time and code for each entry that names it.
fn is_crowded(table: BrTable<'_>) -> bool {
    if table.len() <= 32 {
        return false;
    }
    let mut labels: Vec<u32> = table.targets().chain([table.default()]).collect();
    labels.sort_unstable();
    labels.dedup();
    table.len() > 1024 || table.len() as usize >= 4 * labels.len()
}

impl Translator<'_> {
    /// Opens the block that is the function's body.
    pub(crate) fn open_function(&mut self) {
        self.open(FrameKind::Function, BlockType::Empty, None);
    }

    pub(crate) fn translate_control(&mut self, op: Control<'_>) {
        match op {
            Control::Nop => self.free_operator(),
            Control::Unreachable => self.trap(TrapReason::Unreachable),
            Control::Block(ty) => {
                self.free_operator();
                let around = self.save_around(ty.params(self.module.info).len());
                self.open_around(around, FrameKind::Block, ty, None);
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
                self.settle_fuel();
                self.close();
            }
            Control::Br(depth) => self.branch(depth),
            Control::BrIf(depth) => {
                let condition = self.pop();
                self.branch_if(condition, depth);
            }
            Control::BrTable(table) => self.branch_table(table),
            Control::Return => self.return_results(),
            Control::BrOnNull(depth) => {
                let reference = self.pop();
                let null = self.is_null(reference);
                self.branch_if(null, depth);
                self.push(reference);
            }
            Control::BrOnNonNull(depth) => {
                // The reference is the branch's last operand; falling through drops it.
                let reference = *self.scratch.stack.last().expect("validation counted the operands");
                let null = self.is_null(reference);
                self.branch_unless(null, depth);
                self.pop();
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

    fn open(&mut self, kind: FrameKind, ty: BlockType, label: Option<Block>) {
        let height = self.height() - ty.params(self.module.info).len();
        let frame = Frame { kind, ty, height, label, edge: None, around_resumption: false };
        self.scratch.frames.push(frame);
    }

    /// Opens a block that the resumed loop may lie in.
    fn open_around(&mut self, around_resumption: bool, kind: FrameKind, ty: BlockType, label: Option<Block>) {
        self.open(kind, ty, label);
        if let Some(frame) = self.scratch.frames.last_mut() {
            frame.around_resumption = around_resumption;
        }
    }

    /// The operands that are on the stack for the `else` arm of the innermost block, not for the code under translation.
    pub(crate) fn operands_for_else(&self) -> Range<usize> {
        match self.scratch.frames.last() {
            Some(Frame { kind: FrameKind::If { .. }, ty, height, .. }) => {
                *height..height + ty.params(self.module.info).len()
            }
            _ => 0..0,
        }
    }

    fn open_loop(&mut self, ty: BlockType) {
        self.settle_fuel();
        let header = self.builder.create_block();
        let params = ty.params(self.module.info);
        for &param in params {
            self.builder.append_block_param(header, value_type(param));
        }
        let around = self.save_around(params.len());
        self.jump(header, params.len());
        if self.is_resumed() {
            self.resume(header, params);
        }
        self.open_around(around, FrameKind::Loop, ty, Some(header));
        self.builder.switch_to_block(header);
        let height = self.height() - params.len();
        self.scratch.stack.truncate(height);
        self.push_block_params(header);
        if around {
            self.merge_around(height);
        }
        self.meter.enter_loop();
        self.poll_loop();
    }

    fn open_if(&mut self, ty: BlockType) {
        let condition = self.pop();
        self.settle_fuel();
        let around = self.save_around(ty.params(self.module.info).len());
        let (then, otherwise) = (self.builder.create_block(), self.builder.create_block());
        self.builder.ins().brif(condition, then, &[], otherwise, &[]);
        self.builder.seal_block(then);
        self.builder.switch_to_block(then);
        self.open_around(around, FrameKind::If { otherwise }, ty, None);
        let start = self.height() - ty.params(self.module.info).len();
        self.scratch.stack.extend_from_within(start..);
    }

    fn switch_to_else(&mut self) {
        let top = self.scratch.frames.len() - 1;
        let frame = self.scratch.frames[top];
        let FrameKind::If { otherwise } = frame.kind else { return };
        if self.reachable {
            self.settle_fuel();
            let results = frame.ty.results(self.module.info).len();
            let label = self.label(top);
            self.jump(label, results);
        }
        self.scratch.frames[top].kind = FrameKind::Else;
        self.builder.seal_block(otherwise);
        self.builder.switch_to_block(otherwise);
        self.scratch.stack.truncate(frame.height + frame.ty.params(self.module.info).len());
        if frame.around_resumption {
            self.merge_around(frame.height);
        }
        self.reachable = true;
    }

    /// Closes the innermost block: control goes on behind it if its end or a branch to it can be reached.
    fn close(&mut self) {
        let top = self.scratch.frames.len() - 1;
        let kind = self.scratch.frames[top].kind;
        match kind {
            FrameKind::Function => return self.close_function(),
            FrameKind::If { otherwise } => self.close_missing_else(top, otherwise),
            FrameKind::Block | FrameKind::Loop | FrameKind::Else => {}
        }
        let Some(frame) = self.scratch.frames.pop() else { return };
        let results = frame.ty.results(self.module.info).len();
        match (kind, frame.label) {
            (FrameKind::Loop, Some(header)) => {
                self.meter.leave_loop();
                self.builder.seal_block(header);
                self.keep_results(frame.height, results);
            }
            (_, Some(label)) => {
                if self.reachable {
                    self.jump(label, results);
                }
                self.builder.seal_block(label);
                self.builder.switch_to_block(label);
                self.scratch.stack.truncate(frame.height);
                self.push_block_params(label);
                if frame.around_resumption {
                    self.merge_around(frame.height);
                }
                self.reachable = true;
            }
            (_, None) => self.keep_results(frame.height, results),
        }
    }

    /// An `if` without `else` passes its parameters on when the condition is zero.
    fn close_missing_else(&mut self, top: usize, otherwise: Block) {
        let frame = self.scratch.frames[top];
        let params = frame.ty.params(self.module.info).len();
        if params == 0 && frame.label.is_none() {
            // The empty arm itself is what follows.
            self.scratch.frames[top].label = Some(otherwise);
            return;
        }
        self.switch_to_else();
    }

    fn close_function(&mut self) {
        let results = self.body.ty.results().len();
        let Some(frame) = self.scratch.frames.pop() else { return };
        match frame.label {
            Some(label) => {
                if self.reachable {
                    self.jump(label, results);
                }
                self.builder.seal_block(label);
                self.builder.switch_to_block(label);
                self.scratch.stack.truncate(frame.height);
                self.push_block_params(label);
                self.reachable = true;
            }
            None => self.keep_results(frame.height, results),
        }
        if self.reachable && self.is_outermost() {
            self.return_results();
        }
    }

    /// Leaves a block by its end: drops what lies between its bottom and its results.
    fn keep_results(&mut self, height: usize, results: usize) {
        if self.reachable {
            let first = self.height() - results;
            self.scratch.stack.drain(height..first);
        } else {
            self.scratch.stack.truncate(height);
        }
    }

    fn push_block_params(&mut self, block: Block) {
        let params = self.builder.func.dfg.block_params(block);
        self.scratch.stack.extend_from_slice(params);
    }

    /// The position of the block `depth` levels out.
    fn frame_at(&self, depth: u32) -> usize {
        self.scratch.frames.len() - 1 - depth as usize
    }

    /// The block a branch to this frame goes to.
    fn label(&mut self, at: usize) -> Block {
        let frame = self.scratch.frames[at];
        if let Some(label) = frame.label {
            return label;
        }
        let label = self.builder.create_block();
        let info = self.module.info;
        let results = frame.ty.results(info);
        let results = if frame.kind == FrameKind::Function { self.body.ty.results() } else { results };
        for &result in results {
            self.builder.append_block_param(label, value_type(result));
        }
        self.scratch.frames[at].label = Some(label);
        label
    }

    /// How many operands a branch to this frame takes along.
    fn branch_arity(&self, at: usize) -> usize {
        let frame = &self.scratch.frames[at];
        match frame.kind {
            FrameKind::Function => self.body.ty.results().len(),
            FrameKind::Loop => frame.ty.params(self.module.info).len(),
            FrameKind::Block | FrameKind::If { .. } | FrameKind::Else => frame.ty.results(self.module.info).len(),
        }
    }

    /// Readies the topmost operands as arguments of a branch.
    fn prepare_args(&mut self, count: usize) {
        let first = self.height() - count;
        self.scratch.args.clear();
        self.scratch.args.extend(self.scratch.stack[first..].iter().map(|&value| BlockArg::Value(value)));
    }

    fn jump(&mut self, block: Block, args: usize) {
        self.prepare_args(args);
        self.builder.ins().jump(block, &self.scratch.args);
    }

    fn branch(&mut self, depth: u32) {
        let at = self.frame_at(depth);
        if at == self.body.frames {
            return self.return_results();
        }
        self.settle_fuel();
        let (label, arity) = (self.label(at), self.branch_arity(at));
        self.jump(label, arity);
        self.reachable = false;
    }

    fn branch_if(&mut self, condition: Value, depth: u32) {
        self.settle_fuel();
        let at = self.frame_at(depth);
        let (label, arity) = (self.label(at), self.branch_arity(at));
        self.prepare_args(arity);
        let next = self.builder.create_block();
        self.builder.ins().brif(condition, label, &self.scratch.args, next, &[]);
        self.builder.seal_block(next);
        self.builder.switch_to_block(next);
    }

    fn branch_unless(&mut self, condition: Value, depth: u32) {
        self.settle_fuel();
        let at = self.frame_at(depth);
        let (label, arity) = (self.label(at), self.branch_arity(at));
        self.prepare_args(arity);
        let next = self.builder.create_block();
        self.builder.ins().brif(condition, next, &[], label, &self.scratch.args);
        self.builder.seal_block(next);
        self.builder.switch_to_block(next);
    }

    fn branch_table(&mut self, table: BrTable<'_>) {
        let index = self.pop();
        if table.is_empty() {
            self.branch(table.default());
            return;
        }
        self.settle_fuel();
        if table.len() <= CHAIN {
            return self.branch_chain(index, table);
        }
        let arity = self.branch_arity(self.frame_at(table.default()));
        let is_direct = arity == 0 && !is_crowded(table);
        let default = self.table_edge(table.default(), is_direct);
        let mut targets = Vec::with_capacity(table.len() as usize);
        for depth in table.targets() {
            targets.push(self.table_edge(depth, is_direct));
        }
        self.meter.add_entries(targets.len());
        let pool = &mut self.builder.func.dfg.value_lists;
        let mut call = |block| BlockCall::new(block, std::iter::empty::<BlockArg>(), pool);
        let default = call(default);
        let targets: Vec<BlockCall> = targets.into_iter().map(call).collect();
        let jump_table = self.builder.create_jump_table(JumpTableData::new(default, &targets));
        self.builder.ins().br_table(index, jump_table);
        if !is_direct {
            self.fill_table_edges(table, arity);
        }
        self.reachable = false;
    }

    /// A `br_table` of few targets: compares, which are predicted better than a jump through a table.
    fn branch_chain(&mut self, index: Value, table: BrTable<'_>) {
        for (number, depth) in (0..).zip(table.targets()) {
            let condition = self.builder.ins().icmp_imm_u(IntCC::Equal, index, number);
            self.branch_if(condition, depth);
        }
        self.branch(table.default());
    }

    /// The block that a `br_table` names for a label: the label itself, or a block on the way to it, one for each label.
    fn table_edge(&mut self, depth: u32, is_direct: bool) -> Block {
        let at = self.frame_at(depth);
        let label = self.label(at);
        if is_direct {
            return label;
        }
        match self.scratch.frames[at].edge {
            Some(edge) => edge,
            None => {
                let edge = self.builder.create_block();
                self.scratch.frames[at].edge = Some(edge);
                edge
            }
        }
    }

    fn fill_table_edges(&mut self, table: BrTable<'_>, arity: usize) {
        for depth in table.targets().chain([table.default()]) {
            let at = self.frame_at(depth);
            let Some(edge) = self.scratch.frames[at].edge.take() else { continue };
            self.builder.seal_block(edge);
            self.builder.switch_to_block(edge);
            let label = self.label(at);
            self.jump(label, arity);
        }
    }

    /// Returns the topmost operands from the body's function: if it is inlined, to what follows it.
    fn return_results(&mut self) {
        if !self.is_outermost() {
            self.settle_fuel();
            let label = self.label(self.body.frames);
            self.jump(label, self.body.ty.results().len());
            self.reachable = false;
            return;
        }
        self.store_fuel();
        let count = self.body.ty.results().len();
        let first = self.height() - count;
        match self.result_buffer {
            None => {
                self.builder.ins().return_(&self.scratch.stack[first..]);
            }
            Some(buffer) => {
                let region = self.region(Region::Values);
                let flags = MemFlagsData::new().with_notrap().with_alias_region(Some(region));
                for (index, &value) in self.scratch.stack[first..].iter().enumerate() {
                    self.builder.ins().store(flags, value, buffer, (index * VALUE_SLOT) as i32);
                }
                self.builder.ins().return_(&[]);
            }
        }
        self.reachable = false;
    }
}
