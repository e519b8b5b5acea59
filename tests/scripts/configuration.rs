//! The configurations in which every script runs.

use std::fmt;

use upshift::{Config, TierChoice};

/// A tier, and how it is set up.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Configuration {
    /// The baseline tier; memories have guard pages where they can.
    Baseline,
    /// The baseline tier; every access is checked, and memories have no reservation.
    BaselineChecked,
    /// The optimizing tier; memories have guard pages where they can.
    Optimizing,
    /// The optimizing tier; every access is checked, and memories have no reservation.
    OptimizingChecked,
    /// Both tiers, as users have them.
    Auto,
    /// Both tiers, with so small a budget that functions and loops move up almost at once, in the background.
    AutoHurried,
    /// The same, but the running thread waits for better code, so that it is entered at the first occasion.
    AutoAtOnce,
    /// As before, and code that nothing leads to is looked for, and freed, at every occasion.
    AutoStress,
}

impl Configuration {
    const ALL: [Configuration; 8] = [
        Configuration::Baseline,
        Configuration::BaselineChecked,
        Configuration::Optimizing,
        Configuration::OptimizingChecked,
        Configuration::Auto,
        Configuration::AutoHurried,
        Configuration::AutoAtOnce,
        Configuration::AutoStress,
    ];

    /// Its name in `known_failures.toml`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Configuration::Baseline => "baseline",
            Configuration::BaselineChecked => "baseline-checked",
            Configuration::Optimizing => "optimizing",
            Configuration::OptimizingChecked => "optimizing-checked",
            Configuration::Auto => "auto",
            Configuration::AutoHurried => "auto-hurried",
            Configuration::AutoAtOnce => "auto-at-once",
            Configuration::AutoStress => "auto-stress",
        }
    }

    /// The configuration of this name.
    pub(super) fn from_name(name: &str) -> Option<Configuration> {
        Configuration::ALL.into_iter().find(|configuration| configuration.name() == name)
    }

    pub(super) fn config(self) -> Config {
        let mut config = Config::new();
        match self {
            Configuration::Baseline => config.tier(TierChoice::Baseline),
            Configuration::BaselineChecked => config.tier(TierChoice::Baseline).guard_pages(false),
            Configuration::Optimizing => config.tier(TierChoice::Optimizing),
            Configuration::OptimizingChecked => config.tier(TierChoice::Optimizing).guard_pages(false),
            Configuration::Auto => config.tier(TierChoice::Auto),
            Configuration::AutoHurried => config.tier(TierChoice::Auto).tiering_budget(HURRIED),
            Configuration::AutoAtOnce => config.tier(TierChoice::Auto).tiering_budget(AT_ONCE).sync_tier_up(true),
            Configuration::AutoStress => {
                config.tier(TierChoice::Auto).tiering_budget(AT_ONCE).sync_tier_up(true).code_gc_stress(true)
            }
        };
        config
    }
}

/// A budget that a few calls or turns of a loop spend.
const HURRIED: u32 = 200;

/// A budget that most loops spend before their function is called again, so that they are left by OSR entries.
const AT_ONCE: u32 = 1000;

impl fmt::Display for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
