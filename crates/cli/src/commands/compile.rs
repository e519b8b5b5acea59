//! `upshift compile`: compiles all of a module, to see what that takes.

use std::ffi::OsString;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use upshift::{Config, Engine, Error, Module, Result};

use crate::options::Tier;
use crate::quantity::{show_bytes, show_seconds};
use crate::statistics::{TierStatistics, by_tier};
use crate::table::Table;
use crate::{input, output, process};

/// Compile a whole module now, and report what it took
///
/// Nothing is written: programs are compiled when they run. CPU time is that of all threads, and counts from the module's
/// bytes, so it includes validation.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  upshift compile module.wasm\n  upshift compile --threads 1 --json module.wasm")]
pub(crate) struct Args {
    /// The tier that compiles.
    #[arg(long, value_enum, default_value_t, value_name = "TIER")]
    tier: Tier,

    /// Threads that compile; by default, as many as there are cores.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,

    /// Print one JSON object.
    #[arg(long)]
    json: bool,

    /// The module (.wasm, .wat, or `-` for standard input).
    #[arg(value_name = "FILE")]
    file: OsString,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let mut config = Config::new();
    args.tier.apply(&mut config)?;
    config.threads(args.threads.map_or(0, usize::from));
    let binary = input::module(&args.file)?;
    let engine = Engine::new(&config)?;
    let (cpu, wall) = (process::cpu_time(), Instant::now());
    let compiled = Module::from_binary(&engine, &binary).and_then(|module| {
        let validated = process::cpu_time() - cpu;
        module.compile_all()?;
        Ok((module, validated))
    });
    let (module, validated) =
        compiled.map_err(|error| Error::msg(format!("{}: {error:#}", input::name(&args.file))))?;
    let cost = Cost { validation: validated, cpu: process::cpu_time() - cpu, wall: wall.elapsed() };
    if args.json {
        output::print_line(json_of(&module, &binary, &cost))?;
    } else {
        output::print(table_of(&module, &binary, &cost))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What compilation took, from bytes to code.
struct Cost {
    /// CPU time of decoding and validation.
    validation: Duration,
    cpu: Duration,
    wall: Duration,
}

fn json_of(module: &Module, binary: &[u8], cost: &Cost) -> Value {
    let statistics = module.statistics();
    let tiers: Map<String, Value> = by_tier(&statistics)
        .into_iter()
        .map(|TierStatistics { tier, functions, seconds, code_bytes }| {
            (tier.to_string(), json!({ "functions": functions, "compile_s": seconds, "code_bytes": code_bytes }))
        })
        .collect();
    json!({
        "module_bytes": binary.len(),
        "functions": statistics.functions,
        "compiled": statistics.compiled,
        "tiers": tiers,
        "validate_cpu_s": cost.validation.as_secs_f64(),
        "cpu_s": cost.cpu.as_secs_f64(),
        "wall_s": cost.wall.as_secs_f64(),
        "code_bytes": statistics.code_bytes,
        "metadata_bytes": statistics.metadata_bytes,
        "peak_mb": megabytes(process::peak_memory()),
    })
}

/// Millions of bytes are 2^20 here, as in the tools that this is compared with.
#[allow(clippy::cast_precision_loss, reason = "shown to people")]
pub(super) fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1_048_576.0
}

fn table_of(module: &Module, binary: &[u8], cost: &Cost) -> String {
    let statistics = module.statistics();
    let mut table = Table::new(&["tier", ">functions", ">compile time", ">code"]);
    for TierStatistics { tier, functions, seconds, code_bytes } in by_tier(&statistics) {
        table.row([tier.to_string(), functions.to_string(), show_seconds(seconds), show_bytes(code_bytes as u64)]);
    }
    let seconds = |time: Duration| show_seconds(time.as_secs_f64());
    let lines = [
        format!("module {}, {} functions", show_bytes(binary.len() as u64), statistics.functions),
        format!("tables beside the code {}", show_bytes(statistics.metadata_bytes as u64)),
        format!("CPU time {}, of which validation {}", seconds(cost.cpu), seconds(cost.validation)),
        format!("wall time {}", seconds(cost.wall)),
        format!("peak memory {}", show_bytes(process::peak_memory())),
    ];
    format!("{table}  {}\n", lines.join("\n  "))
}
