//! What a compiler takes, and the trait it implements.

use std::fmt;

use wasm::module::ModuleInfo;
use wasm::types::{DefinedFuncIndex, FuncType, MemoryIndex};

use crate::compiled::CompiledCode;
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
    /// Verify the compiler's own intermediate code; slow, for tests and fuzzing.
    pub verify: bool,
}

/// All that a compiler may know of a module.
#[derive(Clone, Copy, Debug)]
pub struct ModuleEnv<'a> {
    /// The decoded module.
    pub info: &'a ModuleInfo,
    /// Where the instance context keeps what.
    pub layout: &'a InstanceLayout,
    /// The style of each memory, by memory index.
    pub memories: &'a [MemoryStyle],
    /// Code generation settings.
    pub settings: Settings,
}

impl ModuleEnv<'_> {
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

/// Why a function could not be compiled. Validated functions compile; what is left are limits.
#[derive(Clone, Debug)]
pub struct CompileError {
    /// The function, if it was one.
    pub function: Option<DefinedFuncIndex>,
    /// What went wrong.
    pub message: String,
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
    /// When a limit of the compiler is passed; never for a fault of the embedder.
    fn compile(
        &self,
        module: &ModuleEnv<'_>,
        function: DefinedFuncIndex,
        body: FunctionBody<'_>,
    ) -> Result<CompiledCode, CompileError>;

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
