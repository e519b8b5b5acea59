//! `Config`: what an embedder can choose about an engine.

use std::path::Path;
use std::sync::Arc;

pub use engine::config::{Strategy, TierChoice};
use engine::events::Listener;
use engine::log::CodeListener;
use engine::log::jitdump::JitDump;
use engine::log::perf_map::PerfMap;
use engine::pool::Pool;
use wasm::features::{Feature, Features};

use crate::error::messages::usage;
use crate::error::{Context, Result};

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
    profiler: ProfilingStrategy,
}

/// Which profiler to write for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum ProfilingStrategy {
    /// None.
    #[default]
    None,
    /// `perf-PID.map` in `/tmp`, where `perf report` and other tools look for names of functions in anonymous memory, which
    /// the engine's code then lies in: with their tiers, and nothing else. See [`PerfMap`].
    PerfMap,
    /// `jit-PID.dump` in the working directory, which `perf inject --jit` reads: names, machine code and positions, with
    /// their times. See [`JitDump`].
    JitDump,
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

    /// Which tiers run functions. By default they start in the baseline tier, and those that are hot move to the
    /// optimizing tier while they run.
    pub fn tier(&mut self, tier: TierChoice) -> &mut Config {
        self.inner.tier = tier;
        self
    }

    /// Validates the body of a function when it is first compiled, rather than all bodies when the module is made. Calls
    /// of a function that is not valid then fail, each time, with a [`CompileError`](crate::CompileError) that says where
    /// the fault is. Off by default. The specification allows it in its appendix on implementation limitations.
    ///
    /// ```
    /// use upshift::{CompileError, Config, Engine, Instance, Module, Store};
    ///
    /// # fn main() -> upshift::Result<()> {
    /// let engine = Engine::new(Config::new().lazy_validation(true))?;
    /// let module = Module::new(&engine, r#"(module (func (export "bad") i32.add) (func (export "good")))"#)?;
    /// let mut store = Store::new(&engine, ());
    /// let instance = Instance::new(&mut store, &module, &[])?;
    /// instance.get_typed_func::<(), ()>(&mut store, "good")?.call(&mut store, ())?;
    /// let bad = instance.get_typed_func::<(), ()>(&mut store, "bad")?;
    /// let error = bad.call(&mut store, ()).unwrap_err();
    /// assert!(error.downcast_ref::<CompileError>().unwrap().offset().is_some());
    /// # Ok(())
    /// # }
    /// ```
    pub fn lazy_validation(&mut self, enable: bool) -> &mut Config {
        self.inner.lazy_validation = enable;
        self
    }

    /// What a function may spend before it is considered for the optimizing tier, in bytes of machine code executed, roughly.
    /// The default suits programs that run for a while; a small one moves every function up at once.
    pub fn tiering_budget(&mut self, bytes: u32) -> &mut Config {
        self.inner.tiering_budget = bytes;
        self
    }

    /// Optimizes hot functions on the thread that runs them, which waits, rather than in the background. For tests, as
    /// what happens then depends on the program alone. Off by default.
    pub fn sync_tier_up(&mut self, enable: bool) -> &mut Config {
        self.inner.sync_tier_up = enable;
        self
    }

    /// Lets a loop of the baseline tier that is hot go on in optimized code while it runs. On by default.
    pub fn osr(&mut self, enable: bool) -> &mut Config {
        self.inner.osr = enable;
        self
    }

    /// Lets the optimizing tier inline calls, by what the baseline tier has counted. On by default.
    pub fn inlining(&mut self, enable: bool) -> &mut Config {
        self.inner.inlining = enable;
        self
    }

    /// Bytes of machine code past which functions that have not run lately lose their code, to be compiled again when they
    /// are called; `None`, the default, for no limit but [`Config::code_memory_size`]. Code that a running call is in
    /// stays, so that there may be more for a while. Less than 16 KiB counts as 16 KiB: a program that needs more than the
    /// ceiling compiles functions again and again, and should at least get some work done in between.
    pub fn max_code_bytes(&mut self, bytes: Option<usize>) -> &mut Config {
        self.inner.max_code_bytes = bytes;
        self
    }

    /// Collects code at every occasion, rather than when there is enough to free: whenever a function is compiled at its
    /// first call, spends its budget, or gets better code, and at safepoints: when Wasm is called or returns, when it calls the
    /// host and comes back, and at the first function entry or loop after each of these. For tests; slow. Off by default.
    pub fn code_gc_stress(&mut self, enable: bool) -> &mut Config {
        self.inner.code_gc_stress = enable;
        self
    }

    /// Tells a listener what the engine does while it does it; see [`EventLog`](crate::EventLog) for one that keeps it.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use upshift::{Config, Engine, EventLog, Module};
    ///
    /// # fn main() -> upshift::Result<()> {
    /// let log = Arc::new(EventLog::new(1000));
    /// let engine = Engine::new(Config::new().event_listener(Some(log.clone())))?;
    /// let module = Module::new(&engine, "(module (func))")?;
    /// module.compile_all()?;
    /// let names: Vec<&str> = log.take().iter().map(|event| event.kind.name()).collect();
    /// assert!(names.contains(&"wasm.SyncCompile") && names.contains(&"wasm.Publish"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn event_listener(&mut self, listener: Option<Arc<dyn Listener>>) -> &mut Config {
        self.inner.listener = listener;
        self
    }

    /// Tells a listener of all machine code of the engine, on the thread that makes it; a store can have a listener of its
    /// own, [`Store::set_code_listener`](crate::Store::set_code_listener).
    ///
    /// ```
    /// use std::sync::{Arc, Mutex};
    /// use upshift::{CodeListener, Config, CreatedCode, Engine, Module, Tier};
    ///
    /// #[derive(Debug, Default)]
    /// struct Names(Mutex<Vec<String>>);
    ///
    /// impl CodeListener for Names {
    ///     fn code_created(&self, code: &CreatedCode<'_>) {
    ///         self.0.lock().unwrap().push(format!("{} {:?}", code.name(), code.tier()));
    ///     }
    /// }
    ///
    /// # fn main() -> upshift::Result<()> {
    /// let names = Arc::new(Names::default());
    /// let engine = Engine::new(Config::new().code_listener(Some(names.clone())))?;
    /// let module = Module::new(&engine, "(module (func $f))")?;
    /// module.compile_function_in(0, Tier::Baseline)?;
    /// assert_eq!(*names.0.lock().unwrap(), ["f Some(Baseline)"]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn code_listener(&mut self, listener: Option<Arc<dyn CodeListener>>) -> &mut Config {
        self.inner.code_listeners = listener.into_iter().collect();
        self
    }

    /// Writes what profilers need to tell functions apart, in the files where they look for it. Not by default.
    pub fn profiler(&mut self, strategy: ProfilingStrategy) -> &mut Config {
        self.profiler = strategy;
        self
    }

    /// Has background work (tier-up, asynchronous compilation, shares of large modules) done by this pool, rather than by
    /// threads of the engine's own. It may serve several engines.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use upshift::{Config, Engine, Module, ThreadPool};
    ///
    /// # fn main() -> upshift::Result<()> {
    /// let pool = Arc::new(ThreadPool::new(2));
    /// let one = Engine::new(Config::new().pool(pool.clone()))?;
    /// let two = Engine::new(Config::new().pool(pool))?;
    /// Module::new(&one, "(module (func))")?.compile_all()?;
    /// Module::new(&two, "(module (func))")?.compile_all()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn pool(&mut self, pool: Arc<dyn Pool>) -> &mut Config {
        self.inner.pool = Some(pool);
        self
    }

    /// Has modules that are asked for [asynchronously](crate::Module::compile_async) made in the background. On by default.
    /// Otherwise the thread makes them that first polls the future, and nothing waits for other threads.
    pub fn async_compilation(&mut self, enable: bool) -> &mut Config {
        self.inner.async_compilation = enable;
        self
    }

    /// Gives a module that is compiled again while it lives, in any store, thread or stream, the code that it has. On by
    /// default. It costs a comparison of the bytes.
    ///
    /// ```
    /// use upshift::{Config, Engine, Module};
    ///
    /// # fn main() -> upshift::Result<()> {
    /// let wasm = b"\0asm\x01\0\0\0";
    /// let engine = Engine::default();
    /// let (one, two) = (Module::new(&engine, wasm)?, Module::new(&engine, wasm)?);
    /// assert!(Module::same(&one, &two));
    ///
    /// let engine = Engine::new(Config::new().module_cache(false))?;
    /// let (one, two) = (Module::new(&engine, wasm)?, Module::new(&engine, wasm)?);
    /// assert!(!Module::same(&one, &two));
    /// # Ok(())
    /// # }
    /// ```
    pub fn module_cache(&mut self, enable: bool) -> &mut Config {
        self.inner.module_cache = enable;
        self
    }

    /// Threads that validate and compile a module, the calling one included; 0, the default, means as many as there are
    /// cores, or as the [pool](Config::pool) has.
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

    /// Bytes of address space for the machine code of all modules of the engine, at most 256 GiB; memory is taken as code is
    /// made. 1 GiB by default.
    pub fn code_memory_size(&mut self, bytes: usize) -> &mut Config {
        self.inner.code_memory = bytes;
        self
    }

    fn with_profiler(&self) -> Result<engine::config::Config> {
        let mut inner = self.inner.clone();
        let listener: Arc<dyn CodeListener> = match self.profiler {
            ProfilingStrategy::None => return Ok(inner),
            ProfilingStrategy::PerfMap => {
                // Elsewhere perf does not look for names in a map.
                inner.anonymous_code = true;
                PerfMap::open().context("cannot write the perf map")?
            }
            ProfilingStrategy::JitDump => JitDump::open_in(Path::new(".")).context("cannot write the jitdump")?,
        };
        inner.code_listeners.push(listener);
        Ok(inner)
    }

    /// What the engine crate takes.
    ///
    /// # Errors
    /// When a proposal is on that is not supported, or a profiler's file cannot be written.
    pub(crate) fn to_inner(&self) -> Result<engine::config::Config> {
        let features: &Features = &self.inner.features;
        match Feature::ALL.iter().find(|&&feature| features.contains(feature) && !feature.supported()) {
            Some(feature) => crate::bail!(usage::proposal(feature)),
            None => self.with_profiler(),
        }
    }
}
