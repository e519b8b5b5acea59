//! `--timeout`: a thread that moves the engine's epoch once the time is over.

use std::thread;
use std::time::Duration;

use upshift::Engine;

/// Between two interrupts once the time is over.
const AGAIN: Duration = Duration::from_millis(10);

/// Interrupts what runs in stores of the engine after `timeout`. The thread ends with the process.
pub(crate) fn start(engine: &Engine, timeout: Option<Duration>) {
    let Some(timeout) = timeout else { return };
    let engine = engine.weak();
    thread::spawn(move || {
        thread::sleep(timeout);
        // Again and again: a store that is made later starts with a deadline ahead.
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            thread::sleep(AGAIN);
        }
    });
}
