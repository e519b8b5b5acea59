//! The command line: which commands there are. What each takes is in its own file under `commands`.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::commands::{bench, compile, completions, inspect, man, objdump, run, validate, wast};
use crate::{exit, process};

/// Runs, checks and looks into WebAssembly programs.
///
/// Files may be in the binary (.wasm) or the text format (.wat); `-` reads standard input.
#[derive(Debug, Parser)]
#[command(name = "upshift", version, arg_required_else_help = true, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  upshift run hello.wasm                        run a WASI program
  upshift run --dir . tool.wasm input.txt       let it see the current directory
  upshift run --invoke add math.wat 2 3         call an exported function
  upshift validate *.wasm                       check modules
  upshift inspect module.wasm                   what is in it, what it needs
  upshift run --timeline page.html tool.wasm    draw which function ran in which tier when

Exit codes: a WASI program's own; 0 done, 1 error, 2 wrong usage, 134 trap.
`upshift help COMMAND` says more about each command.";

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::Args),
    Validate(validate::Args),
    Compile(compile::Args),
    Inspect(inspect::Args),
    Objdump(objdump::Args),
    Bench(bench::Args),
    Wast(wast::Args),
    Completions(completions::Args),
    Man(man::Args),
}

/// Runs the command that the process's arguments ask for.
pub fn main() -> ExitCode {
    process::started();
    let Cli { command } = Cli::parse();
    let outcome = match command {
        Command::Run(args) => run::run(&args),
        Command::Validate(args) => validate::run(&args),
        Command::Compile(args) => compile::run(&args),
        Command::Inspect(args) => inspect::run(&args),
        Command::Objdump(args) => objdump::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Wast(args) => wast::run(&args),
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => man::run(&args),
    };
    outcome.unwrap_or_else(|error| exit::report(&error))
}
