//! `--timeout`: a thread that ends the program once its time is over, and the process if that does not help.
//!
//! 1. [`Timer::watch`] is told of each store that the program is run in.
//! 2. When the time is over, the thread posts a task to the newest store that ends what runs there by the trap
//!    `interrupt`, within bounded time. If nothing runs it waits for the next call; a store that is made later gets it at once.
//!    Compiled code contains nothing for this.
//! 3. If the program does not end within [`GRACE`], the process does.

use std::process;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use upshift::{Result, Store, StoreHandle, Trap};

use super::Host;
use crate::exit;

/// For the program to notice that its time is over. Wasm does at once; a call of the host, such as one that waits for
/// input, or the compilation of a huge function may not.
const GRACE: Duration = Duration::from_millis(500);

/// Watches over the program as long as it lives.
#[must_use]
pub(crate) struct Timer {
    watched: Arc<Watched>,
}

#[derive(Default)]
struct Watched {
    state: Mutex<State>,
    done: Condvar,
}

#[derive(Default)]
struct State {
    /// The store that the program runs in now.
    store: Option<StoreHandle<Host>>,
    /// The time is over.
    over: bool,
    /// The program has ended.
    done: bool,
}

/// Ends what runs in the stores that it is told of after `timeout`. If it has to end the process itself, `last_words` are
/// said first.
pub(crate) fn start(timeout: Option<Duration>, last_words: impl FnOnce() -> Result<()> + Send + 'static) -> Timer {
    let timer = Timer { watched: Arc::default() };
    let Some(timeout) = timeout else { return timer };
    let watched = Arc::clone(&timer.watched);
    thread::spawn(move || {
        if watched.ends_within(timeout) {
            return;
        }
        watched.end();
        if watched.ends_within(GRACE) {
            return;
        }
        exit::complain("the program took longer than --timeout, and was not in WebAssembly when its time was over");
        if let Err(error) = last_words() {
            exit::report(&error);
        }
        process::exit(exit::TRAP.into());
    });
    timer
}

impl Timer {
    /// The program is run in this store from now on.
    pub(crate) fn watch(&self, store: &Store<Host>) {
        let mut state = self.watched.lock();
        let handle = store.handle();
        if state.over {
            interrupt(&handle);
        }
        state.store = Some(handle);
    }
}

impl Watched {
    /// Waits for the program to end, at most so long. Gives whether it has.
    fn ends_within(&self, bound: Duration) -> bool {
        let waited = self.done.wait_timeout_while(self.lock(), bound, |state| !state.done);
        waited.unwrap_or_else(PoisonError::into_inner).0.done
    }

    /// Has the program end.
    fn end(&self) {
        let mut state = self.lock();
        state.over = true;
        if let Some(store) = &state.store {
            interrupt(store);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends what runs in a store, or else its next call.
fn interrupt(store: &StoreHandle<Host>) {
    // If the store is gone, so is what was to be ended.
    let _ = store.post(|_| Err(Trap::Interrupt.into()));
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.watched.lock().done = true;
        self.watched.done.notify_all();
    }
}
