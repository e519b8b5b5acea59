//! Inlined calls: the callee's body, translated where the call would be.
//!
//! An inlined body has its own locals and blocks, above those of its caller in the same lists, and its own range of
//! locations. A return is a branch to what follows the body. A call through a reference compares that with the
//! references to the planned targets, which lie at fixed places of the instance context: if it is one of them, then
//! instance and function are known; else the call is made as ever.
//!
//! Fuel is counted as if the call were made. Epochs are not checked where an inlined body starts: without a loop or a call
//! that is made, it ends soon.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, BlockArg, InstBuilder, Opcode, SourceLoc, Value};
use wasm::decode::code::BodyReader;
use wasm::types::{FuncType, TypeIndex};

use super::Translated;
use super::state::{Body, Translator, value_type};
use crate::inline::{Inlinee, Plan, Site};

impl<'a> Translator<'a> {
    /// What is planned for the call at hand.
    pub(crate) fn planned_site(&self) -> Option<&'a Site> {
        let plan: &'a Plan<'a> = self.plan?;
        plan.site(self.body.node, self.at)
    }

    /// Moves the code of a call that never runs out of the way.
    pub(crate) fn mark_cold(&mut self, site: Option<&Site>) {
        if !site.is_some_and(|site| site.cold) {
            return;
        }
        if let Some(block) = self.builder.current_block()
            && self.builder.func.layout.entry_block() != Some(block)
        {
            self.builder.set_cold_block(block);
        }
    }

    /// Translates the body of an inlined call, whose arguments are the topmost operands.
    pub(crate) fn inline_body(&mut self, inlinee: Inlinee) -> Translated {
        let Some(plan) = self.plan else { return Ok(()) };
        let node = &plan.nodes[inlinee.node];
        let ty = self.module.info.func_type(inlinee.function);
        let call = self.at;
        self.settle_fuel();
        let body = Body {
            node: inlinee.node,
            ty,
            locals: self.scratch.locals.len(),
            frames: self.scratch.frames.len(),
            // Locations may lie below offsets.
            shift: node.location.wrapping_sub(node.body.offset as u32),
        };
        let caller = std::mem::replace(&mut self.body, body);
        self.builder.set_srcloc(SourceLoc::new(node.location));
        let first = self.height() - ty.params().len();
        for (index, &param) in ty.params().iter().enumerate() {
            let local = self.builder.declare_var(value_type(param));
            self.builder.def_var(local, self.scratch.stack[first + index]);
            self.scratch.locals.push(local);
        }
        self.scratch.stack.truncate(first);
        self.part_frames();
        let mut reader = BodyReader::new(node.body.bytes, node.body.offset);
        let locals = reader.locals()?;
        self.declare_locals(&locals);
        self.check_fuel();
        self.open_function();
        reader.visit_all(self)?;
        self.scratch.locals.truncate(self.body.locals);
        self.body = caller;
        self.locate(call);
        if self.reachable {
            self.part_frames();
        }
        Ok(())
    }

    /// Keeps a load of one frame out of an instruction of another, to which its trap would be put down. Takes no code.
    fn part_frames(&mut self) {
        let Some(block) = self.builder.current_block() else { return };
        let func = &*self.builder.func;
        let opcodes = func.layout.block_insts(block).rev().map(|inst| func.dfg.insts[inst].opcode());
        let mut since_last = opcodes.take_while(|&opcode| opcode != Opcode::SequencePoint);
        if since_last.any(Opcode::can_load) {
            self.builder.ins().sequence_point();
        }
    }

    /// Calls what `reference` refers to, inlined if it is one of the targets; `otherwise` makes the ordinary call.
    pub(crate) fn call_guarded(
        &mut self,
        reference: Value,
        ty: TypeIndex,
        site: &Site,
        otherwise: impl FnOnce(&mut Self),
    ) -> Translated {
        let Some(ty) = self.module.info.type_func(ty) else { return Ok(()) };
        self.settle_fuel();
        let first = self.height() - ty.params().len();
        let args: Vec<Value> = self.scratch.stack.drain(first..).collect();
        let next = self.builder.create_block();
        for &result in ty.results() {
            self.builder.append_block_param(next, value_type(result));
        }
        let mut is_reached = false;
        for &target in &site.targets {
            let Some(offset) = self.module.layout.func_ref(target.function) else { continue };
            let own = self.builder.ins().iadd_imm_u(self.vmctx, i64::from(offset));
            let same = self.builder.ins().icmp(IntCC::Equal, reference, own);
            let (found, other) = (self.builder.create_block(), self.builder.create_block());
            self.builder.ins().brif(same, found, &[], other, &[]);
            self.enter_arm(found, &args);
            self.inline_body(target)?;
            is_reached |= self.leave_arm(next, ty, first);
            self.enter_arm(other, &[]);
        }
        if site.complete
            && let Some(block) = self.builder.current_block()
        {
            self.builder.set_cold_block(block);
        }
        self.scratch.stack.extend_from_slice(&args);
        otherwise(self);
        is_reached |= self.leave_arm(next, ty, first);
        self.builder.seal_block(next);
        self.builder.switch_to_block(next);
        self.scratch.stack.extend_from_slice(self.builder.func.dfg.block_params(next));
        self.reachable = is_reached;
        Ok(())
    }

    fn enter_arm(&mut self, block: Block, args: &[Value]) {
        self.builder.seal_block(block);
        self.builder.switch_to_block(block);
        self.scratch.stack.extend_from_slice(args);
        self.reachable = true;
    }

    /// Goes on behind the call with the results; says whether the arm's end can be reached.
    fn leave_arm(&mut self, next: Block, ty: &FuncType, height: usize) -> bool {
        if self.reachable {
            let results = self.height() - ty.results().len();
            let args: Vec<BlockArg> = self.scratch.stack[results..].iter().map(|&value| value.into()).collect();
            self.builder.ins().jump(next, &args);
        }
        self.scratch.stack.truncate(height);
        self.reachable
    }
}
