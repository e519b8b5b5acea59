//! What others want of the thread that a store runs on: how they ask, and how neither a request nor an answer gets lost.
//!
//! Problem: a thread that calls in and out of Wasm every few nanoseconds must be found wherever it is, and pays for that
//! with no atomic instruction and no lock, but in the rare case that somebody asks.
//!
//! 1. A store's thread says where it is in the word `in_wasm`, at each of four transitions: into Wasm and out of it, by a
//!    call and its return or by a host function's return and its call. After each it looks at the word `interrupt`
//!    ([`Words::arrive`], [`Words::depart`], [`Words::pending`]). Only if that is not zero it takes the lock.
//! 2. Who asks takes the lock, sets a bit in `interrupt`, and later passes a memory barrier on behalf of all threads
//!    ([`Open::ask`] or [`Open::raise`]). After the barrier, either it sees the thread's last transition, or the thread
//!    sees the bit at that transition.
//! 3. Then, under the lock, it looks where the thread is ([`Open::settle`]). In the host: what is asked can be answered on
//!    its behalf, for it cannot get past its next transition while the lock is held. In Wasm: the thread will answer. So that
//!    it does so soon, the stack limit is raised, which stops it at the next prologue; loops look at `interrupt`.
//! 4. The thread takes all requests at once, clears their bits and restores the limit, under the lock ([`Open::take`]).
//!
//! A termination is for the calls that are under way. A call has begun once it is at its entry, where it may run tasks in the
//! host for long before it is on the list of activations; so it says so under the lock meanwhile ([`Open::begin`],
//! [`Open::begun`]). Who finds the thread in the host, with no activation and no call at its entry, takes the bit back
//! ([`Open::withdraw`]); otherwise it stays until the outermost call has returned.
//!
//! Invariant, under the lock: `interrupt` has the bit [`REPORT`] if reports are asked for, or are being answered here.
//! Invariant: the stack limit is raised only under the lock and while some bit is set; who clears the last bit restores it. A
//! thread that sets the limit itself, as it enters Wasm, looks at `interrupt` afterwards.
//! Invariant: what a stack holds, and the list of activations, changes only while `in_wasm` is 1.

use crate::sync::{AtomicU32, AtomicU64, AtomicUsize, Mutex, MutexGuard, Ordering, PoisonError, order_accesses};

/// Say which code is on the stacks.
pub(crate) const REPORT: u64 = 1;
/// Run the foreground tasks.
pub(crate) const POLL: u64 = 2;
/// End what runs; stays until it has ended.
pub(crate) const TERMINATE: u64 = 4;
/// Offer the next safepoint to the engine.
pub(crate) const OFFER: u64 = 8;
/// Run the foreground tasks that wait for the end of all Wasm. Running code does not see it.
pub(crate) const IDLE: u64 = 1 << 32;
/// Offer safepoints to the engine; stays for good. Running code does not see it.
pub(crate) const OFFER_ALL: u64 = 1 << 33;

/// What running code sees.
pub(crate) const URGENT: u64 = u32::MAX as u64;
/// What the thread sees as it goes from Wasm to the host, or back to Wasm that runs already.
pub(crate) const AT_BORDER: u64 = URGENT | OFFER_ALL;

/// A stack limit that no frame is above, even with its size added.
pub(crate) const RAISED_LIMIT: usize = isize::MAX as usize;

/// The words that a store's thread and others share.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Words<'a> {
    pub(crate) in_wasm: &'a AtomicU32,
    pub(crate) interrupt: &'a AtomicU64,
    pub(crate) stack_limit: &'a AtomicUsize,
}

impl Words<'_> {
    /// The thread goes into Wasm. It changes nothing that others may look at before it has seen [`Words::pending`] to be
    /// zero, or has had the lock. Gives where it was, for [`Words::depart`].
    #[inline(always)]
    pub(crate) fn arrive(&self) -> u32 {
        let outer = self.in_wasm.load(Ordering::Relaxed);
        self.in_wasm.store(1, Ordering::Relaxed);
        outer
    }

    /// The thread goes to where it was, or into the host (0).
    #[inline(always)]
    pub(crate) fn depart(&self, outer: u32) {
        self.in_wasm.store(outer, Ordering::Release);
    }

    /// What is asked, after a transition.
    #[inline(always)]
    pub(crate) fn pending(&self) -> u64 {
        order_accesses();
        self.interrupt.load(Ordering::Acquire)
    }
}

/// Tells the reports of one request from those of another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Ticket(pub(crate) u64);

/// The requests to one store.
#[derive(Debug)]
pub(crate) struct Requests<R> {
    state: Mutex<State<R>>,
}

#[derive(Debug)]
struct State<R> {
    /// The reports asked for.
    asked: Vec<(Ticket, R)>,
    /// Calls that are at their entry: more than one if a task there calls.
    entering: u32,
    /// The store is gone, and its words with it.
    closed: bool,
}

/// The requests to a store that lives as long as this does.
pub(crate) struct Open<'a, R>(MutexGuard<'a, State<R>>);

impl<R> Requests<R> {
    pub(crate) fn new() -> Requests<R> {
        Requests { state: Mutex::new(State { asked: Vec::new(), entering: 0, closed: false }) }
    }

    /// None if the store is gone.
    pub(crate) fn open(&self) -> Option<Open<'_, R>> {
        let state = self.lock();
        (!state.closed).then_some(Open(state))
    }

    /// The store dies: gives what nobody has answered. There is nothing more to ask from then on.
    pub(crate) fn close(&self) -> Vec<(Ticket, R)> {
        let mut state = self.lock();
        state.closed = true;
        std::mem::take(&mut state.asked)
    }

    fn lock(&self) -> MutexGuard<'_, State<R>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<R> Open<'_, R> {
    /// Asks for a report. The barrier, and [`Open::settle`], must follow.
    pub(crate) fn ask(&mut self, words: Words<'_>, ticket: Ticket, request: R) {
        self.0.asked.push((ticket, request));
        words.interrupt.fetch_or(REPORT, Ordering::Relaxed);
    }

    /// After the barrier: has it answered here if the thread is in the host, or if this is `ours`, the store's own thread.
    /// Otherwise sees to it that running code notices. False if the thread answers, or has.
    pub(crate) fn settle(&mut self, words: Words<'_>, ticket: Ticket, ours: bool, answer: impl FnOnce(R)) -> bool {
        let Some(at) = self.0.asked.iter().position(|(asked, _)| *asked == ticket) else { return false };
        if !ours && self.stop(words) {
            return false;
        }
        let (_, request) = self.0.asked.swap_remove(at);
        answer(request);
        // Not before: it is what keeps the thread out of Wasm.
        if self.0.asked.is_empty() {
            words.interrupt.fetch_and(!REPORT, Ordering::Release);
        }
        true
    }

    /// Sets a bit. False if it was set already: whoever set it has seen, or will see, to the rest. Otherwise the barrier, and
    /// [`Open::stop`], must follow.
    pub(crate) fn raise(&mut self, words: Words<'_>, bit: u64) -> bool {
        words.interrupt.fetch_or(bit, Ordering::Relaxed) & bit == 0
    }

    /// After the barrier: sees to it that running code notices. False if none runs.
    pub(crate) fn stop(&mut self, words: Words<'_>) -> bool {
        let runs = words.in_wasm.load(Ordering::Acquire) != 0;
        if runs {
            words.stack_limit.store(RAISED_LIMIT, Ordering::Relaxed);
        }
        runs
    }

    /// After the barrier: takes [`TERMINATE`] back if no call is under way. `runs` is what [`Open::stop`] gave, `active`
    /// whether there is an activation.
    pub(crate) fn withdraw(&mut self, words: Words<'_>, runs: bool, active: bool) {
        // A call that is just beginning may find the bit or not: it began before this, or after.
        if !runs && !active && self.0.entering == 0 {
            words.interrupt.fetch_and(!TERMINATE, Ordering::Relaxed);
        }
    }

    /// The thread, which is in Wasm by its word, begins a call, and may run tasks in the host before it has an activation.
    pub(crate) fn begin(&mut self) {
        self.0.entering += 1;
    }

    /// The thread, which is in Wasm by its word again, has got over the entry of a call.
    pub(crate) fn begun(&mut self) {
        self.0.entering -= 1;
    }

    /// The thread takes the reports it is asked for, and of the other bits those in `bits`, which are cleared; [`TERMINATE`]
    /// not while a call is at its entry. Gives all that were set. `limit` is the stack limit when nothing interrupts.
    pub(crate) fn take(&mut self, words: Words<'_>, bits: u64, limit: usize) -> (u64, Vec<(Ticket, R)>) {
        let bits = if self.0.entering == 0 { bits } else { bits & !TERMINATE };
        let set = words.interrupt.fetch_and(!(bits | REPORT), Ordering::Relaxed);
        words.stack_limit.store(limit, Ordering::Relaxed);
        (set, std::mem::take(&mut self.0.asked))
    }
}
