//! The numbers by which the entities of a store are known, and the identity of stores.

use std::num::NonZeroU64;
use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)*) => {
        $($(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub struct $name(pub u32);)*
    };
}

ids! {
    /// An instance of a store, by number.
    InstanceId
    /// A memory of a store, by number.
    MemoryId
    /// A table of a store, by number.
    TableId
    /// A global of a store, by number.
    GlobalId
}

/// The identity of a store: never used twice in a process.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct StoreId(NonZeroU64);

impl StoreId {
    pub(crate) fn new() -> StoreId {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        StoreId(NonZeroU64::new(id).expect("2^64 stores take centuries to make"))
    }

    /// Its number among all stores of the process, from 1.
    pub fn get(self) -> u64 {
        self.0.get()
    }
}
