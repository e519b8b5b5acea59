//! What became of the memories that an engine's stores asked for: counted, as refusals have causes that a program never
//! sees and an operator wants to.

use code::metrics::Counter;

/// How the memories of an engine were made, and how they grew.
#[derive(Debug, Default)]
pub struct MemoryCounts {
    /// Guarded memories on the address range of one that died.
    pub reused: Counter,
    /// Guarded memories on a range of their own.
    pub guarded: Counter,
    /// Memories whose accesses are compared with their length, by their type or by the engine's policy.
    pub checked: Counter,
    /// The same, though they were to be guarded: there was no address space.
    pub unguarded: Counter,
    /// Memories that were not made, as a limit or a limiter is in the way.
    pub refused: Counter,
    /// Memories that were not made, as the system gave nothing.
    pub failed: Counter,
    /// Memories that grew, each time.
    pub grown: Counter,
    /// Growth past a maximum, or that a limiter did not allow.
    pub growth_refused: Counter,
    /// Growth that the system had no memory for.
    pub growth_failed: Counter,
}

/// How a memory was got.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Got {
    Reused,
    Guarded,
    Checked,
    Unguarded,
}

impl MemoryCounts {
    /// Counts a memory that was made.
    pub(crate) fn made(&self, got: Got) {
        let counter = match got {
            Got::Reused => &self.reused,
            Got::Guarded => &self.guarded,
            Got::Checked => &self.checked,
            Got::Unguarded => &self.unguarded,
        };
        counter.add(1);
    }
}
