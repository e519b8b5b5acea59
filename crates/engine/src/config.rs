//! `Config`: what an embedder can choose about an engine.

use abi::compiler::Settings;
use abi::memory::MemoryPolicy;
use abi::tier::Tier;
use wasm::features::Features;
use wasm::limits::Limits;

use crate::tuning;

/// When functions are compiled.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Strategy {
    /// A function at its first call.
    #[default]
    Lazy,
    /// All functions when the module is made, in parallel.
    Eager,
}

/// The configuration of an engine. Plain data; `upshift::Config` is its documented face.
#[derive(Clone, Debug)]
pub struct Config {
    /// Proposals that modules may use.
    pub features: Features,
    /// Sizes that modules may have.
    pub limits: Limits,
    /// What changes generated code.
    pub settings: Settings,
    /// How memories are made.
    pub memory: MemoryPolicy,
    /// Use copy-on-write images for data segments.
    pub memory_images: bool,
    /// When functions are compiled.
    pub strategy: Strategy,
    /// The tier that runs functions.
    pub tier: Tier,
    /// Threads of the worker pool; 0 means as many as there are cores.
    pub threads: usize,
    /// Bytes of stack that Wasm may take in one call from the host.
    pub max_wasm_stack: usize,
    /// Address space for machine code, in bytes.
    pub code_memory: usize,
    /// Record Wasm frames when something is raised.
    pub backtraces: bool,
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
            tier: Tier::Optimizing,
            threads: 0,
            max_wasm_stack: tuning::MAX_WASM_STACK,
            code_memory: tuning::CODE_MEMORY,
            backtraces: true,
        }
    }
}
