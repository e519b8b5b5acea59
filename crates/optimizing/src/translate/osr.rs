//! On-stack replacement: a function whose code starts in one of its loops.
//!
//! 1. [`find`] reads the body up to the loop and notes the blocks that it lies in.
//! 2. The entry block leads to a block that stays empty until the loop is reached, and not to the function's start: that
//!    is translated as ever but has no predecessor, and Cranelift removes what only it leads to. What the back-edges of
//!    loops around the resumed one reach stays.
//! 3. At the loop, [`Translator::resume`] fills that block: it loads locals and operands from the frame image, and jumps
//!    to the loop's header.
//!
//! The header then has two ways in, so values from in front of the loop no longer dominate what follows it. Locals are
//! variables of the frontend anyway. Operands become variables as well, those below the blocks around the loop: saved
//! where such a block opens, and read again where control flow may come from the loop: at the headers of loops around
//! it, at `else`, and behind ends. In front of the loop and behind its last such block nothing else changes.
//!
//! Rejected: making every operand below the loop a variable at every merge, which costs the number of blocks times that of
//! operands.

use std::mem::offset_of;

use abi::compiler::FunctionBody;
use abi::layout::{InstanceHeader, StoreContext};
use cranelift_codegen::ir::types::{I8X16, I64};
use cranelift_codegen::ir::{Block, BlockArg, InstBuilder, Type, Value};
use cranelift_frontend::Variable;
use wasm::decode::code::BodyReader;
use wasm::ops::{Control, Operator};
use wasm::types::ValType;

use super::region::Region;
use super::state::{Translator, value_type};
use super::{TranslateError, Translated};

/// Most operands, summed over the blocks around the loop, that are read again at their merges.
const MAX_MERGED: usize = 1 << 20;

/// A loop in which code starts.
#[derive(Debug)]
pub(crate) struct Resumption {
    /// Offsets of the blocks that the loop lies in, outermost first, and of itself.
    around: Vec<usize>,
    /// How many of them are open.
    opened: usize,
    /// The block that loads the image; filled when the loop is reached.
    entry: Block,
    /// The types of the locals.
    locals: Vec<Type>,
    /// Has the loop been reached?
    reached: bool,
    /// The variables of the operands below the innermost block of `around` that is open; none for those that are only there
    /// for an `else`.
    operands: Vec<Option<Variable>>,
    /// Operands that merges read again, summed up.
    merged: usize,
}

/// The offsets of the blocks around the loop at offset `target` of the module, outermost first, and of itself.
pub(crate) fn find(body: FunctionBody<'_>, target: u32) -> Result<Vec<usize>, TranslateError> {
    let mut reader = BodyReader::new(body.bytes, body.offset);
    reader.locals()?;
    let mut around = Vec::new();
    while let Some((operator, at)) = reader.next_operator()? {
        let Operator::Control(control) = operator else { continue };
        match control {
            Control::Block(_) | Control::Loop(_) | Control::If(_) => {
                around.push(at);
                if at == target as usize && matches!(control, Control::Loop(_)) {
                    return Ok(around);
                }
            }
            Control::End => {
                around.pop();
            }
            Control::Unreachable
            | Control::Nop
            | Control::Else
            | Control::Br(_)
            | Control::BrIf(_)
            | Control::BrTable(_)
            | Control::Return
            | Control::BrOnNull(_)
            | Control::BrOnNonNull(_) => {}
        }
    }
    Err(no_loop(target as usize))
}

fn no_loop(target: usize) -> TranslateError {
    TranslateError::limit(format!("there is no loop at offset {target:#x} to start in"))
}

impl Resumption {
    /// What [`find`] found, and the empty block where the code starts.
    pub(crate) fn new(around: Vec<usize>, entry: Block) -> Resumption {
        Resumption { around, opened: 0, entry, locals: Vec::new(), reached: false, operands: Vec::new(), merged: 0 }
    }

    /// Appends a local.
    pub(crate) fn push_local(&mut self, ty: ValType) {
        self.locals.push(value_type(ty));
    }
}

impl Translator<'_> {
    /// Is the current operator the loop in which code starts?
    pub(crate) fn is_resumed(&self) -> bool {
        self.is_outermost()
            && self.resumption.as_ref().is_some_and(|resumption| resumption.around.last() == Some(&self.at))
    }

    /// Does the current operator open a block around the resumed loop, or that loop? If so, saves the operands below its
    /// `params` parameters in variables.
    pub(crate) fn save_around(&mut self, params: usize) -> bool {
        if !self.is_outermost() {
            return false;
        }
        let Some(resumption) = &mut self.resumption else { return false };
        if resumption.around.get(resumption.opened) != Some(&self.at) {
            return false;
        }
        resumption.opened += 1;
        let mut operands = std::mem::take(&mut resumption.operands);
        // All open blocks are around the loop, so only the innermost can have operands above those that are saved already.
        let for_else = self.operands_for_else();
        for operand in operands.len()..self.height() - params {
            operands.push((!for_else.contains(&operand)).then(|| {
                let value = self.scratch.stack[operand];
                let variable = self.builder.declare_var(self.builder.func.dfg.value_type(value));
                self.builder.def_var(variable, value);
                variable
            }));
        }
        if let Some(resumption) = &mut self.resumption {
            resumption.operands = operands;
        }
        true
    }

    /// Reads the lowest operands again, where control flow from the resumed loop may have come in. A block's own
    /// parameters must be on the stack already, as the frontend may give it more.
    pub(crate) fn merge_around(&mut self, height: usize) {
        let Some(resumption) = &mut self.resumption else { return };
        resumption.merged = resumption.merged.saturating_add(height);
        if resumption.merged > MAX_MERGED {
            return;
        }
        for (operand, variable) in resumption.operands[..height].iter().enumerate() {
            if let Some(variable) = *variable {
                self.scratch.stack[operand] = self.builder.use_var(variable);
            }
        }
    }

    /// Fills the block in which code starts: loads the image, and goes to the loop's header.
    pub(crate) fn resume(&mut self, header: Block, params: &[ValType]) {
        let Some(mut resumption) = self.resumption.take() else { return };
        resumption.reached = true;
        self.builder.switch_to_block(resumption.entry);
        let operands: Vec<(Variable, Type)> = (resumption.operands.iter().zip(&self.scratch.stack))
            .filter_map(|(variable, &value)| Some(((*variable)?, self.builder.func.dfg.value_type(value))))
            .collect();
        let locals = self.scratch.locals.iter().copied().zip(resumption.locals.iter().copied());
        let variables: Vec<(Variable, Type)> = locals.chain(operands).collect();
        let params: Vec<Type> = params.iter().map(|&ty| value_type(ty)).collect();
        let values = self.load_image(variables.iter().map(|&(_, ty)| ty).chain(params));
        for (&(variable, _), &value) in variables.iter().zip(&values) {
            self.builder.def_var(variable, value);
        }
        self.load_fuel();
        self.scratch.args.clear();
        self.scratch.args.extend(values[variables.len()..].iter().map(|&value| BlockArg::Value(value)));
        self.builder.ins().jump(header, &self.scratch.args);
        self.resumption = Some(resumption);
    }

    /// Loads the values of a frame image, which are of these types.
    fn load_image(&mut self, types: impl Iterator<Item = Type> + Clone) -> Vec<Value> {
        let slot = |ty| if ty == I8X16 { 16 } else { 8 };
        // The image is no larger than a frame, which is far below 2^31 bytes.
        let mut at: i32 = types.clone().map(slot).sum();
        let flags = self.trusted(Region::Image);
        let store = self.context_pointer(offset_of!(InstanceHeader, store));
        let image = self.builder.ins().load(I64, flags, store, offset_of!(StoreContext, osr_image) as i32);
        let mut load = |ty| {
            at -= slot(ty);
            self.builder.ins().load(ty, flags, image, at)
        };
        types.map(&mut load).collect()
    }

    /// To be called at the end of the body.
    ///
    /// # Errors
    /// When the loop has not been reached, or merges took too much.
    pub(crate) fn close_resumption(&mut self) -> Translated {
        match &self.resumption {
            Some(Resumption { reached: false, around, .. }) => Err(no_loop(around.last().copied().unwrap_or_default())),
            Some(resumption) if resumption.merged > MAX_MERGED => {
                Err(TranslateError::limit("too many operands below the loop to start in"))
            }
            Some(_) | None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
