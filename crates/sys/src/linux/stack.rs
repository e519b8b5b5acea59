//! Native stacks: where the calling thread's stack lies and where its stack pointer is.

use std::cell::Cell;
use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::ops::Range;
use std::ptr;

#[cfg(test)]
mod tests;

thread_local! {
    /// The bounds as `(start, end)`; `Some(None)` remembers that the system could not tell.
    static BOUNDS: Cell<Option<Option<(usize, usize)>>> = const { Cell::new(None) };
}

/// The addresses of the calling thread's stack, from the lowest usable byte up to one past the highest; asked of the
/// system once a thread. `None` when it cannot tell.
///
/// The main thread's stack grows on demand up to its resource limit; the range is what it may grow to. A coroutine's
/// stack is not a thread's: code that switches stacks keeps its own bounds.
pub fn current_thread_stack_bounds() -> Option<Range<usize>> {
    let cached = BOUNDS.try_with(Cell::get).ok().flatten();
    let bounds = cached.unwrap_or_else(|| {
        let asked = ask_system();
        // While the thread is being taken down there is no cache any more, and none is needed.
        let _ = BOUNDS.try_with(|cell| cell.set(Some(asked)));
        asked
    });
    bounds.map(|(start, end)| start..end)
}

/// Asks the C library for the bounds of the calling thread's stack.
fn ask_system() -> Option<(usize, usize)> {
    let mut attributes = MaybeUninit::<libc::pthread_attr_t>::uninit();
    // SAFETY: the thread is the caller itself and the pointer is writable; on success the attributes are initialised.
    if unsafe { libc::pthread_getattr_np(libc::pthread_self(), attributes.as_mut_ptr()) } != 0 {
        return None;
    }
    let mut start: *mut c_void = ptr::null_mut();
    let mut size = 0;
    // SAFETY: the attributes were initialised above and are destroyed once, after the query.
    let status = unsafe {
        let status = libc::pthread_attr_getstack(attributes.as_ptr(), &mut start, &mut size);
        libc::pthread_attr_destroy(attributes.as_mut_ptr());
        status
    };
    let start = start as usize;
    let end = start.checked_add(size)?;
    (status == 0 && size != 0).then_some((start, end))
}

/// The stack pointer of the caller, give or take a frame.
#[inline(always)]
pub fn approximate_sp() -> usize {
    let sp: usize;
    // SAFETY: reads a register; touches neither memory, stack nor flags.
    unsafe {
        std::arch::asm!("mov {}, rsp", out(reg) sp, options(nomem, nostack, preserves_flags));
    }
    sp
}
