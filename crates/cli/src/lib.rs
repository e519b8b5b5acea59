//! What the `upshift` command is made of. The command is the product; the library exists so that the project's tests can use
//! the same `.wast` runner.
#![forbid(unsafe_code)]

mod args;
mod commands;
mod destination;
mod exit;
mod input;
mod interruption;
mod log;
mod metrics;
mod options;
mod output;
mod process;
mod profiling;
mod program;
mod progress;
mod quantity;
mod recorded;
mod recording;
mod sections;
mod statistics;
mod table;
mod tiering;
mod timeline;
mod trace;
mod value;
pub mod wast;

pub use args::main;
