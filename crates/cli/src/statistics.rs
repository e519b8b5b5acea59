//! `--stats`: what was compiled by which tier, what it took, how functions moved, and the time and memory it all needed.

use std::fmt;
use std::time::Duration;

use upshift::{EngineStatistics, MemoryUsage, Module, ModuleStatistics, Tier};

use crate::process::{self, Moment};
use crate::quantity::{show_bytes, show_seconds};
use crate::recorded::Progress;
use crate::table::Table;

/// Functions, time and bytes of one tier, or of OSR entries.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct TierStatistics {
    /// The tier's name.
    pub(crate) tier: &'static str,
    /// Functions whose calls run in it now; OSR entries that are ready.
    pub(crate) functions: usize,
    /// Pieces of code that it ever made.
    pub(crate) compiled: usize,
    /// CPU seconds that it took.
    pub(crate) seconds: f64,
    /// Bytes of its machine code now, of all that is not freed yet.
    pub(crate) code_bytes: usize,
    /// Bytes of machine code to one of WebAssembly, in the functions that run in it now.
    pub(crate) ratio: Option<f64>,
}

/// What there is to say about a module that ran.
pub(crate) struct Statistics {
    module: ModuleStatistics,
    engine: EngineStatistics,
    tiers: Vec<TierStatistics>,
    progress: Option<Progress>,
    memory: MemoryUsage,
    end: Moment,
    peak_memory: u64,
}

/// The statistics of a module, its engine and this process.
pub(crate) fn of_module(module: &Module, progress: Option<Progress>) -> Statistics {
    // First: looking at the code takes memory and time, too.
    let (end, peak_memory) = (Moment::now(), process::peak_memory());
    let engine = module.engine().statistics();
    let memory = module.engine().memory_usage();
    Statistics { module: module.statistics(), engine, tiers: by_tier(module), progress, memory, end, peak_memory }
}

/// The share of every tier, and of OSR entries, in this order.
pub(crate) fn by_tier(module: &Module) -> Vec<TierStatistics> {
    let statistics = module.statistics();
    let mut bytes = [(0, 0); 2];
    for function in module.functions() {
        let (Some(tier), Some(code)) = (module.function_tier(function.index), module.code(function.index)) else {
            continue;
        };
        let (wasm, machine) = &mut bytes[usize::from(tier == Tier::Optimizing)];
        *wasm += function.len;
        *machine += code.bytes.len();
    }
    let row = |tier, of: &upshift::TierStatistics, bytes: Option<(usize, usize)>| TierStatistics {
        tier,
        functions: of.functions,
        compiled: of.compiled,
        seconds: of.compile_time.as_secs_f64(),
        code_bytes: of.code_bytes,
        ratio: bytes.and_then(|(wasm, machine)| ratio(machine, wasm)),
    };
    vec![
        row(Tier::Baseline.name(), &statistics.baseline, Some(bytes[0])),
        row(Tier::Optimizing.name(), &statistics.optimizing, Some(bytes[1])),
        row("osr", &statistics.osr, None),
    ]
}

#[allow(clippy::cast_precision_loss, reason = "shown with two decimals")]
fn ratio(machine: usize, wasm: usize) -> Option<f64> {
    (wasm > 0).then(|| machine as f64 / wasm as f64)
}

/// The rows of tiers that did something, as a table.
pub(crate) fn table(tiers: &[TierStatistics]) -> Table {
    let mut table = Table::new(&["tier", ">functions", ">compiled", ">compile time", ">code", ">code/Wasm"]);
    for row in tiers.iter().filter(|row| row.compiled > 0) {
        table.row([
            if row.tier == "osr" { "OSR entries".to_string() } else { row.tier.to_string() },
            row.functions.to_string(),
            row.compiled.to_string(),
            show_seconds(row.seconds),
            show_bytes(row.code_bytes as u64),
            row.ratio.map_or(String::new(), |ratio| format!("{ratio:.2}")),
        ]);
    }
    table
}

impl fmt::Display for Statistics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Statistics { module, engine, tiers, progress, memory, end, peak_memory } = self;
        let mut table = table(tiers);
        table.row(["no code".to_string(), module.functions.saturating_sub(module.compiled).to_string()]);
        table.row(["declared".to_string(), module.functions.to_string()]);
        write!(f, "{table}")?;
        let tiering = &module.tiering;
        writeln!(
            f,
            "  tier-ups {}, calls that went on in an OSR entry {}, given up by budget {}, failed {}",
            tiering.tier_ups, tiering.osr_entered, tiering.over_budget, tiering.failed
        )?;
        writeln!(f, "  optimizing jobs at the end: {} in the queue, {} running", engine.queued, engine.running)?;
        writeln!(
            f,
            "  functions flushed {}, code freed {}, waiting to be freed {}",
            tiering.flushed,
            show_bytes(module.freed_bytes),
            show_bytes(module.retired_bytes as u64)
        )?;
        let gc = &engine.code_gc;
        writeln!(
            f,
            "  code collections {}, put off while one was under way {}, stores interrupted {}",
            gc.collections, gc.remembered, gc.interrupted
        )?;
        if let Some(progress) = progress {
            write!(f, "{progress}")?;
        }
        let show = |bytes: usize| show_bytes(bytes as u64);
        writeln!(
            f,
            "  memory {}: machine code {}, its tables {}, modules {}, linear memories {}",
            show(memory.total()),
            show(memory.code + memory.stubs + memory.code_free),
            show(memory.code_metadata + memory.profiles),
            show(memory.wire_bytes + memory.module_metadata),
            show(memory.stores.memories)
        )?;
        writeln!(
            f,
            "  whole process: {}, {} of CPU, peak memory {}",
            time(end.wall),
            time(end.cpu),
            show_bytes(*peak_memory)
        )
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Progress { stages, ready, first_call } = self;
        let (decode, validate) = (time(stages.decode), time(stages.validate));
        let (wall, cpu) = (time(ready.wall), time(ready.cpu));
        writeln!(f, "  module ready after {wall}, {cpu} of CPU: decoding {decode}, validation {validate}")?;
        match first_call {
            Some(call) => writeln!(f, "  first call into Wasm after {}, {} of CPU", time(call.wall), time(call.cpu)),
            None => writeln!(f, "  no call into Wasm"),
        }
    }
}

fn time(time: Duration) -> String {
    show_seconds(time.as_secs_f64())
}
