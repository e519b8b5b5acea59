//! What a module can import or export, as an item of a store.

use runtime::ids::{InstanceId, StoreId};
use runtime::import::Import;
use runtime::store::Store as RuntimeStore;
use wasm::types::ExternIndex;

use crate::func::Func;
use crate::global::Global;
use crate::memory::Memory;
use crate::store::{AsContext, assert_same_store};
use crate::table::Table;
use crate::types::ExternType;

/// An item of a store that can be imported or exported.
#[derive(Clone, Copy, Debug)]
pub enum Extern {
    /// A function.
    Func(Func),
    /// A global.
    Global(Global),
    /// A table.
    Table(Table),
    /// A memory.
    Memory(Memory),
}

impl Extern {
    /// The function, if it is one.
    pub fn into_func(self) -> Option<Func> {
        if let Extern::Func(func) = self { Some(func) } else { None }
    }

    /// The global, if it is one.
    pub fn into_global(self) -> Option<Global> {
        if let Extern::Global(global) = self { Some(global) } else { None }
    }

    /// The table, if it is one.
    pub fn into_table(self) -> Option<Table> {
        if let Extern::Table(table) = self { Some(table) } else { None }
    }

    /// The memory, if it is one.
    pub fn into_memory(self) -> Option<Memory> {
        if let Extern::Memory(memory) = self { Some(memory) } else { None }
    }

    /// The item's type.
    ///
    /// # Panics
    /// When the item belongs to another store.
    pub fn ty(&self, store: impl AsContext) -> ExternType {
        match self {
            Extern::Func(func) => ExternType::Func(func.ty(store)),
            Extern::Global(global) => ExternType::Global(global.ty(store)),
            Extern::Table(table) => ExternType::Table(table.ty(store)),
            Extern::Memory(memory) => ExternType::Memory(memory.ty(store)),
        }
    }

    fn store_id(&self) -> StoreId {
        match self {
            Extern::Func(func) => func.store_id(),
            Extern::Global(global) => global.store_id(),
            Extern::Table(table) => table.store_id(),
            Extern::Memory(memory) => memory.store_id(),
        }
    }

    /// The item as an import of an instance in `store`.
    ///
    /// # Panics
    /// When the item belongs to another store.
    pub(crate) fn to_import(self, store: &RuntimeStore) -> Import {
        assert_same_store(store, self.store_id());
        match self {
            Extern::Func(func) => Import::Func(func.as_raw()),
            Extern::Global(global) => Import::Global(global.id()),
            Extern::Table(table) => Import::Table(table.id()),
            Extern::Memory(memory) => Import::Memory(memory.id()),
        }
    }

    /// An export of an instance of `store`.
    pub(crate) fn of_instance(store: &RuntimeStore, instance: InstanceId, index: ExternIndex) -> Option<Extern> {
        let instance = store.instance(instance);
        Some(match index {
            ExternIndex::Func(index) => Extern::Func(Func::from_raw(store, instance.func_ref(index)?)),
            ExternIndex::Table(index) => Extern::Table(Table::from_id(store, instance.table(index))),
            ExternIndex::Memory(index) => Extern::Memory(Memory::from_id(store, instance.memory(index))),
            ExternIndex::Global(index) => Extern::Global(Global::from_id(store, instance.global(index))),
            ExternIndex::Tag(_) => return None,
        })
    }
}

macro_rules! from_items {
    ($($item:ident)*) => {
        $(impl From<$item> for Extern {
            fn from(item: $item) -> Extern {
                Extern::$item(item)
            }
        })*
    };
}

from_items!(Func Global Table Memory);

/// An export of an instance: a name and an item.
#[derive(Clone, Debug)]
pub struct Export<'instance> {
    name: &'instance str,
    definition: Extern,
}

impl<'instance> Export<'instance> {
    pub(crate) fn new(name: &'instance str, definition: Extern) -> Export<'instance> {
        Export { name, definition }
    }

    /// The name.
    pub fn name(&self) -> &'instance str {
        self.name
    }

    /// The item.
    pub fn into_extern(self) -> Extern {
        self.definition
    }

    /// The item's type.
    ///
    /// # Panics
    /// When `store` is not the instance's.
    pub fn ty(&self, store: impl AsContext) -> ExternType {
        self.definition.ty(store)
    }

    /// The item, if it is a function.
    pub fn into_func(self) -> Option<Func> {
        self.definition.into_func()
    }

    /// The item, if it is a memory.
    pub fn into_memory(self) -> Option<Memory> {
        self.definition.into_memory()
    }

    /// The item, if it is a table.
    pub fn into_table(self) -> Option<Table> {
        self.definition.into_table()
    }

    /// The item, if it is a global.
    pub fn into_global(self) -> Option<Global> {
        self.definition.into_global()
    }
}
