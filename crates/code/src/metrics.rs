//! What metrics are made of: counters and histograms that any thread adds to, and copies of them to look at.
//!
//! Adding is one relaxed atomic addition (a histogram: two, and a load); there is no lock and no allocation. A histogram has
//! one bucket for every number of bits, so its quantiles are right within a factor of two, whatever is measured, and its
//! buckets never have to be chosen.
//!
//! Accepted: a copy is taken while others add, so its sum may be of a value more or less than its buckets.

use std::sync::atomic::{AtomicU64, Ordering};

#[cfg(test)]
mod tests;

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// So many more.
    pub fn add(&self, by: u64) {
        self.0.fetch_add(by, Ordering::Relaxed);
    }

    /// How many so far.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Buckets of a histogram: one for 0, and one for each number of bits of a value.
pub const BUCKETS: usize = 65;

/// How often which sizes or times came, by powers of two.
#[derive(Debug)]
pub struct Histogram {
    buckets: [AtomicU64; BUCKETS],
    sum: AtomicU64,
    max: AtomicU64,
}

impl Default for Histogram {
    fn default() -> Histogram {
        Histogram { buckets: [const { AtomicU64::new(0) }; BUCKETS], sum: AtomicU64::new(0), max: AtomicU64::new(0) }
    }
}

impl Histogram {
    /// One more value.
    pub fn add(&self, value: u64) {
        self.buckets[bucket(value)].fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(value, Ordering::Relaxed);
        // Read first: a new maximum is rare, and a read shares the line where a write takes it.
        if value > self.max.load(Ordering::Relaxed) {
            self.max.fetch_max(value, Ordering::Relaxed);
        }
    }

    /// A copy.
    pub fn read(&self) -> Distribution {
        let load = |cell: &AtomicU64| cell.load(Ordering::Relaxed);
        Distribution { buckets: self.buckets.each_ref().map(load), sum: load(&self.sum), max: load(&self.max) }
    }
}

/// The bucket of a value: the number of its bits.
fn bucket(value: u64) -> usize {
    (u64::BITS - value.leading_zeros()) as usize
}

/// A copy of a [`Histogram`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Distribution {
    buckets: [u64; BUCKETS],
    sum: u64,
    max: u64,
}

impl Default for Distribution {
    fn default() -> Distribution {
        Distribution { buckets: [0; BUCKETS], sum: 0, max: 0 }
    }
}

impl Distribution {
    /// How many values there were.
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// Their sum; it wraps past 2^64.
    pub fn sum(&self) -> u64 {
        self.sum
    }

    /// The largest, or 0.
    pub fn max(&self) -> u64 {
        self.max
    }

    /// Their mean, or none if there was no value.
    pub fn mean(&self) -> Option<u64> {
        self.sum.checked_div(self.count())
    }

    /// A value that the share `quantile` (0 to 1) of all values do not pass, or none if there was no value. It is guessed
    /// within a bucket, so it is off by less than a factor of two.
    pub fn quantile(&self, quantile: f64) -> Option<u64> {
        let count = self.count();
        if count == 0 {
            return None;
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
        let rank = ((quantile.clamp(0.0, 1.0) * count as f64).ceil() as u64).clamp(1, count);
        let mut below = 0;
        for (bits, &inside) in self.buckets.iter().enumerate() {
            if below + inside >= rank {
                let (first, last) = (first_of(bits), last_of(bits).min(self.max));
                let width = u128::from(last.saturating_sub(first));
                let part = width * u128::from(rank - below) / u128::from(inside);
                // At most `width`, which has 64 bits.
                return Some(first + u64::try_from(part).unwrap_or(u64::MAX - first));
            }
            below += inside;
        }
        Some(self.max)
    }

    /// How many values are at most 2^`bits` - 1.
    pub fn at_most_bits(&self, bits: usize) -> u64 {
        self.buckets.iter().take(bits + 1).sum()
    }
}

/// The least value of so many bits.
fn first_of(bits: usize) -> u64 {
    if bits == 0 { 0 } else { 1 << (bits - 1) }
}

/// The largest value of so many bits.
fn last_of(bits: usize) -> u64 {
    if bits == 0 { 0 } else { u64::MAX >> (BUCKETS - 1 - bits) }
}
