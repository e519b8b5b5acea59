//! Model checking: the engine's protocols between threads, run under a scheduler that tries their interleavings.
//!
//! A protocol is a file of the engine that names its locks through `crate::sync`. There that is the standard library; here
//! it is `shuttle`, whose scheduler decides at every lock and wait which thread goes on. The files are included as they are.
#![cfg(test)]

mod code_gc;

/// What `crate::sync` is in a model.
#[allow(unused_imports, reason = "each protocol uses what it needs")]
mod sync {
    pub(crate) use shuttle::sync::{Condvar, Mutex, MutexGuard};
    pub(crate) use std::sync::PoisonError;
}
