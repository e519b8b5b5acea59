//! `ExternRef`: a value of the host that Wasm can hold and pass on, but not look into.

use std::any::Any;
use std::ops::Deref;

use runtime::ids::StoreId;
use runtime::store::Store as RuntimeStore;

use crate::error::Result;
use crate::error::messages::usage;
use crate::store::{AsContextMut, StoreContext, StoreContextMut, assert_same_store};

/// A value of the host in a store. It lives as long as the store.
///
/// ```
/// use upshift::{Engine, ExternRef, Store};
///
/// # fn main() -> upshift::Result<()> {
/// let mut store = Store::new(&Engine::default(), ());
/// let value = ExternRef::new(&mut store, String::from("hello"))?;
/// let data = value.data(&store)?.unwrap();
/// assert_eq!(data.downcast_ref::<String>().unwrap(), "hello");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ExternRef {
    store: StoreId,
    /// As Wasm has it; never 0.
    reference: u32,
}

/// A handle that keeps what a store may collect. Nothing is collected yet, so every handle is good as long as its store.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Rooted<T>(T);

impl<T> Deref for Rooted<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl ExternRef {
    /// Takes a value into a store.
    ///
    /// # Errors
    /// None yet.
    pub fn new(mut store: impl AsContextMut, value: impl Any + Send + Sync) -> Result<Rooted<ExternRef>> {
        let store = &mut store.as_context_mut().0.runtime;
        let reference = store.add_extern(Box::new(value));
        Ok(Rooted(ExternRef { store: store.id(), reference }))
    }

    /// The value.
    ///
    /// # Errors
    /// When it belongs to another store.
    pub fn data<'a, T: 'static>(
        &self,
        store: impl Into<StoreContext<'a, T>>,
    ) -> Result<Option<&'a (dyn Any + Send + Sync)>> {
        let store = &store.into().0.runtime;
        self.check_store(store)?;
        Ok(store.extern_value(self.reference))
    }

    /// The value, to be changed.
    ///
    /// # Errors
    /// When it belongs to another store.
    pub fn data_mut<'a, T: 'static>(
        &self,
        store: impl Into<StoreContextMut<'a, T>>,
    ) -> Result<Option<&'a mut (dyn Any + Send + Sync)>> {
        let store = &mut store.into().0.runtime;
        self.check_store(store)?;
        Ok(store.extern_value_mut(self.reference))
    }

    pub(crate) fn check_store(&self, store: &RuntimeStore) -> Result<()> {
        if store.id() == self.store { Ok(()) } else { Err(usage::wrong_store_reference().into()) }
    }
}

impl Rooted<ExternRef> {
    /// Are both references to the same value?
    ///
    /// # Errors
    /// When one belongs to another store.
    pub fn ref_eq(store: impl crate::AsContext, a: &Rooted<ExternRef>, b: &Rooted<ExternRef>) -> Result<bool> {
        let store = store.as_context();
        a.check_store(&store.0.runtime)?;
        b.check_store(&store.0.runtime)?;
        Ok(a == b)
    }

    /// As Wasm has it.
    ///
    /// # Panics
    /// When it belongs to another store.
    pub(crate) fn to_raw(self, store: &RuntimeStore) -> u32 {
        assert_same_store(store, self.store);
        self.reference
    }

    /// From what Wasm of the store has; 0 is null.
    pub(crate) fn from_raw(store: &RuntimeStore, reference: u32) -> Option<Rooted<ExternRef>> {
        (reference != 0).then(|| Rooted(ExternRef { store: store.id(), reference }))
    }
}
