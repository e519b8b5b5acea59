//! What takes long in a builtin (large fills and copies), done in pieces, so that it can be ended.
//!
//! 1. The builtin checks its bounds in whole, before the first byte: what traps has written nothing.
//! 2. Little is done at once ([`in_pieces`]): the usual case pays one comparison.
//! 3. Of more, one piece is done after the other, as if by the host ([`in_host`]): others who want to know the code on the
//!    stacks get their answer meanwhile from whoever asks.
//! 4. Before each piece the store's word is looked at. A *termination* ends the work there: what was written stays written,
//!    as it does when a termination falls between two instructions of a program that writes the same.
//!
//! Posted tasks wait for the end. A task may use the memory, grow it, and call Wasm, and all that would see an instruction
//! half done, which no program may: it is one step of the thread that does it. So a task waits as long as the largest fill
//! takes, which the size of memories bounds.

use std::ops::Range;

use abi::layout::StoreContext;
use abi::trap::TrapReason;

use crate::host_call::in_host;
use crate::requests::TERMINATE;
use crate::stores::words;

#[cfg(test)]
mod tests;

/// Most bytes that are worked on without a look at who wants something.
pub(super) const PIECE: usize = 1 << 20;

/// Where work on a range begins; for copies within one memory or table it matters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Order {
    /// At its start.
    Up,
    /// At its end.
    Down,
}

impl Order {
    /// In which a copy reads what it has not overwritten yet.
    pub(super) fn of_copy(source: usize, target: usize) -> Order {
        if target > source { Order::Down } else { Order::Up }
    }
}

/// Works on `0..len`, in pieces of at most `most`.
///
/// # Errors
/// `Interrupt`, when the store is terminated between two pieces.
///
/// # Safety
/// `context` is that of a live, pinned store whose code called a builtin on this thread. The work uses no code pointer.
#[inline]
pub(super) unsafe fn in_pieces(
    context: *mut StoreContext,
    (len, most): (usize, usize),
    order: Order,
    mut work: impl FnMut(Range<usize>),
) -> Result<(), TrapReason> {
    if len <= most {
        work(0..len);
        return Ok(());
    }
    let all = || {
        let mut done = 0;
        while done < len {
            // SAFETY: promised by the caller.
            if unsafe { words(context) }.pending() & TERMINATE != 0 {
                return Err(TrapReason::Interrupt);
            }
            let size = most.min(len - done);
            let start = if order == Order::Up { done } else { len - done - size };
            work(start..start + size);
            done += size;
        }
        Ok(())
    };
    // SAFETY: promised by the caller.
    unsafe { in_host(context, all) }
}
