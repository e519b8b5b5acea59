//! The `upshift` command.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    upshift_cli::main()
}
