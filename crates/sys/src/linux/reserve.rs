//! `Reservation`: a range of address space, and which parts of it are backed by memory.
//!
//! Every page of a reservation is in one of three states:
//! 1. *reserved*: no access, no memory, no commit charge (`PROT_NONE`, `MAP_NORESERVE`); the state at birth;
//! 2. *committed*: readable and writable, zero until first written ([`Reservation::commit`]);
//! 3. *image*: readable and writable, a private copy-on-write view of a [`MemoryImage`] ([`Reservation::map_image`]).
//!
//! A linear memory reserves its address range plus guard once and then never moves: growing is `commit`, an access past
//! the end faults on a reserved page. `decommit` replaces the pages by a fresh reserved mapping in one call, rather than
//! `madvise` then `mprotect`, because that also gives back the commit charge and lets the kernel merge the area with its
//! reserved neighbours (the number of areas a process may have is limited, 65,530 by default).
//!
//! The methods take `&self`: a shared memory grows while other threads run in it. They are safe because a reservation
//! hands out raw pointers only: whoever dereferences one vouches that nobody takes the page away meanwhile.

use std::io;
use std::ops::Range;
use std::ptr::{self, NonNull};

use rustix::mm::{Advice, MapFlags, MprotectFlags, ProtFlags, madvise, mmap, mmap_anonymous, mprotect, munmap};

use crate::image::MemoryImage;
use crate::pages::{check_page_range, invalid, mapping_len, round_up_to_page};

#[cfg(test)]
mod tests;

/// A range of address space owned by this value; unmapped when dropped.
#[derive(Debug)]
pub struct Reservation {
    base: NonNull<u8>,
    len: usize,
}

// SAFETY: a `Reservation` is an address and a length; the kernel serialises the calls that change the mapping, and the
// type itself never reads or writes the memory.
unsafe impl Send for Reservation {}
// SAFETY: as for `Send`.
unsafe impl Sync for Reservation {}

/// Flags of a private area without memory behind it that is not charged until its pages are written.
fn private() -> MapFlags {
    MapFlags::PRIVATE | MapFlags::NORESERVE
}

impl Reservation {
    /// Reserves `bytes` of address space, rounded up to whole pages (at least one), all of it inaccessible.
    ///
    /// # Errors
    /// Out of memory when the address space has no such gap or the process has too many mappings.
    pub fn new(bytes: usize) -> io::Result<Self> {
        let len = mapping_len(bytes)?;
        // SAFETY: no address is asked for, so the kernel chooses a range that nobody else uses.
        let base = unsafe { mmap_anonymous(ptr::null_mut(), len, ProtFlags::empty(), private()) }?;
        let base = NonNull::new(base.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { base, len })
    }

    /// The first byte; page-aligned, and the same for the life of the reservation.
    #[inline]
    pub fn as_ptr(&self) -> *mut u8 {
        self.base.as_ptr()
    }

    /// Bytes reserved, a multiple of the page size and never 0.
    #[inline]
    #[expect(clippy::len_without_is_empty, reason = "a reservation is never empty")]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether `address` lies inside the reservation.
    #[inline]
    pub fn contains(&self, address: usize) -> bool {
        address.wrapping_sub(self.base.as_ptr() as usize) < self.len
    }

    /// Makes the pages of `offset..offset + len` readable and writable. Reserved pages read as zero, committed and image
    /// pages keep their contents.
    ///
    /// # Errors
    /// `InvalidInput` when the range is not page-aligned or not inside; otherwise what `mprotect` says (out of memory).
    pub fn commit(&self, offset: usize, len: usize) -> io::Result<()> {
        let range = check_page_range(offset, len, self.len)?;
        if range.is_empty() {
            return Ok(());
        }
        let access = MprotectFlags::READ | MprotectFlags::WRITE;
        // SAFETY: `check_page_range` put the range inside this reservation, and rights are only added.
        unsafe { mprotect(self.at(&range), range.len(), access) }?;
        Ok(())
    }

    /// Makes the pages of `offset..offset + len` reserved again: any access faults, and memory and commit charge are
    /// back with the system. Committing them later gives zeros.
    ///
    /// # Errors
    /// As for [`commit`](Self::commit).
    pub fn decommit(&self, offset: usize, len: usize) -> io::Result<()> {
        self.replace(offset, len, ProtFlags::empty())
    }

    /// Gives the memory of `offset..offset + len` back while its pages keep their state: committed pages read as zero
    /// afterwards and image pages as the image.
    ///
    /// # Errors
    /// As for [`commit`](Self::commit).
    pub fn reset(&self, offset: usize, len: usize) -> io::Result<()> {
        let range = check_page_range(offset, len, self.len)?;
        if range.is_empty() {
            return Ok(());
        }
        // SAFETY: the range is inside this reservation; the pages stay mapped, and readers of the raw pointers vouch for
        // what they expect to find (head of this file).
        unsafe { madvise(self.at(&range), range.len(), Advice::LinuxDontNeed) }?;
        Ok(())
    }

    /// Maps the bytes `image_range` of `image` at `offset`: readable, writable, copied on the first write to each page,
    /// never written back. The end of `image_range` is rounded up to a whole page (the image ends in zeros).
    ///
    /// # Errors
    /// `InvalidInput` when `offset` or the start of `image_range` is not page-aligned, or either range is not inside;
    /// otherwise what `mmap` says. On failure the old pages may be gone: the caller gives up the memory.
    pub fn map_image(&self, offset: usize, image: &MemoryImage, image_range: Range<usize>) -> io::Result<()> {
        let len = image_range
            .end
            .checked_sub(image_range.start)
            .and_then(round_up_to_page)
            .ok_or_else(|| invalid("the image range is reversed or too long"))?;
        let source = check_page_range(image_range.start, len, image.len())?;
        let range = check_page_range(offset, len, self.len)?;
        if range.is_empty() {
            return Ok(());
        }
        let access = ProtFlags::READ | ProtFlags::WRITE;
        let flags = private() | MapFlags::FIXED;
        // SAFETY: the fixed range is inside this reservation, so nothing of anybody else is replaced; the file is sealed,
        // so it cannot shrink under the mapping.
        let mapped = unsafe { mmap(self.at(&range), range.len(), access, flags, image.file(), source.start as u64) };
        mapped?;
        Ok(())
    }

    /// Replaces whatever `offset..offset + len` holds, image or not, by committed zero pages.
    ///
    /// # Errors
    /// As for [`commit`](Self::commit).
    pub fn remove_image(&self, offset: usize, len: usize) -> io::Result<()> {
        self.replace(offset, len, ProtFlags::READ | ProtFlags::WRITE)
    }

    /// Puts a fresh anonymous mapping with `access` over the range.
    fn replace(&self, offset: usize, len: usize, access: ProtFlags) -> io::Result<()> {
        let range = check_page_range(offset, len, self.len)?;
        if range.is_empty() {
            return Ok(());
        }
        let flags = private() | MapFlags::FIXED;
        // SAFETY: the fixed range is inside this reservation, so nothing of anybody else is replaced.
        unsafe { mmap_anonymous(self.at(&range), range.len(), access, flags) }?;
        Ok(())
    }

    /// The address of the start of `range`, which has been checked.
    fn at(&self, range: &Range<usize>) -> *mut std::ffi::c_void {
        self.base.as_ptr().wrapping_add(range.start).cast()
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        // SAFETY: the range was mapped by `new` and is owned by this value; users of the raw pointers vouch that they do
        // not outlive it. Unmapping a whole mapping of our own cannot fail.
        let _ = unsafe { munmap(self.base.as_ptr().cast(), self.len) };
    }
}
