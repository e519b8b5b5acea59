//! Entry and exit stubs: one of each for a signature, shared by all modules and stores of an engine, and there as long as
//! somebody needs it.
//!
//! 1. Who needs a stub asks [`StubCache::get`], and if there is none makes one and gives it to [`StubCache::add`]. Either
//!    way the result is a [`Stub`], a handle that is counted: as long as there is one, the code stays.
//! 2. With its last handle a stub is *retired*: the cache still finds it, but it is a candidate for the next collection.
//!    Whoever asks for it before it is freed gets a new handle to the same code, and it is no candidate any more.
//! 3. [`StubCache::take_retired`] gives up what was retired before a moment and has not been asked for since. If it was
//!    asked for and retired once more, that was after the moment.
//!
//! Who holds handles: a host function its exit stub, and stores hold the host functions that their Wasm can reach; a store
//! the entry stubs that it was entered through. A thread is in a stub only while Wasm of a store runs. So what is retired
//! is on no stack, whatever the stacks' reports say.
//!
//! The machine's view of a signature is what a stub depends on, so types that look the same to the machine share one. It
//! contains no number of a canonical type: such a number may come to stand for another type.

use std::collections::HashMap;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use abi::assign::MachineType;
use wasm::heap;
use wasm::types::{FuncType, ValType};

use crate::code::Code;
use crate::retired::{Mark, address};

#[cfg(test)]
mod tests;

/// What a stub is the stub for.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Signature {
    params: Box<[MachineType]>,
    results: Box<[MachineType]>,
}

impl Signature {
    /// The machine's view of a function type.
    pub fn of(ty: &FuncType) -> Signature {
        let view = |types: &[ValType]| types.iter().map(|&ty| MachineType::of(ty)).collect();
        Signature { params: view(ty.params()), results: view(ty.results()) }
    }
}

/// A stub that somebody needs.
#[derive(Debug)]
pub struct Stub {
    code: Arc<Code>,
    signature: Arc<Signature>,
    /// Where it is told that nobody needs it any more.
    cache: Weak<StubCache>,
}

impl Stub {
    /// Address of the first instruction; good as long as there is a handle.
    pub fn entry(&self) -> *const u8 {
        self.code.entry()
    }

    /// The code.
    pub fn code(&self) -> &Arc<Code> {
        &self.code
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        if let Some(cache) = self.cache.upgrade() {
            cache.retire(self);
        }
    }
}

/// A stub that exists.
#[derive(Debug)]
struct Slot {
    code: Arc<Code>,
    /// The newest handle, if somebody has it.
    handle: Weak<Stub>,
    /// When it was retired, unless somebody has a handle or is just dropping the last one.
    retired: Option<Mark>,
}

#[derive(Debug, Default)]
struct State {
    slots: HashMap<Arc<Signature>, Slot>,
    now: Mark,
    retired_bytes: usize,
}

/// What a cache holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct StubStatistics {
    /// Stubs that exist.
    pub count: usize,
    /// Stubs among them that nobody needs any more.
    pub retired: usize,
    /// Bytes of machine code of all.
    pub code_bytes: usize,
}

/// The stubs of one kind.
#[derive(Debug, Default)]
pub struct StubCache {
    state: Mutex<State>,
}

impl StubCache {
    /// The stub of a signature, if there is one.
    pub fn get(self: &Arc<Self>, signature: &Signature) -> Option<Arc<Stub>> {
        let mut state = self.lock();
        let State { slots, retired_bytes, .. } = &mut *state;
        let (signature, _) = slots.get_key_value(signature)?;
        let signature = Arc::clone(signature);
        Some(self.handle(&signature, slots.get_mut(&signature)?, retired_bytes))
    }

    /// Takes a new stub for a signature; if another thread was faster, the result is its stub, and this one is dropped.
    pub fn add(self: &Arc<Self>, signature: Signature, code: Arc<Code>) -> Arc<Stub> {
        let signature = Arc::new(signature);
        // In a variable, so that the code, if it is in vain, is dropped after the lock.
        let mut code = Some(code);
        let mut state = self.lock();
        let State { slots, retired_bytes, .. } = &mut *state;
        let slot = slots.entry(Arc::clone(&signature));
        let slot = slot.or_insert_with(|| Slot {
            code: code.take().expect("it is taken once"),
            handle: Weak::new(),
            retired: None,
        });
        let handle = self.handle(&signature, slot, retired_bytes);
        drop(state);
        handle
    }

    /// Now: between what was retired and what will be.
    pub fn now(&self) -> Mark {
        self.lock().now
    }

    /// Bytes of stubs that nobody needs any more.
    pub fn retired_bytes(&self) -> usize {
        self.lock().retired_bytes
    }

    /// Gives up the stubs that were retired before `mark`, have not been asked for since, and are none of `live`, which
    /// holds the addresses of code objects: dropping them frees them.
    pub fn take_retired(&self, mark: Mark, live: &HashSet<usize>) -> Vec<Arc<Code>> {
        let mut state = self.lock();
        if state.retired_bytes == 0 {
            return Vec::new();
        }
        let is_free = |_: &Arc<Signature>, slot: &mut Slot| {
            slot.retired.is_some_and(|when| when < mark) && !live.contains(&address(&slot.code))
        };
        let free: Vec<Arc<Code>> = state.slots.extract_if(is_free).map(|(_, slot)| slot.code).collect();
        for code in &free {
            state.retired_bytes -= code.len();
            code.space().sub_retired(code.len());
        }
        free
    }

    /// The code of all stubs that exist.
    pub fn codes(&self) -> Vec<Arc<Code>> {
        self.lock().slots.values().map(|slot| Arc::clone(&slot.code)).collect()
    }

    /// What it holds.
    pub fn statistics(&self) -> StubStatistics {
        let state = self.lock();
        let slots = || state.slots.values();
        StubStatistics {
            count: slots().count(),
            retired: slots().filter(|slot| slot.retired.is_some()).count(),
            code_bytes: slots().map(|slot| slot.code.len()).sum(),
        }
    }

    /// What the stubs take, in bytes: code memory, and what belongs to them.
    pub fn sizes(&self) -> (usize, usize) {
        let state = self.lock();
        let code = state.slots.values().map(|slot| slot.code.footprint()).sum();
        let metadata = state.slots.iter().map(|(signature, slot)| {
            let Signature { params, results } = &**signature;
            let handle = if slot.handle.strong_count() > 0 { heap::block(size_of::<Stub>() + 16) } else { 0 };
            heap::shared(&**signature) + heap::slice(params) + heap::slice(results) + slot.code.metadata_size() + handle
        });
        (code, heap::map(&state.slots) + metadata.sum::<usize>())
    }

    fn handle(self: &Arc<Self>, signature: &Arc<Signature>, slot: &mut Slot, retired_bytes: &mut usize) -> Arc<Stub> {
        if let Some(handle) = slot.handle.upgrade() {
            return handle;
        }
        if slot.retired.take().is_some() {
            *retired_bytes -= slot.code.len();
            slot.code.space().sub_retired(slot.code.len());
        }
        let (code, signature) = (Arc::clone(&slot.code), Arc::clone(signature));
        let handle = Arc::new(Stub { code, signature, cache: Arc::downgrade(self) });
        slot.handle = Arc::downgrade(&handle);
        handle
    }

    /// The last handle is being dropped.
    fn retire(&self, stub: &Stub) {
        let mut state = self.lock();
        let State { slots, now, retired_bytes } = &mut *state;
        // The slot is another's if this one's was given up (never, while it has a handle); the handle is, if somebody asked
        // since the count fell to zero.
        if let Some(slot) = slots.get_mut(&stub.signature)
            && std::ptr::eq(slot.handle.as_ptr(), stub)
        {
            slot.retired = Some(now.step());
            *retired_bytes += slot.code.len();
            slot.code.space().add_retired(slot.code.len());
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for StubCache {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        for slot in state.slots.values().filter(|slot| slot.retired.is_some()) {
            slot.code.space().sub_retired(slot.code.len());
        }
    }
}
