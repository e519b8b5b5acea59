//! `Emptied`: which segments of an instance count as empty, as they were dropped, or are not passive and their turn has been.
//!
//! Modules have up to a hundred thousand active segments, whose turn comes once, in order, at instantiation. So of these
//! only the number is kept. What code drops itself is marked, one by one.

use wasm::heap;

#[cfg(test)]
mod tests;

const BITS: usize = u64::BITS as usize;

/// A set of the positions of segments. Empty at first.
#[derive(Debug, Default)]
pub(crate) struct Emptied {
    /// So many segments had their turn: those of them that are not passive are in the set.
    applied: usize,
    /// A bit for each that was dropped by code, up to the last of them.
    dropped: Vec<u64>,
}

impl Emptied {
    /// So many segments, from the first on, had their turn.
    pub(crate) fn apply(&mut self, count: usize) {
        self.applied = count;
    }

    /// Code drops a segment. Gives the bytes that remembering it takes beyond those before.
    pub(crate) fn drop(&mut self, position: usize) -> usize {
        let before = self.heap_bytes();
        let word = position / BITS;
        if word >= self.dropped.len() {
            self.dropped.reserve_exact(word + 1 - self.dropped.len());
            self.dropped.resize(word + 1, 0);
        }
        self.dropped[word] |= 1 << (position % BITS);
        self.heap_bytes() - before
    }

    /// Does this segment count as empty?
    pub(crate) fn contains(&self, position: usize, is_passive: bool) -> bool {
        let is_dropped = self.dropped.get(position / BITS).is_some_and(|word| word >> (position % BITS) & 1 != 0);
        is_dropped || (!is_passive && position < self.applied)
    }

    /// What it owns takes, in bytes.
    pub(crate) fn heap_bytes(&self) -> usize {
        heap::vec(&self.dropped)
    }
}
