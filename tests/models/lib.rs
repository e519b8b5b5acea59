//! Model checking: the engine's protocols between threads, run under a scheduler that tries their interleavings.
//!
//! A protocol is a file that names its locks and atomics through `crate::sync`. There that is the standard library; here it
//! is `shuttle`, whose scheduler decides at every lock, wait and access which thread goes on. The files are included as they
//! are.
#![cfg(test)]

/// What `crate::sync` is in a model.
#[allow(unused_imports, reason = "each protocol uses what it needs")]
mod sync {
    pub(crate) use shuttle::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
    pub(crate) use shuttle::sync::{Condvar, Mutex, MutexGuard};
    pub(crate) use shuttle::{thread, thread_local};
    pub(crate) use std::sync::PoisonError;

    /// Here all accesses are in order.
    pub(crate) fn order_accesses() {}
}

/// What promises know of tasks.
mod pool {
    pub(crate) mod workers {
        use std::sync::Arc;
        use std::sync::atomic::{AtomicUsize, Ordering};

        /// A task that counts how often it was taken back.
        #[derive(Debug)]
        pub(crate) struct Submitted(pub(crate) Arc<AtomicUsize>);

        impl Submitted {
            pub(crate) fn cancel(&self) {
                self.0.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

#[allow(dead_code, reason = "models use what they need")]
#[path = "../../crates/engine/src/foreign.rs"]
mod foreign;

mod barrier;
mod cache;
mod code_gc;
mod promise;
mod requests;

/// Runs a model under many random schedules, and under many that change threads at the worst moments.
fn check(model: fn()) {
    shuttle::check_random(model, 4000);
    shuttle::check_pct(model, 4000, 3);
}

/// Runs a small model under all its schedules, up to a number that is enough for what has two threads.
fn check_all(model: fn()) {
    shuttle::check_dfs(model, Some(20_000));
}
