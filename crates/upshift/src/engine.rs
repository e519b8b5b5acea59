//! `Engine`: what modules and stores share.

use crate::config::Config;
use crate::error::messages::usage;
use crate::error::{Error, Result};

pub use engine::memory_usage::{MemoryUsage, ModuleMemoryUsage, StoreUsage as StoreMemoryUsage};
pub use engine::metrics::{Distribution, Metric, MetricValue, MetricsSnapshot, Unit};
pub use engine::statistics::{CacheStatistics, CodeGcStatistics, EngineStatistics, StubStatistics, TieringStatistics};

/// The compiler, the compiled code and the threads that modules and stores share. A handle, cheap to clone and usable from
/// any thread; with the last handle, module and store goes all that belongs to it.
///
/// ```
/// use std::time::Duration;
/// use upshift::{Config, Engine, Instance, Module, Store, Trap};
///
/// # fn main() -> upshift::Result<()> {
/// let engine = Engine::new(Config::new().epoch_interruption(true))?;
/// let module = Module::new(&engine, r#"(module (func (export "spin") (loop (br 0))))"#)?;
/// let mut store = Store::new(&engine, ());
/// store.set_epoch_deadline(1);
/// let spin = Instance::new(&mut store, &module, &[])?.get_typed_func::<(), ()>(&mut store, "spin")?;
/// let ticker = engine.weak();
/// std::thread::spawn(move || {
///     while let Some(engine) = ticker.upgrade() {
///         std::thread::sleep(Duration::from_millis(5));
///         engine.increment_epoch();
///     }
/// });
/// let error = spin.call(&mut store, ()).unwrap_err();
/// assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::Interrupt));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Engine {
    pub(crate) inner: engine::engine::Engine,
}

/// A handle that does not keep its engine.
#[derive(Clone, Debug)]
pub struct EngineWeak {
    inner: engine::engine::WeakEngine,
}

impl EngineWeak {
    /// The engine, if anything else keeps it.
    pub fn upgrade(&self) -> Option<Engine> {
        Some(Engine { inner: self.inner.upgrade()? })
    }
}

impl Engine {
    /// Makes an engine. Neither threads nor code memory are taken before there is work.
    ///
    /// # Errors
    /// When the configuration asks for what is not supported, or the machine cannot run compiled code.
    pub fn new(config: &Config) -> Result<Engine> {
        let inner = engine::engine::Engine::new(config.to_inner()?).map_err(Error::from_engine)?;
        Ok(Engine { inner })
    }

    /// Are both handles to the same engine?
    pub fn same(&self, other: &Engine) -> bool {
        self.inner.same(&other.inner)
    }

    /// A handle that does not keep the engine.
    pub fn weak(&self) -> EngineWeak {
        EngineWeak { inner: self.inner.downgrade() }
    }

    /// Moves the epoch on by one tick; see [`Config::epoch_interruption`]. May be called in a signal handler.
    pub fn increment_epoch(&self) {
        self.inner.increment_epoch();
    }

    /// Bytes of machine code and its stubs in the engine's code memory.
    pub fn code_bytes(&self) -> usize {
        self.inner.code_space().used()
    }

    /// What the engine has done so far, and has now.
    ///
    /// ```
    /// use upshift::{Engine, Module, Store};
    ///
    /// # fn main() -> upshift::Result<()> {
    /// let engine = Engine::default();
    /// let module = Module::new(&engine, "(module (func))")?;
    /// let store = Store::new(&engine, ());
    /// let statistics = engine.statistics();
    /// assert_eq!((statistics.modules, statistics.stores, statistics.queued), (1, 1, 0));
    /// # Ok(())
    /// # }
    /// ```
    pub fn statistics(&self) -> EngineStatistics {
        self.inner.statistics()
    }

    /// What the engine has counted and measured since it was made: how large modules and functions were, how long compiling
    /// took, what the cache, tier-up and code collection did. Counting is always on and costs next to nothing; calls are
    /// not counted. The names are stable.
    ///
    /// ```
    /// use upshift::{Engine, Module};
    ///
    /// # fn main() -> upshift::Result<()> {
    /// let engine = Engine::default();
    /// Module::new(&engine, "(module (func) (func))")?.compile_all()?;
    /// let metrics = engine.metrics();
    /// assert_eq!(metrics.total("functions_compiled"), Some(2));
    /// let times = metrics.histogram("function_compile_time", Some("baseline")).unwrap();
    /// assert!(times.count() == 2 && times.quantile(0.99).unwrap() > 0);
    /// println!("{metrics}");
    /// # Ok(())
    /// # }
    /// ```
    pub fn metrics(&self) -> MetricsSnapshot {
        self.inner.metrics()
    }

    /// What the engine takes in memory now, with all its modules, streams, linkers and stores, by kind. Looks at every module;
    /// stores are not stopped, so while others work the numbers are not of one moment.
    ///
    /// Of modules, code, streams and linkers it is within some 20 % of what the process has for them. Memories and large tables
    /// count with all that Wasm can access, while the system gives a page when it is first written: of memories that are not
    /// written to, the process has less. Not counted are the host state of stores, what closures, tasks and values of the
    /// host own elsewhere, what listeners keep, compilers while they run, and what the allocator keeps of what was freed.
    ///
    /// ```
    /// use upshift::{Engine, Instance, Module, Store};
    ///
    /// # fn main() -> upshift::Result<()> {
    /// let engine = Engine::default();
    /// let module = Module::new(&engine, "(module (memory 3) (func))")?;
    /// let mut store = Store::new(&engine, ());
    /// Instance::new(&mut store, &module, &[])?;
    /// let usage = engine.memory_usage();
    /// assert_eq!(usage.stores.memories, 3 << 16);
    /// assert_eq!(usage.stores, store.memory_usage());
    /// assert_eq!(usage.wire_bytes, module.memory_usage().wire_bytes);
    /// println!("{usage}");
    /// # Ok(())
    /// # }
    /// ```
    pub fn memory_usage(&self) -> MemoryUsage {
        self.inner.memory_usage()
    }

    /// Frees machine code that nothing leads to any more, and gives the bytes freed. This happens by itself when it is worth
    /// it. Code that a call is in stays; stores that are in calls on other threads are asked, and if one takes long to answer
    /// (because it compiles, say), the rest is freed after this has returned.
    ///
    /// ```
    /// use upshift::{Engine, Module};
    ///
    /// # fn main() -> upshift::Result<()> {
    /// let engine = Engine::default();
    /// let module = Module::new(&engine, "(module (func) (func))")?;
    /// module.compile_all()?;
    /// assert_eq!(engine.collect_code(), 0);
    /// assert!(engine.flush_code() > 0);
    /// assert_eq!(module.statistics().code_bytes, 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn collect_code(&self) -> usize {
        self.inner.collect_code()
    }

    /// Drops the code of all functions that are in the baseline tier, which is quickly made again when they are called, and
    /// collects. For when memory is short. Gives the bytes freed. See [`Module::flush_code`](crate::Module::flush_code) for
    /// one module's code.
    pub fn flush_code(&self) -> usize {
        self.inner.flush_code()
    }

    /// An error unless fuel is on.
    pub(crate) fn require_fuel(&self) -> Result<()> {
        crate::ensure!(self.inner.config().settings.fuel, usage::fuel_off());
        Ok(())
    }
}

impl Default for Engine {
    /// An engine with the default configuration.
    ///
    /// # Panics
    /// When the machine cannot run compiled code.
    fn default() -> Engine {
        Engine::new(&Config::default()).expect("an engine of the default configuration")
    }
}

const _: () = {
    const fn shared_by_threads<T: Send + Sync>() {}
    shared_by_threads::<Engine>();
    shared_by_threads::<crate::Module>();
    shared_by_threads::<Error>();
    shared_by_threads::<crate::Store<()>>();
    shared_by_threads::<crate::Linker<()>>();
    shared_by_threads::<crate::InstancePre<()>>();
};
