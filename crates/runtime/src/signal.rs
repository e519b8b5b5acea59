//! Traps as signals: a fault of compiled code becomes a trap, every other fault goes on to whoever had it before.

use std::io;
use std::sync::OnceLock;

use abi::trap::TrapReason;
use sys::signals::{TrapContext, install};

use crate::call::{current, on_trap};
use crate::interrupt::is_interrupt;
use crate::store::Store;
use crate::trampolines::interrupt_trampoline;

/// Installs the handler, once per process.
///
/// # Errors
/// What the system said.
pub fn install_handler() -> io::Result<()> {
    static INSTALLED: OnceLock<Result<(), i32>> = OnceLock::new();
    let outcome = INSTALLED.get_or_init(|| install(handle).map_err(|error| error.raw_os_error().unwrap_or(0)));
    outcome.map_err(io::Error::from_raw_os_error)
}

/// Is this a trap of compiled code? Then the thread goes on in `on_trap`, on the stack where it was; or, if it was stopped in
/// a prologue by a raised stack limit, in the interrupt trampoline, as if it had come there instead of to the function.
fn handle(trap: &mut TrapContext<'_>) -> bool {
    let context = current();
    if context.is_null() {
        return false;
    }
    // SAFETY: the thread runs Wasm of this store, so it is alive; only shared parts are read.
    let space = unsafe { &(*(*context).store.cast::<Store>()).environment().space };
    let pc = trap.pc();
    // SAFETY: the program counter of this thread, whose store keeps its code alive.
    let Some(code) = (unsafe { space.lookup(pc) }) else { return false };
    // SAFETY: as above.
    let Some(reason) = (unsafe { code.as_ref() }).trap_at(pc) else { return false };
    // SAFETY: the context is that of the running store.
    if reason == TrapReason::StackOverflow && unsafe { is_interrupt(context, trap.sp()) } {
        // SAFETY: only prologues trap for this reason. In both tiers they do so when the frame pointer is set, and change
        // nothing before but `r10`, `r11` and the stack below it.
        unsafe { trap.restart(interrupt_trampoline(), code.as_ptr().expose_provenance()) };
    } else {
        trap.redirect(on_trap, context as usize, pc, trap.fp());
    }
    true
}
