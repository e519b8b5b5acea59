//! `--perf`: files by which Linux's `perf` tells the functions of a program apart.

use std::path::Path;

use clap::ValueEnum;
use upshift::{Config, Error, JitDump, PerfMap, ProfilingStrategy, Result};

/// What to write for `perf`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Perf {
    /// perf-PID.map, where perf looks for it: names of functions by address, for tools that read such maps
    Map,
    /// jit-PID.dump: names, machine code and offsets in the module, for `perf inject --jit`
    Jitdump,
}

impl Perf {
    /// Has the files written from when an engine of this configuration is made.
    pub(crate) fn configure(self, config: &mut Config) {
        config.profiler(match self {
            Perf::Map => ProfilingStrategy::PerfMap,
            Perf::Jitdump => ProfilingStrategy::JitDump,
        });
    }

    /// Ends the file.
    ///
    /// # Errors
    /// When not all of it could be written.
    pub(crate) fn finish(self) -> Result<()> {
        // Both are the ones that the engine writes: a process has one of each.
        let (path, error) = match self {
            Perf::Map => {
                let map = PerfMap::open()?;
                (map.path().to_path_buf(), map.error())
            }
            Perf::Jitdump => {
                let dump = JitDump::open_in(Path::new("."))?;
                dump.close();
                (dump.path().to_path_buf(), dump.error())
            }
        };
        let error = error.map(|error| Error::msg(format!("--perf: cannot write {}: {error}", path.display())));
        error.map_or(Ok(()), Err)
    }
}
