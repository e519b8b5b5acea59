//! The walk over one body: is it valid or not?
//!
//! Problem: every byte of code passes here before a module can run, and most operators ask for nothing but one or two
//! types on top of the operand stack.
//! Choice: a fast loop (`hot`) that knows the usual forms of the usual operators, and the whole rules behind it (`rare`
//! and its children), to which every operator goes that the fast loop does not take. The loop changes nothing before it
//! takes an operator, so the rules see the operator from its start. It only ever says "valid": for the text of an error
//! the body is walked again by the slow validator, see `super::body`.
//! The operand stack is one buffer with a `BARRIER` under the operands of every open block. No operator takes the
//! barrier, so comparing the top with the type that is asked for finds a wrong type, an empty block and the polymorphic
//! stack of unreachable code all at once.
//! Invariant: `top` is at least `BOTTOM_BARRIERS`, and `top - 1` is a barrier if and only if the open block is empty.
//! Rejected: one visitor for this and for the compilers. Their operators carry decoded immediates, most of which
//! validation only skips.

mod control;
mod hot;
mod memory;
mod rare;
mod reference;

use std::collections::HashSet;

use super::facts::Facts;
use super::ty::{Ty, Types};
use crate::decode::reader::Reader;
use crate::module::ModuleInfo;
use crate::types::FuncIndex;

/// Barriers at the bottom of the operand stack: as many as the operands an operator compares at once.
const BOTTOM_BARRIERS: usize = 4;
/// The most operands: more than a body can push one by one, so that only calls with many results come there.
const MAX_OPERANDS: usize = 1 << 24;
/// Locals that are laid flat in any body; a longer body has room for more, so that laying is linear in its size.
const MIN_FLAT_LOCALS: usize = 1024;
/// The most locals that the validator behind this one takes.
const MAX_LOCALS: u64 = 50_000;
/// Bytes of a list that a thread keeps from body to body.
const KEPT_BYTES: usize = 1 << 20;

/// Why a body is not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Refusal {
    /// It breaks a rule; the slow validator knows which.
    Invalid,
    /// It has more operands at a time than fit, at this byte of the body.
    TooManyOperands(usize),
}

type Result<T> = std::result::Result<T, Refusal>;

const INVALID: Refusal = Refusal::Invalid;

/// What opened a block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Function,
    Block,
    Loop,
    If,
    Else,
}

/// An open block.
#[derive(Clone, Copy, Debug)]
struct Frame {
    /// The place of its first operand, behind its barrier.
    height: u32,
    /// How many locals had been set when it was opened.
    inits: u32,
    /// What a branch to it takes.
    label: Types,
    params: Types,
    results: Types,
    /// The last `br_table` that was checked against its label.
    seen: u32,
    kind: Kind,
    unreachable: bool,
}

/// Memory that is used again from body to body.
#[derive(Default, Debug)]
pub(super) struct Stacks {
    /// The operand stack; what is behind its top is left over.
    operands: Vec<Ty>,
    frames: Vec<Frame>,
    /// The types of the first locals; marked while a local has no value.
    locals: Vec<Ty>,
    /// The locals behind those: the index behind a run of one type, and the type, marked when it has no default.
    runs: Vec<(u32, Ty)>,
    /// The locals of marked runs that have a value.
    far_inits: HashSet<u32>,
    /// The locals without default that have been set, in order.
    inits: Vec<u32>,
}

impl Stacks {
    fn clear(&mut self) {
        self.frames.clear();
        self.locals.clear();
        self.runs.clear();
        self.far_inits.clear();
        self.inits.clear();
    }

    /// Gives back what only a huge body needs.
    pub(super) fn shrink(&mut self) {
        fn shrink<T>(list: &mut Vec<T>) {
            if list.capacity() * size_of::<T>() > KEPT_BYTES {
                *list = Vec::new();
            }
        }
        shrink(&mut self.operands);
        shrink(&mut self.frames);
        shrink(&mut self.locals);
        shrink(&mut self.runs);
        shrink(&mut self.inits);
    }
}

/// Where the walk stands.
pub(super) struct Walk<'a> {
    facts: &'a Facts,
    info: &'a ModuleInfo,
    bytes: &'a [u8],
    stacks: &'a mut Stacks,
    /// The next operator.
    pos: usize,
    /// The place behind the last operand.
    top: usize,
    /// Which `br_table` of the body it is, from 1.
    tables: u32,
}

impl<'a> Walk<'a> {
    /// A walk over `bytes`, a body of a module of `facts` and `info`.
    pub(super) fn new(facts: &'a Facts, info: &'a ModuleInfo, bytes: &'a [u8], stacks: &'a mut Stacks) -> Walk<'a> {
        stacks.clear();
        Walk { facts, info, bytes, stacks, pos: 0, top: 0, tables: 0 }
    }

    /// Walks the body of `func`, from its locals to its last byte.
    pub(super) fn run(mut self, func: FuncIndex) -> Result<()> {
        let ty = self.info.functions.get(func.index()).ok_or(INVALID)?;
        let signature = *self.facts.signatures.get(ty.index()).ok_or(INVALID)?;
        self.locals(signature.params)?;
        self.open(Kind::Function, Types::EMPTY, signature.results)?;
        while !self.stacks.frames.is_empty() {
            self.hot();
            self.rare()?;
        }
        // What is behind the last `end` is nobody's.
        if self.pos == self.bytes.len() { Ok(()) } else { Err(INVALID) }
    }

    /// Reads the declared locals and lays them behind the parameters.
    fn locals(&mut self, params: Types) -> Result<()> {
        let params = params.of(&self.facts.pool);
        let flat = MIN_FLAT_LOCALS.max(self.bytes.len());
        self.stacks.locals.extend_from_slice(params);
        let mut reader = Reader::new(self.bytes, 0);
        let groups = reader.var_u32().map_err(|_| INVALID)?;
        let limit = MAX_LOCALS.min(self.facts.limits.locals.into());
        let mut total = params.len() as u64;
        for _ in 0..groups {
            let count = reader.var_u32().map_err(|_| INVALID)?;
            let ty = reader.val_type().map_err(|_| INVALID)?;
            let ty = self.facts.val_type(self.info, ty).ok_or(INVALID)?;
            total += u64::from(count);
            if total > limit {
                return Err(INVALID);
            }
            if count > 0 {
                self.define(count as usize, total as u32, ty, flat);
            }
        }
        if params.len() as u64 > limit {
            return Err(INVALID);
        }
        self.pos = reader.position();
        Ok(())
    }

    /// Adds `count` locals, which end at `end`.
    fn define(&mut self, count: usize, end: u32, ty: Ty, flat: usize) {
        let Stacks { locals, runs, .. } = &mut *self.stacks;
        let ty = if ty.is_defaultable() { ty } else { ty.marked() };
        if runs.is_empty() && locals.len() + count <= flat {
            locals.resize(end as usize, ty);
        } else {
            runs.push((end, ty));
        }
    }

    /// The type of a local, marked while it has no value.
    fn local(&self, index: u32) -> Result<Ty> {
        let Stacks { locals, runs, far_inits, .. } = &*self.stacks;
        if let Some(&ty) = locals.get(index as usize) {
            return Ok(ty);
        }
        let run = runs.partition_point(|&(end, _)| end <= index);
        let &(_, ty) = runs.get(run).ok_or(INVALID)?;
        Ok(if ty.is_marked() && far_inits.contains(&index) { ty.unmarked() } else { ty })
    }

    /// A local of this type has a value from here to the end of the block.
    fn init(&mut self, index: u32, ty: Ty) {
        if !ty.is_marked() {
            return;
        }
        let Stacks { locals, far_inits, inits, .. } = &mut *self.stacks;
        match locals.get_mut(index as usize) {
            Some(local) => *local = ty.unmarked(),
            None => drop(far_inits.insert(index)),
        }
        inits.push(index);
    }

    fn push(&mut self, ty: Ty) -> Result<()> {
        self.reserve(1)?;
        if let Some(operand) = self.stacks.operands.get_mut(self.top) {
            *operand = ty;
            self.top += 1;
        }
        Ok(())
    }

    fn push_all(&mut self, types: Types) -> Result<()> {
        let len = types.len as usize;
        self.reserve(len)?;
        if let Some(operands) = self.stacks.operands.get_mut(self.top..self.top + len) {
            operands.copy_from_slice(types.of(&self.facts.pool));
            self.top += len;
        }
        Ok(())
    }

    /// Makes room for `len` more operands.
    fn reserve(&mut self, len: usize) -> Result<()> {
        let operands = &mut self.stacks.operands;
        let needed = self.top + len;
        if needed > operands.len() {
            if needed > MAX_OPERANDS {
                return Err(Refusal::TooManyOperands(self.pos));
            }
            operands.resize(needed.next_power_of_two().max(64), Ty::BARRIER);
        }
        Ok(())
    }

    /// Takes whatever is on top.
    fn pop_any(&mut self) -> Result<Ty> {
        let ty = self.stacks.operands.get(self.top.wrapping_sub(1)).copied().ok_or(INVALID)?;
        if ty == Ty::BARRIER {
            return if self.frame()?.unreachable { Ok(Ty::BOTTOM) } else { Err(INVALID) };
        }
        self.top -= 1;
        Ok(ty)
    }

    fn pop(&mut self, expected: Ty) -> Result<()> {
        if self.pop_any()?.matches(expected) { Ok(()) } else { Err(INVALID) }
    }

    fn pop_all(&mut self, types: Types) -> Result<()> {
        for &ty in types.of(&self.facts.pool).iter().rev() {
            self.pop(ty)?;
        }
        Ok(())
    }

    /// Takes a reference of any type.
    fn pop_ref(&mut self) -> Result<Ty> {
        match self.pop_any()? {
            Ty::BOTTOM => Ok(Ty::UNKNOWN_REF),
            ty if ty.is_ref() => Ok(ty),
            _ => Err(INVALID),
        }
    }

    /// Whether the operands on top are of these types; takes nothing.
    fn check_top(&mut self, types: Types) -> Result<()> {
        let top = self.top;
        self.pop_all(types)?;
        self.top = top;
        Ok(())
    }

    /// The innermost open block.
    fn frame(&mut self) -> Result<&mut Frame> {
        self.stacks.frames.last_mut().ok_or(INVALID)
    }

    /// What follows is never reached.
    fn unreachable(&mut self) -> Result<()> {
        let frame = self.frame()?;
        frame.unreachable = true;
        self.top = frame.height as usize;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
