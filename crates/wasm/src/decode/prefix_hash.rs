//! The prefix hash: what can be known of a module when its code section begins, in 64 bits.
//!
//! It covers the sections before the code section and the size of that, so a stream has it before its first function, and
//! modules with the same hash are most probably the same. It is no fingerprint: who needs certainty compares the bytes.
//! Modules whose maker wants their hashes to be equal can have equal ones; that costs a comparison, nothing else.

use super::reader::Reader;
use super::section::SectionKind;

#[cfg(test)]
mod tests;

/// The prefix hash of a module.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct PrefixHash(pub u64);

/// Odd numbers without a pattern: fractional digits of the square roots of 2, 3, 5 and 7.
const MULTIPLIERS: [u64; 4] =
    [0x6a09_e667_f3bc_c909, 0xbb67_ae85_84ca_a73b, 0x3c6e_f372_fe94_f82b, 0xa54f_f53a_5f1d_36f1];

/// Bytes of the header: magic number and version.
const HEADER: usize = 8;

/// Computes a prefix hash from sections as they come.
///
/// ```
/// use upshift_wasm::decode::prefix_hash::{PrefixHasher, of_module};
///
/// let module = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x0a\x04\x01\x02\0\x0b";
/// let mut hasher = PrefixHasher::new();
/// hasher.section(1, &[1, 0x60, 0, 0]);
/// hasher.section(3, &[1, 0]);
/// assert_eq!(Some(hasher.code(4)), of_module(module));
/// ```
#[derive(Clone, Debug)]
pub struct PrefixHasher {
    state: u64,
}

impl Default for PrefixHasher {
    fn default() -> PrefixHasher {
        PrefixHasher::new()
    }
}

impl PrefixHasher {
    /// A hasher that has seen no section.
    pub fn new() -> PrefixHasher {
        PrefixHasher { state: MULTIPLIERS[0] }
    }

    /// The next section before the code section: its id and its contents, without the size in front of them.
    pub fn section(&mut self, id: u8, contents: &[u8]) {
        self.mix(u64::from(id), contents.len() as u64);
        self.mix(bulk(contents), 0);
    }

    /// The code section begins, with contents of this many bytes: the hash.
    #[must_use]
    pub fn code(mut self, size: usize) -> PrefixHash {
        self.mix(u64::from(SectionKind::CODE_ID), size as u64);
        PrefixHash(self.state)
    }

    /// The module ends without a code section: the hash.
    #[must_use]
    pub fn end(self) -> PrefixHash {
        PrefixHash(self.state)
    }

    fn mix(&mut self, a: u64, b: u64) {
        self.state = fold(self.state ^ a ^ MULTIPLIERS[1], b ^ MULTIPLIERS[2]);
    }
}

/// The prefix hash of a whole module, from a look at the heads of its sections. None if they are malformed.
pub fn of_module(bytes: &[u8]) -> Option<PrefixHash> {
    let mut hasher = PrefixHasher::new();
    let mut reader = Reader::new(bytes.get(HEADER..)?, HEADER);
    while !reader.is_empty() {
        let id = reader.u8().ok()?;
        let size = reader.var_u32().ok()? as usize;
        if id == SectionKind::CODE_ID {
            return Some(hasher.code(size));
        }
        hasher.section(id, reader.take(size).ok()?);
    }
    Some(hasher.end())
}

/// Both halves of the product of two numbers, in one.
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ ((product >> 64) as u64)
}

/// A hash of bytes, 32 at a time in two lanes that do not wait for each other.
fn bulk(bytes: &[u8]) -> u64 {
    let (mut even, mut odd) = (MULTIPLIERS[2], MULTIPLIERS[3]);
    let (blocks, rest) = bytes.as_chunks::<32>();
    for block in blocks {
        let (words, _) = block.as_chunks::<8>();
        let word = |n: usize| u64::from_le_bytes(words[n]);
        even = fold(even ^ word(0), word(1) ^ MULTIPLIERS[0]);
        odd = fold(odd ^ word(2), word(3) ^ MULTIPLIERS[1]);
    }
    for piece in rest.chunks(8) {
        let mut word = [0; 8];
        word[..piece.len()].copy_from_slice(piece);
        even = fold(even ^ u64::from_le_bytes(word), MULTIPLIERS[3]);
    }
    fold(even, odd ^ MULTIPLIERS[1])
}
