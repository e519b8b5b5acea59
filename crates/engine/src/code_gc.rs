//! Code GC: freeing code that nothing leads to any more, and keeping code below the ceiling.
//!
//! 1. Code is retired by `NativeModule::publish`, when better code takes its place, and by [`flush`], which leads the
//!    function back to its lazy stub. It is in no slot from then on, but frames may still run it.
//! 2. [`collect`] takes note of what is retired, then asks `runtime::stores` which code stacks hold. If a store other than
//!    the one that asks is running, nothing is known, and the code waits for the next time.
//! 3. What no stack holds is taken from its module and dropped, outside all locks; `CodeSpace` gives the pages back.
//!
//! Who asks: a function that is compiled or has spent its budget ([`collect_if_worth_it`]), a compilation past the ceiling
//! ([`keep_below_ceiling`]), and one that finds code memory full ([`Room`]). Each of them takes pointers to code only after.
//!
//! Accepted: with several stores that are always running, retired code stays, and flushing stops until it can be freed.
//! Rejected: stopping them by the stack limit, which costs every one of them a trip through the runtime for memory that is
//! seldom missed.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::time::Instant;

use abi::tier::Tier;
use code::code::CodeKind;
use code::native_module::NativeModule;
use runtime::stores::Running;
use wasm::types::DefinedFuncIndex;

use crate::events::EventKind;
use crate::service::{Service, count};
use crate::{attachment, tuning};

mod flush;

/// The state of an engine's code GC.
#[derive(Debug, Default)]
pub(crate) struct CodeGc {
    /// Held by the one collection at a time.
    state: Mutex<State>,
    pub(crate) collections: AtomicU64,
    pub(crate) freed: AtomicU64,
    pub(crate) freed_bytes: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    /// After a try in vain: when the next one may be.
    not_before: Option<Instant>,
}

impl CodeGc {
    /// Could the last collection free nothing, because other stores were running?
    fn was_in_vain(&self) -> bool {
        match self.state.try_lock() {
            Ok(state) => state.not_before.is_some(),
            Err(TryLockError::Poisoned(state)) => state.into_inner().not_before.is_some(),
            // One is under way.
            Err(TryLockError::WouldBlock) => false,
        }
    }
}

/// Collects if there is enough to free, and the last try was not in vain just now.
pub(crate) fn collect_if_worth_it(service: &Service, running: Option<&Running>) {
    let retired = service.space.retired_bytes();
    if retired > tuning::GC_MINIMUM + service.space.code_bytes() / tuning::GC_SHARE {
        collect(service, running, false);
    }
}

/// Frees what can be freed now. Gives the bytes of machine code freed. Unless it is `urgent`, it leaves the work to a
/// collection that is under way, and waits a little after one that could not free anything.
pub(crate) fn collect(service: &Service, running: Option<&Running>, urgent: bool) -> usize {
    let mut state = match service.code_gc.state.try_lock() {
        Ok(state) => state,
        Err(TryLockError::Poisoned(state)) => state.into_inner(),
        Err(TryLockError::WouldBlock) if urgent => service.code_gc.state.lock().unwrap_or_else(PoisonError::into_inner),
        Err(TryLockError::WouldBlock) => return 0,
    };
    if !urgent && state.not_before.is_some_and(|time| Instant::now() < time) {
        return 0;
    }
    let started = service.events.start();
    let candidates: Vec<_> = service
        .registry
        .modules()
        .into_iter()
        .filter(|module| module.retired_bytes() > 0)
        .map(|module| (module.retired(), module))
        .collect();
    // Without a barrier of the kernel nothing is ever known.
    let Ok(Some(live)) = service.stores.live_code(running) else {
        state.not_before = Some(Instant::now() + tuning::GC_PAUSE);
        return 0;
    };
    state.not_before = None;
    let mut garbage = Vec::new();
    for (candidates, module) in &candidates {
        garbage.extend(module.take_retired(candidates, &live));
    }
    let (freed, freed_bytes) = (garbage.len(), garbage.iter().map(|code| code.len()).sum());
    drop(state);
    service.registry.code_freed(&garbage);
    drop(garbage);
    drop(candidates);
    service.code_gc.collections.fetch_add(1, Ordering::Relaxed);
    service.code_gc.freed.fetch_add(freed as u64, Ordering::Relaxed);
    service.code_gc.freed_bytes.fetch_add(freed_bytes as u64, Ordering::Relaxed);
    service.events.end(started, None, || EventKind::CodeGc { freed, freed_bytes });
    freed_bytes
}

/// Flushes and frees if there is more code than the configuration wants, before more is made.
pub(crate) fn keep_below_ceiling(service: &Service, running: Option<&Running>) {
    let Some(ceiling) = service.config.max_code_bytes else { return };
    let space = &service.space;
    if space.code_bytes() <= ceiling {
        return;
    }
    let in_use = || space.code_bytes().saturating_sub(space.retired_bytes());
    // What was flushed and cannot be freed, as other stores run, takes as much memory as before: flushing more of it would
    // only make more.
    let is_stuck = space.retired_bytes() > ceiling && service.code_gc.was_in_vain();
    if in_use() > ceiling && !is_stuck {
        let target = ceiling / 4 * 3;
        flush::coldest(service, in_use() - target);
        if in_use() > ceiling {
            flush::everything(service, |kind| matches!(kind, CodeKind::Function { osr: Some(_), .. }));
        }
        if in_use() > ceiling {
            flush::everything(service, |kind| matches!(kind, CodeKind::Function { tier: Tier::Optimizing, .. }));
        }
    }
    collect(service, running, false);
}

/// Is there room below the ceiling for code that could be done without?
pub(crate) fn below_ceiling(service: &Service) -> bool {
    let space = &service.space;
    service
        .config
        .max_code_bytes
        .is_none_or(|ceiling| space.code_bytes().saturating_sub(space.retired_bytes()) <= ceiling)
}

/// The tries of one compilation to make room in full code memory.
#[derive(Debug, Default)]
pub(crate) struct Room {
    tries: u32,
}

impl Room {
    /// Makes room, by harsher means each time. False when there are no more.
    pub(crate) fn make(&mut self, service: &Service, running: Option<&Running>) -> bool {
        self.tries += 1;
        match self.tries {
            1 => {}
            2 => flush::coldest(service, service.space.size() / 4),
            3 => flush::everything(service, |_| true),
            _ => return false,
        }
        collect(service, running, true);
        true
    }
}

/// Takes a module's functions back to their lazy stubs, and frees what can be freed.
pub(crate) fn flush_module(service: &Service, module: &Arc<NativeModule>) {
    flush::flush(service, module, |_| true);
    collect(service, None, true);
}

/// Tells of functions that lost their code.
fn tell(service: &Service, module: &NativeModule, flushed: &[DefinedFuncIndex]) {
    let attachment = attachment::of(module);
    count([&attachment.counts.flushed, &service.counts.flushed], flushed.len() as u64);
    for &function in flushed {
        let function = module.info().func_index(function).0;
        service.events.mark(Some(attachment.number), EventKind::Flush { function });
    }
}
