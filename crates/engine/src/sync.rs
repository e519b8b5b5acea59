//! The locks of the protocols between threads that `tests/models` checks, where this module is another one.

#[allow(unused_imports, reason = "each protocol uses what it needs")]
pub(crate) use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    thread, thread_local,
};
