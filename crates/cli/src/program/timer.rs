//! `--timeout`: a thread that moves the engine's epoch once the time is over, and ends the process if that does not help.

use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use upshift::{Engine, Result};

use crate::exit;

/// Between two interrupts once the time is over.
const AGAIN: Duration = Duration::from_millis(10);
/// For the program to notice that its time is over. Wasm does at once; a call of the host, such as one that waits for
/// input, or the compilation of a huge function may not.
const GRACE: Duration = Duration::from_millis(500);

/// Watches over the program as long as it lives.
#[must_use]
pub(crate) struct Timer {
    done: Arc<AtomicBool>,
}

/// Interrupts what runs in stores of the engine after `timeout`. The thread ends with the process; if it has to end the
/// process itself, `last_words` are said first.
pub(crate) fn start(
    engine: &Engine,
    timeout: Option<Duration>,
    last_words: impl FnOnce() -> Result<()> + Send + 'static,
) -> Timer {
    let timer = Timer { done: Arc::default() };
    let Some(timeout) = timeout else { return timer };
    let (engine, done) = (engine.weak(), Arc::clone(&timer.done));
    thread::spawn(move || {
        thread::sleep(timeout);
        let over = Instant::now();
        // Again and again: a store that is made later starts with a deadline ahead.
        while let Some(engine) = engine.upgrade().filter(|_| !done.load(Ordering::Relaxed)) {
            if over.elapsed() > GRACE {
                exit::complain(
                    "the program took longer than --timeout, and was not in WebAssembly when its time was over",
                );
                if let Err(error) = last_words() {
                    exit::report(&error);
                }
                process::exit(exit::TRAP.into());
            }
            engine.increment_epoch();
            drop(engine);
            thread::sleep(AGAIN);
        }
    });
    timer
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
    }
}
