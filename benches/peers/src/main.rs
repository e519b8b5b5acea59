//! Runs the engines that Upshift is measured against: wasmtime (Cranelift and Winch) and wasmi.
//!
//! ```text
//! peers ENGINE kernel FILE N REPS     compile, instantiate, call run(N) REPS times; thread CPU seconds
//! peers ENGINE compile FILE           compile the whole module on one thread
//! peers ENGINE start FILE [EXPORT [I32...]]
//!                                     from bytes to the end of the first call, or to an instance without EXPORT; imported
//!                                     functions fail when they are called, which may be how the call ends
//! peers ENGINE run [--cache DIR] [--dir HOST[::GUEST]]... [--env K=V]... FILE [ARGS...]
//!                                     run a WASI command; its exit code becomes the process's, a trap gives 134
//! ```
//! ENGINE is `cranelift`, `winch`, `wasmi` (validates first, translates a body at its first call), or `wasmi-lazy` (validates a
//! body at its first call too; only `start`). `--cache` is wasmtime's. All but `run` print one JSON object.

#[path = "../../micro/src/clock.rs"]
mod clock;
mod command;
mod wasmi_command;
mod wasmi_side;
mod wasmtime_side;

use serde_json::Value;
use std::error::Error;
use std::process::ExitCode;
use wasmi::CompilationMode;

/// Any failure; the driver only prints it.
pub(crate) type Outcome<T> = Result<T, Box<dyn Error>>;

const USAGE: &str = "usage: peers cranelift|winch|wasmi|wasmi-lazy kernel FILE N REPS | compile FILE | \
                     start FILE [EXPORT [I32...]] | run [OPTIONS] FILE [ARGS...]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&words) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("peers: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(words: &[&str]) -> Outcome<ExitCode> {
    let report = match words {
        ["wasmi", "kernel", file, n, reps] => wasmi_side::kernel(file, n.parse()?, reps.parse()?)?,
        ["wasmi", "compile", file] => wasmi_side::compile(file)?,
        ["wasmi", "start", file, call @ ..] => wasmi_side::start(CompilationMode::LazyTranslation, file, call)?,
        ["wasmi-lazy", "start", file, call @ ..] => wasmi_side::start(CompilationMode::Lazy, file, call)?,
        ["wasmi", "run", rest @ ..] => return wasmi_command::run(rest),
        [engine, "kernel", file, n, reps] => {
            wasmtime_side::kernel(&wasmtime_side::config(engine)?, file, n.parse()?, reps.parse()?)?
        }
        [engine, "compile", file] => wasmtime_side::compile(wasmtime_side::config(engine)?, file)?,
        [engine, "start", file, call @ ..] => wasmtime_side::start(&wasmtime_side::config(engine)?, file, call)?,
        [engine, "run", rest @ ..] => return command::run(wasmtime_side::config(engine)?, rest),
        _ => return Err(USAGE.into()),
    };
    print(&report);
    Ok(ExitCode::SUCCESS)
}

fn print(report: &Value) {
    println!("{report}");
}

/// Turns an engine's error, whatever its type, into one that `?` takes, with all its causes.
pub(crate) fn failed(error: impl std::fmt::Debug) -> Box<dyn Error> {
    format!("{error:?}").into()
}
