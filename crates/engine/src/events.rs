//! What an engine tells about its work while it does it: who compiled which function when, by which tier and why; and the
//! marks between, such as a tier-up asked for or an OSR entry taken.
//!
//! 1. Who does the work makes an event when it is done: [`Events::start`] and [`Events::end`] around a span,
//!    [`Events::mark`] for what takes no time.
//! 2. Every event is counted in the engine's metrics (`metrics::record`), whether or not anybody listens: so that what is
//!    told and what is counted cannot differ. That costs a clock reading or two and a few relaxed additions; no lock, no
//!    allocation. Nothing that happens on calls of compiled code or of the host is an event.
//! 3. Who subscribes by the crate `tracing` hears of it ([`spans`]).
//! 4. If somebody listens (`Config::listener`), the listener is told, on the thread where it happened.

mod describe;
mod kind;
mod log;
pub(crate) mod spans;
mod steps;

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use runtime::ids::StoreId;
use sys::process::thread_cpu_time;
use tracing::Span;
use tracing::span::Entered;

use crate::foreign;
use crate::metrics::Metrics;

pub use kind::{CacheOutcome, Cause, CompileMethod, EventKind, FieldValue, Outcome};
pub use log::EventLog;
pub use steps::{Answer, CodeGcStep, StreamStep};

#[cfg(test)]
mod tests;

/// Which module an event is about: the number of the module among all of the process, from 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ModuleNumber(pub u64);

impl ModuleNumber {
    pub(crate) fn next() -> ModuleNumber {
        static LAST: AtomicU64 = AtomicU64::new(0);
        ModuleNumber(LAST.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

/// Which store an event is about: the number of the store among all of the process, from 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct StoreNumber(pub u64);

impl From<StoreId> for StoreNumber {
    fn from(id: StoreId) -> StoreNumber {
        StoreNumber(id.get())
    }
}

/// Something that happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Event {
    /// The module that it is about, if it is about one.
    pub module: Option<ModuleNumber>,
    /// The store that it is about, if it is about one.
    pub store: Option<StoreNumber>,
    /// When it began.
    pub start: Instant,
    /// When it ended; of a mark the same as its start.
    pub end: Instant,
    /// The thread that it happened on: a number that no two living threads have in common, counted from 1 in the order of
    /// their first events.
    pub thread: u32,
    /// What.
    pub kind: EventKind,
}

/// Who is told of events, on the thread where they happen and at once after, with no lock of the engine held.
///
/// Must not use the engine that it hears of: neither make or drop modules, instances and stores of it, nor free code, nor
/// wait for a thread that does; what there is to know is in the event. Statistics, metrics and memory usage may be read. It
/// may take its time: then that thread is slow. It should not panic: the panic would end the work that is told of, and come
/// out where that was asked for; of events that tell of a death, or of a step of a collection, it goes no further.
pub trait Listener: Send + Sync + Debug {
    /// Something happened.
    fn event(&self, event: &Event);
}

/// The number of this thread in events.
pub fn thread_number() -> u32 {
    static LAST: AtomicU32 = AtomicU32::new(0);
    thread_local! {
        static NUMBER: u32 = LAST.fetch_add(1, Ordering::Relaxed) + 1;
    }
    NUMBER.try_with(|&number| number).unwrap_or(0)
}

/// Where events go: to the metrics, and to the listener if there is one. A handle.
#[derive(Clone, Debug, Default)]
pub(crate) struct Events {
    listener: Option<Arc<dyn Listener>>,
    metrics: Arc<Metrics>,
}

/// What an event is about.
#[derive(Clone, Copy, Debug)]
struct About {
    module: Option<ModuleNumber>,
    store: Option<StoreNumber>,
}

/// Work that has begun, and is told of when it is done.
#[derive(Debug)]
pub(crate) struct Started {
    at: Instant,
    span: Span,
}

impl Started {
    /// This thread does a part of the work until the guard goes.
    pub(crate) fn enter(&self) -> Entered<'_> {
        self.span.enter()
    }

    /// The work as `tracing` knows it.
    pub(crate) fn span(&self) -> &Span {
        &self.span
    }
}

impl Events {
    pub(crate) fn new(listener: Option<Arc<dyn Listener>>) -> Events {
        Events { listener, metrics: Arc::default() }
    }

    /// What has been counted.
    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Work begins, which is this span for `tracing`.
    pub(crate) fn start(&self, span: Span) -> Started {
        Started { at: Instant::now(), span }
    }

    /// Processor time of this thread so far; nothing while nobody listens.
    pub(crate) fn thread_time(&self) -> Duration {
        self.listener.as_ref().map_or(Duration::ZERO, |_| thread_cpu_time())
    }

    /// Work ends.
    pub(crate) fn end(&self, started: &Started, module: Option<ModuleNumber>, kind: impl FnOnce() -> EventKind) {
        let (start, end, kind) = (started.at, Instant::now(), kind());
        let took = end.saturating_duration_since(start);
        self.metrics.record(&kind, took);
        let about = About { module, store: None };
        spans::close(&started.span, &kind);
        spans::event(&started.span, about, &kind, took);
        self.tell(about, (start, end), kind);
    }

    /// Something happened that takes no time.
    pub(crate) fn mark(&self, module: Option<ModuleNumber>, kind: EventKind) {
        self.mark_about(About { module, store: None }, kind);
    }

    /// Something happened to a store that takes no time.
    pub(crate) fn mark_store(&self, store: StoreId, kind: EventKind) {
        self.mark_about(About { module: None, store: Some(store.into()) }, kind);
    }

    fn mark_about(&self, about: About, kind: EventKind) {
        self.metrics.record(&kind, Duration::ZERO);
        spans::event(&Span::none(), about, &kind, Duration::ZERO);
        if self.listener.is_some() {
            let now = Instant::now();
            self.tell(about, (now, now), kind);
        }
    }

    fn tell(&self, About { module, store }: About, (start, end): (Instant, Instant), kind: EventKind) {
        if let Some(listener) = &self.listener {
            listener.event(&Event { module, store, start, end, thread: thread_number(), kind });
        }
    }
}

/// Tells a listener where a panic of its would do harm: in the drop of something, or in the middle of a protocol. There is
/// nobody to tell of the panic.
pub(crate) fn quietly(tell: impl FnOnce()) {
    foreign::call(tell);
}
