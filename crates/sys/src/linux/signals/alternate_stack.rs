//! The stack that signal handlers run on, one a thread, so that a fault on an exhausted stack can still be handled.

use std::cell::RefCell;
use std::ffi::c_void;
use std::io;
use std::mem::MaybeUninit;
use std::ptr;

use crate::pages::{page_size, round_up_to_page};
use crate::reserve::Reservation;

/// The smallest alternate stack that is good enough, beyond what the kernel itself stores there: the handler, its code-map
/// lookup and a chained handler, all possibly unoptimised. Rust's own threads come with about 8 KiB, too few.
const WORKING_SPACE: usize = 64 << 10;

thread_local! {
    /// The alternate stack made by this file for this thread, if it had to make one.
    static OURS: RefCell<Option<AlternateStack>> = const { RefCell::new(None) };
}

/// An alternate stack with an inaccessible page below it, in use by the thread that made it.
struct AlternateStack {
    memory: Reservation,
}

/// Makes sure that the calling thread has an alternate signal stack of a sufficient size. Call it once before the thread
/// first runs compiled code; later calls cost a system call and change nothing.
///
/// A stack made here replaces a smaller one for the rest of the thread's life and is freed when the thread ends. Gives
/// whether one was made.
///
/// # Errors
/// When memory runs out, the thread is ending, or the caller is a signal handler.
pub fn ensure_sigaltstack() -> io::Result<bool> {
    let needed = needed_size();
    let current = exchange(None)?;
    if current.ss_flags & libc::SS_DISABLE == 0 && current.ss_size >= needed {
        return Ok(false);
    }
    OURS.try_with(|ours| {
        let stack = AlternateStack::install(needed)?;
        // One left from before, which somebody has since replaced by a smaller one, goes.
        *ours.borrow_mut() = Some(stack);
        Ok(true)
    })
    .map_err(|_| io::Error::other("the thread is ending"))?
}

impl AlternateStack {
    /// Maps a stack of `size` bytes and a guard page, and makes it the calling thread's.
    fn install(size: usize) -> io::Result<Self> {
        let guard = page_size();
        let size = round_up_to_page(size).ok_or(io::ErrorKind::OutOfMemory)?;
        let total = guard.checked_add(size).ok_or(io::ErrorKind::OutOfMemory)?;
        let memory = Reservation::new(total)?;
        memory.commit(guard, size)?;
        let stack = libc::stack_t { ss_sp: memory.as_ptr().wrapping_add(guard).cast(), ss_flags: 0, ss_size: size };
        exchange(Some(&stack))?;
        Ok(Self { memory })
    }

    /// The lowest address the kernel was given.
    fn start(&self) -> *mut c_void {
        self.memory.as_ptr().wrapping_add(page_size()).cast()
    }
}

impl Drop for AlternateStack {
    fn drop(&mut self) {
        // Whoever replaced ours keeps theirs; ours must not stay registered once its memory is gone.
        match exchange(None) {
            Ok(current) if current.ss_sp == self.start() => {
                let none = libc::stack_t { ss_sp: ptr::null_mut(), ss_flags: libc::SS_DISABLE, ss_size: 0 };
                // Fails only inside a signal handler, where no thread-local value is dropped.
                let _ = exchange(Some(&none));
            }
            _ => {}
        }
    }
}

/// Bytes an alternate stack must have on this machine: what the kernel stores at delivery (it grows with the vector
/// registers), and working space.
fn needed_size() -> usize {
    // SAFETY: reads the auxiliary vector; 0 when the kernel does not say.
    let kernel = unsafe { libc::getauxval(libc::AT_MINSIGSTKSZ) };
    usize::try_from(kernel).unwrap_or(0).saturating_add(WORKING_SPACE)
}

/// Sets the calling thread's alternate stack, if one is given, and returns the one before.
pub(super) fn exchange(new: Option<&libc::stack_t>) -> io::Result<libc::stack_t> {
    let mut old = MaybeUninit::<libc::stack_t>::zeroed();
    let new = new.map_or(ptr::null(), ptr::from_ref);
    // SAFETY: null, or a description of memory that its owner keeps until it is replaced; and a writable answer.
    if unsafe { libc::sigaltstack(new, old.as_mut_ptr()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: zeroed is valid, and the call filled it.
    Ok(unsafe { old.assume_init() })
}
