//! `Store` and the ways to pass one: `AsContext`, `StoreContext`, and their mutable twins.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use engine::events::StoreNumber;
use engine::log::CodeListener;

use crate::engine::{Engine, StoreMemoryUsage};
use crate::error::messages::panics;
use crate::error::{Error, Result};
use crate::handle::StoreHandle;
use crate::limits::{LimiterAdapter, ResourceLimiter};
use crate::module::Module;
use crate::script::{DebuggerHook, HookAdapter, Script};

/// An isolated context: instances, memories, tables, globals and host state `T`. Used by one thread at a time; nothing of
/// it is shared with other stores, except compiled code.
///
/// Everything made in a store lives until the store is dropped.
#[derive(Debug)]
pub struct Store<T: 'static> {
    inner: Box<StoreInner<T>>,
}

/// What is behind a store. At a fixed address, which the runtime knows.
#[derive(Debug)]
pub(crate) struct StoreInner<T: 'static> {
    pub(crate) runtime: runtime::store::Store,
    pub(crate) engine: Engine,
    pub(crate) data: T,
}

/// A shared loan of a store.
#[derive(Debug)]
pub struct StoreContext<'a, T: 'static>(pub(crate) &'a StoreInner<T>);

/// An exclusive loan of a store.
#[derive(Debug)]
pub struct StoreContextMut<'a, T: 'static>(pub(crate) &'a mut StoreInner<T>);

/// What can lend a store.
pub trait AsContext {
    /// The host state of the store.
    type Data: 'static;

    /// Lends the store.
    fn as_context(&self) -> StoreContext<'_, Self::Data>;
}

/// What can lend a store exclusively.
pub trait AsContextMut: AsContext {
    /// Lends the store.
    fn as_context_mut(&mut self) -> StoreContextMut<'_, Self::Data>;
}

/// What happens when the epoch reaches a store's deadline.
#[derive(Debug)]
pub enum UpdateDeadline {
    /// The running call traps with [`Trap::Interrupt`](crate::Trap::Interrupt).
    Interrupt,
    /// The call goes on, and the next deadline is this many ticks ahead.
    Continue(u64),
}

impl<T: 'static> Store<T> {
    /// An empty store with this host state.
    pub fn new(engine: &Engine, data: T) -> Store<T> {
        let runtime = runtime::store::Store::new(engine.inner.environment());
        let mut inner = Box::new(StoreInner { runtime, engine: engine.clone(), data });
        let address: *mut StoreInner<T> = &raw mut *inner;
        inner.runtime.pin(address.cast());
        Store { inner }
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.inner.engine
    }

    /// The number by which [events](crate::Event) speak of it.
    pub fn number(&self) -> StoreNumber {
        self.inner.runtime.id().into()
    }

    /// The host state.
    pub fn data(&self) -> &T {
        &self.inner.data
    }

    /// The host state, to be changed.
    pub fn data_mut(&mut self) -> &mut T {
        &mut self.inner.data
    }

    /// Ends the store and gives the host state back.
    pub fn into_data(self) -> T {
        // The runtime part refers to the data only through the address it was pinned at, which it does not use in `drop`.
        let StoreInner { data, .. } = *self.inner;
        data
    }

    /// What other threads may do with the store: post tasks to it, and end what runs.
    pub fn handle(&self) -> StoreHandle<T> {
        StoreContext(&self.inner).handle()
    }

    /// Runs the tasks that were posted to the store's [handles](Store::handle) until none is left. Gives their number. What
    /// the engine has to do on the store's thread, such as to tell a [code listener](Store::set_code_listener), is done too,
    /// and not counted.
    ///
    /// # Errors
    /// The error of the first task that fails; those behind it wait for the next time.
    ///
    /// # Panics
    /// With the panic of a task; likewise.
    pub fn poll(&mut self) -> Result<usize> {
        StoreContextMut(&mut self.inner).poll()
    }

    /// Asks `limiter` before memories and tables are made or grown, and for the number of instances, memories and tables
    /// that the store may have.
    pub fn limiter(&mut self, limiter: impl (FnMut(&mut T) -> &mut dyn ResourceLimiter) + Send + Sync + 'static) {
        self.inner.runtime.set_limiter(Some(Box::new(LimiterAdapter::<T>::new(limiter))));
    }

    /// What the store takes in memory now: contexts, memories, tables. Its host state is not known.
    pub fn memory_usage(&self) -> StoreMemoryUsage {
        self.inner.runtime.usage()
    }

    /// Fuel left. One unit is about one instruction.
    ///
    /// # Errors
    /// When [`Config::consume_fuel`](crate::Config::consume_fuel) is off.
    pub fn get_fuel(&self) -> Result<u64> {
        StoreContext(&self.inner).get_fuel()
    }

    /// Sets the fuel left. A store starts with none.
    ///
    /// # Errors
    /// As for [`Store::get_fuel`].
    pub fn set_fuel(&mut self, fuel: u64) -> Result<()> {
        StoreContextMut(&mut self.inner).set_fuel(fuel)
    }

    /// Sets the deadline to `ticks` of [`Engine::increment_epoch`] from now. A store starts with its deadline reached.
    pub fn set_epoch_deadline(&mut self, ticks: u64) {
        self.inner.runtime.set_epoch_deadline(ticks);
    }

    /// At the deadline the running call traps. This is the default.
    pub fn epoch_deadline_trap(&mut self) {
        self.inner.runtime.set_epoch_callback(None);
    }

    /// At the deadline `callback` decides. An error ends the call with that error.
    pub fn epoch_deadline_callback(
        &mut self,
        mut callback: impl FnMut(StoreContextMut<'_, T>) -> Result<UpdateDeadline> + Send + Sync + 'static,
    ) {
        self.inner.runtime.set_epoch_callback(Some(Box::new(move |data| {
            // SAFETY: `data` is where this store is pinned; the runtime calls back while Wasm of the store is left, so
            // nobody else uses the store.
            let inner = unsafe { &mut *data.cast::<StoreInner<T>>() };
            match callback(StoreContextMut(inner)) {
                Ok(UpdateDeadline::Continue(ticks)) => Ok(ticks),
                Ok(UpdateDeadline::Interrupt) => Err(Error::from(crate::Trap::Interrupt).into_failure()),
                Err(error) => Err(error.into_failure()),
            }
        })));
    }
}

impl<T: 'static> Store<T> {
    /// Gets a module into the store without an instance of it, as when it comes from another thread: from now on the store
    /// uses it, and has a [`Script`] for it, which lives as long as this handle, or any other to it.
    ///
    /// # Panics
    /// When the module belongs to another engine.
    pub fn import_module(&mut self, module: &Module) -> Script {
        assert!(module.engine().same(&self.inner.engine), "{}", panics::MODULE_AND_STORE);
        let StoreInner { runtime, engine, .. } = &mut *self.inner;
        let script = engine.inner.import_module(runtime, module.native(), module.given_url());
        Script::new(engine, script.expect("the store uses the module since just now"))
    }

    /// The scripts of the store: one for each module that somebody has asked for it of, or a debugger has heard of it;
    /// oldest first.
    pub fn scripts(&mut self) -> Vec<Script> {
        let StoreInner { runtime, engine, .. } = &mut *self.inner;
        engine.inner.scripts(runtime).into_iter().map(|script| Script::new(engine, script)).collect()
    }

    /// Sets who is told of the store's scripts, on its thread: at once of those that are there, one for each module that
    /// the store has an instance of included; then of each when it comes and goes. `None` takes the debugger away.
    ///
    /// ```
    /// use std::sync::{Arc, Mutex};
    /// use upshift::{DebuggerHook, Engine, Instance, Module, Script, ScriptId, Store};
    ///
    /// #[derive(Debug, Default)]
    /// struct Scripts(Mutex<Vec<String>>);
    ///
    /// impl DebuggerHook for Scripts {
    ///     fn script_added(&self, script: &Script) {
    ///         self.0.lock().unwrap().push(script.url().to_string());
    ///     }
    ///     fn script_removed(&self, _script: ScriptId) {}
    /// }
    ///
    /// # fn main() -> upshift::Result<()> {
    /// let engine = Engine::default();
    /// let module = Module::new(&engine, "(module)")?.with_source_url("https://example.org/m.wasm");
    /// let mut store = Store::new(&engine, ());
    /// Instance::new(&mut store, &module, &[])?;
    /// let scripts = Arc::new(Scripts::default());
    /// store.set_debugger(Some(scripts.clone()));
    /// assert_eq!(*scripts.0.lock().unwrap(), ["https://example.org/m.wasm"]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_debugger(&mut self, debugger: Option<Arc<dyn DebuggerHook>>) {
        let StoreInner { runtime, engine, .. } = &mut *self.inner;
        let debugger = debugger.map(|debugger| HookAdapter::wrap(engine, debugger));
        engine.inner.set_debugger(runtime, debugger);
    }

    /// Sets who is told of the machine code of the modules that the store uses (has instances of, or has imported), and of stubs, on the
    /// store's thread: of what there is at the next poll, then of all that is made, each piece of code once. `None` takes
    /// the listener away. A [`Config::code_listener`](crate::Config::code_listener) hears of all code of the engine.
    pub fn set_code_listener(&mut self, listener: Option<Arc<dyn CodeListener>>) {
        let StoreInner { runtime, engine, .. } = &mut *self.inner;
        engine.inner.set_code_listener(runtime, listener);
    }
}

impl<T: Default + 'static> Default for Store<T> {
    fn default() -> Store<T> {
        Store::new(&Engine::default(), T::default())
    }
}

impl<'a, T: 'static> StoreContext<'a, T> {
    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.0.engine
    }

    /// The host state.
    pub fn data(&self) -> &'a T {
        &self.0.data
    }

    /// What other threads may do with the store; see [`Store::handle`].
    pub fn handle(&self) -> StoreHandle<T> {
        StoreHandle::new(self.0.runtime.foreground().clone())
    }

    /// Fuel left; see [`Store::get_fuel`].
    ///
    /// # Errors
    /// When fuel is off.
    pub fn get_fuel(&self) -> Result<u64> {
        self.0.engine.require_fuel()?;
        Ok(self.0.runtime.fuel())
    }
}

impl<T: 'static> StoreContextMut<'_, T> {
    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.0.engine
    }

    /// The host state.
    pub fn data(&self) -> &T {
        &self.0.data
    }

    /// The host state, to be changed.
    pub fn data_mut(&mut self) -> &mut T {
        &mut self.0.data
    }

    /// What other threads may do with the store; see [`Store::handle`].
    pub fn handle(&self) -> StoreHandle<T> {
        StoreContext(self.0).handle()
    }

    /// Runs the tasks that wait, as [`Store::poll`] does. In a host function, those posted by [`StoreHandle::post_idle`] go on
    /// waiting; in a task, all do, and the result is 0.
    ///
    /// # Errors
    /// As for [`Store::poll`].
    ///
    /// # Panics
    /// Likewise.
    pub fn poll(&mut self) -> Result<usize> {
        let store = &raw mut self.0.runtime;
        // SAFETY: the store is lent to us exclusively, and not used here until the tasks have run. Who has it is the host.
        unsafe { runtime::store::Store::poll(store) }.map_err(Error::from_failure)
    }

    /// Fuel left; see [`Store::get_fuel`].
    ///
    /// # Errors
    /// When fuel is off.
    pub fn get_fuel(&self) -> Result<u64> {
        StoreContext(self.0).get_fuel()
    }

    /// Sets the fuel left; see [`Store::set_fuel`].
    ///
    /// # Errors
    /// When fuel is off.
    pub fn set_fuel(&mut self, fuel: u64) -> Result<()> {
        self.0.engine.require_fuel()?;
        self.0.runtime.set_fuel(fuel);
        Ok(())
    }

    /// Sets the epoch deadline; see [`Store::set_epoch_deadline`].
    pub fn set_epoch_deadline(&mut self, ticks: u64) {
        self.0.runtime.set_epoch_deadline(ticks);
    }
}

impl<T: 'static> Deref for StoreInner<T> {
    type Target = runtime::store::Store;

    fn deref(&self) -> &runtime::store::Store {
        &self.runtime
    }
}

impl<T: 'static> DerefMut for StoreInner<T> {
    fn deref_mut(&mut self) -> &mut runtime::store::Store {
        &mut self.runtime
    }
}

impl<T: 'static> AsContext for Store<T> {
    type Data = T;

    fn as_context(&self) -> StoreContext<'_, T> {
        StoreContext(&self.inner)
    }
}

impl<T: 'static> AsContextMut for Store<T> {
    fn as_context_mut(&mut self) -> StoreContextMut<'_, T> {
        StoreContextMut(&mut self.inner)
    }
}

impl<T: 'static> AsContext for StoreContext<'_, T> {
    type Data = T;

    fn as_context(&self) -> StoreContext<'_, T> {
        StoreContext(self.0)
    }
}

impl<T: 'static> AsContext for StoreContextMut<'_, T> {
    type Data = T;

    fn as_context(&self) -> StoreContext<'_, T> {
        StoreContext(self.0)
    }
}

impl<T: 'static> AsContextMut for StoreContextMut<'_, T> {
    fn as_context_mut(&mut self) -> StoreContextMut<'_, T> {
        StoreContextMut(self.0)
    }
}

impl<S: AsContext> AsContext for &'_ S {
    type Data = S::Data;

    fn as_context(&self) -> StoreContext<'_, S::Data> {
        S::as_context(self)
    }
}

impl<S: AsContext> AsContext for &'_ mut S {
    type Data = S::Data;

    fn as_context(&self) -> StoreContext<'_, S::Data> {
        S::as_context(self)
    }
}

impl<S: AsContextMut> AsContextMut for &'_ mut S {
    fn as_context_mut(&mut self) -> StoreContextMut<'_, S::Data> {
        S::as_context_mut(self)
    }
}

impl<'a, T: 'static, S: AsContext<Data = T>> From<&'a S> for StoreContext<'a, T> {
    fn from(store: &'a S) -> StoreContext<'a, T> {
        store.as_context()
    }
}

impl<'a, T: 'static, S: AsContextMut<Data = T>> From<&'a mut S> for StoreContextMut<'a, T> {
    fn from(store: &'a mut S) -> StoreContextMut<'a, T> {
        store.as_context_mut()
    }
}

/// Panics unless an item belongs to the store it is used with, as wasmtime does.
pub(crate) fn assert_same_store(store: &runtime::store::Store, item: runtime::ids::StoreId) {
    assert!(store.id() == item, "{}", panics::WRONG_STORE);
}
