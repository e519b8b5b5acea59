//! What the process has used: time, memory, mappings.

use std::io;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

#[cfg(test)]
mod tests;

/// Processor time used by all threads of the process, user and system.
pub fn process_cpu_time() -> Duration {
    read_clock(ClockId::ProcessCPUTime)
}

/// Processor time used by the calling thread, user and system.
pub fn thread_cpu_time() -> Duration {
    read_clock(ClockId::ThreadCPUTime)
}

/// A clock as a duration since its own start; these clocks are never negative.
fn read_clock(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// The most memory the process has held at once since it began: resident bytes, from `getrusage`.
///
/// # Errors
/// What the kernel says; none is known for this call.
pub fn peak_resident_bytes() -> io::Result<u64> {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the pointer is to a writable `rusage`.
    if unsafe { libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: zeroed is a valid `rusage`, and the call above filled it.
    let usage = unsafe { usage.assume_init() };
    // Linux counts in KiB.
    Ok(u64::try_from(usage.ru_maxrss).unwrap_or(0).saturating_mul(1024))
}

/// The memory the process holds now: resident bytes, from `/proc/self/statm`.
///
/// # Errors
/// When `/proc` is not mounted or not readable.
pub fn resident_bytes() -> io::Result<u64> {
    let text = std::fs::read_to_string("/proc/self/statm")?;
    let pages: u64 =
        text.split_ascii_whitespace().nth(1).and_then(|field| field.parse().ok()).ok_or(io::ErrorKind::InvalidData)?;
    Ok(pages.saturating_mul(crate::pages::page_size() as u64))
}

/// How many mappings the process has: the kernel allows 65,530 by default (`vm.max_map_count`).
///
/// # Errors
/// When `/proc` is not mounted or not readable.
pub fn mapping_count() -> io::Result<usize> {
    let text = std::fs::read("/proc/self/maps")?;
    Ok(text.iter().filter(|&&byte| byte == b'\n').count())
}

/// Has the C library's allocator give what it keeps of memory that it got back to the system, where it can. Nothing with a C
/// library that has no such call.
pub fn trim_heap() {
    #[cfg(target_env = "gnu")]
    // SAFETY: a call without preconditions.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Bytes that the C library's allocator has given out and not got back; those that a thread keeps for its next requests
/// count until it ends. 0 with a C library that does not say.
pub fn heap_bytes() -> u64 {
    #[cfg(target_env = "gnu")]
    {
        // SAFETY: a call without preconditions.
        let info = unsafe { libc::mallinfo2() };
        (info.uordblks as u64).saturating_add(info.hblkhd as u64)
    }
    #[cfg(not(target_env = "gnu"))]
    0
}
