//! What a store takes: its account, kept as things are made, and the same by looking at everything.

use abi::layout::StoreContext;
use wasm::heap;

use super::Store;
use crate::func::HostEntity;
use crate::global::Global;
use crate::instance::Instance;
use crate::memory::Memory;
use crate::table::Table;
use crate::usage::StoreUsage;

impl Store {
    /// What the store takes now.
    pub fn usage(&self) -> StoreUsage {
        debug_assert_eq!(self.account.usage(), self.measure(), "something was made without `tally`");
        StoreUsage { tasks: self.foreground.bytes(), ..self.account.usage() }
    }

    /// Something was made, grown or given up: `change` says what of it is not in the store's lists.
    pub(crate) fn tally(&mut self, change: impl FnOnce(&mut StoreUsage)) {
        let mut usage = self.account.usage();
        change(&mut usage);
        usage.contexts = self.own_bytes();
        self.account.set(usage);
    }

    /// An instance cannot be: gives up the memories and tables made for it, those from these numbers on.
    pub(crate) fn give_up(&mut self, memories: usize, tables: usize) {
        let lost_memories = self.memories[memories..].iter().map(Memory::committed).sum::<usize>();
        let lost_tables = self.tables[tables..].iter().map(Table::heap_bytes).sum::<usize>();
        self.memories.truncate(memories);
        self.tables.truncate(tables);
        self.tally(|usage| {
            usage.memories -= lost_memories;
            usage.tables -= lost_tables;
        });
    }

    /// The store, its context and its lists.
    fn own_bytes(&self) -> usize {
        let lists = [
            heap::vec(&self.instances),
            heap::vec(&self.memories),
            heap::vec(&self.tables),
            heap::vec(&self.globals),
            heap::vec(&self.host_functions),
            heap::vec(&self.held_functions),
            heap::vec(&self.externs),
        ];
        let fixed = heap::block(size_of::<Store>()) + heap::block(size_of::<StoreContext>());
        fixed + self.osr_image.heap_bytes() + lists.iter().sum::<usize>()
    }

    /// What [`Store::usage`] must be, by looking at everything that the store holds.
    fn measure(&self) -> StoreUsage {
        let globals = self.globals.iter().map(Global::heap_bytes).sum::<usize>();
        let entities = self.host_functions.iter().map(|entity| entity_bytes(entity)).sum::<usize>();
        let externs = self.externs.iter().map(|value| heap::block(size_of_val(&**value))).sum::<usize>();
        StoreUsage {
            contexts: self.own_bytes(),
            instances: globals + self.instances.iter().map(|instance| instance.bytes()).sum::<usize>(),
            memories: self.memories.iter().map(Memory::committed).sum(),
            tables: self.tables.iter().map(Table::heap_bytes).sum(),
            host: entities + externs,
            tasks: 0,
        }
    }
}

/// A host function that was made for the store.
pub(super) fn entity_bytes(entity: &HostEntity) -> usize {
    heap::block(size_of::<HostEntity>()) + entity.function.heap_bytes()
}

impl Instance {
    /// What it takes, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        heap::block(size_of::<Instance>())
            + self.context.bytes()
            + heap::slice(&self.memories)
            + heap::slice(&self.tables)
            + heap::slice(&self.globals)
            + heap::slice(&self.host_contexts)
            + self.emptied_data.heap_bytes()
            + self.emptied_elements.heap_bytes()
    }
}
