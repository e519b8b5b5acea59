//! `Module`: decoded, validated and, function by function, compiled.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use engine::compile::source::Source;
use engine::events::ModuleNumber;
use engine::memory_usage::ModuleMemoryUsage;
use engine::module::{NativeModule, compile_with, validate};
use engine::{source, statistics};
use wasm::types::{DefinedFuncIndex, FuncIndex};

use crate::compile_options::CompileOptions;
use crate::engine::Engine;
use crate::error::{CompileError, Error, Result, messages};
use crate::types::{ExportType, ExternType, FuncType, ImportType};

mod code;
mod export;
mod future;
mod resources;
#[cfg(test)]
mod tests;

pub use code::CodeInfo;
pub use engine::module::Tier;
pub use engine::statistics::{TierStatistics, TieringStatistics};
pub use export::ModuleExport;
pub use future::ModuleFuture;
pub(crate) use future::prepare;
pub use resources::ResourcesRequired;

/// A module, ready to be instantiated any number of times in any store of its engine. A handle, cheap to clone and usable
/// from any thread.
///
/// ```
/// use upshift::{Engine, Module};
///
/// # fn main() -> upshift::Result<()> {
/// let engine = Engine::default();
/// let module = Module::new(&engine, r#"(module $m (import "a" "b" (memory 1)) (func (export "f") (param i32)))"#)?;
/// assert_eq!(module.name(), Some("m"));
/// let import = module.imports().next().unwrap();
/// assert_eq!((import.module(), import.name(), import.ty().memory().is_some()), ("a", "b", true));
/// assert_eq!(module.get_export("f").unwrap().unwrap_func().params().len(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Module {
    // Before the engine, so that the last handle to a module does not outlive that to its engine.
    native: Arc<NativeModule>,
    engine: Engine,
    url: Option<Arc<str>>,
}

impl fmt::Debug for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Module").field("name", &self.name()).finish_non_exhaustive()
    }
}

/// What is known of a function without compiling it.
#[derive(Clone, Debug)]
pub struct FunctionInfo<'module> {
    /// Its index in the module, where imported functions come first.
    pub index: u32,
    /// Its name in the name section.
    pub name: Option<&'module str>,
    /// Where its body (locals and instructions) begins, in bytes from the start of the module.
    pub offset: usize,
    /// Bytes of its body.
    pub len: usize,
}

/// What the compilation of a module has cost so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct ModuleStatistics {
    /// Functions that the module defines.
    pub functions: usize,
    /// Functions that have machine code.
    pub compiled: usize,
    /// Bytes of machine code.
    pub code_bytes: usize,
    /// Bytes of tables that belong to it.
    pub metadata_bytes: usize,
    /// Time that threads spent compiling, together.
    pub compile_time: Duration,
    /// What of that is of the baseline tier.
    pub baseline: TierStatistics,
    /// What of that is of the optimizing tier, without OSR entries.
    pub optimizing: TierStatistics,
    /// What of that is OSR entries: code that starts in the middle of a loop.
    pub osr: TierStatistics,
    /// How functions moved between tiers.
    pub tiering: TieringStatistics,
    /// Bytes of machine code that nothing leads to any more and that are not freed yet.
    pub retired_bytes: usize,
    /// Bytes of machine code freed before the module.
    pub freed_bytes: u64,
}

impl Module {
    /// Makes a module from the binary or the text format: decodes and validates it, and compiles it if the engine's
    /// [strategy](crate::Config::strategy) says so.
    ///
    /// # Errors
    /// When it is not a valid module: a [`CompileError`], or for text that does not parse, a message that shows where.
    pub fn new(engine: &Engine, bytes: impl AsRef<[u8]>) -> Result<Module> {
        Module::new_with(engine, bytes, &CompileOptions::new())
    }

    /// The same, with options.
    ///
    /// # Errors
    /// As for [`Module::new`]; and a [`CompileError`] when an import that the options answer has another type than what
    /// answers it.
    pub fn new_with(engine: &Engine, bytes: impl AsRef<[u8]>, options: &CompileOptions) -> Result<Module> {
        Module::from_binary_with(engine, &wat::parse_bytes(bytes.as_ref())?, options)
    }

    /// Makes a module from the binary format.
    ///
    /// # Errors
    /// As for [`Module::new`].
    pub fn from_binary(engine: &Engine, binary: &[u8]) -> Result<Module> {
        Module::from_source(engine, binary, &CompileOptions::new())
    }

    /// The same, with options.
    ///
    /// # Errors
    /// As for [`Module::new_with`].
    pub fn from_binary_with(engine: &Engine, binary: &[u8], options: &CompileOptions) -> Result<Module> {
        Module::from_source(engine, binary, options)
    }

    fn from_source<'a>(engine: &Engine, source: impl Into<Source<'a>>, options: &CompileOptions) -> Result<Module> {
        let native = compile_with(&engine.inner, source, options.imports.clone()).map_err(Error::from_module)?;
        Ok(Module::from_native(engine, native))
    }

    /// Decodes and validates a module in the binary format, and makes nothing.
    ///
    /// # Errors
    /// A [`CompileError`]: the fault with the least offset.
    pub fn validate(engine: &Engine, binary: &[u8]) -> Result<()> {
        Module::validate_with(engine, binary, &CompileOptions::new())
    }

    /// The same, with options: the imports that these answer are checked too.
    ///
    /// # Errors
    /// A [`CompileError`]: the fault with the least offset, or else that of the first import that has another type than
    /// what answers it.
    pub fn validate_with(engine: &Engine, binary: &[u8], options: &CompileOptions) -> Result<()> {
        let inner = &engine.inner;
        let info = validate(inner.config(), inner.threads(), binary).map_err(Error::from_module)?;
        options.imports.check(&info).map_err(|fault| CompileError::from(&fault).into())
    }

    pub(crate) fn from_native(engine: &Engine, native: Arc<NativeModule>) -> Module {
        Module { native, engine: engine.clone(), url: None }
    }

    /// The module as a store knows it, which got it by this URL.
    pub(crate) fn from_store(engine: &Engine, native: &Arc<NativeModule>, url: Option<Arc<str>>) -> Module {
        Module { native: Arc::clone(native), engine: engine.clone(), url }
    }

    /// The module, said to come from this URL. The handle and its clones know it, and stores that get the module by them call
    /// their [`Script`](crate::Script) for it by the URL, and profilers its code. Nobody else sees it, although who compiles
    /// the same bytes shares the module. Without one the URL is `wasm://wasm/NAME-HASH`, with the module's own name
    /// and a hash of its bytes, or `wasm://wasm/HASH` if it has none.
    ///
    /// ```
    /// use upshift::{Engine, Module};
    ///
    /// # fn main() -> upshift::Result<()> {
    /// let module = Module::new(&Engine::default(), "(module $m)")?;
    /// assert!(module.source_url().starts_with("wasm://wasm/m-"));
    /// let module = module.with_source_url("https://example.org/m.wasm");
    /// assert_eq!(module.source_url(), "https://example.org/m.wasm");
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_source_url(mut self, url: &str) -> Module {
        self.url = Some(url.into());
        self
    }

    /// Where it is from; see [`Module::with_source_url`].
    pub fn source_url(&self) -> &str {
        let source = || source::of(&self.native).map_or("", |source| source.url());
        self.url.as_deref().unwrap_or_else(source)
    }

    /// The URL that this handle was given.
    pub(crate) fn given_url(&self) -> Option<&Arc<str>> {
        self.url.as_ref()
    }

    pub(crate) fn native(&self) -> &Arc<NativeModule> {
        &self.native
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Are both handles to the same module?
    pub fn same(a: &Module, b: &Module) -> bool {
        Arc::ptr_eq(&a.native, &b.native)
    }

    /// Its name in the name section.
    pub fn name(&self) -> Option<&str> {
        self.native.info().names(self.native.wire_bytes()).module()
    }

    /// The bytes that the module was made from, in the binary format.
    pub fn wire_bytes(&self) -> &[u8] {
        self.native.wire_bytes()
    }

    /// What it imports, in order.
    pub fn imports(&self) -> impl ExactSizeIterator<Item = ImportType<'_>> + '_ {
        let imports: Vec<ImportType<'_>> = self
            .native
            .info()
            .imports
            .iter()
            .filter_map(|import| {
                let ty = ExternType::of_module(&self.engine, &self.native, import.ty)?;
                let answer = self.native.info().compile_time_import(import);
                Some(ImportType::new(&import.module, &import.name, ty, answer))
            })
            .collect();
        imports.into_iter()
    }

    /// What it exports, in order.
    pub fn exports(&self) -> impl ExactSizeIterator<Item = ExportType<'_>> + '_ {
        let info = self.native.info();
        let exports: Vec<ExportType<'_>> = info
            .exports
            .iter()
            .filter_map(|export| {
                let ty = ExternType::of_module(&self.engine, &self.native, info.extern_type(export.index))?;
                Some(ExportType::new(&export.name, ty))
            })
            .collect();
        exports.into_iter()
    }

    /// The type of the export of this name.
    pub fn get_export(&self, name: &str) -> Option<ExternType> {
        let info = self.native.info();
        ExternType::of_module(&self.engine, &self.native, info.extern_type(info.export(name)?))
    }

    /// The contents of the custom sections of this name, in order.
    pub fn custom_sections(&self, name: &str) -> impl Iterator<Item = &[u8]> + '_ {
        let sections = self.native.info().custom_sections.iter().filter(move |section| *section.name == *name);
        let sections: Vec<&[u8]> =
            sections.filter_map(|section| self.wire_bytes().get(section.range.clone())).collect();
        sections.into_iter()
    }

    /// The proposals beyond Wasm 1.0 that it uses, by the names of their repositories.
    pub fn used_proposals(&self) -> impl ExactSizeIterator<Item = &'static str> {
        self.native.info().used_features(self.wire_bytes()).into_iter().map(|feature| feature.name())
    }

    /// The functions that it defines, in order.
    pub fn functions(&self) -> impl ExactSizeIterator<Item = FunctionInfo<'_>> + '_ {
        let info = self.native.info();
        info.bodies.iter().enumerate().map(|(defined, body)| {
            let index = info.func_index(DefinedFuncIndex::new(defined));
            let name = info.function_name(self.native.wire_bytes(), index);
            FunctionInfo { index: index.0, name, offset: body.start, len: body.len() }
        })
    }

    /// The type of a function, imported or defined.
    pub fn function_type(&self, index: u32) -> Option<FuncType> {
        let ty = self.native.info().functions.get(index as usize)?;
        let types = self.native.types();
        Some(FuncType::from_wasm(&self.engine, &*types.registry().get_func_type(types.id(*ty))?))
    }

    /// What compilation has cost so far.
    pub fn statistics(&self) -> ModuleStatistics {
        let statistics::ModuleStatistics { tiering, code, .. } = statistics::of_module(&self.native);
        ModuleStatistics {
            functions: self.native.info().bodies.len(),
            compiled: code.compiled(),
            code_bytes: code.code_bytes(),
            metadata_bytes: code.metadata_bytes(),
            compile_time: code.compile_time(),
            baseline: code.baseline,
            optimizing: code.optimizing,
            osr: code.osr,
            tiering,
            retired_bytes: code.retired_bytes,
            freed_bytes: code.freed_bytes,
        }
    }

    /// What the module takes in memory now, whatever the number of its instances.
    pub fn memory_usage(&self) -> ModuleMemoryUsage {
        ModuleMemoryUsage::of(&self.native)
    }

    /// The number by which [events](crate::Event) speak of it.
    pub fn number(&self) -> ModuleNumber {
        statistics::number(&self.native)
    }

    /// Compiles all functions that have no code yet, on all threads of the engine.
    ///
    /// # Errors
    /// When one passes a limit of the compiler, or code memory is full: a [`CompileError`].
    pub fn compile_all(&self) -> Result<()> {
        self.engine.inner.compile_all(&self.native).map_err(|error| Error::from_module(error.into()))
    }

    /// Compiles one function in the tier in which functions start, unless it has code.
    ///
    /// # Errors
    /// As for [`Module::compile_all`]; and when the module does not define the function.
    pub fn compile_function(&self, index: u32) -> Result<()> {
        self.compile_function_in(index, self.engine.inner.first_tier())
    }

    /// Compiles one function in a tier, unless it has code of that tier or a better one. Calls take it from then on.
    ///
    /// # Errors
    /// As for [`Module::compile_function`].
    pub fn compile_function_in(&self, index: u32, tier: Tier) -> Result<()> {
        let function = self.defined(index).ok_or_else(|| no_such_function(index))?;
        let compiled = self.engine.inner.compile_function(&self.native, function, tier);
        compiled.map_err(|error| Error::from_module(error.into()))
    }

    /// Takes all functions back to where they have no code: each is compiled again when it is called next. Code that no
    /// running call is in is freed.
    pub fn flush_code(&self) {
        self.engine.inner.flush(&self.native);
    }

    fn defined(&self, index: u32) -> Option<DefinedFuncIndex> {
        let defined = self.native.info().defined_func_index(FuncIndex(index))?;
        (defined.index() < self.native.info().bodies.len()).then_some(defined)
    }
}

fn no_such_function(index: u32) -> Error {
    messages::usage::not_defined(index).into()
}
