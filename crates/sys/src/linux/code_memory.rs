//! `CodeMemory`: one region for machine code, mapped twice.
//!
//! Problem: code is published while other threads run code in the same pages, and no page may be writable and executable
//! through one address. Switching a page with `mprotect` takes the right to execute away from threads that are in it,
//! costs microseconds a switch and interrupts every core.
//!
//! Choice: the same memory is seen through two views. The *executable view* is read-and-execute for ever, the *writable
//! view* read-and-write for ever, at an address that is not handed out. Writing is an ordinary copy (about 50 ns for
//! 512 bytes). Memory is taken page by page at the first write and given back by [`CodeMemory::free_pages`].
//!
//! Where the memory comes from is the [`Strategy`]: an anonymous file, or, where the system refuses executable ones
//! (`vm.memfd_noexec`), a shared anonymous mapping that `mremap` duplicates. Rejected as second choice: private memory with
//! `mprotect` back and forth, for the reason above. Linux's `perf` takes a mapping of an anonymous file for one of a library
//! that is gone, and a shared anonymous mapping (whose name is `/dev/zero`) for anonymous memory, in which it looks for names
//! of functions in `perf-PID.map` (its `is_anon_memory`): who writes such a map wants the second strategy.
//!
//! One region for all code keeps every displacement within 2 GiB. Bytes never written read as zero; fill with
//! [`CodeMemory::fill_with_traps`] what should trap. The writable view is not inherited by `fork`: a child may run the
//! code it finds but would fault when it writes, rather than change the parent's code.

use std::ffi::c_void;
use std::io;
use std::os::fd::OwnedFd;
use std::ptr::{self, NonNull};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{FallocateFlags, MemfdFlags, fallocate, ftruncate, memfd_create};
use rustix::io::Errno;
use rustix::mm::{
    Advice, MapFlags, MprotectFlags, MremapFlags, ProtFlags, madvise, mmap, mmap_anonymous, mprotect, mremap, munmap,
};
use rustix::thread::{MembarrierCommand, membarrier};

use crate::pages::{check_page_range, check_range, invalid, mapping_len, page_size};

#[cfg(test)]
mod tests;

/// What fills space that must never run: `int3`, one byte long, so that it traps at any offset.
pub const TRAP_BYTE: u8 = 0xCC;

/// Where the memory behind the two views comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// An anonymous file mapped twice.
    DualMapped,
    /// A shared anonymous mapping, duplicated by `mremap`.
    Duplicated,
}

/// A region for machine code with an executable and a writable view; both are unmapped when dropped.
#[derive(Debug)]
pub struct CodeMemory {
    executable: View,
    writable: View,
    /// The file behind both views; `None` when [`Strategy::Duplicated`].
    file: Option<OwnedFd>,
}

/// One mapping of the region.
#[derive(Debug)]
struct View {
    base: NonNull<u8>,
    len: usize,
}

// SAFETY: a `View` is an address and a length; it never reads or writes the memory itself.
unsafe impl Send for View {}
// SAFETY: as for `Send`.
unsafe impl Sync for View {}

impl View {
    /// Takes over a mapping of `len` bytes.
    fn new(base: *mut c_void, len: usize) -> io::Result<Self> {
        let base = NonNull::new(base.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { base, len })
    }

    /// Sets the access rights of the whole view.
    fn protect(&self, access: MprotectFlags) -> io::Result<()> {
        // SAFETY: the whole view, which this value owns and which holds no Rust object.
        unsafe { mprotect(self.base.as_ptr().cast(), self.len, access) }?;
        Ok(())
    }

    /// The address `offset` bytes in; `offset` has been checked.
    fn at(&self, offset: usize) -> *mut u8 {
        self.base.as_ptr().wrapping_add(offset)
    }
}

impl Drop for View {
    fn drop(&mut self) {
        // SAFETY: the mapping is owned by this value. Unmapping a whole mapping of our own cannot fail.
        let _ = unsafe { munmap(self.base.as_ptr().cast(), self.len) };
    }
}

impl CodeMemory {
    /// Reserves a region of `bytes`, rounded up to whole pages, by the best strategy the system allows. Address space
    /// twice the size is used; memory only for what is written.
    ///
    /// # Errors
    /// When no strategy works: the error of the last. The system then allows no executable memory at all.
    pub fn new(bytes: usize) -> io::Result<Self> {
        Self::preferring(bytes, Strategy::DualMapped)
    }

    /// The same, with a strategy to be tried first.
    ///
    /// # Errors
    /// As for [`new`](Self::new).
    pub fn preferring(bytes: usize, first: Strategy) -> io::Result<Self> {
        let second = match first {
            Strategy::DualMapped => Strategy::Duplicated,
            Strategy::Duplicated => Strategy::DualMapped,
        };
        Self::with_strategy(bytes, first).or_else(|_| Self::with_strategy(bytes, second))
    }

    /// As [`new`](Self::new), by one strategy only.
    ///
    /// # Errors
    /// When the system refuses this strategy, or memory or address space runs out.
    pub fn with_strategy(bytes: usize, strategy: Strategy) -> io::Result<Self> {
        let len = mapping_len(bytes)?;
        let memory = match strategy {
            Strategy::DualMapped => Self::dual_mapped(len),
            Strategy::Duplicated => Self::duplicated(len),
        }?;
        // SAFETY: the whole writable view; the advice only concerns children of `fork`.
        unsafe { madvise(memory.writable.base.as_ptr().cast(), len, Advice::LinuxDontFork) }?;
        Ok(memory)
    }

    /// Both views of an anonymous file.
    fn dual_mapped(len: usize) -> io::Result<Self> {
        let file = create_executable_file()?;
        ftruncate(&file, len as u64)?;
        let map = |access| -> io::Result<View> {
            let flags = MapFlags::SHARED | MapFlags::NORESERVE;
            // SAFETY: no address is asked for, so the kernel chooses a range that nobody else uses; nobody else has the
            // file, so it keeps its length.
            let base = unsafe { mmap(ptr::null_mut(), len, access, flags, &file, 0) }?;
            View::new(base, len)
        };
        Ok(Self {
            executable: map(ProtFlags::READ | ProtFlags::EXEC)?,
            writable: map(ProtFlags::READ | ProtFlags::WRITE)?,
            file: Some(file),
        })
    }

    /// A shared anonymous mapping and its duplicate.
    fn duplicated(len: usize) -> io::Result<Self> {
        let access = ProtFlags::READ | ProtFlags::WRITE;
        let flags = MapFlags::SHARED | MapFlags::NORESERVE;
        // SAFETY: no address is asked for, so the kernel chooses a range that nobody else uses.
        let base = unsafe { mmap_anonymous(ptr::null_mut(), len, access, flags) }?;
        let writable = View::new(base, len)?;
        // An old size of 0 asks for a second mapping of the same shared pages and leaves the first in place.
        // SAFETY: the source is the mapping made above, which stays; the kernel chooses the new address.
        let base = unsafe { mremap(base, 0, len, MremapFlags::MAYMOVE) }?;
        let executable = View::new(base, len)?;
        executable.protect(MprotectFlags::READ | MprotectFlags::EXEC)?;
        Ok(Self { executable, writable, file: None })
    }

    /// The strategy in use.
    pub fn strategy(&self) -> Strategy {
        match self.file {
            Some(_) => Strategy::DualMapped,
            None => Strategy::Duplicated,
        }
    }

    /// The first byte of the executable view; page-aligned. Reading it is allowed, writing faults.
    #[inline]
    pub fn executable_base(&self) -> *const u8 {
        self.executable.base.as_ptr()
    }

    /// Bytes in the region, a multiple of the page size and never 0.
    #[inline]
    #[expect(clippy::len_without_is_empty, reason = "a region is never empty")]
    pub fn len(&self) -> usize {
        self.executable.len
    }

    /// The offset of `address` in the executable view, or `None` when it lies outside.
    #[inline]
    pub fn offset_of(&self, address: usize) -> Option<usize> {
        let offset = address.wrapping_sub(self.executable.base.as_ptr() as usize);
        (offset < self.executable.len).then_some(offset)
    }

    /// Takes the memory behind the pages of `offset..offset + len` now, so that writing there cannot run out of it: a
    /// write to a page that the system cannot supply is a fatal signal, this is an error. The pages are mapped in the
    /// writable view, which is cheaper for many at once than a fault for each. Contents are kept.
    ///
    /// # Errors
    /// `InvalidInput` when the range is not page-aligned or not inside; out of memory.
    pub fn commit(&self, offset: usize, len: usize) -> io::Result<()> {
        let range = check_page_range(offset, len, self.len())?;
        if range.is_empty() {
            return Ok(());
        }
        if let Some(file) = &self.file {
            fallocate(file, FallocateFlags::empty(), range.start as u64, len as u64)?;
        }
        let start = self.writable.at(range.start).cast();
        // SAFETY: the range is inside the writable view; populating keeps contents.
        match unsafe { madvise(start, len, Advice::LinuxPopulateWrite) } {
            // Kernels before 5.14 do not know the advice: the pages are mapped at the first write.
            Err(Errno::INVAL) => Ok(()),
            result => Ok(result?),
        }
    }

    /// Copies `bytes` to `offset` through the writable view. What other threads run next from there is either the old or
    /// the new bytes in no particular order: publish the address of new code with a release store after this call, and
    /// call [`synchronize_cores`] before a range that ever held code runs again.
    ///
    /// # Errors
    /// `InvalidInput` when the range is not inside.
    ///
    /// # Safety
    /// Until the call returns nobody else writes, reads or runs the range.
    pub unsafe fn write(&self, offset: usize, bytes: &[u8]) -> io::Result<()> {
        let range = check_range(offset, bytes.len(), self.len())?;
        // SAFETY: the range is inside the writable view, which no slice of safe code can overlap; the caller has the
        // range to itself.
        unsafe {
            ptr::copy_nonoverlapping(bytes.as_ptr(), self.writable.at(range.start), bytes.len());
        }
        Ok(())
    }

    /// Stores a pointer-sized cell at `offset`, a multiple of 8, atomically and with release order, while others may load
    /// it or jump through it.
    ///
    /// # Errors
    /// `InvalidInput` when the cell is not inside or not aligned.
    ///
    /// # Safety
    /// The eight bytes are a cell of the caller's: accessed atomically by everybody, and no code.
    pub unsafe fn store_cell(&self, offset: usize, value: u64) -> io::Result<()> {
        let range = check_range(offset, size_of::<u64>(), self.len())?;
        if range.start % align_of::<AtomicU64>() != 0 {
            return Err(invalid("a cell is 8-byte aligned"));
        }
        let cell: *mut u64 = self.writable.at(range.start).cast();
        // SAFETY: inside the writable view, aligned as checked above, accessed atomically as the caller promises.
        unsafe { AtomicU64::from_ptr(cell) }.store(value, Ordering::Release);
        Ok(())
    }

    /// Fills `offset..offset + len` with instructions that trap.
    ///
    /// # Errors
    /// `InvalidInput` when the range is not inside.
    ///
    /// # Safety
    /// As for [`write`](Self::write).
    pub unsafe fn fill_with_traps(&self, offset: usize, len: usize) -> io::Result<()> {
        let range = check_range(offset, len, self.len())?;
        // SAFETY: as in `write`.
        unsafe { ptr::write_bytes(self.writable.at(range.start), TRAP_BYTE, len) };
        Ok(())
    }

    /// Gives the memory behind the pages of `offset..offset + len` back to the system. They read as zero afterwards and
    /// can be written again.
    ///
    /// # Errors
    /// `InvalidInput` when the range is not page-aligned or not inside; otherwise what the kernel says.
    ///
    /// # Safety
    /// Nobody runs, reads or writes the range, or will do so before it is written again.
    pub unsafe fn free_pages(&self, offset: usize, len: usize) -> io::Result<()> {
        let range = check_page_range(offset, len, self.len())?;
        if range.is_empty() {
            return Ok(());
        }
        if let Some(file) = &self.file {
            let punch = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
            return Ok(fallocate(file, punch, range.start as u64, len as u64)?);
        }
        // SAFETY: the range is inside the writable view and, as the caller promises, unused.
        unsafe { madvise(self.writable.at(range.start).cast(), len, Advice::LinuxRemove) }?;
        Ok(())
    }

    /// Bytes of memory behind the region now. For statistics: it costs a system call.
    ///
    /// # Errors
    /// What the kernel says; none is known for these calls.
    pub fn resident_bytes(&self) -> io::Result<u64> {
        if let Some(file) = &self.file {
            let blocks = rustix::fs::fstat(file)?.st_blocks;
            return Ok(u64::try_from(blocks).unwrap_or(0).saturating_mul(512));
        }
        let mut present = vec![0_u8; self.len() / page_size()];
        // SAFETY: the whole writable view, and one byte a page for the answer.
        let status = unsafe { libc::mincore(self.writable.base.as_ptr().cast(), self.len(), present.as_mut_ptr()) };
        if status != 0 {
            return Err(io::Error::last_os_error());
        }
        let pages = present.iter().filter(|&&byte| byte & 1 != 0).count();
        Ok((pages * page_size()) as u64)
    }
}

/// An anonymous file whose mappings may be executable.
fn create_executable_file() -> io::Result<OwnedFd> {
    // Kernels since 6.3 want to be told; older ones do not know the flag.
    match memfd_create("upshift-code", MemfdFlags::CLOEXEC | MemfdFlags::EXEC) {
        Err(Errno::INVAL) => Ok(memfd_create("upshift-code", MemfdFlags::CLOEXEC)?),
        file => Ok(file?),
    }
}

/// Makes every running thread of the process see code changed before this call, at the latest when the call returns:
/// needed before code runs in a range that held other code, not for a range that is new. Costs about a microsecond.
///
/// # Errors
/// When the kernel has no such barrier (before 4.16, or it is filtered): ranges must then not be used again.
pub fn synchronize_cores() -> io::Result<()> {
    static REGISTERED: OnceLock<Result<(), i32>> = OnceLock::new();
    REGISTERED
        .get_or_init(|| {
            let command = MembarrierCommand::RegisterPrivateExpeditedSyncCore;
            membarrier(command).map_err(Errno::raw_os_error)
        })
        .map_err(io::Error::from_raw_os_error)?;
    Ok(membarrier(MembarrierCommand::PrivateExpeditedSyncCore)?)
}

/// Makes every running thread of the process pass a full memory barrier before this call returns: what the caller wrote
/// before is seen by all of them from then on, and what they wrote before it is seen by the caller. The other side of a
/// protocol whose fast side has no barrier at all, only an order of its own instructions.
///
/// # Errors
/// When the kernel has no such barrier (before 4.14, or it is filtered): the protocol must then not be relied on.
pub fn synchronize_threads() -> io::Result<()> {
    static REGISTERED: OnceLock<Result<(), i32>> = OnceLock::new();
    REGISTERED
        .get_or_init(|| membarrier(MembarrierCommand::RegisterPrivateExpedited).map_err(Errno::raw_os_error))
        .map_err(io::Error::from_raw_os_error)?;
    Ok(membarrier(MembarrierCommand::PrivateExpedited)?)
}
