//! The actions that were installed before ours, and giving them what is theirs.

use std::ffi::c_void;
use std::io;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use libc::{c_int, siginfo_t};

use super::trap_context::Signal;

/// The signature of a `SA_SIGINFO` handler.
pub(super) type Action = unsafe extern "C" fn(c_int, *mut siginfo_t, *mut c_void);

/// The previous action of each of [`Signal::ALL`]. Written by `take_over` and, to the default action, by a handler that asked
/// to run once; read by signal handlers on any thread. The boxes are never freed: there are at most a few in a process,
/// and a handler may be reading one.
static PREVIOUS: [AtomicPtr<libc::sigaction>; 4] = [const { AtomicPtr::new(ptr::null_mut()) }; Signal::ALL.len()];

/// The cell of `signal`.
fn previous(signal: Signal) -> &'static AtomicPtr<libc::sigaction> {
    &PREVIOUS[signal as usize]
}

/// Makes `action` the action of `signal`, and what was there the one to chain to.
pub(super) fn take_over(signal: Signal, action: Action) -> io::Result<()> {
    let mut ours = default_action();
    ours.sa_sigaction = action as libc::sighandler_t;
    ours.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER;
    // Known before ours is in place, because ours may be needed the moment it is.
    let before = exchange(signal.number(), None)?;
    previous(signal).store(Box::into_raw(Box::new(before)), Ordering::Release);
    let replaced = exchange(signal.number(), Some(&ours))?;
    if replaced.sa_sigaction != before.sa_sigaction || replaced.sa_flags != before.sa_flags {
        // Another thread installed something between the two calls.
        previous(signal).store(Box::into_raw(Box::new(replaced)), Ordering::Release);
    }
    Ok(())
}

/// Gives the signal to the previous action, as the kernel would have.
///
/// # Safety
/// The arguments are those of the signal being handled, and this is the last thing its handler does with them.
pub(super) unsafe fn pass_on(number: c_int, info: *mut siginfo_t, context: *mut c_void) {
    let cell = Signal::from_number(number).map(previous);
    let action = cell.map_or(ptr::null_mut(), |cell| cell.load(Ordering::Acquire));
    // SAFETY: null, or a box that is never freed and never written again.
    let action = unsafe { action.as_ref() }.copied().unwrap_or_else(default_action);
    // SAFETY: the caller passes the kernel's own `siginfo_t`.
    let is_fault = unsafe { (*info).si_code } > 0;
    match action.sa_sigaction {
        libc::SIG_DFL => take_default(number, is_fault),
        // The kernel does not let a fault be ignored, only a signal that somebody sent.
        libc::SIG_IGN if is_fault => take_default(number, is_fault),
        libc::SIG_IGN => {}
        handler => {
            if action.sa_flags & libc::SA_RESETHAND != 0
                && let Some(cell) = cell
            {
                cell.store(ptr::null_mut(), Ordering::Release);
            }
            // SAFETY: a handler that was installed for this signal with these flags, and the kernel's arguments.
            unsafe { call_handler(handler, &action, number, info, context) };
        }
    }
}

/// Calls a user's handler under the signal mask it asked for.
///
/// # Safety
/// `handler` is the function of `action`, and the other arguments are those of the signal being handled.
unsafe fn call_handler(
    handler: libc::sighandler_t,
    action: &libc::sigaction,
    number: c_int,
    info: *mut siginfo_t,
    context: *mut c_void,
) {
    let mut blocked = action.sa_mask;
    if action.sa_flags & libc::SA_NODEFER == 0 {
        // SAFETY: a signal set of our own; the number is a real signal.
        unsafe { libc::sigaddset(&mut blocked, number) };
    }
    let mut before = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: both point to signal sets, the second writable. If it fails the handler runs under the mask there is.
    let masked = unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &blocked, before.as_mut_ptr()) } == 0;
    if action.sa_flags & libc::SA_SIGINFO != 0 {
        // SAFETY: with this flag the address is of a function of this type.
        let handler = unsafe { std::mem::transmute::<libc::sighandler_t, Action>(handler) };
        // SAFETY: the kernel would have called it with the same arguments.
        unsafe { handler(number, info, context) };
    } else {
        type Plain = unsafe extern "C" fn(c_int);
        // SAFETY: without the flag the address is of a function of this type.
        let handler = unsafe { std::mem::transmute::<libc::sighandler_t, Plain>(handler) };
        // SAFETY: the kernel would have called it with the same argument.
        unsafe { handler(number) };
    }
    if masked {
        // SAFETY: filled by the first call.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), ptr::null_mut()) };
    }
}

/// Brings the default action back. A fault recurs when the handler returns; a signal that was sent must be sent again.
fn take_default(number: c_int, is_fault: bool) {
    // Nothing better can be done when this fails: the fault then comes back here.
    let _ = exchange(number, Some(&default_action()));
    if !is_fault {
        // SAFETY: sends a signal to this thread, to be delivered when the handler returns or before.
        unsafe { libc::raise(number) };
    }
}

/// The default action, without flags or mask.
fn default_action() -> libc::sigaction {
    // SAFETY: all zeros is a valid `sigaction`: `SIG_DFL`, no flags, an empty mask, no restorer.
    unsafe { MaybeUninit::<libc::sigaction>::zeroed().assume_init() }
}

/// Sets the action of a signal, if one is given, and returns the one before.
fn exchange(number: c_int, new: Option<&libc::sigaction>) -> io::Result<libc::sigaction> {
    let mut old = default_action();
    let new = new.map_or(ptr::null(), ptr::from_ref);
    // SAFETY: null or a valid action, and a writable one for the answer.
    if unsafe { libc::sigaction(number, new, &mut old) } == 0 { Ok(old) } else { Err(io::Error::last_os_error()) }
}
