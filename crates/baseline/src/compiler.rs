//! The tier's face: [`BaselineCompiler`].

use abi::compiled::CompiledCode;
use abi::compiler::{CompileError, Compiler, Request};
use abi::tier::Tier;
use wasm::types::FuncType;

use crate::features::Features;
use crate::{function, stubs};

/// The baseline compiler. All threads may use one at the same time.
#[derive(Clone, Copy, Debug)]
pub struct BaselineCompiler {
    features: Features,
}

impl BaselineCompiler {
    /// Makes a compiler for machines of the level x86-64-v2 with these features in addition.
    pub fn new(features: Features) -> BaselineCompiler {
        BaselineCompiler { features }
    }
}

impl Compiler for BaselineCompiler {
    fn tier(&self) -> Tier {
        Tier::Baseline
    }

    fn compile(&self, request: &Request<'_>) -> Result<CompiledCode, CompileError> {
        function::compile(request, self.features)
    }

    fn entry_stub(&self, ty: &FuncType) -> Result<CompiledCode, CompileError> {
        stubs::entry(ty)
    }

    fn exit_stub(&self, ty: &FuncType) -> Result<CompiledCode, CompileError> {
        stubs::exit(ty)
    }
}
