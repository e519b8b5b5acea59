//! `Table`: a table of a store.

use runtime::ids::{StoreId, TableId};
use runtime::store::Store as RuntimeStore;
use runtime::table::Table as RuntimeTable;

use crate::error::{Error, Result, messages};
use crate::store::{AsContext, AsContextMut, assert_same_store};
use crate::trap::Trap;
use crate::types::TableType;
use crate::values::Ref;

/// A table of a store: an array of references. A handle; the table lives as long as its store.
///
/// Every method panics when it, or a reference it is given, belongs to another store.
///
/// ```
/// use upshift::{Engine, Func, Ref, RefType, Store, Table, TableType};
///
/// # fn main() -> upshift::Result<()> {
/// let mut store = Store::new(&Engine::default(), ());
/// let table = Table::new(&mut store, TableType::new(RefType::FUNCREF, 1, None), Ref::Func(None))?;
/// let double = Func::wrap(&mut store, |n: i32| n * 2);
/// assert_eq!(table.grow(&mut store, 2, double.into())?, 1);
/// assert!(table.get(&mut store, 0).unwrap().is_null());
/// assert!(table.get(&mut store, 2).unwrap().is_non_null());
/// assert!(table.get(&mut store, 3).is_none());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Table {
    store: StoreId,
    id: TableId,
}

impl Table {
    /// Makes a table of its minimum size, every element `init`.
    ///
    /// # Errors
    /// When `init` has not the element type, or the store's limiter or the system refuses.
    ///
    /// # Panics
    /// When the type names a function type of another engine, or `init` belongs to another store.
    pub fn new(mut store: impl AsContextMut, ty: TableType, init: Ref) -> Result<Table> {
        let store = store.as_context_mut();
        ty.element().heap_type().assert_of_engine(&store.0.engine);
        let runtime = &mut store.0.runtime;
        let lowered = ty.to_wasm();
        let init = init.to_element(runtime, &lowered.element)?;
        let id = runtime.new_table(lowered, init).map_err(Error::from_resource)?;
        if let Some(function) = ty.element().heap_type().as_concrete_func() {
            function.keep_in(runtime);
        }
        Ok(Table { store: runtime.id(), id })
    }

    pub(crate) fn from_id(store: &RuntimeStore, id: TableId) -> Table {
        Table { store: store.id(), id }
    }

    pub(crate) fn id(&self) -> TableId {
        self.id
    }

    pub(crate) fn store_id(&self) -> StoreId {
        self.store
    }

    fn of<'a>(&self, store: &'a RuntimeStore) -> &'a RuntimeTable {
        assert_same_store(store, self.store);
        store.table(self.id)
    }

    /// `value` as an element of this table.
    fn element(&self, store: &RuntimeStore, value: Ref) -> Result<u64> {
        value.to_element(store, &self.of(store).ty().element)
    }

    /// The table's type, as it was made.
    pub fn ty(&self, store: impl AsContext) -> TableType {
        let store = store.as_context();
        TableType::from_wasm(&store.0.engine, self.of(&store.0.runtime).ty())
    }

    /// Number of elements.
    pub fn size(&self, store: impl AsContext) -> u64 {
        self.of(&store.as_context().0.runtime).len() as u64
    }

    /// The element at `index`, if there is one.
    pub fn get(&self, mut store: impl AsContextMut, index: u64) -> Option<Ref> {
        let store = &store.as_context_mut().0.runtime;
        let table = self.of(store);
        Some(Ref::from_element(table.get(index)?, &table.ty().element, store))
    }

    /// Sets the element at `index`.
    ///
    /// # Errors
    /// When there is none, or the value has not the element type.
    pub fn set(&self, mut store: impl AsContextMut, index: u64, value: Ref) -> Result<()> {
        let store = &mut store.as_context_mut().0.runtime;
        let element = self.element(store, value)?;
        crate::ensure!(store.table_mut(self.id).set(index, element), Trap::TableOutOfBounds);
        Ok(())
    }

    /// Grows by `delta` elements with this value, and gives the old number of elements.
    ///
    /// # Errors
    /// When the maximum is reached, the value has not the element type, or the store's limiter or the system refuses.
    pub fn grow(&self, mut store: impl AsContextMut, delta: u64, init: Ref) -> Result<u64> {
        let store = &mut store.as_context_mut().0.runtime;
        let init = self.element(store, init)?;
        let grown = store.grow_table(self.id, delta, init).map_err(Error::from_failure)?;
        grown.ok_or_else(|| messages::runtime::table_growth(delta).into())
    }

    /// Sets `len` elements from `dst` on.
    ///
    /// # Errors
    /// When they are not all there, or the value has not the element type; then nothing is set.
    pub fn fill(&self, mut store: impl AsContextMut, dst: u64, value: Ref, len: u64) -> Result<()> {
        let store = &mut store.as_context_mut().0.runtime;
        let element = self.element(store, value)?;
        Ok(store.table_mut(self.id).fill(dst, element, len).map_err(Trap::from)?)
    }

    /// Copies `len` elements from `src` in one table to `dst` in another, or the same.
    ///
    /// # Errors
    /// When they are not all there, or the element types differ; then nothing is copied.
    pub fn copy(
        mut store: impl AsContextMut,
        dst_table: &Table,
        dst: u64,
        src_table: &Table,
        src: u64,
        len: u64,
    ) -> Result<()> {
        let store = store.as_context_mut();
        let types = store.0.engine.inner.types();
        let (from, to) = (src_table.of(&store.0.runtime).ty(), dst_table.of(&store.0.runtime).ty());
        crate::ensure!(types.ref_type_matches(from.element, to.element), messages::usage::table_types());
        let runtime = &mut store.0.runtime;
        let values = runtime.table(src_table.id).read(src, len).map_err(Trap::from)?;
        Ok(runtime.table_mut(dst_table.id).write(dst, &values).map_err(Trap::from)?)
    }
}
