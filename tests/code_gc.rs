//! Code that nothing leads to any more is freed, whatever the stores of the engine are doing, and never under a thread that
//! runs it.

mod memory;
mod requests;
mod safepoints;
pub(crate) mod stores;
mod stress;
mod stubs;

use std::time::{Duration, Instant};

/// Waits until something is so.
pub(crate) fn wait_for(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(20), "waited in vain: {what}");
        std::thread::sleep(Duration::from_micros(200));
    }
}
