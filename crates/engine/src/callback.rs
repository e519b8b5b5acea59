//! Callbacks of the embedder, from which it may use the engine: code listeners and debuggers.
//!
//! Problem: the engine tells a listener of code in the middle of making a module: on the thread that holds the claim on the
//! module cache, or on one of the pool that the claim's holder waits for. If the listener asks for a module that is being made
//! it must not wait for it: it may be what the maker waits for.
//!
//! 1. A thread counts the callbacks that it is in ([`call`]).
//! 2. A request for a module that is made within one never waits ([`is_within`]): if somebody is making the same, it gets a
//!    module of its own, which the cache does not get (`cache::ModuleCache::step`).
//! 3. So that it needs no thread of the pool either, an asynchronous request that begins within a callback is done by
//!    who polls it first (`compile::asynchronous`).
//!
//! Rejected: to remember in the cache who is making a module. A listener is told on threads of the pool too, and two makers
//! may wait for each other's modules in their listeners.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    /// Callbacks that the thread is in.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// Calls the embedder back. A panic in it has been reported by the panic hook, and is nothing to the engine.
pub(crate) fn call(callback: impl FnOnce()) {
    DEPTH.with(|depth| depth.set(depth.get() + 1));
    let _ = catch_unwind(AssertUnwindSafe(callback));
    DEPTH.with(|depth| depth.set(depth.get() - 1));
}

/// Is this thread in a callback?
pub(crate) fn is_within() -> bool {
    DEPTH.with(Cell::get) > 0
}
