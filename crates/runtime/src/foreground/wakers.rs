//! Who waits for work of a store: wakers, all of which are woken by the next task, once.
//!
//! There are two kinds. One who waits in a future has a place ([`Wakers::place`]), which its waker keeps to itself and leaves
//! when the future goes; so there are no more than futures that live. The others ([`Wakers::add`]) are set and forgotten: one
//! that would wake the same as one that is known takes nothing, and [`MOST`] are kept. Where there would be more, the oldest
//! is woken early, which costs it a look.

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Waker;

#[cfg(test)]
mod tests;

/// Most wakers without a place.
const MOST: usize = 64;

/// Wakes a task. Wakers are the embedder's: a panic of one is dropped, so that it harms nobody but who waits there.
pub fn wake(waker: Waker) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| waker.wake())) {
        // Its own drop may panic again.
        std::mem::forget(panic);
    }
}

/// Wakers. The lock they are under is held neither while one is woken nor while one is dropped, so all that must be is
/// given to the caller.
#[derive(Debug, Default)]
pub(super) struct Wakers {
    placed: BTreeMap<u64, Waker>,
    others: VecDeque<Waker>,
}

impl Wakers {
    /// Adds a waker. Gives one that is too much.
    #[must_use]
    pub(super) fn add(&mut self, waker: Waker) -> Extra {
        if self.others.iter().any(|known| known.will_wake(&waker)) {
            return Extra::Drop(waker);
        }
        self.others.push_back(waker);
        let first = if self.others.len() > MOST { self.others.pop_front() } else { None };
        first.map_or(Extra::None, Extra::Wake)
    }

    /// Sets the waker of a place. Gives the one that was there.
    #[must_use]
    pub(super) fn place(&mut self, place: u64, waker: Waker) -> Option<Waker> {
        self.placed.insert(place, waker)
    }

    /// Empties a place.
    #[must_use]
    pub(super) fn leave(&mut self, place: u64) -> Option<Waker> {
        self.placed.remove(&place)
    }

    /// All of them; none are left.
    #[must_use]
    pub(super) fn take(&mut self) -> Wakers {
        std::mem::take(self)
    }

    /// Wakes all, the oldest first.
    pub(super) fn wake(self) {
        self.others.into_iter().chain(self.placed.into_values()).for_each(wake);
    }
}

/// What is to be done with a waker, without a lock.
#[derive(Debug)]
pub(super) enum Extra {
    None,
    Drop(Waker),
    Wake(Waker),
}

impl Extra {
    pub(super) fn settle(self) {
        match self {
            Extra::None => {}
            Extra::Drop(waker) => drop(waker),
            Extra::Wake(waker) => wake(waker),
        }
    }
}
