//! `Engine`: the service that stores and modules share. A handle; the last one to be dropped takes everything along.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use abi::compiler::CompileError;
use abi::tier::Tier;
use code::code::Code;
use code::native_module::{NativeModule, Parts};
use code::space::{CodeSpace, SpaceError};
use code::stub_cache::Stub;
use code::stubs::LazyStubs;
use runtime::hooks::{Hooks, HotLoop, LazyError};
use runtime::ids::StoreId;
use runtime::image::InitialImage;
use runtime::memory_counts::MemoryCounts;
use runtime::memory_pool::MemoryPool;
use runtime::references::ReferenceImage;
use runtime::store::Environment;
use runtime::stores::{Running, Stores};
use sys::code_memory::Strategy;
use wasm::canonical::TypeRegistry;
use wasm::types::{DefinedFuncIndex, FuncType};

use crate::cache::ModuleCache;
use crate::code_gc::CodeGc;
use crate::code_gc::ceiling::Room;
use crate::compile::all;
use crate::compile::job::Job;
use crate::compile::jobs::Jobs;
use crate::compile::phases::Cancel;
use crate::compile::stubs::{StubError, Stubs};
use crate::compilers::Compilers;
use crate::config::Config;
use crate::error::EngineError;
use crate::events::{Cause, EventKind, Events, quietly, spans};
use crate::memory_usage::MemoryUsage;
use crate::metrics::MetricsSnapshot;
use crate::pool::workers::Workers;
use crate::registry::Registry;
use crate::service::{Counts, Service};
use crate::statistics::EngineStatistics;
use crate::tiering::{self, Queue};
use crate::{attachment, code_gc, log};

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
    service: Arc<Service>,
    memory_pool: Arc<MemoryPool>,
    epoch: Arc<AtomicU64>,
}

impl Engine {
    /// Makes an engine. No thread is started and no code memory taken until there is work.
    ///
    /// # Errors
    /// When the machine or the system cannot run compiled code.
    pub fn new(mut config: Config) -> Result<Engine, EngineError> {
        runtime::signal::install_handler()
            .map_err(|error| EngineError::System { what: "install signal handlers for traps", error })?;
        let compilers = Compilers::new(config.tier)?;
        config.settings.profile = compilers.dynamic();
        let code = if config.anonymous_code { Strategy::Duplicated } else { Strategy::DualMapped };
        let space = CodeSpace::preferring(config.code_memory, code)
            .map_err(|error| EngineError::System { what: "reserve code memory", error })?;
        let lazy_stubs = LazyStubs::new(Arc::clone(&space), runtime::trampolines::lazy as *const u8);
        let events = Events::new(config.listener.clone());
        let registry = Arc::new(Registry::new(events.clone()));
        log::turn_on(&registry, config.code_listeners.clone());
        let service = Service {
            workers: Workers::new(&config),
            cache: Arc::new(ModuleCache::new(config.module_cache, config.features)),
            jobs: Jobs::default(),
            types: TypeRegistry::new(),
            compilers,
            space,
            lazy_stubs: Arc::new(lazy_stubs),
            stores: Arc::new(Stores::default()),
            registry,
            events,
            queue: Queue::default(),
            stubs: Stubs::default(),
            code_gc: CodeGc::default(),
            counts: Counts::default(),
            config,
        };
        let inner = Inner { service: Arc::new(service), memory_pool: Arc::default(), epoch: Arc::default() };
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
        &self.inner.service.config
    }

    /// Threads that work on a module, the calling one included.
    pub fn threads(&self) -> usize {
        self.inner.service.workers.threads()
    }

    pub(crate) fn service(&self) -> &Arc<Service> {
        &self.inner.service
    }

    /// The tier in which functions start.
    pub fn first_tier(&self) -> Tier {
        self.inner.service.compilers.first_tier()
    }

    /// Compiles all functions of a module that have no code yet, on all threads of the pool.
    ///
    /// # Errors
    /// The error of the first function, by index, that could not be compiled. The others have their code.
    pub fn compile_all(&self, module: &Arc<NativeModule>) -> Result<(), LazyError> {
        all::compile_all(&self.inner.service, module, &Cancel::default())
    }

    /// Compiles and publishes a function in a tier, unless it has code of that tier or a better one.
    ///
    /// # Errors
    /// When its body is not valid, when it passes a limit of the compiler, or when code memory is full.
    pub fn compile_function(
        &self,
        module: &Arc<NativeModule>,
        function: DefinedFuncIndex,
        tier: Tier,
    ) -> Result<(), LazyError> {
        let job = Job { module, function, tier, osr: None, cause: Cause::Request, running: None };
        job.run(&self.inner.service).map(drop)
    }

    /// Compiles a function in a tier, to be looked at: nothing leads to the code.
    ///
    /// # Errors
    /// As for [`Engine::compile_function`].
    pub fn compile_aside(
        &self,
        module: &Arc<NativeModule>,
        function: DefinedFuncIndex,
        tier: Tier,
    ) -> Result<Arc<Code>, LazyError> {
        let job = Job { module, function, tier, osr: None, cause: Cause::Request, running: None };
        job.make(&self.inner.service)
    }

    /// Drops the code of a module's functions: they are compiled again when they are called. What no stack holds is freed.
    pub fn flush(&self, module: &Arc<NativeModule>) {
        code_gc::flush_module(&self.inner.service, module);
    }

    /// Drops the code of all functions in the baseline tier, of all modules, and frees what no stack holds. Gives the bytes
    /// freed.
    pub fn flush_code(&self) -> usize {
        code_gc::flush_baseline(&self.inner.service)
    }

    /// Frees what code can be freed now. Gives the bytes freed.
    pub fn collect_code(&self) -> usize {
        code_gc::collect_now(&self.inner.service, None)
    }

    /// What the engine has done so far.
    pub fn statistics(&self) -> EngineStatistics {
        EngineStatistics::of(&self.inner.service)
    }

    /// What the engine and all that belongs to it take in memory.
    pub fn memory_usage(&self) -> MemoryUsage {
        MemoryUsage::of(&self.inner.service)
    }

    /// What the engine has counted and measured.
    pub fn metrics(&self) -> MetricsSnapshot {
        MetricsSnapshot::of(self)
    }

    /// What became of the memories that stores asked for.
    pub(crate) fn memory_counts(&self) -> &MemoryCounts {
        &self.inner.memory_pool.counts
    }

    /// The registry of canonical types.
    pub fn types(&self) -> &TypeRegistry {
        &self.inner.service.types
    }

    /// The code region.
    pub fn code_space(&self) -> &Arc<CodeSpace> {
        &self.inner.service.space
    }

    /// What a store needs.
    pub fn environment(&self) -> Environment {
        let inner = &self.inner;
        let service = &inner.service;
        Environment {
            hooks: Arc::clone(inner) as Arc<dyn Hooks>,
            stores: Arc::clone(&service.stores),
            space: Arc::clone(&service.space),
            epoch: Arc::clone(&inner.epoch),
            memory_policy: service.config.memory,
            memory_pool: Arc::clone(&inner.memory_pool),
            max_wasm_stack: service.config.max_wasm_stack,
            backtraces: service.config.backtraces,
            offer_safepoints: service.config.code_gc_stress,
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

    /// The stub through which the host calls functions of this type. Who keeps its address keeps it.
    ///
    /// # Errors
    /// When it cannot be compiled, or code memory is full.
    pub fn entry_stub(&self, ty: &FuncType) -> Result<Arc<Stub>, CompileError> {
        let service = &self.inner.service;
        code_gc::collect_if_worth_it(service, None);
        let make = || service.stubs.entry(service.compilers.stubs(), &service.space, ty);
        let stub = with_room(service, make).map_err(stub_error)?;
        service.registry.stub_created(stub.code());
        Ok(stub)
    }

    /// The stub through which compiled code calls host functions of this type.
    ///
    /// # Errors
    /// As for [`Engine::entry_stub`].
    pub fn exit_stub(&self, ty: &FuncType) -> Result<Arc<Stub>, CompileError> {
        let service = &self.inner.service;
        code_gc::collect_if_worth_it(service, None);
        let make = || service.stubs.exit(service.compilers.stubs(), &service.space, ty);
        let stub = with_room(service, make).map_err(stub_error)?;
        service.registry.stub_created(stub.code());
        Ok(stub)
    }
}

/// Does what needs code memory; makes room, and tries again, if there is none left.
fn with_room<T>(service: &Arc<Service>, mut work: impl FnMut() -> Result<T, StubError>) -> Result<T, StubError> {
    let mut room = Room::default();
    loop {
        match work() {
            Err(StubError::Space(SpaceError::Full { .. })) if room.make(service, None) => {}
            result => return result,
        }
    }
}

fn stub_error(error: StubError) -> CompileError {
    match error {
        StubError::Space(error) => CompileError::limit(None, error.to_string()),
        StubError::Compile(error) => error,
    }
}

/// Makes a module whose functions are lazy, and registers it.
///
/// # Errors
/// When code memory is full.
pub(crate) fn add_module(service: &Arc<Service>, parts: Parts) -> Result<Arc<NativeModule>, CompileError> {
    let count = parts.info.bodies.len();
    with_room(service, || service.lazy_stubs.make(count).map_err(StubError::Space)).map_err(stub_error)?;
    let module = NativeModule::new(parts, Arc::clone(&service.space), Arc::clone(&service.lazy_stubs))
        .map_err(|error| CompileError::limit(None, error.to_string()))?;
    service.registry.add(&module);
    Ok(module)
}

/// The last handle goes: tasks that have not begun are dropped, those that run are waited for, and who waits for a result
/// is told that there will be none. If it goes within a task, of whichever engine, the last task of this one does the rest.
impl Drop for Inner {
    fn drop(&mut self) {
        let started = self.service.events.start(spans::drop_engine());
        let span = started.span().clone();
        let _entered = span.enter();
        self.service.jobs.cancel();
        let service = Arc::clone(&self.service);
        self.service.workers.close(move |dropped, awaited| {
            service.jobs.end();
            service.assert_idle();
            quietly(|| service.events.end(&started, None, || EventKind::EngineDropped { dropped, awaited }));
        });
    }
}

impl Hooks for Inner {
    fn compile_lazily(
        &self,
        module: &Arc<NativeModule>,
        function: DefinedFuncIndex,
        running: &Running,
    ) -> Result<*const u8, LazyError> {
        code_gc::collect_if_worth_it(&self.service, Some(running));
        let tier = self.service.compilers.first_tier();
        let job = Job { module, function, tier, osr: None, cause: Cause::FirstCall, running: Some(running) };
        job.run(&self.service)
    }

    fn tier_up(&self, module: &Arc<NativeModule>, function: DefinedFuncIndex, running: &Running) -> *const u8 {
        tiering::tier_up(&self.service, module, function, running)
    }

    fn loop_tier_up(&self, module: &Arc<NativeModule>, hot: HotLoop, running: &Running) -> Option<*const u8> {
        tiering::loop_tier_up(&self.service, module, hot, running)
    }

    fn safepoint(&self, running: &Running) {
        code_gc::collect_if_worth_it(&self.service, Some(running));
    }

    fn checked_variant(&self, module: &Arc<NativeModule>) -> Result<Arc<NativeModule>, CompileError> {
        attachment::checked_variant(module, |parts| add_module(&self.service, parts))
    }

    fn image(&self, module: &Arc<NativeModule>) -> Option<Arc<InitialImage>> {
        attachment::image(&self.service.config, module)
    }

    fn references(&self, module: &Arc<NativeModule>) -> Option<Arc<ReferenceImage>> {
        attachment::references(module)
    }

    fn store_made(&self, store: StoreId) {
        self.service.events.mark_store(store, EventKind::StoreMade);
    }

    fn store_dropped(&self, store: StoreId) {
        quietly(|| self.service.events.mark_store(store, EventKind::StoreDropped));
    }
}
