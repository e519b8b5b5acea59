//! First-fit bookkeeping of a region: which byte ranges are free. Pure arithmetic, no memory is touched.

use std::collections::BTreeMap;
use std::ops::Range;

use wasm::heap;

#[cfg(test)]
mod tests;

/// Granularity of allocation in bytes, and the alignment of every range handed out.
pub const GRANULE: usize = 64;

/// Free ranges of a region. Neighbours are always merged, so the map is as small as it can be.
#[derive(Debug)]
pub struct Allocator {
    /// Start of each free range -> its end.
    free: BTreeMap<usize, usize>,
    /// Length of the region.
    len: usize,
    /// Bytes handed out.
    used: usize,
}

impl Allocator {
    /// An allocator for a region of `len` bytes, all free. `len` is rounded down to whole granules.
    pub fn new(len: usize) -> Allocator {
        let len = len / GRANULE * GRANULE;
        let free = if len == 0 { BTreeMap::new() } else { BTreeMap::from([(0, len)]) };
        Allocator { free, len, used: 0 }
    }

    /// Bytes handed out.
    pub fn used(&self) -> usize {
        self.used
    }

    /// Length of the region.
    pub fn len(&self) -> usize {
        self.len
    }

    /// What the list of free ranges takes on the heap, in bytes.
    pub fn heap_bytes(&self) -> usize {
        heap::tree::<usize, usize>(self.free.len())
    }

    /// Is the region empty?
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Takes the first free range of `size` bytes, rounded up to granules. None if there is no such range.
    pub fn allocate(&mut self, size: usize) -> Option<Range<usize>> {
        let size = size.max(1).checked_next_multiple_of(GRANULE)?;
        let (&start, &end) = self.free.iter().find(|&(&start, &end)| end - start >= size)?;
        self.free.remove(&start);
        if start + size < end {
            self.free.insert(start + size, end);
        }
        self.used += size;
        Some(start..start + size)
    }

    /// Gives back a range from [`Allocator::allocate`]. The result is the free range it now belongs to.
    pub fn free(&mut self, range: Range<usize>) -> Range<usize> {
        debug_assert!(range.start < range.end && range.end <= self.len);
        self.used -= range.end - range.start;
        let (mut start, mut end) = (range.start, range.end);
        if let Some((&before, &before_end)) = self.free.range(..start).next_back() {
            debug_assert!(before_end <= start, "range freed twice");
            if before_end == start {
                self.free.remove(&before);
                start = before;
            }
        }
        if let Some(after_end) = self.free.remove(&end) {
            end = after_end;
        }
        self.free.insert(start, end);
        start..end
    }
}
