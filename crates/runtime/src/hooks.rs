//! The one door up: what the runtime asks of the engine. `engine` implements it; nothing below knows how.

use std::fmt::Debug;
use std::sync::Arc;

use abi::compiler::CompileError;
use code::native_module::NativeModule;
use wasm::types::DefinedFuncIndex;

use crate::image::InitialImage;

/// The services of an engine that running code needs.
pub trait Hooks: Send + Sync + Debug {
    /// A function was called that has no code: compile it, publish it, and give its code pointer. Called on the thread
    /// that wants to run it, with its activation recorded.
    ///
    /// # Errors
    /// When the function passes a limit of the compiler, or code memory is full.
    fn compile_lazily(&self, module: &Arc<NativeModule>, function: DefinedFuncIndex)
    -> Result<*const u8, CompileError>;

    /// The same module with code that checks every memory access, for an instance one of whose memories has no guard.
    ///
    /// # Errors
    /// When code memory is full.
    fn checked_variant(&self, module: &Arc<NativeModule>) -> Result<Arc<NativeModule>, CompileError>;

    /// The image of the module's memory, if it is worth one.
    fn image(&self, module: &Arc<NativeModule>) -> Option<Arc<InitialImage>>;
}
