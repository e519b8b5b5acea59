//! Address ranges of memories that died, kept for the next memory of the same shape.
//!
//! Reserving, protecting, mapping and unmapping are four system calls; taking a range from here is none, and giving it back
//! is one, which also returns its pages to the system. So what the pool keeps is address space, not memory.
//!
//! Invariant: a range in the pool reads as its image, or as zero, from 0 to `accessible`, and faults from there to its end.
//! Nothing of its former owner is left in it.

use std::sync::{Arc, Mutex, PoisonError};

use sys::reserve::Reservation;

use crate::image::InitialImage;
use crate::memory_counts::MemoryCounts;

/// Ranges kept at the most.
const CAPACITY: usize = 16;

/// Accessible bytes of a range worth keeping. Larger ones are rare, and dear to hold if they were written to.
const MAX_ACCESSIBLE: usize = 256 << 20;

/// A guarded reservation with a part that is accessible.
#[derive(Debug)]
pub(crate) struct Range {
    pub(crate) reservation: Reservation,
    /// Bytes from the start that are readable and writable; whole pages.
    pub(crate) accessible: usize,
    /// What is mapped over them, if not zeros.
    pub(crate) image: Option<Arc<InitialImage>>,
}

impl Range {
    /// Is the range the last user of its image?
    fn is_orphan(&self) -> bool {
        self.image.as_ref().is_some_and(|image| Arc::strong_count(image) == 1)
    }
}

/// The ranges of an engine, and what it counts of memories.
#[derive(Debug, Default)]
pub struct MemoryPool {
    ranges: Mutex<Vec<Range>>,
    /// What became of the memories that were asked for.
    pub counts: MemoryCounts,
}

impl MemoryPool {
    /// The ranges kept: how many, and the bytes of address space that they take. Hardly any memory is behind them.
    pub fn reserved(&self) -> (usize, usize) {
        let ranges = self.ranges.lock().unwrap_or_else(PoisonError::into_inner);
        (ranges.len(), ranges.iter().map(|range| range.reservation.len()).sum())
    }

    /// A range with just this accessible part and image.
    pub(crate) fn take(&self, accessible: usize, image: Option<&Arc<InitialImage>>) -> Option<Range> {
        let mut ranges = self.ranges.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |range: &Range| {
            range.accessible == accessible && range.image.as_ref().map(Arc::as_ptr) == image.map(Arc::as_ptr)
        };
        let found = ranges.iter().rposition(fits)?;
        Some(ranges.swap_remove(found))
    }

    /// Cleans a range, cuts its accessible part down to what it was `initially`, and keeps it; or drops it.
    pub(crate) fn give(&self, mut range: Range, initially: usize) {
        let grown = range.accessible.saturating_sub(initially);
        // Pages of an image read as the image again, all others as zero.
        if range.accessible > MAX_ACCESSIBLE
            || range.reservation.reset(0, initially).is_err()
            || range.reservation.decommit(initially, grown).is_err()
        {
            return;
        }
        range.accessible = initially;
        if range.is_orphan() {
            return;
        }
        let mut ranges = self.ranges.lock().unwrap_or_else(PoisonError::into_inner);
        // Images of modules that have died are of no more use.
        ranges.retain(|range| !range.is_orphan());
        if ranges.len() == CAPACITY {
            // The oldest shape is the least likely to come again.
            let oldest = ranges.remove(0);
            ranges.push(range);
            drop(ranges);
            drop(oldest);
        } else {
            ranges.push(range);
        }
    }
}
