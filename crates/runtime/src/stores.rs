//! The stores of an engine, and which code their stacks hold: what must be known before code is freed.
//!
//! Problem: code that better code has replaced may still be on a stack, or in a register of a thread that is just about to
//! call it. Asking every thread costs the fast path; not asking keeps dead code for ever.
//!
//! 1. Who wants to free code first takes it out of every slot (`NativeModule::retire`, `publish`): from then on no *new*
//!    load of a slot finds it.
//! 2. [`Stores::live_code`] passes a memory barrier on behalf of all threads. A thread that enters Wasm sets
//!    `StoreContext::entry` before it loads its first slot (`call`). So after the barrier, either we see its `entry`, or it
//!    sees the new slots.
//! 3. Under the registry's lock, stores with a null `entry` hold no code. The store that is running on this thread, in a
//!    hook, is walked by frame pointers. If any other store is running, nothing is known, and the code is kept for next time.
//!
//! A store that is made after step 3 takes the registry's lock first, and so sees the new slots.
//!
//! Invariant: a hook gets no code pointer before it frees code and uses it after.

use std::collections::HashSet;
use std::io;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use abi::layout::StoreContext;
use sys::code_memory::synchronize_threads;

use crate::frames;
use crate::usage::Totals;

#[cfg(test)]
mod tests;

/// The store whose Wasm called a hook on this thread.
#[derive(Debug)]
pub struct Running {
    context: *mut StoreContext,
}

impl Running {
    /// # Safety
    /// `context` is that of a pinned store that runs on this thread and has been left through a trampoline; both hold as
    /// long as the result lives.
    pub(crate) unsafe fn new(context: *mut StoreContext) -> Running {
        Running { context }
    }
}

/// The context of a living store.
#[derive(Clone, Copy, Debug)]
struct Registered(*mut StoreContext);

// SAFETY: the pointer is used for atomic loads of one field while the registry's lock is held, and a store leaves the
// registry, under that lock, before it dies.
unsafe impl Send for Registered {}

/// The place of a store in a registry.
#[derive(Debug)]
pub(crate) struct Place(usize);

#[derive(Debug, Default)]
struct State {
    stores: Vec<Option<Registered>>,
    vacant: Vec<usize>,
}

/// The registry of the stores of an engine.
#[derive(Debug, Default)]
pub struct Stores {
    state: Mutex<State>,
    totals: Arc<Totals>,
}

impl Stores {
    /// # Safety
    /// The context stays where it is until [`Stores::remove`] has returned.
    pub(crate) unsafe fn add(&self, context: *mut StoreContext) -> Place {
        let mut state = self.lock();
        match state.vacant.pop() {
            Some(place) => {
                state.stores[place] = Some(Registered(context));
                Place(place)
            }
            None => {
                state.stores.push(Some(Registered(context)));
                Place(state.stores.len() - 1)
            }
        }
    }

    pub(crate) fn remove(&self, place: &Place) {
        let mut state = self.lock();
        state.stores[place.0] = None;
        state.vacant.push(place.0);
    }

    /// What all stores take.
    pub fn totals(&self) -> &Arc<Totals> {
        &self.totals
    }

    /// Number of living stores.
    pub fn len(&self) -> usize {
        let state = self.lock();
        state.stores.len() - state.vacant.len()
    }

    /// Is there no store?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The addresses of the code objects (`code::code::Code`) that stacks hold now. Code that is in no slot since before
    /// the call, and not in the result, can be freed. None if a store other than `here` is running: nothing is known then.
    ///
    /// # Errors
    /// When the kernel has no barrier for all threads; nothing can ever be known then.
    pub fn live_code(&self, here: Option<&Running>) -> io::Result<Option<HashSet<usize>>> {
        synchronize_threads()?;
        let here = here.map_or(std::ptr::null_mut(), |running| running.context);
        let busy = |registered: &Registered| {
            // SAFETY: registered, and the lock is held, so the store lives; all access to `entry` from other threads is
            // atomic (`call`).
            let entry = unsafe { AtomicPtr::from_ptr(&raw mut (*registered.0).entry) };
            registered.0 != here && !entry.load(Ordering::Acquire).is_null()
        };
        if self.lock().stores.iter().flatten().any(busy) {
            return Ok(None);
        }
        let mut live = HashSet::new();
        if !here.is_null() {
            // SAFETY: promised by who made `here`.
            unsafe { frames::each_code(here, |code| live.insert(code.as_ptr() as usize)) };
        }
        Ok(Some(live))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
