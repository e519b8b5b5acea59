//! `Config`: what an embedder can choose about an engine.

pub use engine::config::Strategy;
use wasm::features::{Feature, Features};

use crate::error::Result;

/// The configuration of an [`Engine`](crate::Engine). The default is good for running untrusted modules fast.
///
/// ```
/// use upshift::{Config, Engine, Strategy};
///
/// # fn main() -> upshift::Result<()> {
/// let mut config = Config::new();
/// config.consume_fuel(true).strategy(Strategy::Eager).wasm_simd(false);
/// let engine = Engine::new(&config)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Config {
    inner: engine::config::Config,
}

macro_rules! proposals {
    ($($(#[$doc:meta])* $method:ident => $field:ident;)*) => {
        impl Config {
            $(
                $(#[$doc])*
                pub fn $method(&mut self, enable: bool) -> &mut Config {
                    self.inner.features.$field = enable;
                    self
                }
            )*
        }
    };
}

proposals! {
    /// May modules use bulk memory operations? On by default.
    wasm_bulk_memory => bulk_memory;
    /// May modules use reference types and several tables? On by default.
    wasm_reference_types => reference_types;
    /// May functions and blocks have several results? On by default.
    wasm_multi_value => multi_value;
    /// May modules use 128-bit vectors? On by default.
    wasm_simd => simd;
    /// May modules use sign-extension operators? On by default.
    wasm_sign_extension => sign_extension;
    /// May modules convert floats to integers without traps? On by default.
    wasm_saturating_float_to_int => saturating_float_to_int;
    /// May modules import and export mutable globals? On by default.
    wasm_mutable_global => mutable_global;
    /// May constant expressions compute? On by default.
    wasm_extended_const => extended_const;
    /// May modules use tail calls? On by default.
    wasm_tail_call => tail_call;
    /// May modules have several memories? On by default.
    wasm_multi_memory => multi_memory;
    /// May modules have memories and tables with 64-bit indices? On by default.
    wasm_memory64 => memory64;
    /// May modules use relaxed vector operators? On by default.
    wasm_relaxed_simd => relaxed_simd;
    /// May modules use 128-bit integer arithmetic? On by default.
    wasm_wide_arithmetic => wide_arithmetic;
    /// May memories have pages of one byte? On by default.
    wasm_custom_page_sizes => custom_page_sizes;
    /// May modules use typed function references? On by default.
    wasm_function_references => function_references;
    /// May modules use shared memories and atomics? Not supported: with it, there is no engine.
    wasm_threads => threads;
    /// May modules use exceptions? Not supported: with it, there is no engine.
    wasm_exceptions => exceptions;
    /// May modules use exceptions in their first encoding? Not supported: with it, there is no engine.
    wasm_legacy_exceptions => legacy_exceptions;
    /// May modules use garbage collection? Not supported: with it, there is no engine.
    wasm_gc => gc;
}

impl Config {
    /// The default configuration.
    pub fn new() -> Config {
        Config::default()
    }

    /// Counts fuel, about a unit per instruction; a store that has none left traps with
    /// [`Trap::OutOfFuel`](crate::Trap::OutOfFuel). Off by default. See [`Store::set_fuel`](crate::Store::set_fuel).
    pub fn consume_fuel(&mut self, enable: bool) -> &mut Config {
        self.inner.settings.fuel = enable;
        self
    }

    /// Lets running code notice the [epoch](crate::Engine::increment_epoch). Off by default. See
    /// [`Store::set_epoch_deadline`](crate::Store::set_epoch_deadline).
    pub fn epoch_interruption(&mut self, enable: bool) -> &mut Config {
        self.inner.settings.epoch_interruption = enable;
        self
    }

    /// Bytes of stack that Wasm may take in one call from the host; beyond it traps with
    /// [`Trap::StackOverflow`](crate::Trap::StackOverflow). 1 MiB by default. The thread's own stack limits it too.
    pub fn max_wasm_stack(&mut self, size: usize) -> &mut Config {
        self.inner.max_wasm_stack = size;
        self
    }

    /// Records which functions are active when an error happens, as a
    /// [`WasmBacktrace`](crate::WasmBacktrace). On by default.
    pub fn wasm_backtrace(&mut self, enable: bool) -> &mut Config {
        self.inner.backtraces = enable;
        self
    }

    /// When functions are compiled. By default at their first call.
    pub fn strategy(&mut self, strategy: Strategy) -> &mut Config {
        self.inner.strategy = strategy;
        self
    }

    /// Threads that validate and compile a module, the calling one included; 0, the default, means as many as there are
    /// cores.
    pub fn threads(&mut self, count: usize) -> &mut Config {
        self.inner.threads = count;
        self
    }

    /// Uses all cores to validate and compile a module, or the calling thread only. On by default.
    pub fn parallel_compilation(&mut self, parallel: bool) -> &mut Config {
        self.threads(usize::from(!parallel))
    }

    /// Makes every NaN that an operator computes the canonical one, so that results are the same on every machine. Off
    /// by default.
    pub fn canonicalize_nans(&mut self, enable: bool) -> &mut Config {
        self.inner.settings.canonical_nans = enable;
        self
    }

    /// Guards indices against speculative execution past a bounds check. On by default.
    pub fn spectre_guards(&mut self, enable: bool) -> &mut Config {
        self.inner.settings.spectre_guards = enable;
        self
    }

    /// Verifies the compiler's intermediate code; slow. Off by default.
    pub fn verify_compiler(&mut self, enable: bool) -> &mut Config {
        self.inner.settings.verify = enable;
        self
    }

    /// Bounds-checks 32-bit memories by address space that faults (about 4 GiB each) where there is some, which is
    /// fastest, rather than by comparing. On by default.
    pub fn guard_pages(&mut self, enable: bool) -> &mut Config {
        self.inner.memory.guard_pages = enable;
        self
    }

    /// Memories that can never be larger than this many bytes take no guard pages, so that very many fit the address
    /// space. 1 MiB by default.
    pub fn small_memory_maximum(&mut self, bytes: u64) -> &mut Config {
        self.inner.memory.small_maximum = bytes;
        self
    }

    /// Initialises memories by mapping an image of the module's data, copied page by page as it is written. On by
    /// default.
    pub fn memory_init_cow(&mut self, enable: bool) -> &mut Config {
        self.inner.memory_images = enable;
        self
    }

    /// Bytes of address space for the machine code of all modules of the engine; memory is taken as code is made. 1 GiB
    /// by default.
    pub fn code_memory_size(&mut self, bytes: usize) -> &mut Config {
        self.inner.code_memory = bytes;
        self
    }

    /// What the engine crate takes.
    ///
    /// # Errors
    /// When a proposal is on that is not supported.
    pub(crate) fn to_inner(&self) -> Result<engine::config::Config> {
        let features: &Features = &self.inner.features;
        match Feature::ALL.iter().find(|&&feature| features.contains(feature) && !feature.supported()) {
            Some(feature) => crate::bail!("the {feature} proposal is not supported"),
            None => Ok(self.inner.clone()),
        }
    }
}
