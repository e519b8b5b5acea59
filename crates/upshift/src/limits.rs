//! `ResourceLimiter`: the embedder's say in how much a store may take.

use runtime::error::{HostError, ResourceError};
use runtime::limiter::{Counts, Limiter};

use crate::error::messages::runtime as messages;
use crate::error::{Error, Result};
use crate::store::StoreInner;

#[cfg(test)]
mod tests;

/// Instances that a store may have unless a limiter says otherwise.
pub const DEFAULT_INSTANCE_LIMIT: usize = 10_000;
/// Tables that a store may have unless a limiter says otherwise.
pub const DEFAULT_TABLE_LIMIT: usize = 10_000;
/// Memories that a store may have unless a limiter says otherwise.
pub const DEFAULT_MEMORY_LIMIT: usize = 10_000;

/// Asked before a store takes more. Set by [`Store::limiter`](crate::Store::limiter). A store without one has no limits
/// but the engine's own.
///
/// ```
/// use upshift::{Engine, Memory, MemoryType, Store, StoreLimits, StoreLimitsBuilder};
///
/// # fn main() -> upshift::Result<()> {
/// let limits = StoreLimitsBuilder::new().memory_size(2 << 16).build();
/// let mut store = Store::new(&Engine::default(), limits);
/// store.limiter(|limits: &mut StoreLimits| limits);
/// let memory = Memory::new(&mut store, MemoryType::new(1, None))?;
/// assert!(memory.grow(&mut store, 1).is_ok());
/// assert!(memory.grow(&mut store, 1).is_err());
/// # Ok(())
/// # }
/// ```
pub trait ResourceLimiter: Send {
    /// May a memory be made (`current` is 0) or grow from `current` to `desired` bytes? `maximum` is the declared one.
    ///
    /// # Errors
    /// An error ends the operation, and with it a call into Wasm. `Ok(false)` makes `memory.grow` give -1.
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> Result<bool>;

    /// A memory that was allowed to grow could not: its own maximum is in the way (the limiter is asked even then), or the
    /// system has no memory for it.
    ///
    /// # Errors
    /// An error ends the operation as one of [`ResourceLimiter::memory_growing`] does. By default there is none.
    fn memory_grow_failed(&mut self, error: Error) -> Result<()> {
        drop(error);
        Ok(())
    }

    /// May a table be made (`current` is 0) or grow from `current` to `desired` elements?
    ///
    /// # Errors
    /// As for memories.
    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> Result<bool>;

    /// A table that was allowed to grow could not.
    ///
    /// # Errors
    /// As for memories.
    fn table_grow_failed(&mut self, error: Error) -> Result<()> {
        drop(error);
        Ok(())
    }

    /// Instances that the store may have.
    fn instances(&self) -> usize {
        DEFAULT_INSTANCE_LIMIT
    }

    /// Tables that the store may have.
    fn tables(&self) -> usize {
        DEFAULT_TABLE_LIMIT
    }

    /// Memories that the store may have.
    fn memories(&self) -> usize {
        DEFAULT_MEMORY_LIMIT
    }
}

/// A [`ResourceLimiter`] with fixed limits. By default memories and tables may grow as their types allow.
#[derive(Clone, Debug)]
pub struct StoreLimits {
    memory_size: Option<usize>,
    table_elements: Option<usize>,
    instances: usize,
    tables: usize,
    memories: usize,
    trap_on_grow_failure: bool,
}

impl Default for StoreLimits {
    fn default() -> StoreLimits {
        StoreLimits {
            memory_size: None,
            table_elements: None,
            instances: DEFAULT_INSTANCE_LIMIT,
            tables: DEFAULT_TABLE_LIMIT,
            memories: DEFAULT_MEMORY_LIMIT,
            trap_on_grow_failure: false,
        }
    }
}

/// Makes [`StoreLimits`].
#[derive(Clone, Debug, Default)]
pub struct StoreLimitsBuilder(StoreLimits);

impl StoreLimitsBuilder {
    /// A builder of the default limits.
    pub fn new() -> StoreLimitsBuilder {
        StoreLimitsBuilder::default()
    }

    /// Bytes that each memory may have.
    #[must_use]
    pub fn memory_size(mut self, limit: usize) -> StoreLimitsBuilder {
        self.0.memory_size = Some(limit);
        self
    }

    /// Elements that each table may have.
    #[must_use]
    pub fn table_elements(mut self, limit: usize) -> StoreLimitsBuilder {
        self.0.table_elements = Some(limit);
        self
    }

    /// Instances that the store may have.
    #[must_use]
    pub fn instances(mut self, limit: usize) -> StoreLimitsBuilder {
        self.0.instances = limit;
        self
    }

    /// Tables that the store may have.
    #[must_use]
    pub fn tables(mut self, limit: usize) -> StoreLimitsBuilder {
        self.0.tables = limit;
        self
    }

    /// Memories that the store may have.
    #[must_use]
    pub fn memories(mut self, limit: usize) -> StoreLimitsBuilder {
        self.0.memories = limit;
        self
    }

    /// Does growing past these limits end the call into Wasm, instead of `memory.grow` giving -1?
    #[must_use]
    pub fn trap_on_grow_failure(mut self, trap: bool) -> StoreLimitsBuilder {
        self.0.trap_on_grow_failure = trap;
        self
    }

    /// The limits.
    pub fn build(self) -> StoreLimits {
        self.0
    }
}

impl StoreLimits {
    /// What to answer about growing to `desired`, where `limit` is ours and `maximum` the declared one.
    fn decide(&self, what: &str, desired: usize, limit: Option<usize>, maximum: Option<usize>) -> Result<bool> {
        let allowed = [limit, maximum].into_iter().flatten().all(|most| desired <= most);
        crate::ensure!(allowed || !self.trap_on_grow_failure, messages::forced_trap(desired, what));
        Ok(allowed)
    }

    fn failed(&self, error: Error) -> Result<()> {
        if self.trap_on_grow_failure { Err(error.context(messages::forced_trap_on_failure())) } else { Ok(()) }
    }
}

impl ResourceLimiter for StoreLimits {
    fn memory_growing(&mut self, _current: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        self.decide("bytes of memory", desired, self.memory_size, maximum)
    }

    fn memory_grow_failed(&mut self, error: Error) -> Result<()> {
        self.failed(error)
    }

    fn table_growing(&mut self, _current: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        self.decide("table elements", desired, self.table_elements, maximum)
    }

    fn table_grow_failed(&mut self, error: Error) -> Result<()> {
        self.failed(error)
    }

    fn instances(&self) -> usize {
        self.instances
    }

    fn tables(&self) -> usize {
        self.tables
    }

    fn memories(&self) -> usize {
        self.memories
    }
}

type Access<T> = dyn (FnMut(&mut T) -> &mut dyn ResourceLimiter) + Send + Sync;

/// A limiter found in the host state, as the runtime asks for it.
pub(crate) struct LimiterAdapter<T: 'static> {
    access: Box<Access<T>>,
}

impl<T: 'static> LimiterAdapter<T> {
    pub(crate) fn new(
        access: impl (FnMut(&mut T) -> &mut dyn ResourceLimiter) + Send + Sync + 'static,
    ) -> LimiterAdapter<T> {
        LimiterAdapter { access: Box::new(access) }
    }

    /// The limiter of the store that `data` leads to.
    fn limiter(&mut self, data: *mut u8) -> &mut dyn ResourceLimiter {
        // SAFETY: the runtime gives the pointer with which `Store::new` pinned the store: its `StoreInner<T>`, which
        // lives. It asks from work on the runtime's part of it; the host state is another field, which nobody has while
        // the runtime works.
        let data = unsafe { &mut (*data.cast::<StoreInner<T>>()).data };
        (self.access)(data)
    }
}

impl<T: 'static> Limiter for LimiterAdapter<T> {
    fn memory_growing(
        &mut self,
        data: *mut u8,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool, HostError> {
        self.limiter(data).memory_growing(current, desired, maximum).map_err(host_error)
    }

    fn memory_grow_failed(&mut self, data: *mut u8, reason: ResourceError) -> Result<(), HostError> {
        self.limiter(data).memory_grow_failed(Error::from_resource(reason)).map_err(host_error)
    }

    fn table_grow_failed(&mut self, data: *mut u8, reason: ResourceError) -> Result<(), HostError> {
        self.limiter(data).table_grow_failed(Error::from_resource(reason)).map_err(host_error)
    }

    fn table_growing(
        &mut self,
        data: *mut u8,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool, HostError> {
        self.limiter(data).table_growing(current, desired, maximum).map_err(host_error)
    }

    fn counts(&mut self, data: *mut u8) -> Counts {
        let limiter = self.limiter(data);
        Counts { instances: limiter.instances(), tables: limiter.tables(), memories: limiter.memories() }
    }
}

fn host_error(error: Error) -> HostError {
    Box::new(error)
}
