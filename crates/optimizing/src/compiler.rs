//! The tier's face: [`OptimizingCompiler`].

use std::fmt;

use abi::compiled::CompiledCode;
use abi::compiler::{CompileError, Compiler, Request};
use abi::tier::Tier;
use wasm::types::FuncType;

use crate::isa::Target;
use crate::{function, stubs};

/// The optimizing compiler, for the machine it runs on. All threads may use one at the same time.
pub struct OptimizingCompiler {
    target: Target,
}

/// Why there is no optimizing compiler for this machine.
#[derive(Clone, Debug)]
pub struct UnsupportedMachine(String);

impl fmt::Display for UnsupportedMachine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot compile for this machine: {}", self.0)
    }
}

impl std::error::Error for UnsupportedMachine {}

impl OptimizingCompiler {
    /// Makes a compiler for this machine.
    ///
    /// # Errors
    /// When the processor is not an x86-64-v2 or better.
    pub fn new() -> Result<OptimizingCompiler, UnsupportedMachine> {
        Ok(OptimizingCompiler { target: Target::native().map_err(UnsupportedMachine)? })
    }
}

impl fmt::Debug for OptimizingCompiler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OptimizingCompiler").finish_non_exhaustive()
    }
}

impl Compiler for OptimizingCompiler {
    fn tier(&self) -> Tier {
        Tier::Optimizing
    }

    fn compile(&self, request: &Request<'_>) -> Result<CompiledCode, CompileError> {
        function::compile(&self.target, request).map_err(|error| error.of(Some(request.function)))
    }

    fn entry_stub(&self, ty: &FuncType) -> Result<CompiledCode, CompileError> {
        stubs::entry(&self.target, ty).map_err(|error| error.of(None))
    }

    fn exit_stub(&self, ty: &FuncType) -> Result<CompiledCode, CompileError> {
        stubs::exit(&self.target, ty).map_err(|error| error.of(None))
    }
}
