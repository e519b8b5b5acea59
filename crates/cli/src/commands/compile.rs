//! `upshift compile`: compiles all of a module, to see what that takes.

use std::ffi::OsString;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use upshift::{Module, ModuleStatistics, Result};

use crate::progress::Progress;
use crate::quantity::{show_bytes, show_seconds};
use crate::recorded::Stages;
use crate::recording::{About, Recording, RecordingOptions};
use crate::statistics::{TierStatistics, by_tier, table};
use crate::tiering::{Tiering, When};
use crate::{input, output, process};

/// Compile a whole module now, and report what it took
///
/// Nothing is written: programs are compiled when they run. CPU time is that of all threads, and includes reading, decoding
/// and validation, which go on at the same time.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Threads that compile; by default, as many as there are cores.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,

    /// Print one JSON object.
    #[arg(long)]
    json: bool,

    /// The module (.wasm, .wat, or `-` for standard input).
    #[arg(value_name = "FILE")]
    file: OsString,

    #[command(flatten)]
    tiering: Tiering,

    #[command(flatten)]
    recording: RecordingOptions,
}

const EXAMPLES: &str = "\
Examples:
  upshift compile module.wasm                             the baseline tier, on all cores
  upshift compile --tier optimizing module.wasm
  upshift compile --tier baseline --threads 1 --json module.wasm
  upshift compile --compile lazy module.wasm              decode and validate only

JSON keys: cpu_s, the CPU seconds of all; decode_cpu_s, validate_cpu_s and compile_cpu_s (the rest, with the reading),
which add up to it; wall_s;
module_bytes, wasm_bytes (of function bodies), functions, compiled, code_bytes, metadata_bytes, peak_mb; tiers, with
functions, compiled, compile_s, code_bytes and code_per_wasm of each.";

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let about = About { title: input::name(&args.file), options: args.tiering.describe() };
    let recording = Recording::start(&args.recording, true, about)?;
    let compiled = compile(args, &recording);
    let written = recording.write();
    let (module, cpu, wall) = compiled?;
    written?;
    let cost = Cost { stages: recording.stages(), cpu, wall, peak_memory: process::peak_memory() };
    if args.json {
        output::print_line(json_of(&module, &cost))?;
    } else {
        output::print(table_of(&module, &cost))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The module, and the CPU and wall time that it took.
fn compile(args: &Args, recording: &Recording) -> Result<(Module, Duration, Duration)> {
    let when = args.tiering.compile.unwrap_or(When::Eager);
    // The functions are compiled here rather than while the module is made, so that the stages can be told apart.
    let making = if when == When::Eager { When::Lazy } else { when };
    let mut config = Tiering { compile: Some(making), ..args.tiering.clone() }.config()?;
    config.threads(args.threads.map_or(0, usize::from));
    let engine = recording.engine(config)?;
    let progress = Progress::start(&input::name(&args.file));
    let input = input::open(&args.file)?;
    let (cpu, wall) = (process::cpu_time(), Instant::now());
    let compiled = input.compile(&engine, &progress).and_then(|module| {
        recording.module(&module);
        if when != When::Lazy {
            progress.compiling(&module);
            module.compile_all()?;
        }
        Ok(module)
    });
    let (cpu, wall) = (process::cpu_time() - cpu, wall.elapsed());
    Ok((compiled.map_err(|error| input::in_file(&args.file, &error))?, cpu, wall))
}

/// What compilation took, from bytes to code.
struct Cost {
    stages: Stages,
    cpu: Duration,
    wall: Duration,
    peak_memory: u64,
}

impl Cost {
    /// CPU time of what is neither decoding nor validation.
    fn compilation(&self) -> Duration {
        self.cpu.saturating_sub(self.stages.decode + self.stages.validate)
    }
}

fn wasm_bytes(module: &Module) -> usize {
    module.functions().map(|function| function.len).sum()
}

fn json_of(module: &Module, cost: &Cost) -> Value {
    let statistics: ModuleStatistics = module.statistics();
    let tiers: Map<String, Value> = by_tier(module)
        .into_iter()
        .map(|TierStatistics { tier, functions, compiled, seconds, code_bytes, ratio }| {
            let tier_json = json!({
                "functions": functions, "compiled": compiled, "compile_s": seconds, "code_bytes": code_bytes,
                "code_per_wasm": ratio,
            });
            (tier.to_string(), tier_json)
        })
        .collect();
    json!({
        "module_bytes": module.wire_bytes().len(),
        "wasm_bytes": wasm_bytes(module),
        "functions": statistics.functions,
        "compiled": statistics.compiled,
        "tiers": tiers,
        "decode_cpu_s": cost.stages.decode.as_secs_f64(),
        "validate_cpu_s": cost.stages.validate.as_secs_f64(),
        "compile_cpu_s": cost.compilation().as_secs_f64(),
        "cpu_s": cost.cpu.as_secs_f64(),
        "wall_s": cost.wall.as_secs_f64(),
        "code_bytes": statistics.code_bytes,
        "metadata_bytes": statistics.metadata_bytes,
        "peak_mb": megabytes(cost.peak_memory),
    })
}

/// Millions of bytes are 2^20 here, as in the tools that this is compared with.
#[allow(clippy::cast_precision_loss, reason = "shown to people")]
pub(super) fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1_048_576.0
}

fn table_of(module: &Module, cost: &Cost) -> String {
    let statistics = module.statistics();
    let (module_bytes, wasm_bytes) =
        (show_bytes(module.wire_bytes().len() as u64), show_bytes(wasm_bytes(module) as u64));
    let seconds = |time: Duration| show_seconds(time.as_secs_f64());
    let lines = [
        format!("module {module_bytes}, {} functions of {wasm_bytes}", statistics.functions),
        format!("tables beside the code {}", show_bytes(statistics.metadata_bytes as u64)),
        format!(
            "CPU time {}: decoding {}, validation {}, compilation {}",
            seconds(cost.cpu),
            seconds(cost.stages.decode),
            seconds(cost.stages.validate),
            seconds(cost.compilation())
        ),
        format!("wall time {}", seconds(cost.wall)),
        format!("peak memory {}", show_bytes(cost.peak_memory)),
    ];
    format!("{}  {}\n", table(&by_tier(module)), lines.join("\n  "))
}
