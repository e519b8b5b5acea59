//! The one door up: what the runtime asks of the engine. `engine` implements it; nothing below knows how.

use std::fmt::{self, Debug};
use std::sync::Arc;

use abi::compiler::CompileError;
use code::native_module::NativeModule;
use wasm::decode::error::DecodeError;
use wasm::types::DefinedFuncIndex;

use crate::ids::StoreId;
use crate::image::InitialImage;
use crate::references::ReferenceImage;
use crate::stores::Running;

/// Why a function has no code at its first call.
#[derive(Clone, Debug)]
pub enum LazyError {
    /// Its body is not valid; only where validation was left for later.
    Invalid(DecodeError),
    /// It passes a limit of the compiler, or code memory is full.
    Compile(CompileError),
}

impl fmt::Display for LazyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LazyError::Invalid(fault) => fmt::Display::fmt(fault, f),
            LazyError::Compile(error) => fmt::Display::fmt(error, f),
        }
    }
}

impl std::error::Error for LazyError {}

impl From<CompileError> for LazyError {
    fn from(error: CompileError) -> LazyError {
        LazyError::Compile(error)
    }
}

impl From<DecodeError> for LazyError {
    fn from(fault: DecodeError) -> LazyError {
        LazyError::Invalid(fault)
    }
}

/// A loop of baseline code that has spent the budget.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HotLoop {
    /// The function.
    pub function: DefinedFuncIndex,
    /// Offset of the `loop` operator in the module.
    pub offset: u32,
    /// How often the call was made that the loop runs in, as far as that is known: the count of the caller's call site.
    pub calls: Option<u32>,
}

/// The services of an engine that running code needs.
pub trait Hooks: Send + Sync + Debug {
    /// A function was called that has no code: compile it, publish it, and give its code pointer. Called on the thread
    /// that wants to run it, with its activation recorded.
    ///
    /// # Errors
    /// When the function passes a limit of the compiler, or code memory is full.
    fn compile_lazily(
        &self,
        module: &Arc<NativeModule>,
        function: DefinedFuncIndex,
        running: &Running,
    ) -> Result<*const u8, LazyError>;

    /// A function has spent its budget at its entry, where it has no frame: gives it a new budget, and the code to go on in
    /// from its start.
    fn tier_up(&self, module: &Arc<NativeModule>, function: DefinedFuncIndex, running: &Running) -> *const u8;

    /// A loop has spent the budget: gives a new one, and the OSR entry to go on in, if there is one.
    fn loop_tier_up(&self, module: &Arc<NativeModule>, hot: HotLoop, running: &Running) -> Option<*const u8>;

    /// A store's thread is at a safepoint, and holds no code pointer. Called only if `Environment::offer_safepoints` is set.
    fn safepoint(&self, running: &Running);

    /// The same module with code that checks every memory access, for an instance one of whose memories has no guard.
    ///
    /// # Errors
    /// When code memory is full.
    fn checked_variant(&self, module: &Arc<NativeModule>) -> Result<Arc<NativeModule>, CompileError>;

    /// The image of the module's memory, if it is worth one.
    fn image(&self, module: &Arc<NativeModule>) -> Option<Arc<InitialImage>>;

    /// The image of the references to the module's functions, if it is worth one.
    fn references(&self, module: &Arc<NativeModule>) -> Option<Arc<ReferenceImage>>;

    /// There is a new store.
    fn store_made(&self, store: StoreId);

    /// A store is gone, and all it had. Must not panic.
    fn store_dropped(&self, store: StoreId);
}
