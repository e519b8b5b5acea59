//! Traps as signals: a fault of compiled code becomes a trap, every other fault goes on to whoever had it before.

use std::io;
use std::sync::OnceLock;

use sys::signals::{TrapContext, install};

use crate::call::{current, on_trap};
use crate::store::Store;

/// Installs the handler, once per process.
///
/// # Errors
/// What the system said.
pub fn install_handler() -> io::Result<()> {
    static INSTALLED: OnceLock<Result<(), i32>> = OnceLock::new();
    let outcome = INSTALLED.get_or_init(|| install(handle).map_err(|error| error.raw_os_error().unwrap_or(0)));
    outcome.map_err(io::Error::from_raw_os_error)
}

/// Is this a trap of compiled code? Then the thread goes on in `on_trap`, on the stack where it was.
fn handle(trap: &mut TrapContext<'_>) -> bool {
    let context = current();
    if context.is_null() {
        return false;
    }
    // SAFETY: the thread runs Wasm of this store, so it is alive; only shared parts are read.
    let space = unsafe { &(*(*context).store.cast::<Store>()).environment().space };
    let pc = trap.pc();
    // SAFETY: the program counter of this thread, whose store keeps its code alive.
    let known = unsafe { space.lookup(pc).is_some_and(|code| code.as_ref().trap_at(pc).is_some()) };
    if known {
        trap.redirect(on_trap, context as usize, pc, trap.fp());
    }
    known
}
