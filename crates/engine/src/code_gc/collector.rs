//! What a collection does to code and stores.

use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};

use code::code::Code;
use code::native_module::NativeModule;
use code::retired::Mark;
use runtime::ids::StoreId;
use runtime::stores::{Answer, LiveCode, Running};

use super::protocol::{Number, World};
use crate::events::{CodeGcStep, EventKind, Started, quietly, spans};
use crate::service::Service;

/// A collection as one thread sees it: the engine, and the store whose hook the thread runs, if it does.
pub(super) struct Collector<'a> {
    pub(super) service: &'a Arc<Service>,
    pub(super) running: Option<&'a Running>,
}

/// What was retired when a collection began.
#[derive(Debug)]
pub(crate) struct Candidates {
    number: Number,
    started: Started,
    /// Modules with retired code, and the moment up to which it was retired. One that goes takes its code along.
    modules: Vec<(Weak<NativeModule>, Mark)>,
    /// The moment up to which entry stubs, and exit stubs, were retired.
    stubs: [Mark; 2],
    /// Bytes of machine code.
    bytes: usize,
}

/// Where stores report to. It does not keep the engine, and is held by stores that have not answered yet.
struct Sink {
    service: Weak<Service>,
    number: Number,
}

impl LiveCode for Sink {
    fn answered(&self, store: StoreId, answer: Answer) {
        if let Some(service) = self.service.upgrade() {
            let kind = step(self.number, CodeGcStep::Answer(answer.into()));
            quietly(|| service.events.mark_store(store, kind));
        }
    }

    fn report(&self, live: &HashSet<usize>) {
        if let Some(service) = self.service.upgrade() {
            let collector = Collector { service: &service, running: None };
            service.code_gc.collections.report(&collector, self.number, live);
        }
    }
}

impl World for Collector<'_> {
    type Candidates = Candidates;

    fn snapshot(&self, number: Number) -> Candidates {
        let service = self.service;
        let started = service.events.start(spans::collect_code());
        let entered = started.enter();
        service.code_gc.noted.store(service.space.ever_retired(), Ordering::Relaxed);
        let mut bytes = service.stubs.caches().map(|cache| cache.retired_bytes()).iter().sum();
        let mut count = service.stubs.caches().map(|cache| cache.statistics().retired).iter().sum();
        let mut modules = Vec::new();
        for module in service.registry.modules() {
            let retired = module.retired_bytes();
            if retired > 0 {
                bytes += retired;
                count += module.retired_count();
                modules.push((Arc::downgrade(&module), module.now()));
            }
        }
        let stubs = service.stubs.caches().map(|cache| cache.now());
        self.tell(number, CodeGcStep::Begin { candidates: count, candidate_bytes: bytes });
        drop(entered);
        Candidates { number, started, modules, stubs, bytes }
    }

    fn ask(&self, number: Number) -> Option<usize> {
        let service = self.service;
        let sink: Arc<dyn LiveCode> = Arc::new(Sink { service: Arc::downgrade(service), number });
        let elsewhere = service.stores.request_reports(self.running, &sink).ok()?;
        service.code_gc.interrupted.fetch_add(elsewhere as u64, Ordering::Relaxed);
        // All that run nowhere, or here, are answered for by one report.
        Some(elsewhere + 1)
    }

    fn waiting(&self, number: Number, reports: usize) {
        self.tell(number, CodeGcStep::Wait { stores: reports });
    }

    fn remembered(&self, number: Number) {
        self.tell(number, CodeGcStep::Remember);
    }

    fn free(&self, candidates: Candidates, live: &HashSet<usize>) {
        let service = self.service;
        let entered = candidates.started.enter();
        let mut garbage: Vec<Arc<Code>> = Vec::new();
        for (module, mark) in &candidates.modules {
            // The handle may be the last one when it is dropped; nothing is locked here.
            if let Some(module) = module.upgrade() {
                garbage.extend(module.take_retired(*mark, live));
            }
        }
        for (cache, mark) in service.stubs.caches().into_iter().zip(candidates.stubs) {
            garbage.extend(cache.take_retired(mark, live));
        }
        let (freed, freed_bytes) = (garbage.len(), garbage.iter().map(|code| code.len()).sum::<usize>());
        let freed_percent = percent(garbage.iter().map(|code| code.footprint()).sum(), service.space.code_bytes());
        quietly(|| service.registry.code_freed(&garbage));
        drop(garbage);
        service.code_gc.freed.fetch_add(freed as u64, Ordering::Relaxed);
        service.code_gc.freed_bytes.fetch_add(freed_bytes as u64, Ordering::Relaxed);
        drop(entered);
        let Candidates { number, started, bytes: candidate_bytes, .. } = candidates;
        let collection = number.get();
        let kind = EventKind::CodeGc { collection, candidate_bytes, freed, freed_bytes, freed_percent };
        quietly(|| service.events.end(&started, None, || kind));
    }
}

/// How much a part is of a whole; of nothing, nothing.
fn percent(part: usize, whole: usize) -> u32 {
    let percent = (part as u128 * 100).checked_div(whole as u128).unwrap_or(0);
    u32::try_from(percent.min(100)).unwrap_or(100)
}

impl Collector<'_> {
    /// Tells of a step. A listener that panics does not keep the collection from ending.
    fn tell(&self, number: Number, what: CodeGcStep) {
        quietly(|| self.service.events.mark(None, step(number, what)));
    }
}

fn step(number: Number, step: CodeGcStep) -> EventKind {
    EventKind::CodeGcStep { collection: number.get(), step }
}
