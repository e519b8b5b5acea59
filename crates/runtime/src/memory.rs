//! Linear memories: the reservation behind one, how it starts out, and how it grows.
//!
//! - A *guarded* memory reserves all that a 32-bit index can name, and a guard behind it. It never moves; what lies past
//!   its length faults.
//! - A *checked* memory reserves its declared maximum if that is small, or else its current size, and moves when it
//!   outgrows that. Compiled code compares every access with the length.
//!
//! Code compiled for guarded memories needs one; code compiled for checked memories takes both
//! (see `abi::memory::MemoryStyle`).
//!
//! Invariant: bytes at and after the length, up to the end of the last page that was ever in bounds, are zero.

use std::io;
use std::mem::ManuallyDrop;
use std::sync::Arc;

use abi::layout::MemoryDefinition;
use abi::memory::{GUARD, GUARDED_RESERVATION, MemoryPolicy, MemoryStyle};
use sys::pages::{page_size, round_up_to_page};
use sys::reserve::Reservation;
use wasm::types::MemoryType;

use crate::error::ResourceError;
use crate::image::InitialImage;
use crate::memory_counts::Got;
use crate::memory_pool::{MemoryPool, Range};

#[cfg(test)]
mod tests;

/// Most bytes that a 64-bit memory may have (V8's limit: 16 GiB).
pub const MAX_BYTES_64: u64 = 16 << 30;

/// Most bytes that a 32-bit memory may have.
pub const MAX_BYTES_32: u64 = 4 << 30;

/// A memory of a store.
#[derive(Debug)]
pub struct Memory {
    ty: MemoryType,
    style: MemoryStyle,
    /// Taken out once, in `drop`.
    range: ManuallyDrop<Range>,
    /// Accessible bytes at the start.
    initially: usize,
    /// Bytes of the reservation that the memory may grow into without moving.
    capacity: usize,
    definition: *mut MemoryDefinition,
    /// The definition, when no instance context holds it.
    own: Option<Box<MemoryDefinition>>,
    /// Where a guarded range goes in the end.
    pool: Arc<MemoryPool>,
}

impl Memory {
    /// A memory of its minimum size. With an `image` its first bytes are the image's, else zero. A guarded memory for
    /// which there is no address space becomes a checked one.
    ///
    /// # Errors
    /// When the minimum is over the limit, or the system has no memory for it.
    pub fn new(
        ty: MemoryType,
        policy: &MemoryPolicy,
        pool: &Arc<MemoryPool>,
        image: Option<Arc<InitialImage>>,
    ) -> Result<Memory, ResourceError> {
        let length = ty.min_bytes().filter(|&bytes| bytes <= maximum_bytes(&ty)).ok_or_else(|| over_limit(&ty))?;
        let length = usize::try_from(length).map_err(|_| over_limit(&ty))?;
        let initially = round_up_to_page(length).ok_or_else(|| over_limit(&ty))?;
        let refused = |error| ResourceError::MemoryAllocation { bytes: length, error };
        let guarded = policy.style(&ty) == MemoryStyle::Guarded;
        let pooled = if guarded { pool.take(initially, image.as_ref()) } else { None };
        let reused = pooled.is_some();
        let (style, range, capacity) = match pooled {
            Some(range) => (MemoryStyle::Guarded, range, GUARDED_RESERVATION as usize),
            None => new_range(&ty, policy, length, image).map_err(refused)?,
        };
        pool.counts.made(match style {
            MemoryStyle::Guarded if reused => Got::Reused,
            MemoryStyle::Guarded => Got::Guarded,
            MemoryStyle::Checked if guarded => Got::Unguarded,
            MemoryStyle::Checked => Got::Checked,
        });
        let mut own = Box::new(MemoryDefinition { base: range.reservation.as_ptr(), length });
        let definition = &raw mut *own;
        let (range, own, pool) = (ManuallyDrop::new(range), Some(own), Arc::clone(pool));
        Ok(Memory { ty, style, range, initially, capacity, definition, own, pool })
    }

    /// Moves the definition into an instance context that outlives the memory.
    pub(crate) fn place_at(&mut self, definition: *mut MemoryDefinition) {
        let now = MemoryDefinition { base: self.base(), length: self.len() };
        // SAFETY: the caller hands out a place in an instance context of the store that owns `self`.
        unsafe { *definition = now };
        self.definition = definition;
        self.own = None;
    }

    /// The type it was made with.
    pub fn ty(&self) -> MemoryType {
        self.ty
    }

    /// What code may assume of it.
    pub fn style(&self) -> MemoryStyle {
        self.style
    }

    /// Accessible bytes. The system gives a page of them when it is first written.
    pub fn committed(&self) -> usize {
        self.range.accessible
    }

    /// Did it start out as an image of its module's data?
    pub fn has_image(&self) -> bool {
        self.range.image.is_some()
    }

    /// What compiled code sees.
    pub fn definition(&self) -> *mut MemoryDefinition {
        self.definition
    }

    /// Address of byte 0.
    pub fn base(&self) -> *mut u8 {
        self.range.reservation.as_ptr()
    }

    /// Current length in bytes.
    pub fn len(&self) -> usize {
        // SAFETY: the definition is our own or lies in an instance context of the store that owns `self`.
        unsafe { (*self.definition).length }
    }

    /// Has it no bytes?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Current length in pages of the memory's page size.
    pub fn pages(&self) -> u64 {
        self.len() as u64 >> self.ty.page_size_log2
    }

    /// Most bytes it may grow to.
    pub fn maximum(&self) -> u64 {
        maximum_bytes(&self.ty).min(self.ty.max_bytes().unwrap_or(u64::MAX))
    }

    /// Bytes it would have after growing by `delta` pages; none if it may not.
    pub fn grown_by(&self, delta: u64) -> Option<usize> {
        let bytes = delta.checked_mul(self.ty.page_size())?.checked_add(self.len() as u64)?;
        usize::try_from(bytes).ok().filter(|&bytes| bytes as u64 <= self.maximum())
    }

    /// Grows to `bytes`, which [`Memory::grown_by`] allowed. False if the system has no memory for it.
    pub fn grow_to(&mut self, bytes: usize) -> bool {
        if bytes > self.capacity && !self.move_to(bytes) {
            return false;
        }
        let Some(accessible) = round_up_to_page(bytes) else { return false };
        if accessible > self.range.accessible {
            if self.range.reservation.commit(self.range.accessible, accessible - self.range.accessible).is_err() {
                return false;
            }
            self.range.accessible = accessible;
        }
        // SAFETY: as in `len`.
        unsafe { *self.definition = MemoryDefinition { base: self.range.reservation.as_ptr(), length: bytes } };
        true
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: the first `len` bytes are mapped readable. Nobody else writes them: a store is used by one thread at a
        // time, and Wasm of that store does not run while the store is borrowed.
        unsafe { std::slice::from_raw_parts(self.base(), self.len()) }
    }

    /// The bytes, to be changed.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `bytes`, and the pages are mapped writable.
        unsafe { std::slice::from_raw_parts_mut(self.base(), self.len()) }
    }

    /// Moves a checked memory to a larger reservation, with room to grow further.
    fn move_to(&mut self, bytes: usize) -> bool {
        if self.style == MemoryStyle::Guarded {
            return false;
        }
        let most = usize::try_from(self.maximum()).unwrap_or(usize::MAX);
        let wish = bytes.saturating_add(bytes / 2).min(most).max(bytes);
        let Some((reservation, capacity)) = [wish, bytes].into_iter().find_map(|capacity| {
            let capacity = round_up_to_page(capacity)?;
            Some((Reservation::new(capacity.checked_add(page_size())?).ok()?, capacity))
        }) else {
            return false;
        };
        if reservation.commit(0, self.range.accessible).is_err() {
            return false;
        }
        // SAFETY: both reservations have `accessible` bytes mapped readable and writable and are distinct; `len` is at
        // most that.
        unsafe { std::ptr::copy_nonoverlapping(self.base(), reservation.as_ptr(), self.len()) };
        self.range.reservation = reservation;
        self.capacity = capacity;
        // The old range is gone, whatever becomes of the growth.
        // SAFETY: as in `len`.
        unsafe { (*self.definition).base = self.range.reservation.as_ptr() };
        true
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: only here is the range taken out, and `self` is not used afterwards.
        let range = unsafe { ManuallyDrop::take(&mut self.range) };
        if self.style == MemoryStyle::Guarded {
            self.pool.give(range, self.initially);
        }
    }
}

/// Takes address space for a memory, as the policy wishes or less if there is none, and fills in its first contents.
fn new_range(
    ty: &MemoryType,
    policy: &MemoryPolicy,
    length: usize,
    image: Option<Arc<InitialImage>>,
) -> io::Result<(MemoryStyle, Range, usize)> {
    let (style, reservation, capacity) = reserve(ty, policy, length)?;
    let accessible = round_up_to_page(length).unwrap_or(length);
    reservation.commit(0, accessible)?;
    if let Some(image) = &image {
        image.map_into(&reservation)?;
    }
    Ok((style, Range { reservation, accessible, image }, capacity))
}

fn reserve(ty: &MemoryType, policy: &MemoryPolicy, length: usize) -> io::Result<(MemoryStyle, Reservation, usize)> {
    if policy.style(ty) == MemoryStyle::Guarded
        && let Ok(reservation) = Reservation::new((GUARDED_RESERVATION + GUARD) as usize)
    {
        return Ok((MemoryStyle::Guarded, reservation, GUARDED_RESERVATION as usize));
    }
    let small = ty.max_bytes().filter(|&max| max <= policy.small_maximum).map(|max| max as usize);
    let capacity = small.unwrap_or(length).max(length);
    let capacity = round_up_to_page(capacity).unwrap_or(capacity);
    Ok((MemoryStyle::Checked, Reservation::new(capacity.saturating_add(page_size()))?, capacity))
}

fn maximum_bytes(ty: &MemoryType) -> u64 {
    if ty.index64 { MAX_BYTES_64 } else { MAX_BYTES_32 }
}

fn over_limit(ty: &MemoryType) -> ResourceError {
    ResourceError::MemoryOverLimit { pages: ty.min, page_size: ty.page_size(), limit: maximum_bytes(ty) }
}
