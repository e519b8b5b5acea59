//! The compilers of an engine, and which one does what.

use abi::compiler::Compiler;
use abi::tier::Tier;
use baseline::{BaselineCompiler, Features};
use optimizing::OptimizingCompiler;
use sys::cpu::CpuFeatures;

use crate::config::TierChoice;
use crate::error::EngineError;

/// The compilers of an engine. One that the configuration never asks for is there too, for those who want to look at code.
#[derive(Debug)]
pub(crate) struct Compilers {
    baseline: BaselineCompiler,
    optimizing: OptimizingCompiler,
    choice: TierChoice,
}

impl Compilers {
    pub(crate) fn new(choice: TierChoice) -> Result<Compilers, EngineError> {
        // What the one needs of the machine, the other needs too.
        let optimizing = OptimizingCompiler::new().map_err(|error| EngineError::Machine(error.to_string()))?;
        Ok(Compilers { baseline: BaselineCompiler::new(features()), optimizing, choice })
    }

    /// The compiler of a tier.
    pub(crate) fn of(&self, tier: Tier) -> &dyn Compiler {
        match tier {
            Tier::Baseline => &self.baseline,
            Tier::Optimizing => &self.optimizing,
        }
    }

    /// The tier in which functions start.
    pub(crate) fn first_tier(&self) -> Tier {
        match self.choice {
            TierChoice::Auto | TierChoice::Baseline => Tier::Baseline,
            TierChoice::Optimizing => Tier::Optimizing,
        }
    }

    /// The compiler of the stubs at the border to the host: the fastest there is, as there is little to optimize.
    pub(crate) fn stubs(&self) -> &dyn Compiler {
        &self.baseline
    }

    /// Do functions move up while they run?
    pub(crate) fn dynamic(&self) -> bool {
        self.choice == TierChoice::Auto
    }
}

/// What the baseline compiler may use of this machine.
fn features() -> Features {
    let CpuFeatures { avx, avx2, fma, bmi1, bmi2, lzcnt, .. } = CpuFeatures::detect();
    Features { avx, avx2, fma, bmi1, bmi2, lzcnt }
}
