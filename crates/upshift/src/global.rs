//! `Global`: a global of a store.

use runtime::global::Global as RuntimeGlobal;
use runtime::ids::{GlobalId, StoreId};
use runtime::store::Store as RuntimeStore;

use crate::error::Result;
use crate::error::messages::usage;
use crate::store::{AsContext, AsContextMut, assert_same_store};
use crate::types::GlobalType;
use crate::values::Val;

/// A global of a store. A handle; the global lives as long as its store.
///
/// Every method panics when it, or a value it is given, belongs to another store.
///
/// ```
/// use upshift::{Engine, Global, GlobalType, Mutability, Store, Val, ValType};
///
/// # fn main() -> upshift::Result<()> {
/// let mut store = Store::new(&Engine::default(), ());
/// let global = Global::new(&mut store, GlobalType::new(ValType::I64, Mutability::Var), Val::I64(1))?;
/// global.set(&mut store, Val::I64(2))?;
/// assert_eq!(global.get(&mut store).unwrap_i64(), 2);
/// assert!(global.set(&mut store, Val::I32(2)).is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Global {
    store: StoreId,
    id: GlobalId,
}

impl Global {
    /// Makes a global.
    ///
    /// # Errors
    /// When the value is not of the type.
    ///
    /// # Panics
    /// When the type names a function type of another engine, or the value belongs to another store.
    pub fn new(mut store: impl AsContextMut, ty: GlobalType, value: Val) -> Result<Global> {
        let store = store.as_context_mut();
        if let Some(ty) = ty.content().as_ref() {
            ty.heap_type().assert_of_engine(&store.0.engine);
        }
        let runtime = &mut store.0.runtime;
        let lowered = ty.to_wasm();
        let bits = value.to_slot(runtime, &lowered.content)?;
        let id = runtime.new_global(lowered, bits);
        if let Some(function) = ty.content().as_ref().and_then(|ty| ty.heap_type().as_concrete_func()) {
            function.keep_in(runtime);
        }
        Ok(Global { store: runtime.id(), id })
    }

    pub(crate) fn from_id(store: &RuntimeStore, id: GlobalId) -> Global {
        Global { store: store.id(), id }
    }

    pub(crate) fn id(&self) -> GlobalId {
        self.id
    }

    pub(crate) fn store_id(&self) -> StoreId {
        self.store
    }

    fn of<'a>(&self, store: &'a RuntimeStore) -> &'a RuntimeGlobal {
        assert_same_store(store, self.store);
        store.global(self.id)
    }

    /// The global's type.
    pub fn ty(&self, store: impl AsContext) -> GlobalType {
        let store = store.as_context();
        GlobalType::from_wasm(&store.0.engine, self.of(&store.0.runtime).ty())
    }

    /// The value.
    pub fn get(&self, mut store: impl AsContextMut) -> Val {
        let store = &store.as_context_mut().0.runtime;
        let global = self.of(store);
        Val::from_slot(global.get(), &global.ty().content, store)
    }

    /// Sets the value.
    ///
    /// # Errors
    /// When the global is immutable, or the value is not of its type.
    pub fn set(&self, mut store: impl AsContextMut, value: Val) -> Result<()> {
        let store = &mut store.as_context_mut().0.runtime;
        let ty = self.of(store).ty();
        crate::ensure!(ty.mutable, usage::immutable_global());
        let bits = value.to_slot(store, &ty.content)?;
        store.global_mut(self.id).set(bits);
        Ok(())
    }
}
