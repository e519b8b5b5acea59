//! All that was recorded of a process: what the writers of traces, timelines and statistics are given.

use std::time::{Duration, Instant};

use upshift::{Event, FunctionInfo};

use crate::process::Moment;

#[cfg(test)]
pub(crate) mod tests;

/// Something that the command did, beside the engine's events.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Span {
    /// A name for traces.
    pub(crate) name: &'static str,
    pub(crate) start: Instant,
    pub(crate) end: Instant,
}

/// CPU time that the stages of making a module took, of all threads of the process.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Stages {
    /// Decoding.
    pub(crate) decode: Duration,
    /// Validation up front.
    pub(crate) validate: Duration,
    /// The same, in wall time.
    pub(crate) decode_wall: Duration,
    /// The same, in wall time.
    pub(crate) validate_wall: Duration,
}

/// When a run got to what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Progress {
    pub(crate) stages: Stages,
    /// There was a module to instantiate.
    pub(crate) ready: Moment,
    /// WebAssembly was called for the first time.
    pub(crate) first_call: Option<Moment>,
}

/// All that was recorded.
pub(crate) struct Recorded<'a> {
    /// The events of the module, and of none in particular.
    pub(crate) events: &'a [Event],
    /// Older events that were dropped for want of room.
    pub(crate) lost: u64,
    pub(crate) spans: &'a [Span],
    /// The functions that the module defines; none when there is no module.
    pub(crate) functions: &'a [FunctionInfo<'a>],
    /// What the program is called.
    pub(crate) title: &'a str,
    /// The options of compilation, in words.
    pub(crate) options: &'a str,
    /// The process's start, to which all times are relative.
    pub(crate) zero: Instant,
    pub(crate) end: Instant,
    /// The thread that the program runs on, by its number in events.
    pub(crate) main_thread: u32,
    pub(crate) first_call: Option<Moment>,
}

impl Recorded<'_> {
    /// The function of an index, if the module defines it.
    pub(crate) fn function(&self, index: u32) -> Option<&FunctionInfo<'_>> {
        let at = index.checked_sub(self.functions.first()?.index)?;
        self.functions.get(at as usize)
    }

    /// Microseconds from the process's start to an instant.
    pub(crate) fn microseconds(&self, at: Instant) -> f64 {
        at.saturating_duration_since(self.zero).as_secs_f64() * 1e6
    }
}
