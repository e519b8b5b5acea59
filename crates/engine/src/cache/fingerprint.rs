//! `Fingerprint`: a hash of all bytes of a module, made when it is first needed and remembered, so that modules that look
//! alike up to their last bytes can be told apart without being compared.
//!
//! It is keyed with numbers that each process draws: who chooses modules cannot choose ones that collide. Were they to
//! collide, they would be compared. Two lanes of 64-bit multiplications, whose halves are folded together, go at about
//! half of the speed at which bytes are compared.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, LazyLock, OnceLock};

#[cfg(test)]
mod tests;

/// The hash of the bytes that it is kept with, once somebody has asked for it. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Fingerprint(Arc<OnceLock<u64>>);

impl Fingerprint {
    /// Has somebody asked for it?
    pub(super) fn is_known(&self) -> bool {
        self.0.get().is_some()
    }

    /// Makes it, of its bytes.
    pub(super) fn make(&self, bytes: &[u8]) {
        self.0.get_or_init(|| hash(bytes));
    }

    /// Are both known, and different?
    pub(super) fn differs(&self, other: &Fingerprint) -> bool {
        matches!((self.0.get(), other.0.get()), (Some(ours), Some(theirs)) if ours != theirs)
    }
}

static KEYS: LazyLock<[u64; 4]> = LazyLock::new(|| {
    let state = RandomState::new();
    // Odd, so that none is zero.
    [0_u64, 1, 2, 3].map(|number| state.hash_one(number) | 1)
});

fn hash(bytes: &[u8]) -> u64 {
    let &[one, two, three, four] = &*KEYS;
    let mut lanes = [one, two];
    let (blocks, tail) = bytes.as_chunks::<32>();
    for block in blocks {
        mix(&mut lanes, block, [three, four]);
    }
    if !tail.is_empty() {
        let mut last = [0; 32];
        last[..tail.len()].copy_from_slice(tail);
        mix(&mut lanes, &last, [three, four]);
    }
    // Apart from the lanes, where it would take part in the first word alone.
    fold(fold(lanes[0], one) ^ lanes[1], two ^ bytes.len() as u64)
}

/// Mixes two words of a block into each lane.
fn mix(lanes: &mut [u64; 2], block: &[u8; 32], keys: [u64; 2]) {
    let (words, _) = block.as_chunks::<8>();
    let word = |index: usize| u64::from_le_bytes(words[index]);
    lanes[0] = fold(lanes[0] ^ word(0), keys[0] ^ word(1));
    lanes[1] = fold(lanes[1] ^ word(2), keys[1] ^ word(3));
}

/// Both halves of a product, one upon the other.
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}
