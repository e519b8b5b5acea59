//! From an address to the code object that contains it, without locks, so that a signal handler may ask.
//!
//! Every code object starts on a granule of 64 bytes whose bit is set in a bitmap; the granule begins with a header word
//! that holds the address of the `Code`. A lookup searches the bitmap backwards from the address for the nearest set
//! bit, then reads the header.
//!
//! Order: the header is written before the bit is set (release), and the bit is cleared before the range is reused.
//! Whoever looks up an address that it found on a stack or in a program counter holds the code alive through its
//! store, so the object cannot vanish meanwhile.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use wasm::heap;

use crate::allocator::GRANULE;

#[cfg(test)]
mod tests;

/// Words of one leaf of the map; a leaf covers 1 MiB of code.
const LEAF: usize = 256;

/// One bit per granule of a region: does a code object start here? Leaves are made when first needed.
#[derive(Debug)]
pub struct StartMap {
    leaves: Box<[OnceLock<Box<[AtomicU64; LEAF]>>]>,
}

impl StartMap {
    /// A map for a region of `len` bytes, with no bit set.
    pub fn new(len: usize) -> StartMap {
        let leaves = len.div_ceil(GRANULE).div_ceil(64).div_ceil(LEAF);
        StartMap { leaves: (0..leaves).map(|_| OnceLock::new()).collect() }
    }

    /// Marks the granule at `offset` as a start. `offset` must lie in the region.
    pub fn set(&self, offset: usize) {
        let (leaf, word, bit) = split(offset);
        let leaf = self.leaves[leaf].get_or_init(|| Box::new([const { AtomicU64::new(0) }; LEAF]));
        leaf[word].fetch_or(1 << bit, Ordering::Release);
    }

    /// Removes the mark.
    pub fn clear(&self, offset: usize) {
        let (leaf, word, bit) = split(offset);
        if let Some(leaf) = self.leaves[leaf].get() {
            leaf[word].fetch_and(!(1 << bit), Ordering::Release);
        }
    }

    /// What the map takes on the heap, in bytes.
    pub fn heap_bytes(&self) -> usize {
        let made = self.leaves.iter().filter(|leaf| leaf.get().is_some()).count();
        heap::slice(&self.leaves) + made * heap::block(LEAF * size_of::<AtomicU64>())
    }

    /// Offset of the nearest start at or below `offset`.
    pub fn find(&self, offset: usize) -> Option<usize> {
        let (mut leaf, word, bit) = split(offset);
        let (mut words, mut mask) = (word + 1, u64::MAX >> (63 - bit));
        loop {
            if let Some(content) = self.leaves.get(leaf)?.get() {
                for word in (0..words).rev() {
                    let bits = content[word].load(Ordering::Acquire) & mask;
                    mask = u64::MAX;
                    if bits != 0 {
                        let bit = 63 - bits.leading_zeros() as usize;
                        return Some(((leaf * LEAF + word) * 64 + bit) * GRANULE);
                    }
                }
            }
            (words, mask) = (LEAF, u64::MAX);
            leaf = leaf.checked_sub(1)?;
        }
    }
}

/// Leaf, word in the leaf, and bit in the word of the granule at `offset`.
fn split(offset: usize) -> (usize, usize, usize) {
    let granule = offset / GRANULE;
    (granule / 64 / LEAF, granule / 64 % LEAF, granule % 64)
}
