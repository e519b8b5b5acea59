//! What the code of a module has cost and what it takes, by tier.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use abi::tier::Tier;

/// Counters of one kind of code.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// Functions whose calls run it now.
    pub(crate) functions: AtomicUsize,
    pub(crate) compiled: AtomicUsize,
    pub(crate) code_bytes: AtomicUsize,
    pub(crate) metadata_bytes: AtomicUsize,
    pub(crate) compiled_bytes: AtomicU64,
    pub(crate) nanos: AtomicU64,
}

/// What code of one tier has cost so far, or OSR entries alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TierStatistics {
    /// Functions whose calls run in the tier now; OSR entries that are ready now.
    pub functions: usize,
    /// Pieces of code made, counting a function as often as it was compiled.
    pub compiled: usize,
    /// Bytes of machine code that exist now, replaced code that is not freed yet included.
    pub code_bytes: usize,
    /// Bytes of tables that belong to it.
    pub metadata_bytes: usize,
    /// Bytes of machine code ever made.
    pub compiled_bytes: u64,
    /// Thread time spent compiling.
    pub compile_time: Duration,
}

impl Counters {
    pub(crate) fn read(&self) -> TierStatistics {
        TierStatistics {
            functions: self.functions.load(Ordering::Relaxed),
            compiled: self.compiled.load(Ordering::Relaxed),
            code_bytes: self.code_bytes.load(Ordering::Relaxed),
            metadata_bytes: self.metadata_bytes.load(Ordering::Relaxed),
            compiled_bytes: self.compiled_bytes.load(Ordering::Relaxed),
            compile_time: Duration::from_nanos(self.nanos.load(Ordering::Relaxed)),
        }
    }
}

/// The counters of a module.
#[derive(Debug, Default)]
pub(crate) struct Statistics {
    tiers: [Counters; Tier::ALL.len()],
    pub(crate) osr: Counters,
    pub(crate) flushed: AtomicUsize,
    pub(crate) freed: AtomicUsize,
    pub(crate) freed_bytes: AtomicU64,
    pub(crate) retired_bytes: AtomicUsize,
}

impl Statistics {
    pub(crate) fn tier(&self, tier: Tier) -> &Counters {
        match tier {
            Tier::Baseline => &self.tiers[0],
            Tier::Optimizing => &self.tiers[1],
        }
    }

    pub(crate) fn read(&self) -> CodeStatistics {
        CodeStatistics {
            baseline: self.tier(Tier::Baseline).read(),
            optimizing: self.tier(Tier::Optimizing).read(),
            osr: self.osr.read(),
            flushed: self.flushed.load(Ordering::Relaxed),
            freed: self.freed.load(Ordering::Relaxed),
            freed_bytes: self.freed_bytes.load(Ordering::Relaxed),
            retired_bytes: self.retired_bytes.load(Ordering::Relaxed),
        }
    }
}

/// What the code of a module has cost so far, and what it takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CodeStatistics {
    /// Code of the baseline tier.
    pub baseline: TierStatistics,
    /// Code of the optimizing tier, without OSR entries.
    pub optimizing: TierStatistics,
    /// OSR entries.
    pub osr: TierStatistics,
    /// Functions that lost their code to the ceiling, each time.
    pub flushed: usize,
    /// Code objects freed before their module.
    pub freed: usize,
    /// Bytes of machine code of those.
    pub freed_bytes: u64,
    /// Bytes of machine code that nothing leads to any more and that are not freed yet.
    pub retired_bytes: usize,
}

impl CodeStatistics {
    /// The counts of a tier.
    pub fn tier(&self, tier: Tier) -> &TierStatistics {
        match tier {
            Tier::Baseline => &self.baseline,
            Tier::Optimizing => &self.optimizing,
        }
    }

    /// All three kinds of code.
    pub fn all(&self) -> [&TierStatistics; 3] {
        [&self.baseline, &self.optimizing, &self.osr]
    }

    /// Functions with machine code.
    pub fn compiled(&self) -> usize {
        self.baseline.functions + self.optimizing.functions
    }

    /// Bytes of machine code that exist now.
    pub fn code_bytes(&self) -> usize {
        self.all().iter().map(|tier| tier.code_bytes).sum()
    }

    /// Bytes of tables that belong to it.
    pub fn metadata_bytes(&self) -> usize {
        self.all().iter().map(|tier| tier.metadata_bytes).sum()
    }

    /// Thread time spent compiling.
    pub fn compile_time(&self) -> Duration {
        self.all().iter().map(|tier| tier.compile_time).sum()
    }
}
