//! The driver: compiles one function in one pass over its body.

use std::cell::Cell;

use abi::assign::results_need_buffer;
use abi::compiled::CompiledCode;
use abi::compiler::{CompileError, ModuleEnv, Request};
use wasm::decode::code::BodyReader;
use wasm::decode::error::DecodeError;
use wasm::types::{DefinedFuncIndex, FuncType, ValType};

use crate::asm::x64::{Assembler, Label};
use crate::cold::Cold;
use crate::emit::Frame;
use crate::features::Features;
use crate::moves::Moves;
use crate::operand::Condition;
use crate::regs::Registers;
use crate::state::States;
use crate::tables::Tables;
use crate::value_stack::{Slot, ValueStack};

#[cfg(test)]
mod tests;

/// Bodies of more bytes than this give their thread's memory back to the allocator, so that one giant does not stay in
/// memory for good.
const KEEP_LIMIT: usize = 1 << 20;

/// Bodies of fewer bytes hardly have paths on which a value is not used any more.
const SMALL_BODY: usize = 100;

/// Alignment of every function's first byte.
const FUNCTION_ALIGNMENT: u32 = 16;

/// What compiling allocates, reused from function to function.
pub(crate) struct Scratch {
    asm: Assembler,
    prologue: Assembler,
    values: ValueStack,
    tables: Tables,
    states: States,
    frames: Vec<Frame>,
    loops: Vec<u32>,
    cold: Vec<Cold>,
    labels: Vec<Label>,
    arguments: Vec<Slot>,
}

thread_local! {
    /// This thread's scratch memory, when it is not at work.
    static SCRATCH: Cell<Option<Box<Scratch>>> = const { Cell::new(None) };
}

/// A function under compilation.
pub(crate) struct Function<'a> {
    pub(crate) asm: Assembler,
    pub(crate) values: ValueStack,
    pub(crate) regs: Registers,
    pub(crate) tables: Tables,
    pub(crate) moves: Moves,
    pub(crate) states: States,
    /// The open blocks.
    pub(crate) frames: Vec<Frame>,
    /// For each open loop: the calls emitted before it.
    pub(crate) loops: Vec<u32>,
    pub(crate) cold: Vec<Cold>,
    /// The targets of the `br_table` at hand.
    pub(crate) labels: Vec<Label>,
    /// The arguments of the call at hand.
    pub(crate) arguments: Vec<Slot>,
    pub(crate) module: &'a ModuleEnv<'a>,
    pub(crate) features: Features,
    pub(crate) function: DefinedFuncIndex,
    pub(crate) ty: &'a FuncType,
    /// Whether results go to a buffer.
    pub(crate) has_buffer: bool,
    /// Bytes between the frame pointer's target and the upper end of the frame image.
    pub(crate) image_top: i32,
    /// Between these depths are the locals that start as zero.
    pub(crate) zeroed_from: u32,
    pub(crate) zeroed_to: u32,
    /// Most bytes that a call puts below the frame.
    pub(crate) outgoing: u32,
    /// What the flags hold if the topmost operand is there; it is not on the value stack then.
    pub(crate) pending: Option<Condition>,
    /// Offset of the operator at hand in the module.
    pub(crate) at: u32,
    /// Operators since fuel was last settled.
    pub(crate) fuel: u32,
    pub(crate) reachable: bool,
    /// Blocks opened in unreachable code.
    pub(crate) skipped: u32,
    /// Calls emitted so far.
    pub(crate) calls: u32,
    /// It ends in tail calls, so that it may be part of a loop without end.
    pub(crate) has_tail_calls: bool,
    /// Whether the body is so small that values are best left where they are.
    pub(crate) is_small: bool,
    pub(crate) epilogue: Label,
    /// Where loops offer the frame to optimized code.
    pub(crate) osr_offer: Option<Label>,
    /// Where tail calls go whose callees take as many bytes of stack arguments as this function.
    pub(crate) tail_exit: Option<Label>,
    failure: Option<&'static str>,
}

/// Why a body could not be compiled.
#[derive(Debug)]
pub(crate) struct EmitError(pub(crate) String);

impl EmitError {
    /// The code passed the assembler's limit.
    #[cold]
    pub(crate) fn too_long() -> EmitError {
        EmitError("the function's code is too long".into())
    }
}

impl From<DecodeError> for EmitError {
    fn from(error: DecodeError) -> EmitError {
        EmitError(error.to_string())
    }
}

/// What emitting one operator gives.
pub(crate) type Emitted = Result<(), EmitError>;

/// Compiles the function of a request.
pub(crate) fn compile(request: &Request<'_>, features: Features) -> Result<CompiledCode, CompileError> {
    let body = request.body;
    let scratch = SCRATCH.take().unwrap_or_else(|| Box::new(Scratch::new()));
    let (mut function, mut prologue) = Function::new(request, features, scratch);
    let result = function.compile(body.bytes, body.offset, &mut prologue);
    if body.bytes.len() <= KEEP_LIMIT {
        SCRATCH.set(Some(function.into_scratch(prologue)));
    }
    result.map_err(|EmitError(message)| CompileError::limit(Some(request.function), message))
}

impl Scratch {
    fn new() -> Scratch {
        Scratch {
            asm: Assembler::new(),
            prologue: Assembler::new(),
            values: ValueStack::default(),
            tables: Tables::default(),
            states: States::default(),
            frames: Vec::new(),
            loops: Vec::new(),
            cold: Vec::new(),
            labels: Vec::new(),
            arguments: Vec::new(),
        }
    }
}

impl<'a> Function<'a> {
    fn new(request: &Request<'a>, features: Features, scratch: Box<Scratch>) -> (Function<'a>, Assembler) {
        let mut scratch = *scratch;
        scratch.asm.clear();
        scratch.prologue.clear();
        scratch.values.clear();
        scratch.tables.clear();
        scratch.states.clear();
        scratch.frames.clear();
        scratch.loops.clear();
        scratch.cold.clear();
        let info = request.module.info;
        let ty = info.func_type(info.func_index(request.function));
        let has_buffer = results_need_buffer(ty.results());
        let epilogue = scratch.asm.new_label();
        let function = Function {
            asm: scratch.asm,
            values: scratch.values,
            regs: Registers::new(),
            moves: Moves::new(),
            tables: scratch.tables,
            states: scratch.states,
            frames: scratch.frames,
            loops: scratch.loops,
            cold: scratch.cold,
            labels: scratch.labels,
            arguments: scratch.arguments,
            module: request.module,
            features,
            function: request.function,
            ty,
            has_buffer,
            image_top: if has_buffer { 16 } else { 8 },
            zeroed_from: 0,
            zeroed_to: 0,
            outgoing: 0,
            pending: None,
            at: 0,
            fuel: 0,
            reachable: true,
            skipped: 0,
            calls: 0,
            has_tail_calls: false,
            is_small: request.body.bytes.len() < SMALL_BODY,
            epilogue,
            osr_offer: None,
            tail_exit: None,
            failure: None,
        };
        (function, scratch.prologue)
    }

    fn into_scratch(self, prologue: Assembler) -> Box<Scratch> {
        Box::new(Scratch {
            asm: self.asm,
            prologue,
            values: self.values,
            tables: self.tables,
            states: self.states,
            frames: self.frames,
            loops: self.loops,
            cold: self.cold,
            labels: self.labels,
            arguments: self.arguments,
        })
    }

    fn compile(&mut self, body: &[u8], offset: usize, prologue: &mut Assembler) -> Result<CompiledCode, EmitError> {
        let mut reader = BodyReader::new(body, offset);
        let locals = reader.locals()?;
        self.start_body(&locals, offset);
        reader.visit_all(self)?;
        self.emit_epilogue();
        self.emit_cold();
        let exits = self.emit_prologue_exits();
        self.finish(prologue, exits)
    }

    /// What stands before the first operator.
    fn start_body(&mut self, locals: &[(u32, ValType)], offset: usize) {
        self.at = offset as u32;
        self.take_parameters(locals);
        self.poll();
        self.open_function();
    }

    fn finish(
        &mut self,
        asm: &mut Assembler,
        exits: crate::prologue::PrologueExits,
    ) -> Result<CompiledCode, EmitError> {
        self.asm.emit_constants();
        if self.asm.overflowed() {
            return Err(EmitError::too_long());
        }
        if let Some(failure) = self.failure {
            return Err(EmitError(failure.into()));
        }
        let Some(prologue) = self.write_prologue(asm, exits) else {
            return Err(EmitError("the function's frame is too large".into()));
        };
        self.link_prologue(asm, &prologue);
        let size = self.asm.prologue_size(asm);
        let tables = self.tables.finish(size, prologue.fixup.as_slice(), self.settings().profile);
        Ok(CompiledCode {
            bytes: self.asm.finish(asm),
            alignment: FUNCTION_ALIGNMENT,
            traps: tables.traps,
            positions: tables.positions,
            profile: tables.profile,
            frame_size: prologue.frame_size,
            ..CompiledCode::default()
        })
    }

    /// Compilation cannot succeed; what is emitted from here on does not count.
    #[cold]
    pub(crate) fn fail(&mut self, why: &'static str) {
        debug_assert!(false, "{why}");
        self.failure.get_or_insert(why);
    }

    /// What comes before each operator that can be reached: nothing is pinned, and a condition left in the flags goes to
    /// a register.
    #[inline]
    pub(crate) fn begin(&mut self, at: usize) {
        self.begin_with_condition(at);
        if self.pending.is_some() {
            self.settle_condition();
        }
    }

    /// Like [`Function::begin`], for operators that start with [`Function::take_condition`].
    #[inline]
    pub(crate) fn begin_with_condition(&mut self, at: usize) {
        // Offsets fit: module sizes are limited to far less than 4 GiB.
        self.at = at as u32;
        self.fuel += 1;
        self.regs.unpin();
    }
}
