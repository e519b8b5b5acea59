//! Code GC: freeing code that nothing leads to any more, however many stores there are and whatever they do.
//!
//! 1. Code is *retired* by `NativeModule::publish`, when better code takes its place, by [`flush`], which leads functions back
//!    to their lazy stubs, and, if it is a stub, when its last handle goes. It is in no slot from then on, but frames may
//!    still run it: it is *potentially dead*.
//! 2. When enough has been retired since the last collection ([`collect_if_worth_it`]), when there is more code than
//!    there may be ([`ceiling`]), or when somebody asks ([`collect_now`]), a collection begins. [`protocol`] tells how there is
//!    one at a time, [`collector`] what it does to code and stores: take note of what is retired, ask every store which code
//!    its stacks hold, and free the rest when the last has answered.
//! 3. Stores that run are interrupted, and answer at their next safepoint. So a collection may outlast the call that began
//!    it; what it frees is then freed by the thread that brought the last answer.
//!
//! Where a thread may have an address of code that no frame shows, and why that code is not freed meanwhile:
//! - *Loaded from a slot* (by compiled code, a tail call, the host's call): the thread has been in Wasm by its own word since
//!   before the load, so it is asked itself, and answers at its next safepoint: in the prologue of that code at the earliest.
//! - *In a prologue*: the signal handler takes the frame down, and the code is pinned until the slot has been read again. An
//!   OSR entry, which has no slot, is entered as it is, and no safepoint comes before its frame. Functions without a check in
//!   their prologue call nothing: at the next safepoint they are in a loop, with a frame, or have returned.
//! - *From a hook*: hooks take addresses after everything that may begin a collection or answer one, and hand them to
//!   trampolines that jump to them. What the hook was called from has a frame (a loop), or none and is not returned to (an
//!   entry that has spent its budget, a lazy stub).
//! - *From a fault*: the handler looks up the code of the instruction in its own thread, which is in Wasm. Backtraces hold
//!   modules, not code.
//! - *In a job*: who makes or publishes code holds the object. What inlines looks at bodies and counts; there are no
//!   addresses in code.
//! - *Stubs*: an entry stub has a frame, and the store that holds its address holds the stub. The frame of an exit stub is not
//!   walked; the store holds the host function, and that the stub, until the store has died.
//! - *In a suspended stack*: return addresses, and these are walked, under a lock that the thread needs to come back to Wasm. A
//!   store dies under that lock too, before anything that it holds goes.
//!
//! `runtime::interrupt` tells what holds at each kind of safepoint, `runtime::requests` why a request is not missed.
//!
//! A thread that compiles, or does something else that may take long, holds no code pointer meanwhile and says so
//! (`Running::away`): others answer for it.
//!
//! For tests there is a collection at every occasion ([`collect_if_worth_it`]) and at safepoints (`Hooks::safepoint`).
//!
//! Invariant: a hook gets no code pointer before it may begin a collection, or be away, and uses it after.
//! Accepted: other builtins and hooks are no safepoints; they take microseconds, but for a listener of the embedder's.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use code::native_module::NativeModule;
use runtime::stores::Running;
use wasm::types::DefinedFuncIndex;

use crate::events::EventKind;
use crate::service::{Service, count};
use crate::{attachment, tuning};

pub(crate) mod ceiling;
mod collector;
mod flush;
mod protocol;
#[cfg(test)]
mod tests;

use collector::{Candidates, Collector};
use protocol::{Collections, Number};

/// The state of an engine's code GC.
#[derive(Debug, Default)]
pub(crate) struct CodeGc {
    collections: Collections<Candidates>,
    /// `CodeSpace::ever_retired` when the newest collection took note of what is retired.
    noted: AtomicU64,
    /// Stores that were asked and answered later, from threads of their own.
    interrupted: AtomicU64,
    freed: AtomicU64,
    freed_bytes: AtomicU64,
}

/// What code GC has done so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CodeGcStatistics {
    /// Collections that freed what they could.
    pub collections: u64,
    /// Requests that found a collection under way; however many of those there were during one, one followed it.
    pub remembered: u64,
    /// Stores that were running and had to be interrupted, each time.
    pub interrupted: u64,
    /// Code objects freed before their module.
    pub freed: u64,
    /// Bytes of machine code of those.
    pub freed_bytes: u64,
}

impl CodeGc {
    pub(crate) fn statistics(&self) -> CodeGcStatistics {
        let protocol = self.collections.statistics();
        CodeGcStatistics {
            collections: protocol.completed,
            remembered: protocol.remembered,
            interrupted: self.interrupted.load(Ordering::Relaxed),
            freed: self.freed.load(Ordering::Relaxed),
            freed_bytes: self.freed_bytes.load(Ordering::Relaxed),
        }
    }

    /// Bytes of machine code that were retired since a collection last took note, and are there still, as far as is known.
    fn retired_since(&self, service: &Service) -> usize {
        let space = &service.space;
        let since = space.ever_retired().saturating_sub(self.noted.load(Ordering::Relaxed));
        // Some of it may have gone since, with its module.
        space.retired_bytes().min(usize::try_from(since).unwrap_or(usize::MAX))
    }

    /// Is a collection under way?
    fn is_under_way(&self) -> bool {
        self.collections.under_way().is_some()
    }
}

/// Sees to it that there is a collection if enough code has been retired since the last one; with `code_gc_stress` always.
/// `running`: the store whose hook this thread runs, if it does.
pub(crate) fn collect_if_worth_it(service: &Arc<Service>, running: Option<&Running>) {
    if service.config.code_gc_stress || is_worth_it(service) {
        service.code_gc.collections.request(&Collector { service, running });
    }
}

fn is_worth_it(service: &Service) -> bool {
    service.code_gc.retired_since(service) > tuning::GC_MINIMUM + service.space.code_bytes() / tuning::GC_SHARE
}

/// Frees what can be freed, and waits a little for stores that run elsewhere to answer. Gives the bytes of machine code that
/// were freed meanwhile. A collection that takes longer goes on without the caller.
pub(crate) fn collect_now(service: &Arc<Service>, running: Option<&Running>) -> usize {
    let gc = &service.code_gc;
    let before = gc.freed_bytes.load(Ordering::Relaxed);
    let number = gc.collections.request(&Collector { service, running });
    wait(gc, running, number);
    let freed = gc.freed_bytes.load(Ordering::Relaxed).saturating_sub(before);
    usize::try_from(freed).unwrap_or(usize::MAX)
}

/// Waits for a collection, but not for long. A hook is no safepoint, so while it waits it answers for its store: another one
/// may be waiting for it.
fn wait(gc: &CodeGc, running: Option<&Running>, number: Number) {
    let start = Instant::now();
    while let Some(left) = tuning::GC_WAIT.checked_sub(start.elapsed()) {
        running.inspect(|running| running.answer());
        let step = if running.is_some() { left.min(tuning::GC_WAIT_STEP) } else { left };
        if gc.collections.wait(number, step) {
            return;
        }
    }
}

/// Takes a module's functions back to their lazy stubs, and frees what can be freed.
pub(crate) fn flush_module(service: &Arc<Service>, module: &Arc<NativeModule>) {
    flush::flush(service, module, |_| true);
    collect_now(service, None);
}

/// Takes all functions of the baseline tier back to their lazy stubs, and frees what can be freed: their code is quickly
/// made again. Gives the bytes of machine code freed.
pub(crate) fn flush_baseline(service: &Arc<Service>) -> usize {
    flush::baseline(service);
    collect_now(service, None)
}

/// Tells of functions that lost their code.
fn tell(service: &Service, module: &NativeModule, flushed: &[(DefinedFuncIndex, usize)]) {
    let attachment = attachment::of(module);
    count([&attachment.counts.flushed, &service.counts.flushed], flushed.len() as u64);
    for &(function, code_bytes) in flushed {
        let function = module.info().func_index(function).0;
        service.events.mark(Some(attachment.number), EventKind::Flush { function, code_bytes });
    }
}
