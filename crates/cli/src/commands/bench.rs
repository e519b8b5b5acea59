//! `upshift bench`: what a program costs from its bytes to its first result, and how fast it is then.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use upshift::{Error, Module, Result, Val};

use super::compile::megabytes;
use crate::exit::{self, End};
use crate::options::RunOptions;
use crate::program::{Output, Program, Running};
use crate::quantity::show_seconds;
use crate::recording::{About, Recording};
use crate::table::Table;
use crate::{input, output, process, statistics, value};

/// Measure a program's stages and calls, all in one process
///
/// A WASI program is run in a new instance each time, of which only the call is measured; with --invoke the export of one
/// instance is called again and again. The program's output is discarded, and its input is empty.
#[derive(Debug, clap::Args)]
#[command(override_usage = "upshift bench [OPTIONS] <FILE> [ARGS]...", after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Calls to measure after the first.
    #[arg(long, value_name = "N", default_value_t = 10)]
    reps: u32,

    /// Print one JSON object.
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    options: RunOptions,
}

const EXAMPLES: &str = "\
Examples:
  upshift bench --invoke run --reps 20 kernel.wasm 1000
  upshift bench --tier optimizing --compile eager --invoke run kernel.wasm 1000
  upshift bench --json --dir . tool.wasm input.txt

`compile` is what making the module takes beside decoding and validation, which is little unless --compile is eager.

JSON keys: load_s, decode_s, validate_s, compile_s, instantiate_s, first_call_s (wall) and the same with _cpu_s (CPU of
the process);
cpu_s and wall_s, from the bytes to the first result; cpu and wall, seconds of each call after the first (CPU of the thread);
functions, compiled, code_bytes, peak_mb, and result, of --invoke.";

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let options = &args.options;
    let about = About { title: input::name(options.file()), options: options.tiering.describe() };
    let recording = Recording::start(&options.recording, true, about)?;
    let bench = Bench::measure(args, &recording);
    let written = recording.write();
    let bench = match bench {
        Ok(bench) => bench,
        Err(end) => return Ok(exit::of(&end)),
    };
    written?;
    if args.json {
        output::print_line(bench.json())?;
    } else {
        output::print(bench.table())?;
    }
    if options.stats {
        output::report(statistics::of_module(&bench.module, None));
    }
    Ok(ExitCode::SUCCESS)
}

/// CPU and wall time of one thing.
#[derive(Clone, Copy, Debug, Default)]
struct Time {
    cpu: Duration,
    wall: Duration,
}

impl Time {
    /// What the thing takes by a clock of CPU time.
    fn of<R>(clock: fn() -> Duration, thing: impl FnOnce() -> R) -> (Time, R) {
        let (cpu, wall) = (clock(), Instant::now());
        let result = thing();
        let wall = wall.elapsed();
        (Time { cpu: clock().saturating_sub(cpu), wall }, result)
    }
}

impl Time {
    /// What is left of it when a part is taken out.
    fn without(self, part: Time) -> Time {
        Time { cpu: self.cpu.saturating_sub(part.cpu), wall: self.wall.saturating_sub(part.wall) }
    }
}

struct Bench {
    module: Module,
    /// Stages in order, by the process's CPU time.
    stages: [(&'static str, Time); 6],
    /// Calls after the first, by the thread's CPU time.
    calls: Vec<Time>,
    results: Vec<Val>,
}

impl Bench {
    fn measure(args: &Args, recording: &Recording) -> Result<Bench, End> {
        let options = &args.options;
        let engine = recording.engine(options.config()?)?;
        let stage = process::cpu_time;
        let (load, binary) = Time::of(stage, || input::module(options.file()));
        let binary = binary?;
        let (make, module) = Time::of(stage, || Module::from_binary(&engine, &binary));
        let module = module.map_err(|error| input::in_file(options.file(), &error))?;
        recording.module(&module);
        let timer = crate::program::start_timer(options.timeout, || Ok(()));
        let (instantiate, running) = Time::of(stage, || {
            let program = Program::new(module.clone(), options, Output::Discard, recording)?;
            let running = program.instantiate(&timer)?;
            Ok::<_, End>((program, running))
        });
        let (program, mut running) = running?;
        let (first, results) = Time::of(stage, || call(&mut running));
        let results = results?;
        let stages = recording.stages();
        let decode = Time { cpu: stages.decode, wall: stages.decode_wall };
        let validate = Time { cpu: stages.validate, wall: stages.validate_wall };
        let compile = make.without(decode).without(validate);
        let mut calls = Vec::with_capacity(args.reps as usize);
        for _ in 0..args.reps {
            if options.invoke.is_none() {
                running = program.instantiate(&timer)?;
            }
            let (time, outcome) = Time::of(process::thread_cpu_time, || call(&mut running));
            outcome?;
            calls.push(time);
        }
        let stages = [
            ("load", load),
            ("decode", decode),
            ("validate", validate),
            ("compile", compile),
            ("instantiate", instantiate),
            ("first_call", first),
        ];
        drop((program, running));
        Ok(Bench { module, stages, calls, results })
    }

    /// From the bytes to the first result: all stages but loading.
    fn total(&self) -> Time {
        self.stages[1..]
            .iter()
            .fold(Time::default(), |sum, (_, time)| Time { cpu: sum.cpu + time.cpu, wall: sum.wall + time.wall })
    }

    fn json(&self) -> Value {
        let statistics = self.module.statistics();
        let mut object = json!({
            "cpu_s": self.total().cpu.as_secs_f64(),
            "wall_s": self.total().wall.as_secs_f64(),
            "cpu": self.calls.iter().map(|call| call.cpu.as_secs_f64()).collect::<Vec<_>>(),
            "wall": self.calls.iter().map(|call| call.wall.as_secs_f64()).collect::<Vec<_>>(),
            "functions": statistics.functions,
            "compiled": statistics.compiled,
            "code_bytes": statistics.code_bytes,
            "peak_mb": megabytes(process::peak_memory()),
            "result": result_of(&self.results),
        });
        for (name, time) in &self.stages {
            object[format!("{name}_s")] = json!(time.wall.as_secs_f64());
            object[format!("{name}_cpu_s")] = json!(time.cpu.as_secs_f64());
        }
        object
    }

    fn table(&self) -> String {
        let mut table = Table::new(&["stage", ">CPU", ">wall"]);
        let mut row = |name: String, time: Time| {
            table.row([name, show_seconds(time.cpu.as_secs_f64()), show_seconds(time.wall.as_secs_f64())]);
        };
        for (name, time) in &self.stages {
            row(name.replace('_', " "), *time);
        }
        row("bytes to result".to_string(), self.total());
        if let Some((least, median)) = least_and_median(&self.calls) {
            row(format!("least of {} calls", self.calls.len()), least);
            row("median call".to_string(), median);
        }
        format!("{table}  peak memory {:.1} MiB\n", megabytes(process::peak_memory()))
    }
}

/// Calls the program; one that ends itself with code 0 has returned.
fn call(running: &mut Running) -> Result<Vec<Val>, End> {
    match running.call() {
        Ok(results) => Ok(results.to_vec()),
        Err(End::Exit(0)) => Ok(Vec::new()),
        Err(End::Exit(code)) => Err(End::Failed(Error::msg(format!("the program ended itself with exit code {code}")))),
        Err(end) => Err(end),
    }
}

/// A number if there is one integer, else a list of texts.
fn result_of(results: &[Val]) -> Value {
    match results {
        [Val::I32(value)] => json!(value),
        [Val::I64(value)] => json!(value),
        results => results.iter().map(value::show).collect(),
    }
}

/// Least and median, of CPU and wall time each by itself.
fn least_and_median(calls: &[Time]) -> Option<(Time, Time)> {
    let sorted = |key: fn(&Time) -> Duration| {
        let mut times: Vec<Duration> = calls.iter().map(key).collect();
        times.sort();
        times
    };
    let (cpu, wall) = (sorted(|time| time.cpu), sorted(|time| time.wall));
    let middle = calls.len() / 2;
    Some((Time { cpu: *cpu.first()?, wall: *wall.first()? }, Time { cpu: *cpu.get(middle)?, wall: *wall.get(middle)? }))
}
