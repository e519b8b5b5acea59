//! The entry stubs of a store: those that its functions were called through, or are to be.
//!
//! A typed function is plain data with the address of its stub in it, and is good as long as its store. So the store holds
//! the stub. The types are functions' of the store, which keeps them registered, so their numbers stay theirs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use code::stub_cache::Stub;
use wasm::types::CanonicalTypeIndex;

/// Entry stubs by function type.
#[derive(Debug, Default)]
pub struct EntryStubs {
    held: Mutex<HashMap<CanonicalTypeIndex, Arc<Stub>>>,
}

impl EntryStubs {
    /// The address of the stub for a type, if it is held: good as long as the store.
    pub fn get(&self, ty: CanonicalTypeIndex) -> Option<*const u8> {
        self.lock().get(&ty).map(|stub| stub.entry())
    }

    /// Holds a stub for a type, which is that of a function of the store, unless one is held already; gives the address of
    /// the one that is.
    pub fn hold(&self, ty: CanonicalTypeIndex, stub: Arc<Stub>) -> *const u8 {
        // In a variable, so that a handle that is not needed is dropped after the lock.
        let mut stub = Some(stub);
        let mut held = self.lock();
        let entry = held.entry(ty).or_insert_with(|| stub.take().expect("it is taken once")).entry();
        drop(held);
        entry
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<CanonicalTypeIndex, Arc<Stub>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
