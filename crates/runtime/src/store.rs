//! `Store`: an isolated context. It owns everything that Wasm in it can reach, and nothing leaves it before it dies, so
//! that a reference into a store is good as long as the store is.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use abi::layout::StoreContext;
use abi::memory::MemoryPolicy;
use abi::trap::TrapReason;
use code::native_module::NativeModule;
use code::space::CodeSpace;
use wasm::heap;
use wasm::types::{GlobalType, MemoryType, TableType};

use crate::backtrace::Backtrace;
use crate::entry_stubs::EntryStubs;
use crate::error::{Failure, Raised, ResourceError};
use crate::foreground::Foreground;
use crate::func::{HostEntity, HostFunction};
use crate::global::Global;
use crate::hooks::Hooks;
use crate::host_call::in_host;
use crate::ids::{GlobalId, InstanceId, MemoryId, StoreId, TableId};
use crate::image::InitialImage;
use crate::instance::Instance;
use crate::interrupt::{Round, run_tasks};
use crate::limiter::Limiter;
use crate::memory::Memory;
use crate::memory_pool::MemoryPool;
use crate::osr::OsrImage;
use crate::requests::OFFER_ALL;
use crate::stores::{Registered, Stores};
use crate::table::Table;
use crate::trampolines::loop_interrupt;
use crate::usage::{Account, TaskAccount};

mod usage;

/// What a store needs from its engine.
#[derive(Clone, Debug)]
pub struct Environment {
    /// The engine's services.
    pub hooks: Arc<dyn Hooks>,
    /// Where the store is registered as long as it lives.
    pub stores: Arc<Stores>,
    /// Where all code that can run in the store lies.
    pub space: Arc<CodeSpace>,
    /// The engine's epoch counter.
    pub epoch: Arc<AtomicU64>,
    /// How memories are made.
    pub memory_policy: MemoryPolicy,
    /// Where their address ranges come from, and go to.
    pub memory_pool: Arc<MemoryPool>,
    /// Bytes of stack that Wasm may take.
    pub max_wasm_stack: usize,
    /// Record the frames when something is raised.
    pub backtraces: bool,
    /// Have [`Hooks::safepoint`] called at safepoints: a test of what may happen there, which costs much.
    pub offer_safepoints: bool,
}

/// What happens when the epoch reaches the deadline.
pub type EpochCallback = Box<dyn FnMut(*mut u8) -> Result<u64, Failure> + Send>;

/// An isolated context. Must not move once [`Store::pin`] was called.
pub struct Store {
    id: StoreId,
    pub(crate) context: Box<StoreContext>,
    environment: Environment,
    #[expect(clippy::vec_box, reason = "compiled code knows where an instance lies")]
    pub(crate) instances: Vec<Box<Instance>>,
    pub(crate) memories: Vec<Memory>,
    pub(crate) tables: Vec<Table>,
    pub(crate) globals: Vec<Global>,
    #[expect(clippy::vec_box, reason = "references point into the boxes")]
    host_functions: Vec<Box<HostEntity>>,
    held_functions: Vec<Arc<HostFunction>>,
    entry_stubs: EntryStubs,
    externs: Vec<Box<dyn Any + Send + Sync>>,
    pub(crate) pending: Option<Raised>,
    limiter: Option<Box<dyn Limiter>>,
    epoch_callback: Option<EpochCallback>,
    /// Fuel that was put in and is not yet granted to running code (the counter has 63 bits).
    fuel_reserve: u64,
    data: *mut u8,
    pub(crate) osr_image: OsrImage,
    foreground: Foreground,
    account: Account,
    /// A task of the foreground queue is running.
    pub(crate) in_task: bool,
    /// What the engine keeps with the store.
    attachment: Option<Box<dyn Any + Send + Sync>>,
    /// In the registry of `environment`.
    registered: Arc<Registered>,
    /// The last field, so the last to go.
    _end: End,
}

/// Tells the engine when all of a store is gone.
struct End {
    hooks: Arc<dyn Hooks>,
    id: StoreId,
}

impl Drop for End {
    fn drop(&mut self) {
        self.hooks.store_dropped(self.id);
    }
}

// SAFETY: the raw pointers lead to memory that the store owns (its context, instance contexts) or that the embedding
// layer keeps with it (`data`); a store is used through `&mut`, so by one thread at a time.
unsafe impl Send for Store {}
// SAFETY: through `&Store` memory is only read, and Wasm of the store cannot run meanwhile.
unsafe impl Sync for Store {}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("id", &self.id).field("instances", &self.instances.len()).finish_non_exhaustive()
    }
}

impl Store {
    /// An empty store.
    pub fn new(environment: Environment) -> Store {
        let mut context = Box::new(StoreContext {
            epoch: environment.epoch.as_ptr(),
            on_interrupt: loop_interrupt(),
            ..StoreContext::default()
        });
        let id = StoreId::new();
        // SAFETY: the context is boxed, and removed from the registry when the store is dropped.
        let registered = unsafe { environment.stores.add(id, &raw mut *context, Arc::clone(&environment.space)) };
        if environment.offer_safepoints {
            registered.remember(OFFER_ALL);
        }
        let totals = environment.stores.totals();
        let account = Account::new(totals);
        let foreground = Foreground::new(Arc::clone(&registered), TaskAccount::new(totals));
        let end = End { hooks: Arc::clone(&environment.hooks), id };
        let mut store = Store {
            id,
            context,
            environment,
            instances: Vec::new(),
            memories: Vec::new(),
            tables: Vec::new(),
            globals: Vec::new(),
            host_functions: Vec::new(),
            held_functions: Vec::new(),
            entry_stubs: EntryStubs::default(),
            externs: Vec::new(),
            pending: None,
            limiter: None,
            epoch_callback: None,
            fuel_reserve: 0,
            data: std::ptr::null_mut(),
            osr_image: OsrImage::default(),
            foreground,
            in_task: false,
            account,
            attachment: None,
            registered,
            _end: end,
        };
        store.tally(|_| {});
        store.environment.hooks.store_made(id);
        store
    }

    /// Tells the store where it lies, for good, and what the embedding layer's data pointer is.
    pub fn pin(&mut self, data: *mut u8) {
        self.context.store = (&raw mut *self).cast();
        self.data = data;
    }

    /// The store behind a context.
    ///
    /// # Safety
    /// `context` is that of a pinned store that is alive, and nobody else uses the store while the result lives.
    pub unsafe fn of_context<'a>(context: *mut StoreContext) -> &'a mut Store {
        // SAFETY: `pin` put the store's address there; the rest the caller promises.
        unsafe { &mut *(*context).store.cast() }
    }

    /// The store's identity.
    #[inline]
    pub fn id(&self) -> StoreId {
        self.id
    }

    /// What it got from its engine.
    #[inline]
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// What it shares with compiled code.
    #[inline]
    pub fn context(&mut self) -> *mut StoreContext {
        &raw mut *self.context
    }

    /// The entry stubs that it holds.
    pub fn entry_stubs(&self) -> &EntryStubs {
        &self.entry_stubs
    }

    /// What the engine keeps with the store, once it does. Dropped first of all that the store has, on the store's thread.
    pub fn attachment(&self) -> Option<&(dyn Any + Send + Sync)> {
        self.attachment.as_deref()
    }

    /// Gives the store what the engine keeps with it.
    pub fn set_attachment(&mut self, attachment: Box<dyn Any + Send + Sync>) {
        self.attachment = Some(attachment);
    }

    /// Its foreground queue.
    pub fn foreground(&self) -> &Foreground {
        &self.foreground
    }

    /// Runs the tasks of the foreground queue until none is left; gives the number of those that were posted, without the
    /// engine's own. Does nothing inside a task.
    ///
    /// # Errors
    /// The failure of the first task that fails; those behind it wait for the next time.
    ///
    /// # Safety
    /// `store` is alive and pinned, and nobody else uses it; the tasks do, so no reference to it is held meanwhile. Wasm of it
    /// does not run, but may have called the host function that calls this.
    pub unsafe fn poll(store: *mut Store) -> Result<usize, Failure> {
        // SAFETY: promised by the caller.
        unsafe { run_tasks(store, Round::All) }
    }

    /// How others reach its thread.
    pub(crate) fn registered(&self) -> &Arc<Registered> {
        &self.registered
    }

    /// The embedding layer's data pointer.
    #[inline]
    pub fn data(&self) -> *mut u8 {
        self.data
    }

    /// An instance.
    pub fn instance(&self, id: InstanceId) -> &Instance {
        &self.instances[id.0 as usize]
    }

    /// Is one of the newest instances one of this module? Says no of a module whose code was replaced by a variant.
    #[inline]
    pub fn has_new_instance_of(&self, module: &Arc<NativeModule>) -> bool {
        self.instances.iter().rev().take(2).any(|instance| Arc::ptr_eq(&instance.module, module))
    }

    /// The modules of its instances, or the variants of them that run, in the order of instantiation.
    pub fn modules(&self) -> impl Iterator<Item = &Arc<NativeModule>> {
        self.instances.iter().map(|instance| &instance.module)
    }

    /// Number of instances.
    pub fn instance_count(&self) -> usize {
        self.instances.len()
    }

    /// A memory.
    pub fn memory(&self, id: MemoryId) -> &Memory {
        &self.memories[id.0 as usize]
    }

    /// A memory, to be changed.
    pub fn memory_mut(&mut self, id: MemoryId) -> &mut Memory {
        &mut self.memories[id.0 as usize]
    }

    /// A table.
    pub fn table(&self, id: TableId) -> &Table {
        &self.tables[id.0 as usize]
    }

    /// A table, to be changed.
    pub fn table_mut(&mut self, id: TableId) -> &mut Table {
        &mut self.tables[id.0 as usize]
    }

    /// A global.
    pub fn global(&self, id: GlobalId) -> &Global {
        &self.globals[id.0 as usize]
    }

    /// A global, to be changed.
    pub fn global_mut(&mut self, id: GlobalId) -> &mut Global {
        &mut self.globals[id.0 as usize]
    }

    /// Makes a memory.
    ///
    /// # Errors
    /// When the limiter or the system refuses.
    pub fn new_memory(&mut self, ty: MemoryType, image: Option<Arc<InitialImage>>) -> Result<MemoryId, ResourceError> {
        let result = self.make_memory(ty, image);
        if let Err(error) = &result {
            let counts = &self.environment.memory_pool.counts;
            let system = matches!(error, ResourceError::MemoryAllocation { .. });
            if system { &counts.failed } else { &counts.refused }.add(1);
        }
        result
    }

    fn make_memory(&mut self, ty: MemoryType, image: Option<Arc<InitialImage>>) -> Result<MemoryId, ResourceError> {
        self.check_count("memories", self.memories.len(), |counts| counts.memories)?;
        let bytes = usize::try_from(ty.min_bytes().unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
        let maximum = ty.max_bytes().map(|max| usize::try_from(max).unwrap_or(usize::MAX));
        if !self.memory_may_grow(0, bytes, maximum).map_err(ResourceError::Limiter)? {
            return Err(ResourceError::MemoryRefused(bytes));
        }
        let memory = Memory::new(ty, &self.environment.memory_policy, &self.environment.memory_pool, image)?;
        let committed = memory.committed();
        self.memories.push(memory);
        self.tally(|usage| usage.memories += committed);
        Ok(MemoryId(self.memories.len() as u32 - 1))
    }

    /// Makes a table, every element `init`.
    ///
    /// # Errors
    /// When the limiter or the system refuses.
    pub fn new_table(&mut self, ty: TableType, init: u64) -> Result<TableId, ResourceError> {
        self.check_count("tables", self.tables.len(), |counts| counts.tables)?;
        let maximum = ty.max.map(|max| usize::try_from(max).unwrap_or(usize::MAX));
        let elements = usize::try_from(ty.min).unwrap_or(usize::MAX);
        if !self.table_may_grow(0, elements, maximum).map_err(ResourceError::Limiter)? {
            return Err(ResourceError::TableRefused(elements));
        }
        let table = Table::new(ty, init)?;
        let bytes = table.heap_bytes();
        self.tables.push(table);
        self.tally(|usage| usage.tables += bytes);
        Ok(TableId(self.tables.len() as u32 - 1))
    }

    /// Makes a global.
    pub fn new_global(&mut self, ty: GlobalType, bits: u128) -> GlobalId {
        self.add_global(Global::host(ty, bits))
    }

    pub(crate) fn add_global(&mut self, global: Global) -> GlobalId {
        let bytes = global.heap_bytes();
        self.globals.push(global);
        self.tally(|usage| usage.instances += bytes);
        GlobalId(self.globals.len() as u32 - 1)
    }

    /// Grows a memory by `delta` pages: the old size in pages, or none if it may not or cannot. The limiter is asked even
    /// if the memory's maximum is in the way, and told of a failure, so that it knows of all that was tried.
    ///
    /// # Errors
    /// The limiter's, if it gives one.
    pub fn grow_memory(&mut self, id: MemoryId, delta: u64) -> Result<Option<u64>, Failure> {
        let memory = self.memory(id);
        let (old, length, ty) = (memory.pages(), memory.len(), memory.ty());
        if delta == 0 {
            return Ok(Some(old));
        }
        let allowed = memory.grown_by(delta);
        let desired = delta.saturating_mul(ty.page_size()).saturating_add(length as u64);
        let desired = usize::try_from(desired).unwrap_or(usize::MAX);
        let maximum = ty.max_bytes().map(|max| usize::try_from(max).unwrap_or(usize::MAX));
        let may = self.memory_may_grow(length, desired, maximum).map_err(Failure::Host);
        if !matches!(may, Ok(true)) {
            self.environment.memory_pool.counts.growth_refused.add(1);
            return may.map(|_| None);
        }
        let before = self.memory(id).committed();
        let grown = allowed.is_some_and(|bytes| self.memory_mut(id).grow_to(bytes));
        let after = self.memory(id).committed();
        self.tally(|usage| usage.memories = usage.memories - before + after);
        let counts = &self.environment.memory_pool.counts;
        match allowed {
            Some(_) if grown => counts.grown.add(1),
            Some(_) => counts.growth_failed.add(1),
            None => counts.growth_refused.add(1),
        }
        if grown {
            return Ok(Some(old));
        }
        let reason = match allowed {
            Some(_) => ResourceError::MemoryGrowth(desired),
            None => ResourceError::MemoryMaximum(desired),
        };
        let data = self.data;
        self.limiter
            .as_mut()
            .map_or(Ok(()), |limiter| limiter.memory_grow_failed(data, reason))
            .map_err(Failure::Host)?;
        Ok(None)
    }

    /// Grows a table by `delta` elements: the old size, or none if it may not or cannot. The limiter takes part as for
    /// memories.
    ///
    /// # Errors
    /// The limiter's, if it gives one.
    pub fn grow_table(&mut self, id: TableId, delta: u64, init: u64) -> Result<Option<u64>, Failure> {
        let table = self.table(id);
        let (length, maximum) = (table.len(), table.ty().max.map(|max| usize::try_from(max).unwrap_or(usize::MAX)));
        if delta == 0 {
            return Ok(Some(length as u64));
        }
        let desired = usize::try_from(delta).unwrap_or(usize::MAX).saturating_add(length);
        if !self.table_may_grow(length, desired, maximum).map_err(Failure::Host)? {
            return Ok(None);
        }
        let before = self.table(id).heap_bytes();
        let grown = self.table_mut(id).grow(delta, init);
        let after = self.table(id).heap_bytes();
        self.tally(|usage| usage.tables = usage.tables - before + after);
        if let Some(old) = grown {
            return Ok(Some(old));
        }
        let reason = ResourceError::TableGrowth(desired);
        let data = self.data;
        self.limiter
            .as_mut()
            .map_or(Ok(()), |limiter| limiter.table_grow_failed(data, reason))
            .map_err(Failure::Host)?;
        Ok(None)
    }

    /// Keeps a host function's entity, at its address, as long as the store.
    pub(crate) fn hold_entity(&mut self, entity: Box<HostEntity>) {
        let bytes = usage::entity_bytes(&entity);
        self.host_functions.push(entity);
        self.tally(|usage| usage.host += bytes);
    }

    /// Keeps a host function alive as long as the store.
    pub(crate) fn hold_function(&mut self, function: &Arc<HostFunction>) {
        self.held_functions.push(Arc::clone(function));
        self.tally(|_| {});
    }

    /// Takes a value of the host into the store and gives its reference, never 0. It lives as long as the store.
    pub fn add_extern(&mut self, value: Box<dyn Any + Send + Sync>) -> u32 {
        let bytes = heap::block(size_of_val(&*value));
        self.externs.push(value);
        self.tally(|usage| usage.host += bytes);
        u32::try_from(self.externs.len()).expect("the values of 2^32 references do not fit memory")
    }

    /// The host value behind a reference.
    pub fn extern_value(&self, reference: u32) -> Option<&(dyn Any + Send + Sync)> {
        self.externs.get((reference as usize).checked_sub(1)?).map(|value| &**value)
    }

    /// The host value behind a reference, to be changed.
    pub fn extern_value_mut(&mut self, reference: u32) -> Option<&mut (dyn Any + Send + Sync)> {
        self.externs.get_mut((reference as usize).checked_sub(1)?).map(|value| &mut **value)
    }

    /// Sets who is asked before memories and tables grow.
    pub fn set_limiter(&mut self, limiter: Option<Box<dyn Limiter>>) {
        self.limiter = limiter;
    }

    /// Sets what happens at the epoch deadline: the callback gives the ticks until the next one, or a failure. Without
    /// one the running call traps.
    pub fn set_epoch_callback(&mut self, callback: Option<EpochCallback>) {
        self.epoch_callback = callback;
    }

    /// Sets the deadline to `ticks` beyond the engine's current epoch.
    pub fn set_epoch_deadline(&mut self, ticks: u64) {
        let now = self.environment.epoch.load(Ordering::Relaxed);
        self.context.epoch_deadline = now.saturating_add(ticks);
    }

    /// The epoch reached the deadline in running code: the new deadline, or why the call ends.
    ///
    /// # Safety
    /// `store` is alive and pinned, and nobody else uses it; the callback does, so no reference to it is held meanwhile.
    pub(crate) unsafe fn epoch_reached(store: *mut Store) -> Result<u64, Failure> {
        // SAFETY: promised by the caller; the loan ends here.
        let (callback, data) = unsafe { ((*store).epoch_callback.take(), (*store).data) };
        let Some(mut callback) = callback else {
            return Err(Failure::Trap(TrapReason::Interrupt));
        };
        // SAFETY: running code came here through a trampoline.
        let outcome = unsafe { in_host((*store).context(), || catch_unwind(AssertUnwindSafe(|| callback(data)))) };
        // SAFETY: promised by the caller; the callback has returned, and what it borrowed has ended with it.
        let store = unsafe { &mut *store };
        // The callback may have set another one, which then stays.
        store.epoch_callback.get_or_insert(callback);
        store.set_epoch_deadline(outcome.map_err(Failure::Panic)??);
        Ok(store.context.epoch_deadline)
    }

    /// Fuel left.
    pub fn fuel(&self) -> u64 {
        self.fuel_reserve.saturating_add_signed(self.context.fuel.saturating_neg())
    }

    /// Sets the fuel left.
    pub fn set_fuel(&mut self, fuel: u64) {
        let granted = fuel.min(i64::MAX as u64);
        self.fuel_reserve = fuel - granted;
        self.context.fuel = -(granted as i64);
    }

    /// Running code spent all the fuel it was granted: grants more from the reserve, if there is some.
    pub(crate) fn refuel(&mut self) -> Result<(), Failure> {
        let left = self.fuel();
        if left == 0 || self.fuel_reserve == 0 {
            return Err(Failure::Trap(TrapReason::OutOfFuel));
        }
        self.set_fuel(left);
        Ok(())
    }

    /// Records why the current call does not go on; the caller raises it next.
    pub fn set_pending(&mut self, failure: Failure, backtrace: Backtrace) {
        self.pending = Some(Raised { failure, backtrace });
    }

    fn memory_may_grow(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool, crate::error::HostError> {
        let data = self.data;
        self.limiter.as_mut().map_or(Ok(true), |limiter| limiter.memory_growing(data, current, desired, maximum))
    }

    fn table_may_grow(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool, crate::error::HostError> {
        let data = self.data;
        self.limiter.as_mut().map_or(Ok(true), |limiter| limiter.table_growing(data, current, desired, maximum))
    }

    /// One more of a kind of which there are `have`?
    pub(crate) fn check_count(
        &mut self,
        what: &'static str,
        have: usize,
        pick: impl FnOnce(crate::limiter::Counts) -> usize,
    ) -> Result<(), ResourceError> {
        let data = self.data;
        let most = self.limiter.as_mut().map(|limiter| pick(limiter.counts(data)));
        match most {
            Some(most) if have >= most => Err(ResourceError::TooMany { what, most }),
            _ => Ok(()),
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.environment.stores.remove(&self.registered);
        self.foreground.close();
        drop(self.attachment.take());
    }
}
