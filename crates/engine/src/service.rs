//! `Service`: the part of an engine that its background work needs too. What keeps an engine is the handle to the whole,
//! which no job holds: when the last one goes, jobs are cancelled and waited for.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use code::space::CodeSpace;
use code::stubs::LazyStubs;
use runtime::stores::Stores;
use wasm::canonical::TypeRegistry;

use crate::cache::ModuleCache;
use crate::code_gc::CodeGc;
use crate::compile::jobs::Jobs;
use crate::compile::stubs::Stubs;
use crate::compilers::Compilers;
use crate::config::Config;
use crate::events::Events;
use crate::pool::workers::Workers;
use crate::registry::Registry;
use crate::tiering::Queue;

/// What the engine's threads share.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) config: Config,
    pub(crate) workers: Workers,
    pub(crate) cache: Arc<ModuleCache>,
    pub(crate) jobs: Jobs,
    pub(crate) types: TypeRegistry,
    pub(crate) compilers: Compilers,
    pub(crate) space: Arc<CodeSpace>,
    pub(crate) lazy_stubs: Arc<LazyStubs>,
    pub(crate) stores: Arc<Stores>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) events: Events,
    pub(crate) queue: Queue,
    pub(crate) stubs: Stubs,
    pub(crate) code_gc: CodeGc,
    pub(crate) counts: Counts,
}

impl Service {
    /// In debug builds, checks that an engine that goes leaves nothing behind: no task, no builder, no store. (A stream may
    /// be left: it fails when it goes on.)
    pub(crate) fn assert_idle(&self) {
        if cfg!(debug_assertions) && !std::thread::panicking() {
            assert_eq!(self.workers.tasks(), (0, 0), "tasks outlive their engine");
            assert_eq!(self.cache.statistics().building, 0, "a claim on the module cache outlives its engine");
            assert_eq!(self.stores.len(), 0, "a store outlives its engine");
        }
    }
}

/// What has happened to functions, of a module or of all.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Optimizing jobs asked for by code that had spent its budget.
    pub(crate) tier_ups: AtomicU64,
    /// Calls that went on in an OSR entry.
    pub(crate) osr_entered: AtomicU64,
    /// Optimizing jobs given up for their budget.
    pub(crate) over_budget: AtomicU64,
    /// Optimizing jobs that failed otherwise.
    pub(crate) failed: AtomicU64,
    /// Functions that lost their code to the ceiling.
    pub(crate) flushed: AtomicU64,
}

/// A copy of [`Counts`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TieringStatistics {
    /// Optimizing jobs asked for by code that had spent its budget.
    pub tier_ups: u64,
    /// Calls that went on in an OSR entry.
    pub osr_entered: u64,
    /// Optimizing jobs given up for their budget.
    pub over_budget: u64,
    /// Optimizing jobs that failed otherwise.
    pub failed: u64,
    /// Functions that lost their code to the ceiling.
    pub flushed: u64,
}

impl Counts {
    pub(crate) fn read(&self) -> TieringStatistics {
        TieringStatistics {
            tier_ups: self.tier_ups.load(Ordering::Relaxed),
            osr_entered: self.osr_entered.load(Ordering::Relaxed),
            over_budget: self.over_budget.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            flushed: self.flushed.load(Ordering::Relaxed),
        }
    }
}

/// One more.
pub(crate) fn count(counters: [&AtomicU64; 2], by: u64) {
    for counter in counters {
        counter.fetch_add(by, Ordering::Relaxed);
    }
}
