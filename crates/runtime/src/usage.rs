//! What stores take in memory: each store's own account, and the sums of all stores of an engine.
//!
//! 1. A store changes its [`Account`] where it makes or grows something (`Store::tally`). That happens where memory is taken
//!    anyway, never on calls.
//! 2. The account adds the difference to the [`Totals`] of the engine, by relaxed additions: so that whoever asks the engine
//!    need not stop stores that run on other threads.
//! 3. When the store dies, its account takes all of it back.
//!
//! What belongs to several stores or to none, such as functions of the host, has a [`Share`] of a [`Sum`] within it.
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
    /// Functions of the host that were made in the store, what it needs of others, and the host's values behind references;
    /// without what all these own elsewhere.
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
    /// Functions of the host that belong to linkers, and perhaps to stores too.
    linkers: Sum,
}

impl Totals {
    /// What all stores take now.
    pub fn read(&self) -> StoreUsage {
        let [contexts, instances, memories, tables, host, tasks] =
            self.kinds.each_ref().map(|kind| kind.load(Ordering::Relaxed));
        StoreUsage { contexts, instances, memories, tables, host, tasks }
    }
}

impl Totals {
    /// What linkers and their functions of the host take.
    pub fn linkers(&self) -> &Sum {
        &self.linkers
    }
}

/// What all things of one kind take now, in bytes. A handle.
#[derive(Clone, Debug, Default)]
pub struct Sum(Arc<AtomicUsize>);

impl Sum {
    /// The sum.
    pub fn read(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// The share of one thing, which takes so many bytes.
    pub fn share(&self, bytes: usize) -> Share {
        let share = Share { sum: self.clone(), bytes: AtomicUsize::new(0) };
        share.add(bytes);
        share
    }
}

/// What one thing takes of a sum, as long as it lives: it lies within the thing.
#[derive(Debug)]
pub struct Share {
    sum: Sum,
    bytes: AtomicUsize,
}

impl Share {
    /// The thing has grown by so much.
    pub fn add(&self, bytes: usize) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.sum.0.fetch_add(bytes, Ordering::Relaxed);
    }

    /// The thing takes so much now.
    pub fn set(&self, bytes: usize) {
        let old = self.bytes.swap(bytes, Ordering::Relaxed);
        // Wraps, as a difference may be negative; the sum is right.
        self.sum.0.fetch_add(bytes.wrapping_sub(old), Ordering::Relaxed);
    }

    /// What it takes.
    pub fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// A share of the same sum, of something that takes as much.
    pub fn twin(&self) -> Share {
        self.sum.share(self.bytes())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.set(0);
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
