//! Options of the commands that run programs.

use std::ffi::OsString;
use std::time::Duration;

use clap::ValueEnum;
use upshift::{Config, Error, Result};

use crate::profiling::Perf;
use crate::quantity::{parse_directory, parse_duration, parse_size, parse_variable};
use crate::recording::RecordingOptions;
use crate::tiering::Tiering;

/// What happens to imports that nothing defines.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
pub(crate) enum UnknownImports {
    /// The program is not started.
    #[default]
    Error,
    /// Functions trap when they are called.
    Trap,
    /// Functions return zeros; memories, tables and globals are new and zero.
    Default,
}

/// How a program is run.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct RunOptions {
    /// Call this export instead of running the program; ARGS are its arguments, and its results are printed.
    #[arg(long, value_name = "NAME")]
    pub(crate) invoke: Option<String>,

    /// Let the program use a directory, under the name GUEST if given. May be repeated.
    #[arg(long = "dir", value_name = "HOST[::GUEST]", value_parser = parse_directory)]
    pub(crate) dirs: Vec<(String, String)>,

    /// Set an environment variable of the program; without a value, pass on ours. May be repeated.
    #[arg(long = "env", value_name = "K[=V]", value_parser = parse_variable)]
    pub(crate) env: Vec<(String, Option<String>)>,

    /// Trap after about this many instructions.
    #[arg(long, value_name = "N")]
    pub(crate) fuel: Option<u64>,

    /// Trap after this time, such as 500ms or 2s.
    #[arg(long, value_name = "D", value_parser = parse_duration)]
    pub(crate) timeout: Option<Duration>,

    /// Let memories and tables have at most this many bytes in all, such as 64M; growing fails beyond.
    #[arg(long, value_name = "N", value_parser = parse_size)]
    pub(crate) max_memory: Option<u64>,

    /// What to do about imports that nothing defines.
    #[arg(long, value_enum, default_value_t, value_name = "WHAT")]
    pub(crate) unknown_imports: UnknownImports,

    /// The program (.wasm, .wat, or `-` for standard input), and its arguments: all that follows is the program's.
    #[arg(required = true, trailing_var_arg = true, value_names = ["FILE", "ARGS"], num_args = 1..)]
    pub(crate) command: Vec<OsString>,

    #[command(flatten)]
    pub(crate) tiering: Tiering,

    /// Print at the end, to standard error, what each tier compiled, what it took, and how long the start took.
    #[arg(long, help_heading = "Looking inside")]
    pub(crate) stats: bool,

    /// Write what Linux's perf needs to name the program's functions.
    #[arg(long, value_enum, value_name = "WHAT", help_heading = "Looking inside")]
    pub(crate) perf: Option<Perf>,

    #[command(flatten)]
    pub(crate) recording: RecordingOptions,
}

impl RunOptions {
    /// The engine's configuration.
    ///
    /// # Errors
    /// When this build does not have what is asked for.
    pub(crate) fn config(&self) -> Result<Config> {
        let mut config = self.tiering.config()?;
        config.consume_fuel(self.fuel.is_some());
        if let Some(perf) = self.perf {
            perf.configure(&mut config);
        }
        Ok(config)
    }

    /// The file to run.
    pub(crate) fn file(&self) -> &OsString {
        &self.command[0]
    }

    /// The program's arguments, without its name.
    ///
    /// # Errors
    /// When one is not UTF-8, which WASI and numbers need.
    pub(crate) fn args(&self) -> Result<Vec<&str>> {
        let text = |arg: &'_ OsString| format!("the argument {} is not UTF-8", arg.display());
        self.command[1..].iter().map(|arg| arg.to_str().ok_or_else(|| Error::msg(text(arg)))).collect()
    }
}
