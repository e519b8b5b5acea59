//! The configurations in which every script runs.

use std::fmt;

use upshift::Config;

/// A tier, and how it is set up.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Configuration {
    /// The optimizing tier; memories have guard pages where they can.
    GuardPages,
    /// The optimizing tier; every access is checked, and memories have no reservation.
    ExplicitChecks,
}

impl Configuration {
    pub(super) const ALL: [Configuration; 2] = [Configuration::GuardPages, Configuration::ExplicitChecks];

    /// Its name in `known_failures.toml`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Configuration::GuardPages => "optimizing",
            Configuration::ExplicitChecks => "optimizing-checked",
        }
    }

    /// The configuration of this name.
    pub(super) fn from_name(name: &str) -> Option<Configuration> {
        Configuration::ALL.into_iter().find(|configuration| configuration.name() == name)
    }

    pub(super) fn config(self) -> Config {
        let mut config = Config::new();
        match self {
            Configuration::GuardPages => {}
            Configuration::ExplicitChecks => {
                config.guard_pages(false);
            }
        }
        config
    }
}

impl fmt::Display for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
