//! The locks and atomics of the protocols between threads that `tests/models` checks, where this module is another one.

pub(crate) use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering, compiler_fence};
pub(crate) use std::sync::{Mutex, MutexGuard, PoisonError};

/// Keeps what a thread writes before it in front of what it reads after it, as far as those can tell who call
/// `sys::code_memory::synchronize_threads` between their own write and read. The compiler is all that has to be held back.
#[inline(always)]
pub(crate) fn order_accesses() {
    compiler_fence(Ordering::SeqCst);
}
