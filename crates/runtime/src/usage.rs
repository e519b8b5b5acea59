//! What stores take in memory: each store's own account, and the sums of all stores of an engine.
//!
//! 1. A store changes its [`Account`] where it makes or grows something (`Store::tally`). That happens where memory is taken
//!    anyway, never on calls.
//! 2. The account adds the difference to the [`Totals`] of the engine, by relaxed additions: so that whoever asks the engine
//!    need not stop stores that run on other threads.
//! 3. When the store dies, its account takes all of it back.
//!
//! Tasks come from any thread, so a store's queue has an account of its own for them, under its lock ([`TaskAccount`]).
//!
//! Invariant: the account is what `Store::measure` finds by looking at everything; tests compare the two.
//!
//! Accepted: totals read while stores work are not of one moment.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

#[cfg(test)]
mod tests;

/// What a store takes, in bytes, by kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct StoreUsage {
    /// The store itself, and its lists of what it holds. The host's own data are not known.
    pub contexts: usize,
    /// Instances: what compiled code reads of them, function references among it, and globals.
    pub instances: usize,
    /// Linear memories: accessible bytes. The system gives a page when it is first written.
    pub memories: usize,
    /// Elements of tables. The system gives a page of a large table when it is first written.
    pub tables: usize,
    /// Functions of the host, and its values behind references, as far as their sizes are known.
    pub host: usize,
    /// Tasks that wait to be run, without what they own elsewhere.
    pub tasks: usize,
}

impl StoreUsage {
    /// All of it.
    pub fn total(&self) -> usize {
        self.kinds().iter().fold(0, |sum, &bytes| sum.saturating_add(bytes))
    }

    fn kinds(&self) -> [usize; KINDS] {
        let StoreUsage { contexts, instances, memories, tables, host, tasks } = *self;
        [contexts, instances, memories, tables, host, tasks]
    }
}

const KINDS: usize = 6;
/// The last kind, which [`TaskAccount`]s change.
const TASKS: usize = KINDS - 1;

/// The sums of all stores of an engine.
#[derive(Debug, Default)]
pub struct Totals {
    kinds: [AtomicUsize; KINDS],
}

impl Totals {
    /// What all stores take now.
    pub fn read(&self) -> StoreUsage {
        let [contexts, instances, memories, tables, host, tasks] =
            self.kinds.each_ref().map(|kind| kind.load(Ordering::Relaxed));
        StoreUsage { contexts, instances, memories, tables, host, tasks }
    }
}

/// What one store takes, as its engine knows it.
#[derive(Debug)]
pub(crate) struct Account {
    totals: Arc<Totals>,
    usage: StoreUsage,
}

impl Account {
    pub(crate) fn new(totals: &Arc<Totals>) -> Account {
        Account { totals: Arc::clone(totals), usage: StoreUsage::default() }
    }

    pub(crate) fn usage(&self) -> StoreUsage {
        self.usage
    }

    pub(crate) fn set(&mut self, usage: StoreUsage) {
        for ((total, old), new) in self.totals.kinds.iter().zip(self.usage.kinds()).zip(usage.kinds()) {
            if old != new {
                // Wraps, as a difference may be negative; the sum is right.
                total.fetch_add(new.wrapping_sub(old), Ordering::Relaxed);
            }
        }
        self.usage = usage;
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        self.set(StoreUsage::default());
    }
}

/// What the tasks that wait for a store take.
#[derive(Debug)]
pub(crate) struct TaskAccount {
    totals: Arc<Totals>,
    bytes: usize,
}

impl TaskAccount {
    pub(crate) fn new(totals: &Arc<Totals>) -> TaskAccount {
        TaskAccount { totals: Arc::clone(totals), bytes: 0 }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn add(&mut self, bytes: usize) {
        self.bytes += bytes;
        self.totals.kinds[TASKS].fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn sub(&mut self, bytes: usize) {
        self.bytes -= bytes;
        self.totals.kinds[TASKS].fetch_sub(bytes, Ordering::Relaxed);
    }

    pub(crate) fn clear(&mut self) {
        self.sub(self.bytes);
    }
}

impl Drop for TaskAccount {
    fn drop(&mut self) {
        self.clear();
    }
}
