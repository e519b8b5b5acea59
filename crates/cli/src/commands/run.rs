//! `upshift run`: a WASI program, or one call of an export.

use std::process::ExitCode;

use upshift::Result;

use crate::options::RunOptions;
use crate::program;

/// Run a program, or call one function of a module
///
/// A WASI program (one that exports `_start`) is run with the arguments after FILE; its exit code becomes ours. It sees no
/// files, unless --dir lets it, and no environment, unless --env does. With --invoke, an export is called, and its results
/// are printed, one a line.
#[derive(Debug, clap::Args)]
#[command(override_usage = "upshift run [OPTIONS] <FILE> [ARGS]...", after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    options: RunOptions,
}

const EXAMPLES: &str = "\
Examples:
  upshift run hello.wasm
  upshift run --dir . --dir /usr/share/data::/data tool.wasm --verbose input.txt
  upshift run --env HOME --env LANG=C tool.wasm
  upshift run --invoke add math.wat 2 -3
  upshift run --timeout 2s --max-memory 64M --stats untrusted.wasm
  upshift run --timeline page.html tool.wasm    then open page.html in a browser
  upshift run --trace trace.json tool.wasm      then open trace.json at https://ui.perfetto.dev
  upshift run --compile eager --tier optimizing server.wasm

Functions are compiled when they are first called, by a fast compiler (the baseline tier); those that turn out to be hot
are compiled again in the background by a better one (the optimizing tier), and a hot loop goes on in the better code
while it runs (OSR). --stats, --timeline and --trace show it at work; they are written however the program ends.

--perf jitdump lets Linux's perf say which function it found running, in which tier; offsets in the module are lines:
  perf record -k mono -g upshift run --perf jitdump tool.wasm
  perf inject --jit -i perf.data -o perf.jit.data
  perf report -i perf.jit.data
--perf map is simpler: perf report finds the names by itself, but not where in a function the time goes, and gives code that
took the place of other code the names of both:
  perf record -g upshift run --perf map tool.wasm
  perf report

A trap is shown with its backtrace, and the exit code is 134.";

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    program::run(&args.options)
}
