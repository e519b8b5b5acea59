//! `upshift validate`: are these modules valid?

use std::ffi::OsString;
use std::process::ExitCode;

use upshift::{Config, Engine, Result};

use crate::{exit, input, output};

/// Check modules, and say where a wrong one is wrong
///
/// Prints `FILE: valid` for each that is. The exit code is 1 if any is not. A module is checked while it is read, and not read
/// on after a fault.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  upshift validate build/*.wasm")]
pub(crate) struct Args {
    /// Modules (.wasm, .wat, or `-` for standard input).
    #[arg(required = true, value_name = "FILE")]
    files: Vec<OsString>,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    // A module is of no use once it is known to be valid, so none is looked for, and no function is compiled.
    let engine = Engine::new(Config::new().module_cache(false))?;
    let mut all_valid = true;
    for file in &args.files {
        match input::compile(&engine, file) {
            Ok(_) => output::print_line(format_args!("{}: valid", input::name(file)))?,
            Err(error) => {
                all_valid = false;
                exit::report(&error);
            }
        }
    }
    Ok(if all_valid { ExitCode::SUCCESS } else { ExitCode::from(exit::FAILURE) })
}
