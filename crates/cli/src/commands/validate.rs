//! `upshift validate`: are these modules valid?

use std::ffi::{OsStr, OsString};
use std::process::ExitCode;

use upshift::{Engine, Module, Result};

use crate::{exit, input, output};

/// Check modules, and say where a wrong one is wrong
///
/// Prints `FILE: valid` for each that is. The exit code is 1 if any is not.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  upshift validate build/*.wasm")]
pub(crate) struct Args {
    /// Modules (.wasm, .wat, or `-` for standard input).
    #[arg(required = true, value_name = "FILE")]
    files: Vec<OsString>,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let engine = Engine::default();
    let mut all_valid = true;
    for file in &args.files {
        match validate(&engine, file) {
            Ok(()) => output::print_line(format_args!("{}: valid", input::name(file)))?,
            Err(error) => {
                all_valid = false;
                exit::complain(format_args!("{}: {error:#}", input::name(file)));
            }
        }
    }
    Ok(if all_valid { ExitCode::SUCCESS } else { ExitCode::from(exit::FAILURE) })
}

fn validate(engine: &Engine, file: &OsStr) -> Result<()> {
    Module::validate(engine, &input::module(file)?)
}
