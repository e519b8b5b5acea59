//! The stores of an engine, and which code their stacks hold: what must be known before code is freed.
//!
//! Problem: code that better code has replaced may still be on a stack, or in a register of a thread that is just about to
//! call it. Asking every thread at every call costs the fast path; not asking keeps dead code for ever.
//!
//! 1. Who wants to free code first takes it out of every slot (`NativeModule::retire`, `publish`): from then on no *new*
//!    load of a slot finds it.
//! 2. [`Stores::request_reports`] asks every store, then passes a memory barrier on behalf of all threads
//!    ([`crate::requests`] tells how neither side can miss the other).
//! 3. A store that is idle, has called a host function, or is [away](Running::away), is answered for at once, by the thread
//!    that asks: it walks the store's frames while the lock keeps the store's thread out of Wasm. So is the store whose hook
//!    it runs in.
//! 4. A store whose thread is in Wasm is interrupted, and answers for itself at its next safepoint ([`crate::interrupt`]), or
//!    when it leaves Wasm. A store that dies answers that it holds nothing.
//!
//! A store that is made after step 2 takes the registry's lock first, and so sees the new slots.
//!
//! Invariant: a hook gets no code pointer before it frees code and uses it after.
//! Invariant: no lock of this file or of the requests is held when [`LiveCode`] is called.

use std::collections::HashSet;
use std::fmt;
use std::io;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use abi::layout::StoreContext;
use code::space::CodeSpace;
use sys::code_memory::synchronize_threads;

use crate::frames;
use crate::host_call::in_host;
use crate::ids::StoreId;
use crate::interrupt;
use crate::requests::{Open, Requests, TERMINATE, Ticket, Words};
use crate::usage::Totals;

#[cfg(test)]
mod tests;

/// By whom, and when, the stacks of a store were looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    /// By who asked: no Wasm of the store was active.
    Idle,
    /// By who asked: the store was in a host function, or away.
    InHost,
    /// By who asked, in a hook of the store.
    Asking,
    /// By its own thread, in a prologue or a loop.
    Interrupted,
    /// By its own thread, as it began a call, or called a host function or came back from one.
    Crossing,
    /// By its own thread, as a call returned.
    Leaving,
    /// By its own thread, in a hook that waits.
    Waiting,
    /// As it died.
    Dying,
}

/// Receives the addresses of the code objects (`code::code::Code`) that a store's stacks hold.
pub trait LiveCode: Send + Sync {
    /// A store was looked at; its report follows, on this thread. Called with no lock held; must not panic.
    fn answered(&self, store: StoreId, answer: Answer) {
        let _ = (store, answer);
    }

    /// One store's, or those of several. Called with no lock held, on any thread; must not panic.
    fn report(&self, live: &HashSet<usize>);
}

/// The store whose Wasm called a hook on this thread.
#[derive(Debug)]
pub struct Running {
    context: *mut StoreContext,
}

impl Running {
    /// # Safety
    /// `context` is that of a pinned store that runs on this thread and has been left through a trampoline; both hold as
    /// long as the result lives.
    pub(crate) unsafe fn new(context: *mut StoreContext) -> Running {
        Running { context }
    }

    /// Answers who wants to know what code the store's stacks hold. A hook is no safepoint; one that waits for others does
    /// this now and then, as they may wait for it. It must hold no code pointer.
    pub fn answer(&self) {
        // SAFETY: promised by who made it: the thread is in a trampoline of the store, where its frames can be walked.
        unsafe { interrupt::answer(self.context, Answer::Waiting) };
    }

    /// Does what takes long, such as compiling: meanwhile others answer for the store, as if it had called the host. The work,
    /// and the hook while it does it, must hold no code pointer.
    pub fn away<R>(&self, work: impl FnOnce() -> R) -> R {
        // SAFETY: as above; a hook has no code pointer when it begins to compile.
        unsafe { in_host(self.context, work) }
    }
}

/// What others have of a store: how to ask its thread for something.
pub(crate) struct Registered {
    id: StoreId,
    /// Good as long as the requests are open.
    context: *mut StoreContext,
    /// Where its code lies.
    space: Arc<CodeSpace>,
    requests: Requests<Arc<dyn LiveCode>>,
    /// In the registry.
    place: usize,
}

// SAFETY: the context is used while the requests are open and locked: its atomic fields by any thread, the rest only when
// the store's thread cannot change it.
unsafe impl Send for Registered {}
// SAFETY: as above.
unsafe impl Sync for Registered {}

impl fmt::Debug for Registered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registered").field("place", &self.place).finish_non_exhaustive()
    }
}

/// The words of a context.
///
/// # Safety
/// The context lives during `'a`.
#[inline(always)]
pub(crate) unsafe fn words<'a>(context: *mut StoreContext) -> Words<'a> {
    // SAFETY: promised by the caller; these fields are atomic.
    unsafe {
        Words { in_wasm: &(*context).in_wasm, interrupt: &(*context).interrupt, stack_limit: &(*context).stack_limit }
    }
}

/// The requests of a store that lives, locked, and the words of its context.
struct Door<'a> {
    open: Open<'a, Arc<dyn LiveCode>>,
    words: Words<'a>,
}

impl Registered {
    /// None if the store is gone.
    fn door(&self) -> Option<Door<'_>> {
        let open = self.requests.open()?;
        // SAFETY: the store closes its requests, under their lock, before the context goes.
        Some(Door { open, words: unsafe { words(self.context) } })
    }

    /// Sets a bit in the store's `interrupt`, and sees to it that running code notices soon.
    pub(crate) fn interrupt(&self, bit: u64) {
        let Some(mut door) = self.door() else { return };
        if !door.open.raise(door.words, bit) {
            return;
        }
        // Without a barrier the thread may miss the raised limit, and only finds the bit at a loop or a transition.
        let _ = synchronize_threads();
        let runs = door.open.stop(door.words);
        if bit == TERMINATE {
            // SAFETY: the store lives as long as its door is open, and all threads access `entry` by atomics (`call`).
            let entry = unsafe { AtomicPtr::from_ptr(&raw mut (*self.context).entry) };
            door.open.withdraw(door.words, runs, !entry.load(Ordering::Relaxed).is_null());
        }
    }

    /// The store's thread does what it has to at the entry of a call, which counts as begun meanwhile. `work` does not panic.
    pub(crate) fn enter<R>(&self, work: impl FnOnce() -> R) -> R {
        if let Some(mut door) = self.door() {
            door.open.begin();
        }
        let result = work();
        if let Some(mut door) = self.door() {
            door.open.begun();
        }
        result
    }

    /// Sets a bit that running code does not notice.
    pub(crate) fn remember(&self, bit: u64) {
        if let Some(mut door) = self.door() {
            door.open.raise(door.words, bit);
        }
    }

    /// The store's thread is in Wasm, or will be, with something left to do at its next safepoint.
    pub(crate) fn stop_again(&self) {
        if let Some(mut door) = self.door() {
            door.open.stop(door.words);
        }
    }

    /// The store's thread takes its requests: all reports, and of the other bits those in `bits`. Gives the bits that were
    /// set, and whom to report to.
    pub(crate) fn take(&self, bits: u64) -> (u64, Vec<Arc<dyn LiveCode>>) {
        let Some(mut door) = self.door() else { return (0, Vec::new()) };
        // SAFETY: the store lives, and this is its thread.
        let limit = unsafe { (*self.context).true_limit };
        let (set, asked) = door.open.take(door.words, bits, limit);
        (set, asked.into_iter().map(|(_, sink)| sink).collect())
    }

    /// The code on the store's stacks.
    ///
    /// # Safety
    /// This is the store's thread, or that cannot go into Wasm now; the store lives.
    pub(crate) unsafe fn live_code(&self, live: &mut HashSet<usize>) {
        // SAFETY: promised by the caller.
        unsafe { frames::each_code(self.context, &self.space, |code| _ = live.insert(code.as_ptr() as usize)) };
    }

    /// False if the store is gone.
    fn ask(&self, ticket: Ticket, sink: &Arc<dyn LiveCode>) -> bool {
        let Some(mut door) = self.door() else { return false };
        door.open.ask(door.words, ticket, Arc::clone(sink));
        true
    }

    /// After the barrier: adds to `live` what the store holds, if it can be answered for. None if it answers itself, or did
    /// so as it died.
    fn answer(&self, ticket: Ticket, here: Option<&Running>, live: &mut HashSet<usize>) -> Option<Answer> {
        let mut door = self.door()?;
        let ours = here.is_some_and(|running| running.context == self.context);
        // SAFETY: it runs a hook on this thread, or it is in the host and comes back only with the lock, which we hold.
        let settled = door.open.settle(door.words, ticket, ours, |_| unsafe { self.live_code(live) });
        // SAFETY: the store lives as long as its door is open, and all threads access `entry` by atomics (`call`).
        let entry = unsafe { AtomicPtr::from_ptr(&raw mut (*self.context).entry) };
        let answer = match ours {
            true => Answer::Asking,
            false if entry.load(Ordering::Relaxed).is_null() => Answer::Idle,
            false => Answer::InHost,
        };
        settled.then_some(answer)
    }

    /// The store's thread has looked at its stacks for those who asked.
    pub(crate) fn report(&self, asked: &[Arc<dyn LiveCode>], live: &HashSet<usize>, answer: Answer) {
        for sink in asked {
            sink.answered(self.id, answer);
            sink.report(live);
        }
    }
}

#[derive(Debug, Default)]
struct State {
    stores: Vec<Option<Arc<Registered>>>,
    vacant: Vec<usize>,
}

/// The registry of the stores of an engine.
#[derive(Debug, Default)]
pub struct Stores {
    state: Mutex<State>,
    totals: Arc<Totals>,
    tickets: AtomicU64,
}

impl Stores {
    /// # Safety
    /// The context stays where it is until [`Stores::remove`] has returned.
    pub(crate) unsafe fn add(&self, id: StoreId, context: *mut StoreContext, space: Arc<CodeSpace>) -> Arc<Registered> {
        let mut state = self.lock();
        let place = state.vacant.pop().unwrap_or_else(|| {
            state.stores.push(None);
            state.stores.len() - 1
        });
        let registered = Arc::new(Registered { id, context, space, requests: Requests::new(), place });
        state.stores[place] = Some(Arc::clone(&registered));
        registered
    }

    /// The store dies. It answers what it was asked.
    pub(crate) fn remove(&self, registered: &Registered) {
        let mut state = self.lock();
        state.stores[registered.place] = None;
        state.vacant.push(registered.place);
        drop(state);
        let asked: Vec<_> = registered.requests.close().into_iter().map(|(_, sink)| sink).collect();
        registered.report(&asked, &HashSet::new(), Answer::Dying);
    }

    /// What all stores take.
    pub fn totals(&self) -> &Arc<Totals> {
        &self.totals
    }

    /// Number of living stores.
    pub fn len(&self) -> usize {
        let state = self.lock();
        state.stores.len() - state.vacant.len()
    }

    /// Is there no store?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Asks all stores which code their stacks hold. The code in question must be in no slot since before the call.
    ///
    /// Stores that are idle or in a host function, and the one that runs `here`, are answered for on this thread: with exactly
    /// one report for all of them together, before this returns, even if there is none. The result is the number of
    /// stores that run elsewhere; each reports once, on its own thread, soon, or when it dies, which may be before this
    /// returns. So there is one report more than the result says. Code that none of them names can be freed.
    ///
    /// # Errors
    /// When the kernel has no barrier for all threads; nothing can ever be known then, and what is reported means nothing.
    pub fn request_reports(&self, here: Option<&Running>, sink: &Arc<dyn LiveCode>) -> io::Result<usize> {
        let ticket = Ticket(self.tickets.fetch_add(1, Ordering::Relaxed));
        let mut stores: Vec<Arc<Registered>> = self.lock().stores.iter().flatten().cloned().collect();
        // Where there is no barrier nobody is bothered.
        synchronize_threads()?;
        stores.retain(|store| store.ask(ticket, sink));
        synchronize_threads()?;
        let mut live = HashSet::new();
        let mut running = 0;
        for store in &stores {
            match store.answer(ticket, here, &mut live) {
                Some(answer) => sink.answered(store.id, answer),
                None => running += 1,
            }
        }
        sink.report(&live);
        Ok(running)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
