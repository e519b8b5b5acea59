//! The tiers a function can run in.

use std::fmt;

/// The way one function is executed. Ordered: a later variant is a better tier.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Tier {
    /// The single-pass compiler.
    Baseline,
    /// The optimizing compiler (Cranelift).
    Optimizing,
}

impl Tier {
    /// Every tier of this build, lowest first.
    pub const ALL: &'static [Tier] = &[Tier::Baseline, Tier::Optimizing];

    /// The tier's name as `--tier` takes it.
    pub fn name(self) -> &'static str {
        match self {
            Tier::Baseline => "baseline",
            Tier::Optimizing => "optimizing",
        }
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
