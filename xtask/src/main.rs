//! Chores of the workspace, run as `cargo xtask NAME`.

use std::process::ExitCode;

mod tidy;

const USAGE: &str = "usage: cargo xtask tidy\n\n  tidy   checks that the tree keeps the laws of docs/architecture.md\n";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    match (arguments.next().as_deref(), arguments.next()) {
        (Some("tidy"), None) => tidy::run(),
        _ => {
            eprint!("{USAGE}");
            ExitCode::from(2)
        }
    }
}
