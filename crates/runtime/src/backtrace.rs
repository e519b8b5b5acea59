//! A Wasm backtrace: which functions were active, and where in the module each one stood.

use std::sync::Arc;

use code::native_module::NativeModule;
use wasm::types::FuncIndex;

/// One active function.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The module of the function.
    pub module: Arc<NativeModule>,
    /// The function, in the module's index space.
    pub function: FuncIndex,
    /// Offset in the module's bytes of the instruction that was executing; none in a prologue.
    pub offset: Option<u32>,
}

impl Frame {
    /// The function's name from the name section.
    pub fn function_name(&self) -> Option<&str> {
        self.module.info().function_name(self.module.wire_bytes(), self.function)
    }
}

/// Active functions, innermost first.
#[derive(Clone, Debug, Default)]
pub struct Backtrace {
    /// The frames.
    pub frames: Vec<Frame>,
}
