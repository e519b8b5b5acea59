//! What this process has cost so far: CPU time and memory.

use std::fs;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// When the process began: the first call of this, which is the first thing that `main` does, less the CPU time that was
/// spent by then. The system knows it to ten milliseconds only.
pub(crate) fn started() -> Instant {
    static STARTED: OnceLock<Instant> = OnceLock::new();
    *STARTED.get_or_init(|| {
        let now = Instant::now();
        now.checked_sub(cpu_time()).unwrap_or(now)
    })
}

/// A point in the life of the process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Moment {
    /// Time since [`started`].
    pub(crate) wall: Duration,
    /// CPU time of all threads until then.
    pub(crate) cpu: Duration,
}

impl Moment {
    /// Now.
    pub(crate) fn now() -> Moment {
        Moment { wall: started().elapsed(), cpu: cpu_time() }
    }
}

/// CPU time of all threads of the process.
pub(crate) fn cpu_time() -> Duration {
    read(ClockId::ProcessCPUTime)
}

/// CPU time of the calling thread.
pub(crate) fn thread_cpu_time() -> Duration {
    read(ClockId::ThreadCPUTime)
}

fn read(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    let seconds = Duration::from_secs(u64::try_from(time.tv_sec).unwrap_or(0));
    seconds + Duration::from_nanos(u64::try_from(time.tv_nsec).unwrap_or(0))
}

/// The most bytes of memory that the process has had resident at once; 0 where the system does not say.
pub(crate) fn peak_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix("kB")).and_then(|number| number.trim().parse().ok());
    kilobytes.map_or(0, |kilobytes: u64| kilobytes.saturating_mul(1024))
}
