//! `--stats`: what was compiled by which tier, what it took, and the memory it all needed.

use std::fmt;

use upshift::{Module, ModuleStatistics};

use crate::process;
use crate::quantity::{show_bytes, show_seconds};
use crate::table::Table;

/// Functions, time and bytes of one tier.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct TierStatistics {
    /// The tier's name.
    pub(crate) tier: &'static str,
    /// Functions that it compiled.
    pub(crate) functions: usize,
    /// CPU seconds that it took.
    pub(crate) seconds: f64,
    /// Bytes of its machine code.
    pub(crate) code_bytes: usize,
}

/// What there is to say about a module that ran.
pub(crate) struct Statistics {
    declared: usize,
    tiers: Vec<TierStatistics>,
    peak_memory: u64,
}

/// The statistics of a module and this process.
pub(crate) fn of_module(module: &Module) -> Statistics {
    let statistics = module.statistics();
    Statistics { declared: statistics.functions, tiers: by_tier(&statistics), peak_memory: process::peak_memory() }
}

/// The share of every tier. All code is the optimizing tier's so far.
pub(crate) fn by_tier(statistics: &ModuleStatistics) -> Vec<TierStatistics> {
    vec![TierStatistics {
        tier: "optimizing",
        functions: statistics.compiled,
        seconds: statistics.compile_time.as_secs_f64(),
        code_bytes: statistics.code_bytes,
    }]
}

impl fmt::Display for Statistics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new(&["tier", ">functions", ">compile time", ">code"]);
        for tier in &self.tiers {
            let TierStatistics { tier, functions, seconds, code_bytes } = *tier;
            table.row([tier.to_string(), functions.to_string(), show_seconds(seconds), show_bytes(code_bytes as u64)]);
        }
        table.row(["declared".to_string(), self.declared.to_string()]);
        writeln!(f, "{table}  peak memory {}", show_bytes(self.peak_memory))
    }
}
