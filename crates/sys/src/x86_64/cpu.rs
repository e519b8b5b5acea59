//! What the processor can do beyond the x86-64 baseline, for compilers that choose instructions and for the key of
//! code kept on disk.

use std::arch::is_x86_feature_detected;

#[cfg(test)]
mod tests;

/// Declares [`CpuFeatures`], one bit a feature, and its detection from one table.
macro_rules! features {
    ($($(#[$doc:meta])* $name:ident = $text:tt,)*) => {
        /// Instruction-set extensions that both processor and operating system support.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub struct CpuFeatures {
            $($(#[$doc])* pub $name: bool,)*
        }

        impl CpuFeatures {
            /// What this machine has. Cheap: the standard library caches the answer.
            pub fn detect() -> Self {
                Self { $($name: is_x86_feature_detected!($text),)* }
            }

            /// Name and presence of every feature, in a fixed order.
            pub fn list(&self) -> impl Iterator<Item = (&'static str, bool)> {
                [$(($text, self.$name)),*].into_iter()
            }
        }
    };
}

features! {
    /// Byte shuffles.
    ssse3 = "ssse3",
    /// Lane inserts, rounding, blends.
    sse41 = "sse4.1",
    /// 64-bit lane comparison.
    sse42 = "sse4.2",
    /// Population count.
    popcnt = "popcnt",
    /// Leading zero count.
    lzcnt = "lzcnt",
    /// Trailing zero count and friends.
    bmi1 = "bmi1",
    /// Flagless shifts and friends.
    bmi2 = "bmi2",
    /// Three-operand vector encodings.
    avx = "avx",
    /// 256-bit integer vectors.
    avx2 = "avx2",
    /// Fused multiply-add.
    fma = "fma",
    /// 16-byte compare-exchange.
    cmpxchg16b = "cmpxchg16b",
    /// AVX-512 foundation.
    avx512f = "avx512f",
    /// AVX-512 on shorter vectors.
    avx512vl = "avx512vl",
    /// AVX-512 on 32- and 64-bit lanes.
    avx512dq = "avx512dq",
    /// AVX-512 on 8- and 16-bit lanes.
    avx512bw = "avx512bw",
    /// AVX-512 bit algorithms.
    avx512bitalg = "avx512bitalg",
    /// AVX-512 byte permutes.
    avx512vbmi = "avx512vbmi",
}

impl CpuFeatures {
    /// The features as a bit set in the order of [`list`](Self::list), for cache keys of one build of Upshift.
    pub fn bits(&self) -> u64 {
        self.list().enumerate().map(|(bit, (_, present))| u64::from(present) << bit).sum()
    }
}
