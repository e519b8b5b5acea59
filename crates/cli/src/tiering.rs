//! The options that say which tiers run functions, and when functions are compiled: one place that turns them into the
//! engine's configuration, for all commands.

use clap::ValueEnum;
use upshift::{Config, Error, Result, Strategy, TierChoice};

use crate::quantity::parse_size;

/// Which tiers run functions.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
pub(crate) enum Tier {
    /// Start every function in the baseline tier, and move hot ones to the optimizing tier while they run.
    #[default]
    Auto,
    /// The interpreter.
    #[value(hide = true)]
    Interp,
    /// The single-pass compiler alone: compiles at once, code of middling speed.
    Baseline,
    /// The optimizing compiler alone: compiles slowly, fast code.
    Optimizing,
}

impl Tier {
    /// What the engine calls it.
    ///
    /// # Errors
    /// When this build does not have it.
    pub(crate) fn choice(self) -> Result<TierChoice> {
        match self {
            Tier::Auto => Ok(TierChoice::Auto),
            Tier::Baseline => Ok(TierChoice::Baseline),
            Tier::Optimizing => Ok(TierChoice::Optimizing),
            Tier::Interp => Err(Error::msg(
                "this build has no interpreter: use `--tier baseline` for the least compilation, or leave the option out",
            )),
        }
    }
}

/// When functions are compiled.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum When {
    /// Each function at its first call.
    Lazy,
    /// All functions before the program starts, on all cores.
    Eager,
    /// All functions in the background while the program runs; one that is called before its turn, at its call.
    Hybrid,
}

impl When {
    fn strategy(self) -> Strategy {
        match self {
            When::Lazy => Strategy::Lazy,
            When::Eager => Strategy::Eager,
            When::Hybrid => Strategy::Hybrid,
        }
    }
}

/// How a module is compiled.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Compilation")]
pub(crate) struct Tiering {
    /// The tier that runs functions.
    #[arg(long, value_enum, default_value_t, value_name = "TIER")]
    pub(crate) tier: Tier,

    /// When functions are compiled [default: lazy; eager in `upshift compile`].
    #[arg(long, value_enum, value_name = "WHEN")]
    pub(crate) compile: Option<When>,

    /// Check a function when it is first compiled; a wrong one fails when it is called, not when the module is loaded.
    #[arg(long)]
    pub(crate) lazy_validation: bool,

    /// Keep at most about this many bytes of machine code (16K or more), such as 16M; functions that were not called
    /// lately are dropped, and compiled again when they are called.
    #[arg(long, value_name = "N", value_parser = parse_size)]
    pub(crate) max_code: Option<u64>,

    /// Do not inline calls in the optimizing tier.
    #[arg(long)]
    pub(crate) no_inlining: bool,

    /// Do not move a loop to the optimizing tier while it runs (on-stack replacement): only new calls get faster.
    #[arg(long)]
    pub(crate) no_osr: bool,

    /// How much baseline code a function may run before it counts as hot, in bytes of machine code executed.
    #[arg(long, value_name = "N", help_heading = "Advanced", value_parser = clap::value_parser!(u32).range(1..=i64::from(i32::MAX)))]
    pub(crate) tiering_budget: Option<u32>,

    /// Optimize hot functions at once, while the program waits, not in the background: the same in every run.
    #[arg(long, help_heading = "Advanced")]
    pub(crate) sync_tier_up: bool,

    /// Look for code to free at every occasion; slow, to find faults.
    #[arg(long, help_heading = "Advanced")]
    pub(crate) stress_code_gc: bool,
}

impl Tiering {
    /// An engine's configuration with these options, and what is the default in all other ways.
    ///
    /// # Errors
    /// When this build does not have what is asked for.
    pub(crate) fn config(&self) -> Result<Config> {
        let mut config = Config::new();
        config
            .tier(self.tier.choice()?)
            .lazy_validation(self.lazy_validation)
            .max_code_bytes(self.max_code.map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX)))
            .inlining(!self.no_inlining)
            .osr(!self.no_osr)
            .sync_tier_up(self.sync_tier_up)
            .code_gc_stress(self.stress_code_gc);
        if let Some(when) = self.compile {
            config.strategy(when.strategy());
        }
        if let Some(budget) = self.tiering_budget {
            config.tiering_budget(budget);
        }
        Ok(config)
    }

    /// The options in words, as they would be typed; those that are as they are by default left out.
    pub(crate) fn describe(&self) -> String {
        let name =
            |value: Option<clap::builder::PossibleValue>| value.map_or(String::new(), |v| v.get_name().to_string());
        let mut words = vec![format!("--tier {}", name(self.tier.to_possible_value()))];
        words.extend(self.compile.map(|when| format!("--compile {}", name(when.to_possible_value()))));
        words.extend(self.max_code.map(|bytes| format!("--max-code {bytes}")));
        words.extend(self.tiering_budget.map(|budget| format!("--tiering-budget {budget}")));
        let flags = [
            ("--lazy-validation", self.lazy_validation),
            ("--no-inlining", self.no_inlining),
            ("--no-osr", self.no_osr),
            ("--sync-tier-up", self.sync_tier_up),
            ("--stress-code-gc", self.stress_code_gc),
        ];
        words.extend(flags.iter().filter(|(_, on)| *on).map(|(flag, _)| (*flag).to_string()));
        words.join(" ")
    }
}

#[cfg(test)]
mod tests;
