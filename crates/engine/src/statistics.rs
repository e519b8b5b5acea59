//! What an engine and its modules have done so far.

use code::native_module::NativeModule;
pub use code::statistics::{CodeStatistics, TierStatistics};
pub use code::stub_cache::StubStatistics;

use crate::attachment;
pub use crate::cache::CacheStatistics;
pub use crate::code_gc::CodeGcStatistics;
use crate::events::ModuleNumber;
use crate::service::Service;
pub use crate::service::TieringStatistics;

/// What an engine has done so far, and has now.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct EngineStatistics {
    /// Modules that live.
    pub modules: usize,
    /// Stores that live.
    pub stores: usize,
    /// Optimizing jobs that wait.
    pub queued: usize,
    /// Optimizing jobs that run.
    pub running: usize,
    /// Tasks of any kind that wait in the pool.
    pub tasks: usize,
    /// The module cache.
    pub cache: CacheStatistics,
    /// What has happened to functions.
    pub tiering: TieringStatistics,
    /// What code GC has done.
    pub code_gc: CodeGcStatistics,
    /// Entry stubs, through which the host calls Wasm.
    pub entry_stubs: StubStatistics,
    /// Exit stubs, through which Wasm calls the host.
    pub exit_stubs: StubStatistics,
    /// Bytes of code memory that code takes now, stubs included.
    pub code_bytes: usize,
    /// Bytes of machine code among them that nothing leads to any more.
    pub retired_bytes: usize,
}

impl EngineStatistics {
    pub(crate) fn of(service: &Service) -> EngineStatistics {
        let (queued, running) = service.queue.len();
        EngineStatistics {
            modules: service.registry.modules().len(),
            stores: service.stores.len(),
            queued,
            running,
            tasks: service.workers.tasks().0,
            cache: service.cache.statistics(),
            tiering: service.counts.read(),
            code_gc: service.code_gc.statistics(),
            entry_stubs: service.stubs.entry.statistics(),
            exit_stubs: service.stubs.exit.statistics(),
            code_bytes: service.space.used(),
            retired_bytes: service.space.retired_bytes(),
        }
    }
}

/// What has happened to the functions of a module, and what their code takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ModuleStatistics {
    /// What has happened to functions.
    pub tiering: TieringStatistics,
    /// What their code takes.
    pub code: CodeStatistics,
}

/// The statistics of a module.
pub fn of_module(module: &NativeModule) -> ModuleStatistics {
    ModuleStatistics { tiering: attachment::of(module).counts.read(), code: module.statistics() }
}

/// The number of a module in events.
pub fn number(module: &NativeModule) -> ModuleNumber {
    attachment::of(module).number
}
