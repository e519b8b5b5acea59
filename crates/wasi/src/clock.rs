//! The clocks a guest sees: the host's, or one that only moves when it is looked at.

use crate::errno::Errno;
use rustix::time::{ClockId as HostClock, Timespec, clock_getres, clock_gettime};

/// Where a guest's time comes from.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The host's clocks.
    #[default]
    System,
    /// A clock of its own, for runs that must repeat exactly. See [`DeterministicClock`].
    Deterministic(DeterministicClock),
}

/// A clock that starts at a given time and moves by a fixed step at each reading. Sleeping in
/// `poll_oneoff` returns at once and moves it to the end of the sleep.
///
/// All four of WASI's clocks read it; only the realtime clock adds the start.
#[derive(Clone, Debug)]
pub struct DeterministicClock {
    start: u64,
    elapsed: u64,
    step: u64,
}

impl DeterministicClock {
    /// A clock that reads `start` nanoseconds since 1970 at first and `step` nanoseconds more at
    /// each reading after.
    pub fn new(start: u64, step: u64) -> DeterministicClock {
        DeterministicClock { start, elapsed: 0, step }
    }
}

/// `clockid`: one of the four clocks of the specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClockId {
    Realtime,
    Monotonic,
    ProcessCpu,
    ThreadCpu,
}

impl ClockId {
    /// Checks what a guest passed. An unknown clock is `inval`.
    pub(crate) fn from_raw(id: u32) -> Result<ClockId, Errno> {
        match id {
            0 => Ok(ClockId::Realtime),
            1 => Ok(ClockId::Monotonic),
            2 => Ok(ClockId::ProcessCpu),
            3 => Ok(ClockId::ThreadCpu),
            _ => Err(Errno::Inval),
        }
    }

    fn to_host(self) -> HostClock {
        match self {
            ClockId::Realtime => HostClock::Realtime,
            ClockId::Monotonic => HostClock::Monotonic,
            ClockId::ProcessCpu => HostClock::ProcessCPUTime,
            ClockId::ThreadCpu => HostClock::ThreadCPUTime,
        }
    }
}

impl Clock {
    /// The time in nanoseconds: since 1970 for the realtime clock, since some fixed moment for
    /// the others.
    pub(crate) fn now(&mut self, id: ClockId) -> Result<u64, Errno> {
        match self {
            Clock::System => nanoseconds(clock_gettime(id.to_host())),
            Clock::Deterministic(clock) => {
                let now = clock.read(id);
                clock.elapsed = clock.elapsed.saturating_add(clock.step);
                Ok(now)
            }
        }
    }

    /// As [`Clock::now`], but does not count as a reading.
    pub(crate) fn peek(&self, id: ClockId) -> Result<u64, Errno> {
        match self {
            Clock::System => nanoseconds(clock_gettime(id.to_host())),
            Clock::Deterministic(clock) => Ok(clock.read(id)),
        }
    }

    /// The smallest difference between two times, in nanoseconds; at least 1.
    pub(crate) fn resolution(&self, id: ClockId) -> Result<u64, Errno> {
        match self {
            Clock::System => Ok(nanoseconds(clock_getres(id.to_host()))?.max(1)),
            Clock::Deterministic(clock) => Ok(clock.step.max(1)),
        }
    }

    /// Lets `duration` nanoseconds pass without waiting, if this clock can do so.
    pub(crate) fn skip(&mut self, duration: u64) -> bool {
        match self {
            Clock::System => false,
            Clock::Deterministic(clock) => {
                clock.elapsed = clock.elapsed.saturating_add(duration);
                true
            }
        }
    }
}

impl DeterministicClock {
    fn read(&self, id: ClockId) -> u64 {
        match id {
            ClockId::Realtime => self.start.saturating_add(self.elapsed),
            ClockId::Monotonic | ClockId::ProcessCpu | ClockId::ThreadCpu => self.elapsed,
        }
    }
}

/// A host time as nanoseconds; `overflow` before 1970 and after 2554.
fn nanoseconds(time: Timespec) -> Result<u64, Errno> {
    let seconds = u64::try_from(time.tv_sec).map_err(|_| Errno::Overflow)?;
    let nanos = u64::try_from(time.tv_nsec).map_err(|_| Errno::Overflow)?;
    seconds.checked_mul(1_000_000_000).and_then(|t| t.checked_add(nanos)).ok_or(Errno::Overflow)
}
