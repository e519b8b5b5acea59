//! What a compiler takes, and the trait it implements.

use std::fmt;
use std::time::Duration;

use wasm::module::ModuleInfo;
use wasm::types::{DefinedFuncIndex, FuncType, MemoryIndex};

use crate::compiled::CompiledCode;
use crate::feedback::FeedbackSource;
use crate::layout::InstanceLayout;
use crate::memory::MemoryStyle;
use crate::tier::Tier;

/// Options that change generated code. Code compiled under different settings does not mix.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Settings {
    /// Count fuel at function entries and loop headers.
    pub fuel: bool,
    /// Compare the engine's epoch with the store's deadline at function entries and loop headers.
    pub epoch_interruption: bool,
    /// Make NaN results canonical, so that results are the same on every machine.
    pub canonical_nans: bool,
    /// Mask table indices and checked memory addresses so that misspeculation cannot read out of bounds.
    pub spectre_guards: bool,
    /// Baseline code keeps a profile and asks for better code when it is hot.
    pub profile: bool,
    /// Verify the compiler's own intermediate code; slow, for tests and fuzzing.
    pub verify: bool,
}

/// All that a compiler may know of a module.
#[derive(Clone, Copy, Debug)]
pub struct ModuleEnv<'a> {
    /// The decoded module.
    pub info: &'a ModuleInfo,
    /// Its bytes.
    pub wire_bytes: &'a [u8],
    /// Where the instance context keeps what.
    pub layout: &'a InstanceLayout,
    /// The style of each memory, by memory index.
    pub memories: &'a [MemoryStyle],
    /// Code generation settings.
    pub settings: Settings,
}

impl<'a> ModuleEnv<'a> {
    /// The body of a function.
    pub fn body(&self, function: DefinedFuncIndex) -> FunctionBody<'a> {
        let range = self.info.bodies[function.index()].clone();
        FunctionBody { offset: range.start, bytes: &self.wire_bytes[range] }
    }

    /// The style of a memory. Indices come from validated code; one out of range counts as checked.
    pub fn memory_style(&self, memory: MemoryIndex) -> MemoryStyle {
        self.memories.get(memory.index()).copied().unwrap_or(MemoryStyle::Checked)
    }
}

/// The body of one function, validated.
#[derive(Clone, Copy, Debug)]
pub struct FunctionBody<'a> {
    /// Local declarations and instructions.
    pub bytes: &'a [u8],
    /// Offset of `bytes` in the module.
    pub offset: usize,
}

/// What one compilation may take. A compiler looks at it from time to time and gives up past it.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// CPU time of the compiling thread.
    pub time: Duration,
    /// Tells what the thread has taken so far.
    pub clock: fn() -> Duration,
    /// Bytes of memory, as estimated from the size of the intermediate code.
    pub memory: usize,
}

/// One function to compile.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// Its module.
    pub module: &'a ModuleEnv<'a>,
    /// Which one.
    pub function: DefinedFuncIndex,
    /// Its body. The module may not know it yet, nor others: code is compiled while the module arrives.
    pub body: FunctionBody<'a>,
    /// Make an OSR entry in place of the function: code that starts in the loop whose operator is at this offset of the
    /// module. Only for compilers whose tier has them.
    pub osr: Option<u32>,
    /// What the module's calls have seen, for inlining; without it nothing is inlined.
    pub feedback: Option<&'a dyn FeedbackSource>,
    /// What it may take; without it, whatever it takes.
    pub budget: Option<Budget>,
}

impl<'a> Request<'a> {
    /// The function as it is, without more.
    pub fn new(module: &'a ModuleEnv<'a>, function: DefinedFuncIndex) -> Request<'a> {
        Request::of_body(module, function, module.body(function))
    }

    /// The same of a function whose body the module need not know.
    pub fn of_body(module: &'a ModuleEnv<'a>, function: DefinedFuncIndex, body: FunctionBody<'a>) -> Request<'a> {
        Request { module, function, body, osr: None, feedback: None, budget: None }
    }
}

/// What kind of thing stood in the way of a compilation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CompileErrorKind {
    /// The function is not valid; found out at its first call.
    Invalid,
    /// A limit of the compiler or of memory.
    Limit,
    /// The job's [`Budget`].
    Budget,
}

/// Why a function could not be compiled. Validated functions compile; what is left are limits.
#[derive(Clone, Debug)]
pub struct CompileError {
    /// The function, if it was one.
    pub function: Option<DefinedFuncIndex>,
    /// What stood in the way.
    pub kind: CompileErrorKind,
    /// What went wrong.
    pub message: String,
}

impl CompileError {
    /// A limit that one function passed.
    pub fn limit(function: Option<DefinedFuncIndex>, message: impl Into<String>) -> CompileError {
        CompileError { function, kind: CompileErrorKind::Limit, message: message.into() }
    }
}

impl fmt::Display for CompileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.function {
            Some(function) => write!(f, "cannot compile defined function {}: {}", function.0, self.message),
            None => write!(f, "cannot compile: {}", self.message),
        }
    }
}

impl std::error::Error for CompileError {}

/// A tier that turns function bodies into machine code. One compiler serves all threads of an engine.
pub trait Compiler: Send + Sync + fmt::Debug {
    /// The tier of the code this compiler makes.
    fn tier(&self) -> Tier;

    /// Compiles one function, to the convention of [`crate::assign`].
    ///
    /// # Errors
    /// When a limit of the compiler or the request's budget is passed; never for a fault of the embedder.
    fn compile(&self, request: &Request<'_>) -> Result<CompiledCode, CompileError>;

    /// Compiles the entry stub for functions of this type: a C function
    /// `fn(code: *const u8, vmctx: *mut u8, values: *mut [u128])` that calls `code` with the parameters found in
    /// `values` and leaves the results there, each value in a slot of [`crate::layout::VALUE_SLOT`] bytes from slot 0.
    ///
    /// # Errors
    /// When a limit of the compiler is passed.
    fn entry_stub(&self, ty: &FuncType) -> Result<CompiledCode, CompileError>;

    /// Compiles the exit stub for host functions of this type: a function of the convention, whose context is a
    /// [`crate::layout::HostContext`]. It records its frame as the store's exit frame, stores the parameters in value
    /// slots on its frame, calls `HostContext::function(context, values)` as a C function, and returns the results found in
    /// the slots; or, if that gave a non-zero value, calls `HostContext::raise(store)`, which does not return.
    ///
    /// # Errors
    /// When a limit of the compiler is passed.
    fn exit_stub(&self, ty: &FuncType) -> Result<CompiledCode, CompileError>;
}
