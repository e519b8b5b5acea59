//! `upshift wast`: runs test scripts.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;

use upshift::{Context, Engine, Error, Result};

use crate::tiering::Tiering;
use crate::wast::{Options, Report, run as run_script};
use crate::{exit, output};

/// Run test scripts (.wast)
///
/// Prints a line for each directive that failed, and last `PASS n FAIL m`. The exit code is 0 only if m is 0.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  upshift wast tests/wast/*/*.wast\n  upshift wast --tier baseline tests/wast/*/*.wast\n  \
    upshift wast --tiering-budget 100 --sync-tier-up tests/wast/*/*.wast"
)]
pub(crate) struct Args {
    /// Scripts.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    #[command(flatten)]
    tiering: Tiering,
}

/// Stack of the thread that runs scripts: nested text is parsed by recursion.
const STACK: usize = 64 << 20;

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let engine = Engine::new(&args.tiering.config()?)?;
    let files = args.files.clone();
    let scripts = thread::Builder::new().stack_size(STACK).spawn(move || run_all(&engine, &files))?;
    let report = scripts.join().map_err(|_| Error::msg("the script runner failed"))??;
    output::print_line(&report)?;
    Ok(if report.failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(exit::FAILURE) })
}

fn run_all(engine: &Engine, files: &[PathBuf]) -> Result<Report> {
    let mut total = Report::default();
    for file in files {
        let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        let report = run_script(engine, &file.display().to_string(), &text, Options::default());
        report.failures.iter().try_for_each(output::print_line)?;
        total.merge(report);
    }
    Ok(total)
}
