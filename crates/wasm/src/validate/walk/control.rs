//! Blocks and branches: the whole rules.

use super::{BOTTOM_BARRIERS, Frame, INVALID, Kind, Result, Stacks, Walk};
use crate::ops::{BlockType, BrTable, Control};
use crate::validate::facts::Signature;
use crate::validate::ty::{Ty, Types};

impl Walk<'_> {
    pub(super) fn control(&mut self, op: Control<'_>) -> Result<()> {
        match op {
            Control::Unreachable => self.unreachable(),
            Control::Nop => Ok(()),
            Control::Block(ty) => self.block(Kind::Block, ty),
            Control::Loop(ty) => self.block(Kind::Loop, ty),
            Control::If(ty) => {
                self.pop(Ty::I32)?;
                self.block(Kind::If, ty)
            }
            Control::Else => {
                let frame = self.close()?;
                self.require(frame.kind == Kind::If)?;
                self.open(Kind::Else, frame.params, frame.results)
            }
            Control::End => self.end(),
            Control::Br(depth) => {
                let label = self.label(depth)?;
                self.pop_all(label)?;
                self.unreachable()
            }
            Control::BrIf(depth) => {
                self.pop(Ty::I32)?;
                let label = self.label(depth)?;
                self.pass(label)
            }
            Control::BrTable(table) => self.br_table(table),
            Control::Return => {
                let results = self.results()?;
                self.pop_all(results)?;
                self.unreachable()
            }
            Control::BrOnNull(depth) => {
                self.require(self.facts.features.function_references)?;
                let ty = self.pop_ref()?.non_null();
                let label = self.label(depth)?;
                self.pass(label)?;
                self.push(ty)
            }
            Control::BrOnNonNull(depth) => self.br_on_non_null(depth),
        }
    }

    /// Opens a block whose barrier goes onto the operands that are there, and puts its parameters above.
    pub(super) fn open(&mut self, kind: Kind, params: Types, results: Types) -> Result<()> {
        let barriers = if kind == Kind::Function { BOTTOM_BARRIERS } else { 1 };
        for _ in 0..barriers {
            self.push(Ty::BARRIER)?;
        }
        self.stacks.frames.push(Frame {
            height: self.top as u32,
            inits: self.stacks.inits.len() as u32,
            label: if kind == Kind::Loop { params } else { results },
            params,
            results,
            seen: 0,
            kind,
            unreachable: false,
        });
        self.push_all(params)
    }

    fn block(&mut self, kind: Kind, ty: BlockType) -> Result<()> {
        let (params, results) = match ty {
            BlockType::Empty => (Types::EMPTY, Types::EMPTY),
            BlockType::Value(ty) => (Types::EMPTY, Types::one(self.facts.val_type(self.info, ty).ok_or(INVALID)?)),
            BlockType::Func(index) => {
                self.require(self.facts.features.multi_value)?;
                let Signature { params, results } = *self.facts.signatures.get(index.index()).ok_or(INVALID)?;
                (params, results)
            }
        };
        self.pop_all(params)?;
        self.open(kind, params, results)
    }

    /// Closes the innermost block, which must hold its results and nothing else, and takes them and its barrier away.
    fn close(&mut self) -> Result<Frame> {
        let frame = *self.frame()?;
        self.pop_all(frame.results)?;
        self.require(self.top == frame.height as usize)?;
        self.stacks.frames.pop();
        self.top -= 1;
        let Stacks { inits, locals, far_inits, .. } = &mut *self.stacks;
        for index in inits.drain(frame.inits as usize..) {
            match locals.get_mut(index as usize) {
                Some(ty) => *ty = ty.marked(),
                None => drop(far_inits.remove(&index)),
            }
        }
        Ok(frame)
    }

    fn end(&mut self) -> Result<()> {
        let frame = self.close()?;
        if frame.kind == Kind::If {
            // The missing `else` gives what the block takes.
            self.require(self.all_match(frame.params, frame.results))?;
        }
        self.push_all(frame.results)
    }

    /// Whether these lists are as long as one another and each type of the first matches its one of the second.
    pub(super) fn all_match(&self, given: Types, wanted: Types) -> bool {
        let (given, wanted) = (given.of(&self.facts.pool), wanted.of(&self.facts.pool));
        given.len() == wanted.len() && given.iter().zip(wanted).all(|(given, &wanted)| given.matches(wanted))
    }

    /// What a branch of this depth takes.
    fn label(&self, depth: u32) -> Result<Types> {
        let frames = &self.stacks.frames;
        let at = frames.len().checked_sub(depth as usize + 1).ok_or(INVALID)?;
        frames.get(at).map(|frame| frame.label).ok_or(INVALID)
    }

    /// The operands on top may be taken by a branch. When it is not taken, they have the types it asked for.
    fn pass(&mut self, label: Types) -> Result<()> {
        self.pop_all(label)?;
        self.push_all(label)
    }

    fn br_on_non_null(&mut self, depth: u32) -> Result<()> {
        self.require(self.facts.features.function_references)?;
        let label = self.label(depth)?;
        let &last = label.of(&self.facts.pool).last().ok_or(INVALID)?;
        self.require(last.is_ref())?;
        self.pop(last.nullable())?;
        // The branch takes the reference; what else it takes stays when it is not taken.
        self.push(last)?;
        self.pass(label)?;
        self.top -= 1;
        Ok(())
    }

    /// Each label is checked once, however often the table names it.
    fn br_table(&mut self, table: BrTable<'_>) -> Result<()> {
        self.require(table.len() <= self.facts.limits.br_table_size)?;
        self.pop(Ty::I32)?;
        self.tables += 1;
        let default = self.label(table.default())?;
        for depth in table.targets() {
            let frames = &mut self.stacks.frames;
            let at = frames.len().checked_sub(depth as usize + 1).ok_or(INVALID)?;
            let frame = frames.get_mut(at).ok_or(INVALID)?;
            if frame.seen == self.tables {
                continue;
            }
            frame.seen = self.tables;
            let label = frame.label;
            self.require(label.len == default.len)?;
            self.check_top(label)?;
        }
        self.pop_all(default)?;
        self.unreachable()
    }

    /// The results of the function.
    pub(super) fn results(&self) -> Result<Types> {
        self.stacks.frames.first().map(|frame| frame.results).ok_or(INVALID)
    }
}
