//! What profilers such as `perf` need of a process that makes code: files that are safe to append to in a shared directory,
//! a mapping by which they notice a file, their clock, and the thread's number.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::ptr::{self, NonNull};
use std::time::Duration;

use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};
use rustix::thread::gettid;
use rustix::time::{ClockId, clock_gettime};

use crate::pages::page_size;

#[cfg(test)]
mod tests;

/// Makes a file empty, or makes an empty one, that its owner alone may read and write; everything is written to its end. In
/// a directory that everybody may write to somebody else can have put something under that name: a symbolic link is
/// refused, as is anything but a file.
///
/// # Errors
/// When it cannot be made.
pub fn create_file(path: &Path) -> io::Result<File> {
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).custom_flags(flags).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "there is something else than a file"));
    }
    file.set_len(0)?;
    Ok(file)
}

/// An executable mapping of the first page of a file. It is never looked at: a profiler that records mappings sees it, and
/// so learns of the file.
#[derive(Debug)]
pub struct Marker {
    page: NonNull<u8>,
}

// SAFETY: the address is only ever given back to the kernel.
unsafe impl Send for Marker {}
// SAFETY: as for `Send`; nothing can be done through a shared reference.
unsafe impl Sync for Marker {}

impl Marker {
    /// Maps the page.
    ///
    /// # Errors
    /// What the kernel says; a file system may be mounted so that nothing on it is executable.
    pub fn new(file: &File) -> io::Result<Marker> {
        let protection = ProtFlags::READ | ProtFlags::EXEC;
        // SAFETY: no address is asked for, so the kernel chooses a range that nobody else uses; nobody reads it.
        let page = unsafe { mmap(ptr::null_mut(), page_size(), protection, MapFlags::PRIVATE, file.as_fd(), 0) }?;
        let page = NonNull::new(page.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Marker { page })
    }
}

impl Drop for Marker {
    fn drop(&mut self) {
        // SAFETY: mapped in `new`, one page; nobody else knows of it. If it fails the page stays, and does no harm.
        let _ = unsafe { munmap(self.page.as_ptr().cast(), page_size()) };
    }
}

/// The clock of `perf record -k mono`.
pub fn monotonic_time() -> Duration {
    let time = clock_gettime(ClockId::Monotonic);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// The number by which the kernel knows the calling thread.
pub fn thread_id() -> u32 {
    gettid().as_raw_nonzero().get().unsigned_abs()
}
