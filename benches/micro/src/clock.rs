//! CPU clocks, the memory counters of this process, and the two statistics that the reports use. (The peers' driver
//! includes this file too, and uses part of it.)

#![allow(dead_code, reason = "each of the two drivers uses its part")]

use std::time::Duration;

/// CPU time of the calling thread.
pub(crate) fn thread_cpu() -> Duration {
    read(libc::CLOCK_THREAD_CPUTIME_ID)
}

/// CPU time of all threads of this process.
pub(crate) fn process_cpu() -> Duration {
    read(libc::CLOCK_PROCESS_CPUTIME_ID)
}

fn read(clock: libc::clockid_t) -> Duration {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is a valid timespec that lives through the call, and the call writes nothing else.
    let status = unsafe { libc::clock_gettime(clock, &mut now) };
    assert_eq!(status, 0, "the CPU clocks exist on Linux");
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

/// Resident and virtual size of this process, kB.
pub(crate) fn memory_kb() -> (f64, f64) {
    (status("VmRSS:"), status("VmSize:"))
}

/// The largest resident size so far, MB.
pub(crate) fn peak_mb() -> f64 {
    status("VmHWM:") / 1024.0
}

/// A field of `/proc/self/status`, kB; 0 if it is missing.
fn status(field: &str) -> f64 {
    std::fs::read_to_string("/proc/self/status")
        .ok()
        .and_then(|text| {
            let line = text.lines().find_map(|line| line.strip_prefix(field))?;
            line.split_whitespace().next()?.parse().ok()
        })
        .unwrap_or(0.0)
}

/// The smallest value and the median.
pub(crate) fn min_median(mut values: Vec<f64>) -> (f64, f64) {
    values.sort_by(f64::total_cmp);
    (values[0], values[values.len() / 2])
}
