//! `Config`: what an embedder can choose about an engine.

use std::sync::Arc;

use abi::compiler::Settings;
use abi::memory::MemoryPolicy;
use wasm::features::Features;
use wasm::limits::Limits;

use crate::events::Listener;
use crate::log::CodeListener;
use crate::pool::Pool;
use crate::tuning;

/// When functions are compiled.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Strategy {
    /// A function at its first call, on the thread that calls it.
    #[default]
    Lazy,
    /// All functions when the module is made, in parallel.
    Eager,
    /// All functions in the background, from when the module is made; a function that is called before its turn is
    /// compiled on the thread that calls it. Nothing waits.
    Hybrid,
}

/// Which tiers run functions.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum TierChoice {
    /// Functions start in the baseline tier, and those that are hot move to the optimizing tier while they run.
    #[default]
    Auto,
    /// The baseline tier alone.
    Baseline,
    /// The optimizing tier alone.
    Optimizing,
}

impl TierChoice {
    /// Every choice.
    pub const ALL: &'static [TierChoice] = &[TierChoice::Auto, TierChoice::Baseline, TierChoice::Optimizing];

    /// The name by which a command line takes it.
    pub fn name(self) -> &'static str {
        match self {
            TierChoice::Auto => "auto",
            TierChoice::Baseline => "baseline",
            TierChoice::Optimizing => "optimizing",
        }
    }
}

/// The configuration of an engine. Plain data; `upshift::Config` is its documented face.
#[derive(Clone, Debug)]
pub struct Config {
    /// Proposals that modules may use.
    pub features: Features,
    /// Sizes that modules may have.
    pub limits: Limits,
    /// What changes generated code. Whether it keeps a profile follows from `tier`.
    pub settings: Settings,
    /// How memories are made.
    pub memory: MemoryPolicy,
    /// Use copy-on-write images for data segments.
    pub memory_images: bool,
    /// When functions are compiled.
    pub strategy: Strategy,
    /// The tiers that run functions.
    pub tier: TierChoice,
    /// Validate a body when it is first compiled rather than when the module is made.
    pub lazy_validation: bool,
    /// What a function may spend before tier-up is considered, in bytes of machine code executed.
    pub tiering_budget: u32,
    /// Compile hot functions in place, on the thread that runs them; for tests.
    pub sync_tier_up: bool,
    /// Leave hot loops for optimized code while they run.
    pub osr: bool,
    /// Let the optimizing tier inline calls by what baseline code has counted.
    pub inlining: bool,
    /// Bytes of machine code past which cold code is dropped, to be compiled again when it is called.
    pub max_code_bytes: Option<usize>,
    /// Collect code at every occasion; for tests.
    pub code_gc_stress: bool,
    /// Threads that work on a module; 0 means as many as there are cores, or as the pool has.
    pub threads: usize,
    /// Who runs background work, if not threads of the engine's own.
    pub pool: Option<Arc<dyn Pool>>,
    /// Make modules that are asked for asynchronously in the background.
    pub async_compilation: bool,
    /// Share the module between all who compile the same bytes.
    pub module_cache: bool,
    /// Bytes of stack that Wasm may take in one call from the host.
    pub max_wasm_stack: usize,
    /// Address space for machine code, in bytes.
    pub code_memory: usize,
    /// The region is to be anonymous memory to Linux's `perf`, which then finds names in a perf map.
    pub anonymous_code: bool,
    /// Record Wasm frames when something is raised.
    pub backtraces: bool,
    /// Who is told of what the engine does.
    pub listener: Option<Arc<dyn Listener>>,
    /// Who is told of machine code, on the thread that makes it.
    pub code_listeners: Vec<Arc<dyn CodeListener>>,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            features: Features::default(),
            limits: Limits::default(),
            settings: Settings { spectre_guards: true, ..Settings::default() },
            memory: MemoryPolicy::default(),
            memory_images: true,
            strategy: Strategy::default(),
            tier: TierChoice::default(),
            lazy_validation: false,
            tiering_budget: tuning::TIERING_BUDGET,
            sync_tier_up: false,
            osr: true,
            inlining: true,
            max_code_bytes: None,
            code_gc_stress: false,
            threads: 0,
            pool: None,
            async_compilation: true,
            module_cache: true,
            max_wasm_stack: tuning::MAX_WASM_STACK,
            code_memory: tuning::CODE_MEMORY,
            anonymous_code: false,
            backtraces: true,
            listener: None,
            code_listeners: Vec::new(),
        }
    }
}
