//! Looking at functions: their instructions, and their machine code.

use std::time::Duration;

use engine::module::{Code, CodeKind};
use wasm::decode::code::BodyReader;

use super::{Module, Tier, no_such_function};
use crate::error::{CompileError, Error, Result};

/// Machine code of a function.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CodeInfo {
    /// The machine code.
    pub bytes: Vec<u8>,
    /// Address of its first byte in this process.
    pub address: usize,
    /// The tier that made it.
    pub tier: Tier,
    /// If it is an OSR entry, the offset in the module of the loop that it starts in.
    pub osr: Option<u32>,
    /// Processor time that compiling it took.
    pub compile_time: Duration,
    /// Starts of runs of machine code that belong to one instruction: offset in `bytes`, and offset of the instruction
    /// in the module (none for prologues and the like). By ascending first offset; a run ends where the next begins.
    pub positions: Vec<(u32, Option<u32>)>,
    /// Machine instructions that may trap: offset in `bytes`, and what a trap there means.
    pub traps: Vec<(u32, &'static str)>,
}

impl CodeInfo {
    fn of(code: &Code) -> Option<CodeInfo> {
        let CodeKind::Function { tier, osr, compile_nanos, .. } = *code.kind() else { return None };
        let positions = code.positions().iter().map(|position| {
            let wasm_offset = position.wasm_offset;
            // `u32::MAX` is the offset of code that belongs to no instruction; no module is so large.
            (position.code_offset, (wasm_offset != u32::MAX).then_some(wasm_offset))
        });
        Some(CodeInfo {
            bytes: code.bytes().to_vec(),
            address: code.entry() as usize,
            tier,
            osr,
            compile_time: Duration::from_nanos(compile_nanos),
            positions: positions.collect(),
            traps: code.traps().iter().map(|site| (site.offset, site.reason.message())).collect(),
        })
    }
}

impl Module {
    /// The machine code of a function, if it has some; see [`Module::compile_function`].
    ///
    /// ```
    /// use upshift::{Engine, Module};
    ///
    /// # fn main() -> upshift::Result<()> {
    /// let module = Module::new(&Engine::default(), "(module (func (param i32) (result i32) local.get 0))")?;
    /// assert!(module.code(0).is_none());
    /// module.compile_function(0)?;
    /// assert!(!module.code(0).unwrap().bytes.is_empty());
    /// let names: Vec<String> = module.operators(0)?.into_iter().map(|(_, text)| text).collect();
    /// assert_eq!(names, ["local.get 0", "end"]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn code(&self, index: u32) -> Option<CodeInfo> {
        CodeInfo::of(&*self.native.code(self.defined(index)?)?)
    }

    /// The OSR entries of a function: code that starts in one of its loops.
    pub fn osr_code(&self, index: u32) -> Vec<CodeInfo> {
        let codes = self.defined(index).map(|function| self.native.osr_codes(function));
        codes.unwrap_or_default().iter().filter_map(|code| CodeInfo::of(code)).collect()
    }

    /// The tier that calls of a function run in; none while it has no code.
    pub fn function_tier(&self, index: u32) -> Option<Tier> {
        self.native.tier(self.defined(index)?)
    }

    /// Compiles a function in a tier, to look at its code: calls do not take it.
    ///
    /// # Errors
    /// As for [`Module::compile_function`].
    pub fn code_in(&self, index: u32, tier: Tier) -> Result<CodeInfo> {
        let function = self.defined(index).ok_or_else(|| no_such_function(index))?;
        let code = self.engine.inner.compile_aside(&self.native, function, tier);
        let code = code.map_err(|error| Error::from_module(error.into()))?;
        CodeInfo::of(&code).ok_or_else(|| no_such_function(index))
    }

    /// The instructions of a function in the text format, each with its offset in bytes from the start of the module.
    ///
    /// # Errors
    /// When the module does not define the function.
    pub fn operators(&self, index: u32) -> Result<Vec<(usize, String)>> {
        let defined = self.defined(index).ok_or_else(|| no_such_function(index))?;
        let body = self.native.body(defined);
        let mut reader = BodyReader::new(body.bytes, body.offset);
        let fault = |error| Error::new(CompileError::from(&error));
        reader.locals().map_err(fault)?;
        let mut operators = Vec::new();
        while let Some((operator, at)) = reader.next_operator().map_err(fault)? {
            operators.push((at, operator.to_string()));
        }
        Ok(operators)
    }

    /// The declared locals of a function, without its parameters: how many of which type, in order.
    ///
    /// # Errors
    /// As for [`Module::operators`].
    pub fn locals(&self, index: u32) -> Result<Vec<(u32, crate::ValType)>> {
        let defined = self.defined(index).ok_or_else(|| no_such_function(index))?;
        let body = self.native.body(defined);
        let locals = BodyReader::new(body.bytes, body.offset).locals();
        let locals = locals.map_err(|error| Error::new(CompileError::from(&error)))?;
        let types = self.native.types();
        let raise = |ty| crate::ValType::from_wasm(&self.engine, types.canonical_val_type(ty));
        Ok(locals.into_iter().map(|(count, ty)| (count, raise(ty))).collect())
    }
}
