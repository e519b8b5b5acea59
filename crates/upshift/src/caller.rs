//! `Caller`: what a host function sees of the call it is in.

use runtime::instance::Instance as RuntimeInstance;

use crate::engine::Engine;
use crate::error::Result;
use crate::externals::Extern;
use crate::instance::Instance;
use crate::store::{AsContext, AsContextMut, StoreContext, StoreContextMut, StoreInner};

/// The store of a call, and the instance that makes it.
///
/// The instance is the one that imported the host function. A function that was put into a table by the host, and is
/// called through it, has no caller's instance.
#[derive(Debug)]
pub struct Caller<'a, T: 'static> {
    pub(crate) store: StoreContextMut<'a, T>,
    instance: Option<Instance>,
}

impl<'a, T: 'static> Caller<'a, T> {
    /// # Safety
    /// `vmctx` is null or the context of an instance in the store.
    pub(crate) unsafe fn new(store: &'a mut StoreInner<T>, vmctx: *mut u8) -> Caller<'a, T> {
        let instance = (!vmctx.is_null()).then(|| {
            // SAFETY: promised by the caller.
            Instance::from_id(&store.runtime, unsafe { RuntimeInstance::id_of_context(vmctx) })
        });
        Caller { store: StoreContextMut(store), instance }
    }

    /// The export of this name of the calling instance.
    pub fn get_export(&mut self, name: &str) -> Option<Extern> {
        self.instance?.export(&self.store.0.runtime, name)
    }

    /// The host state.
    pub fn data(&self) -> &T {
        &self.store.0.data
    }

    /// The host state, to be changed.
    pub fn data_mut(&mut self) -> &mut T {
        &mut self.store.0.data
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.store.0.engine
    }

    /// Fuel left; see [`Store::get_fuel`](crate::Store::get_fuel).
    ///
    /// # Errors
    /// When fuel is off.
    pub fn get_fuel(&self) -> Result<u64> {
        self.store.get_fuel()
    }

    /// Sets the fuel left; see [`Store::set_fuel`](crate::Store::set_fuel).
    ///
    /// # Errors
    /// When fuel is off.
    pub fn set_fuel(&mut self, fuel: u64) -> Result<()> {
        self.store.set_fuel(fuel)
    }
}

impl<T: 'static> AsContext for Caller<'_, T> {
    type Data = T;

    fn as_context(&self) -> StoreContext<'_, T> {
        self.store.as_context()
    }
}

impl<T: 'static> AsContextMut for Caller<'_, T> {
    fn as_context_mut(&mut self) -> StoreContextMut<'_, T> {
        self.store.as_context_mut()
    }
}
