//! Hardware faults as signals: installing the handler, and passing on what is not ours.
//!
//! 1. [`install`] puts one handler on `SIGSEGV`, `SIGBUS`, `SIGILL` and `SIGFPE`, keeping what was there before.
//! 2. A fault calls the installed function with a [`TrapContext`], on the alternate stack
//!    ([`ensure_sigaltstack`](alternate_stack::ensure_sigaltstack)). The function looks up the program counter; if it is compiled code, it calls
//!    [`TrapContext::redirect`] and returns true: the thread leaves the signal at once and continues in a function of the
//!    runtime, on its own stack, with its own signal mask.
//! 3. If it returns false, `chain` gives the signal to the previous action as the kernel would have.
//!
//! A signal sent by a process (`kill`, `raise`) is no fault of the instruction it interrupts, even in compiled code, and goes
//! straight to step 3.
//!
//! The function of step 2 runs inside a signal handler: it must not lock, allocate or unwind, and a fault inside it comes
//! back to it.

use std::ffi::c_void;
use std::io;
use std::sync::OnceLock;

mod alternate_stack;
mod chain;
mod trap_context;

pub use alternate_stack::ensure_sigaltstack;
pub use trap_context::{Signal, TrapContext};

#[cfg(test)]
mod tests;

/// Decides about one fault: true when it was redirected, false when the previous action shall have it.
pub type Handler = fn(&mut TrapContext<'_>) -> bool;

/// The installed function, set before the first action is changed.
static HANDLER: OnceLock<Handler> = OnceLock::new();

/// Installs `handler` for the whole process. Later calls change nothing and return what the first returned, whatever
/// handler they name: there is one code map, hence one handler, in a process.
///
/// # Errors
/// What `sigaction` says; the signals before the failing one stay installed, which is harmless.
pub fn install(handler: Handler) -> io::Result<()> {
    static RESULT: OnceLock<Result<(), i32>> = OnceLock::new();
    RESULT
        .get_or_init(|| {
            HANDLER.get_or_init(|| handler);
            Signal::ALL.into_iter().try_for_each(|signal| {
                chain::take_over(signal, on_signal).map_err(|error| error.raw_os_error().unwrap_or(libc::EINVAL))
            })
        })
        .map_err(io::Error::from_raw_os_error)
}

/// What the kernel calls.
unsafe extern "C" fn on_signal(number: libc::c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: the location is this thread's for its whole life.
    let errno = unsafe { libc::__errno_location() };
    // SAFETY: as above.
    let saved_errno = unsafe { errno.read() };
    // SAFETY: the kernel passes valid pointers that nobody else uses during the call.
    let trap = unsafe { TrapContext::new(number, info, context) };
    let handled = match (trap, HANDLER.get()) {
        (Some(mut trap), Some(handler)) if trap.is_fault() => handler(&mut trap),
        _ => false,
    };
    if !handled {
        // SAFETY: the arguments are those of this delivery, unchanged by a handler that declined.
        unsafe { chain::pass_on(number, info, context) };
    }
    // SAFETY: as above.
    unsafe { errno.write(saved_errno) };
}
