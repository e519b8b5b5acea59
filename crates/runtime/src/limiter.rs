//! The embedder's say in how much a store may take.

use crate::error::{HostError, ResourceError};

/// Asked before memories and tables are made or grown. `data` is the pointer that the embedding layer gave the store.
pub trait Limiter: Send {
    /// May a memory grow from `current` to `desired` bytes (declared maximum `maximum`)?
    ///
    /// # Errors
    /// An error ends the operation with that error, where `Ok(false)` makes `memory.grow` give -1.
    fn memory_growing(
        &mut self,
        data: *mut u8,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool, HostError>;

    /// A memory that was allowed to grow could not: it would pass its maximum, or the system refused.
    ///
    /// # Errors
    /// An error ends the operation with that error; else `memory.grow` gives -1.
    fn memory_grow_failed(&mut self, data: *mut u8, reason: ResourceError) -> Result<(), HostError>;

    /// May a table grow from `current` to `desired` elements?
    ///
    /// # Errors
    /// As for memories.
    fn table_growing(
        &mut self,
        data: *mut u8,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool, HostError>;

    /// A table that was allowed to grow could not.
    ///
    /// # Errors
    /// As for memories.
    fn table_grow_failed(&mut self, data: *mut u8, reason: ResourceError) -> Result<(), HostError>;

    /// How many instances, tables and memories the store may have.
    fn counts(&mut self, data: *mut u8) -> Counts;
}

/// Upper bounds on the number of entities in a store.
#[derive(Clone, Copy, Debug)]
pub struct Counts {
    /// Instances.
    pub instances: usize,
    /// Tables.
    pub tables: usize,
    /// Memories.
    pub memories: usize,
}
