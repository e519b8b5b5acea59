//! `AppendBuffer`: bytes at a fixed address that one writer appends to while any thread reads what is there.
//!
//! Problem: a module arrives in pieces, and its first functions are checked and compiled while the last are under way. A
//! vector would move when it grows, under the eyes of those who read it.
//!
//! Choice: address space for the most there may be is reserved at once, which costs no memory, and made accessible as bytes
//! come. So bytes never move, and are never copied again.
//! 1. The writer fills memory behind the published bytes ([`AppendBuffer::append`], or [`AppendBuffer::spare`] for a read
//!    straight into it) and then moves the length up by a release store ([`AppendBuffer::advance`]).
//! 2. A [`Readable`] loads the length by an acquire load and lends the bytes below it.
//! 3. [`AppendBuffer::finish`] gives back the address space that was not needed; no byte will come any more.
//!
//! Invariant: bytes below the published length are never written again, so they can be lent while the writer goes on.
//! Invariant: only the one `AppendBuffer` of a region changes its length, or touches what lies behind it.

use std::ffi::c_void;
use std::ops::Deref;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{fmt, io, slice};

use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap_anonymous, mprotect, munmap};

use crate::pages::{invalid, mapping_len, page_size, round_up_to_page};

#[cfg(test)]
mod tests;

/// The least, and the most, that is made accessible at a time, in bytes: a system call each.
const STEP: std::ops::RangeInclusive<usize> = 64 << 10..=8 << 20;

/// The address range and how far it is filled.
struct Region {
    base: NonNull<u8>,
    /// Bytes mapped, from `base` on; changed once, by `finish`.
    mapped: AtomicUsize,
    /// Bytes published.
    len: AtomicUsize,
}

// SAFETY: a `Region` is an address and two atomic numbers; who may touch which bytes is said at the head of this file.
unsafe impl Send for Region {}
// SAFETY: as for `Send`.
unsafe impl Sync for Region {}

impl Region {
    /// The first `len` bytes, which must have been published.
    fn bytes(&self, len: usize) -> &[u8] {
        debug_assert!(len <= self.len.load(Ordering::Relaxed));
        // SAFETY: published bytes lie in the part that `make_room` made readable, are initialised (by the kernel, if by
        // nobody else), and are never written again (the first invariant). The region is mapped as long as `self` is.
        unsafe { slice::from_raw_parts(self.base.as_ptr(), len) }
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        // SAFETY: the range was mapped by `AppendBuffer::new` and is owned by this value; all slices of it borrow from the
        // handles that kept this value. Unmapping a mapping of our own cannot fail.
        let _ = unsafe { munmap(self.base.as_ptr().cast(), *self.mapped.get_mut()) };
    }
}

/// The one writer of a growing run of bytes.
pub struct AppendBuffer {
    region: Arc<Region>,
    /// Bytes that may come in all.
    limit: usize,
    /// Bytes that are readable and writable, a multiple of the page size.
    accessible: usize,
}

/// A view of the bytes that have been appended so far. A handle; it keeps the bytes.
#[derive(Clone)]
pub struct Readable {
    region: Arc<Region>,
}

/// Bytes to which none will be appended any more. A handle; it keeps the bytes.
#[derive(Clone)]
pub struct Filled {
    region: Arc<Region>,
    len: usize,
}

impl AppendBuffer {
    /// A buffer for at most `limit` bytes. Takes address space for all of them, but no memory.
    ///
    /// # Errors
    /// Out of memory when the address space has no such gap.
    pub fn new(limit: usize) -> io::Result<AppendBuffer> {
        let mapped = mapping_len(limit)?;
        let flags = MapFlags::PRIVATE | MapFlags::NORESERVE;
        // SAFETY: no address is asked for, so the kernel chooses a range that nobody else uses.
        let base = unsafe { mmap_anonymous(ptr::null_mut(), mapped, ProtFlags::empty(), flags) }?;
        let base = NonNull::new(base.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        let region = Region { base, mapped: AtomicUsize::new(mapped), len: AtomicUsize::new(0) };
        Ok(AppendBuffer { region: Arc::new(region), limit, accessible: 0 })
    }

    /// Bytes that may come in all.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// What has been appended.
    pub fn bytes(&self) -> &[u8] {
        self.region.bytes(self.len())
    }

    /// A handle by which any thread reads what has been appended.
    pub fn readable(&self) -> Readable {
        Readable { region: Arc::clone(&self.region) }
    }

    /// Appends bytes.
    ///
    /// # Errors
    /// `InvalidInput` when they would pass the limit; out of memory when the system has none. Nothing is appended then.
    pub fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.spare(bytes.len())?[..bytes.len()].copy_from_slice(bytes);
        self.advance(bytes.len());
        Ok(())
    }

    /// Room for at least `len` bytes, to be filled and then published by [`AppendBuffer::advance`]. What is in it is of no
    /// meaning.
    ///
    /// # Errors
    /// As for [`AppendBuffer::append`].
    pub fn spare(&mut self, len: usize) -> io::Result<&mut [u8]> {
        self.make_room(len)?;
        let filled = self.len();
        let room = self.accessible.min(self.limit) - filled;
        // SAFETY: `make_room` made the pages below `accessible` writable, and `len` and `limit` lie inside the mapping. What
        // is behind the length is touched by this writer only (the second invariant), which is borrowed for as long.
        Ok(unsafe { slice::from_raw_parts_mut(self.region.base.as_ptr().add(filled), room) })
    }

    /// Publishes the next `len` bytes, which were written to [`AppendBuffer::spare`].
    ///
    /// # Panics
    /// When there was not so much room.
    pub fn advance(&mut self, len: usize) {
        let filled = self.len();
        assert!(len <= self.accessible.min(self.limit) - filled, "more bytes than there was room for");
        // Pairs with the acquire load of `Readable::bytes`: who sees the length sees the bytes.
        self.region.len.store(filled + len, Ordering::Release);
    }

    /// Ends the writing: gives back the address space that was not needed, and the bytes. Handles that read stay valid.
    pub fn finish(self) -> Filled {
        let len = self.len();
        let mapped = self.region.mapped.load(Ordering::Relaxed);
        // One page stays, as a mapping of nothing cannot be.
        let keep = round_up_to_page(len.max(1)).unwrap_or(mapped);
        if keep < mapped {
            // SAFETY: the pages behind the last byte belong to this region, and only this writer, which is gone now, could
            // touch them. On failure they stay mapped, and go with the region.
            let freed = unsafe { munmap(self.at(keep), mapped - keep) };
            if freed.is_ok() {
                self.region.mapped.store(keep, Ordering::Relaxed);
            }
        }
        Filled { region: self.region, len }
    }

    fn len(&self) -> usize {
        // Only this writer stores it.
        self.region.len.load(Ordering::Relaxed)
    }

    /// Sees to it that `len` bytes behind the last one are accessible.
    fn make_room(&mut self, len: usize) -> io::Result<()> {
        let filled = self.len();
        let end = filled.checked_add(len).filter(|&end| end <= self.limit);
        let end = end.ok_or_else(|| invalid("more bytes than the buffer may hold"))?;
        if end <= self.accessible {
            return Ok(());
        }
        // In steps that grow with what there is, so that their number does not.
        let wanted = end.max(self.accessible + self.accessible.clamp(*STEP.start(), *STEP.end()));
        let mapped = self.region.mapped.load(Ordering::Relaxed);
        let wanted = wanted.checked_next_multiple_of(page_size()).map_or(mapped, |wanted| wanted.min(mapped));
        let access = MprotectFlags::READ | MprotectFlags::WRITE;
        // SAFETY: the range lies inside the mapping, behind all that is accessible; rights are only added.
        unsafe { mprotect(self.at(self.accessible), wanted - self.accessible, access) }?;
        self.accessible = wanted;
        Ok(())
    }

    fn at(&self, offset: usize) -> *mut c_void {
        self.region.base.as_ptr().wrapping_add(offset).cast()
    }
}

impl Readable {
    /// What has been appended so far; at least what any thread that this one has heard from knew of.
    pub fn bytes(&self) -> &[u8] {
        self.region.bytes(self.region.len.load(Ordering::Acquire))
    }
}

impl Filled {
    /// Are both handles to the same bytes in memory?
    pub fn same(&self, other: &Filled) -> bool {
        Arc::ptr_eq(&self.region, &other.region)
    }
}

impl Deref for Filled {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.region.bytes(self.len)
    }
}

impl fmt::Debug for AppendBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AppendBuffer({} of {} bytes)", self.len(), self.limit)
    }
}

impl fmt::Debug for Readable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Readable({} bytes)", self.bytes().len())
    }
}

impl fmt::Debug for Filled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Filled({} bytes)", self.len)
    }
}
