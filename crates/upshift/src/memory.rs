//! `Memory`: a linear memory of a store.

use std::fmt;

use runtime::ids::{MemoryId, StoreId};
use runtime::memory::Memory as RuntimeMemory;
use runtime::store::Store as RuntimeStore;

use crate::error::messages::runtime as messages;
use crate::error::{Error, Result};
use crate::store::{AsContext, AsContextMut, StoreContext, StoreContextMut, assert_same_store};
use crate::types::MemoryType;

/// A linear memory of a store. A handle; the memory lives as long as its store.
///
/// Every method panics when it is given another store than the memory's.
///
/// ```
/// use upshift::{Engine, Memory, MemoryType, Store};
///
/// # fn main() -> upshift::Result<()> {
/// let mut store = Store::new(&Engine::default(), ());
/// let memory = Memory::new(&mut store, MemoryType::new(1, Some(2)))?;
/// memory.write(&mut store, 100, b"hello")?;
/// assert_eq!(&memory.data(&store)[100..105], b"hello");
/// assert_eq!(memory.grow(&mut store, 1)?, 1);
/// assert_eq!(memory.size(&store), 2);
/// assert!(memory.grow(&mut store, 1).is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Memory {
    store: StoreId,
    id: MemoryId,
}

/// An access past the end of a memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct MemoryAccessError;

impl fmt::Display for MemoryAccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("out of bounds memory access")
    }
}

impl std::error::Error for MemoryAccessError {}

impl Memory {
    /// Makes a memory of its minimum size, all zero.
    ///
    /// # Errors
    /// When the store's limiter or the system refuses.
    pub fn new(mut store: impl AsContextMut, ty: MemoryType) -> Result<Memory> {
        let store = &mut store.as_context_mut().0.runtime;
        let id = store.new_memory(ty.to_wasm(), None).map_err(Error::from_resource)?;
        Ok(Memory { store: store.id(), id })
    }

    pub(crate) fn from_id(store: &RuntimeStore, id: MemoryId) -> Memory {
        Memory { store: store.id(), id }
    }

    pub(crate) fn id(&self) -> MemoryId {
        self.id
    }

    pub(crate) fn store_id(&self) -> StoreId {
        self.store
    }

    fn of<'a>(&self, store: &'a RuntimeStore) -> &'a RuntimeMemory {
        assert_same_store(store, self.store);
        store.memory(self.id)
    }

    fn of_mut<'a>(&self, store: &'a mut RuntimeStore) -> &'a mut RuntimeMemory {
        assert_same_store(store, self.store);
        store.memory_mut(self.id)
    }

    /// The memory's type, as it was made.
    pub fn ty(&self, store: impl AsContext) -> MemoryType {
        MemoryType::from_wasm(self.of(&store.as_context().0.runtime).ty())
    }

    /// Current size in pages.
    pub fn size(&self, store: impl AsContext) -> u64 {
        self.of(&store.as_context().0.runtime).pages()
    }

    /// Bytes of a page.
    pub fn page_size(&self, store: impl AsContext) -> u64 {
        self.of(&store.as_context().0.runtime).ty().page_size()
    }

    /// Current size in bytes.
    pub fn data_size(&self, store: impl AsContext) -> usize {
        self.of(&store.as_context().0.runtime).len()
    }

    /// The bytes.
    pub fn data<'a, T: 'static>(&self, store: impl Into<StoreContext<'a, T>>) -> &'a [u8] {
        self.of(&store.into().0.runtime).bytes()
    }

    /// The bytes, to be changed.
    pub fn data_mut<'a, T: 'static>(&self, store: impl Into<StoreContextMut<'a, T>>) -> &'a mut [u8] {
        self.of_mut(&mut store.into().0.runtime).bytes_mut()
    }

    /// The bytes and the host state, both to be changed.
    pub fn data_and_store_mut<'a, T: 'static>(
        &self,
        store: impl Into<StoreContextMut<'a, T>>,
    ) -> (&'a mut [u8], &'a mut T) {
        let store = store.into().0;
        (self.of_mut(&mut store.runtime).bytes_mut(), &mut store.data)
    }

    /// Address of byte 0. It may change when the memory grows. Reading or writing through it is as `unsafe` as for any
    /// pointer.
    pub fn data_ptr(&self, store: impl AsContext) -> *mut u8 {
        self.of(&store.as_context().0.runtime).base()
    }

    /// Copies from the memory into a buffer.
    ///
    /// # Errors
    /// When the memory ends before the buffer does; then nothing is copied.
    pub fn read(&self, store: impl AsContext, offset: usize, buffer: &mut [u8]) -> Result<(), MemoryAccessError> {
        let store = store.as_context();
        let bytes = self.of(&store.0.runtime).bytes();
        let source = bytes.get(offset..).and_then(|bytes| bytes.get(..buffer.len())).ok_or(MemoryAccessError)?;
        buffer.copy_from_slice(source);
        Ok(())
    }

    /// Copies from a buffer into the memory.
    ///
    /// # Errors
    /// When the memory ends before the buffer does; then nothing is copied.
    pub fn write(&self, mut store: impl AsContextMut, offset: usize, buffer: &[u8]) -> Result<(), MemoryAccessError> {
        let store = store.as_context_mut();
        let bytes = self.of_mut(&mut store.0.runtime).bytes_mut();
        let target = bytes.get_mut(offset..).and_then(|bytes| bytes.get_mut(..buffer.len()));
        target.ok_or(MemoryAccessError)?.copy_from_slice(buffer);
        Ok(())
    }

    /// Grows by `delta` pages, and gives the old size in pages.
    ///
    /// # Errors
    /// When the maximum is reached, or the store's limiter or the system refuses.
    pub fn grow(&self, mut store: impl AsContextMut, delta: u64) -> Result<u64> {
        let store = &mut store.as_context_mut().0.runtime;
        assert_same_store(store, self.store);
        let grown = store.grow_memory(self.id, delta).map_err(Error::from_failure)?;
        grown.ok_or_else(|| messages::memory_growth(delta).into())
    }
}
