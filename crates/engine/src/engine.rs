//! `Engine`: the service that stores and modules share. A handle; the last one to be dropped takes everything along.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use abi::compiler::{CompileError, Compiler};
use abi::tier::Tier;
use code::code::Code;
use code::native_module::{NativeModule, Parts};
use code::space::CodeSpace;
use code::stubs::LazyStubs;
use optimizing::OptimizingCompiler;
use runtime::hooks::Hooks;
use runtime::image::InitialImage;
use runtime::memory_pool::MemoryPool;
use runtime::store::Environment;
use wasm::canonical::TypeRegistry;
use wasm::types::{DefinedFuncIndex, FuncType};

use crate::attachment;
use crate::compile::job::compile_function;
use crate::compile::stubs::Stubs;
use crate::config::Config;
use crate::error::EngineError;
use crate::pool::WorkerPool;

/// A handle to an engine.
#[derive(Clone, Debug)]
pub struct Engine {
    inner: Arc<Inner>,
}

/// A handle that does not keep its engine.
#[derive(Clone, Debug)]
pub struct WeakEngine {
    inner: Weak<Inner>,
}

impl WeakEngine {
    /// The engine, if it still is.
    pub fn upgrade(&self) -> Option<Engine> {
        Some(Engine { inner: self.inner.upgrade()? })
    }
}

#[derive(Debug)]
struct Inner {
    config: Config,
    compiler: Arc<dyn Compiler>,
    space: Arc<CodeSpace>,
    lazy_stubs: LazyStubs,
    stubs: Stubs,
    types: TypeRegistry,
    pool: WorkerPool,
    memory_pool: Arc<MemoryPool>,
    epoch: Arc<AtomicU64>,
}

impl Engine {
    /// Makes an engine. No thread is started and no code memory taken until there is work.
    ///
    /// # Errors
    /// When the machine or the system cannot run compiled code.
    pub fn new(config: Config) -> Result<Engine, EngineError> {
        runtime::signal::install_handler()
            .map_err(|error| EngineError::System { what: "install signal handlers for traps", error })?;
        let compiler: Arc<dyn Compiler> = match config.tier {
            Tier::Optimizing => {
                Arc::new(OptimizingCompiler::new().map_err(|error| EngineError::Machine(error.to_string()))?)
            }
        };
        let space = CodeSpace::new(config.code_memory)
            .map_err(|error| EngineError::System { what: "reserve code memory", error })?;
        let inner = Inner {
            compiler,
            lazy_stubs: LazyStubs::new(Arc::clone(&space), runtime::trampolines::lazy as *const u8),
            space,
            stubs: Stubs::default(),
            types: TypeRegistry::new(),
            pool: WorkerPool::new(config.threads),
            memory_pool: Arc::default(),
            epoch: Arc::default(),
            config,
        };
        Ok(Engine { inner: Arc::new(inner) })
    }

    /// A handle that does not keep the engine.
    pub fn downgrade(&self) -> WeakEngine {
        WeakEngine { inner: Arc::downgrade(&self.inner) }
    }

    /// Are both handles to the same engine?
    pub fn same(&self, other: &Engine) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.inner.config
    }

    /// The worker pool.
    pub fn pool(&self) -> &WorkerPool {
        &self.inner.pool
    }

    /// The compiler of the configured tier.
    pub fn compiler(&self) -> &Arc<dyn Compiler> {
        &self.inner.compiler
    }

    /// The registry of canonical types.
    pub fn types(&self) -> &TypeRegistry {
        &self.inner.types
    }

    /// The code region.
    pub fn code_space(&self) -> &Arc<CodeSpace> {
        &self.inner.space
    }

    /// What a store needs.
    pub fn environment(&self) -> Environment {
        let inner = &self.inner;
        Environment {
            hooks: Arc::clone(inner) as Arc<dyn Hooks>,
            space: Arc::clone(&inner.space),
            epoch: Arc::clone(&inner.epoch),
            memory_policy: inner.config.memory,
            memory_pool: Arc::clone(&inner.memory_pool),
            max_wasm_stack: inner.config.max_wasm_stack,
            backtraces: inner.config.backtraces,
        }
    }

    /// Moves the epoch on by one. Async-signal-safe.
    pub fn increment_epoch(&self) {
        self.inner.epoch.fetch_add(1, Ordering::Relaxed);
    }

    /// The epoch.
    pub fn epoch(&self) -> u64 {
        self.inner.epoch.load(Ordering::Relaxed)
    }

    /// The stub through which the host calls functions of this type.
    ///
    /// # Errors
    /// When it cannot be compiled, or code memory is full.
    pub fn entry_stub(&self, ty: &FuncType) -> Result<Arc<Code>, CompileError> {
        self.inner.stubs.entry(&*self.inner.compiler, &self.inner.space, ty)
    }

    /// The stub through which compiled code calls host functions of this type.
    ///
    /// # Errors
    /// As for [`Engine::entry_stub`].
    pub fn exit_stub(&self, ty: &FuncType) -> Result<Arc<Code>, CompileError> {
        self.inner.stubs.exit(&*self.inner.compiler, &self.inner.space, ty)
    }

    pub(crate) fn add_module(&self, parts: Parts) -> Result<Arc<NativeModule>, CompileError> {
        self.inner.add_module(parts)
    }
}

impl Inner {
    fn add_module(&self, parts: Parts) -> Result<Arc<NativeModule>, CompileError> {
        NativeModule::new(parts, Arc::clone(&self.space), &self.lazy_stubs)
            .map_err(|error| CompileError { function: None, message: error.to_string() })
    }
}

impl Hooks for Inner {
    fn compile_lazily(
        &self,
        module: &Arc<NativeModule>,
        function: DefinedFuncIndex,
    ) -> Result<*const u8, CompileError> {
        compile_function(&*self.compiler, module, function)
    }

    fn checked_variant(&self, module: &Arc<NativeModule>) -> Result<Arc<NativeModule>, CompileError> {
        attachment::checked_variant(module, |parts| self.add_module(parts))
    }

    fn image(&self, module: &Arc<NativeModule>) -> Option<Arc<InitialImage>> {
        attachment::image(&self.config, module)
    }
}
