//! What an engine tells about its work while it does it: who compiled which function when, by which tier and why; and the
//! marks between, such as a tier-up asked for or an OSR entry taken.
//!
//! Nothing is measured, and no event is made, unless somebody listens (`Config::listener`): then all an event costs is a
//! clock reading or two and the listener's own work.

use std::collections::VecDeque;
use std::fmt::Debug;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use abi::tier::Tier;
use sys::process::thread_cpu_time;

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

/// Why a function was compiled.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Cause {
    /// It was called and had no code.
    FirstCall,
    /// The whole module was to be compiled, or this function was asked for.
    Request,
    /// It had spent its budget.
    TierUp,
}

/// How a compilation ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Outcome {
    /// There is code of this many bytes.
    Done {
        /// Bytes of machine code.
        code_bytes: usize,
    },
    /// The function's body is not valid.
    Invalid,
    /// It would have taken more than the job's budget.
    OverBudget,
    /// A limit of the compiler or of memory stood in the way.
    Failed,
}

/// What the module cache had for somebody who wanted a module.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum CacheOutcome {
    /// The module.
    Hit,
    /// Somebody who was making it.
    Wait,
    /// The same module, made by somebody else while this one was made, which is dropped.
    Conflict,
}

/// What happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EventKind {
    /// Mark: a module was asked for, and did not have to be made, or need not have been. The module is the one that is
    /// there, if one is.
    Cache {
        /// What there was.
        outcome: CacheOutcome,
    },
    /// Span: a module was decoded. Of a stream, from its first byte to its end.
    Decode {
        /// Bytes of the module.
        bytes: usize,
        /// Processor time.
        cpu: Duration,
    },
    /// Span: the bodies of a module were validated.
    Validate {
        /// Bytes of code.
        bytes: usize,
        /// Threads that took part.
        threads: usize,
        /// Processor time of all of them.
        cpu: Duration,
    },
    /// Span: a module was made from bytes; spans of its decoding, validation and eager compilation lie within.
    Module {
        /// Bytes of the module.
        bytes: usize,
    },
    /// Span: a function was compiled.
    Compile {
        /// Index of the function in its module, where imports come first.
        function: u32,
        /// The tier of the code.
        tier: Tier,
        /// The offset in the module of the loop that the code starts in, if it is an OSR entry.
        osr: Option<u32>,
        /// Why.
        cause: Cause,
        /// Bytes of the function's body.
        wasm_bytes: usize,
        /// Processor time of the thread.
        cpu: Duration,
        /// How it ended.
        outcome: Outcome,
    },
    /// Mark: a function has spent its budget, and an optimizing job was queued.
    TierUp {
        /// Index of the function.
        function: u32,
        /// The loop that an OSR entry was asked for, if it was.
        osr: Option<u32>,
        /// How often it had spent a budget.
        priority: u32,
    },
    /// Mark: calls of a function run in this tier from now on.
    Publish {
        /// Index of the function.
        function: u32,
        /// The tier.
        tier: Tier,
        /// The loop, if it is an OSR entry.
        osr: Option<u32>,
    },
    /// Mark: a running call of baseline code went on in an OSR entry.
    OsrEnter {
        /// Index of the function.
        function: u32,
        /// The offset in the module of the loop.
        offset: u32,
    },
    /// Mark: a function lost its code, and will be compiled again at its next call.
    Flush {
        /// Index of the function.
        function: u32,
    },
    /// Span: code that nothing leads to any more was looked for on all stacks, and freed: from the first question to the
    /// last answer. Of no module in particular, on the thread that brought the last answer.
    CodeGc {
        /// Bytes of machine code that nothing led to when it began.
        candidate_bytes: usize,
        /// Code objects freed.
        freed: usize,
        /// Bytes of machine code of those.
        freed_bytes: usize,
    },
}

impl EventKind {
    /// A name for traces, close to the one that V8 gives the same thing.
    pub fn name(&self) -> &'static str {
        match self {
            EventKind::Cache { outcome: CacheOutcome::Hit } => "wasm.CacheHit",
            EventKind::Cache { outcome: CacheOutcome::Wait } => "wasm.CacheWait",
            EventKind::Cache { outcome: CacheOutcome::Conflict } => "wasm.CacheConflict",
            EventKind::Decode { .. } => "wasm.Decode",
            EventKind::Validate { .. } => "wasm.Validate",
            EventKind::Module { .. } => "wasm.SyncCompile",
            EventKind::Compile { osr: Some(_), .. } => "wasm.CompileOsr",
            EventKind::Compile { cause: Cause::FirstCall, tier: Tier::Baseline, .. } => "wasm.CompileLazy",
            EventKind::Compile { tier: Tier::Baseline, .. } => "wasm.CompileBaseline",
            EventKind::Compile { tier: Tier::Optimizing, .. } => "wasm.CompileTopTier",
            EventKind::TierUp { osr: None, .. } => "wasm.TriggerTierUp",
            EventKind::TierUp { osr: Some(_), .. } => "wasm.TriggerOsr",
            EventKind::Publish { .. } => "wasm.Publish",
            EventKind::OsrEnter { .. } => "wasm.OsrEnter",
            EventKind::Flush { .. } => "wasm.FlushCode",
            EventKind::CodeGc { .. } => "wasm.CodeGC",
        }
    }
}

/// Something that happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Event {
    /// The module that it is about, if it is about one.
    pub module: Option<ModuleNumber>,
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

/// Who is told of events, on the thread where they happen and at once after. Must not use the engine that it hears of.
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

/// Where events go: to the listener, if there is one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Events {
    listener: Option<Arc<dyn Listener>>,
}

/// The start of a span; nothing while nobody listens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Started(Option<Instant>);

impl Events {
    pub(crate) fn new(listener: Option<Arc<dyn Listener>>) -> Events {
        Events { listener }
    }

    /// A span begins.
    pub(crate) fn start(&self) -> Started {
        Started(self.listener.as_ref().map(|_| Instant::now()))
    }

    /// Processor time of this thread so far; nothing while nobody listens.
    pub(crate) fn thread_time(&self) -> Duration {
        self.listener.as_ref().map_or(Duration::ZERO, |_| thread_cpu_time())
    }

    /// A span ends.
    pub(crate) fn end(&self, started: Started, module: Option<ModuleNumber>, kind: impl FnOnce() -> EventKind) {
        if let (Some(listener), Started(Some(start))) = (&self.listener, started) {
            listener.event(&Event { module, start, end: Instant::now(), thread: thread_number(), kind: kind() });
        }
    }

    /// Something happened that takes no time.
    pub(crate) fn mark(&self, module: Option<ModuleNumber>, kind: EventKind) {
        if let Some(listener) = &self.listener {
            let now = Instant::now();
            listener.event(&Event { module, start: now, end: now, thread: thread_number(), kind });
        }
    }
}

/// A listener that keeps the newest events.
#[derive(Debug)]
pub struct EventLog {
    capacity: usize,
    state: Mutex<Log>,
}

#[derive(Debug, Default)]
struct Log {
    events: VecDeque<Event>,
    lost: u64,
}

impl EventLog {
    /// A log of at most `capacity` events; older ones are dropped, and counted.
    pub fn new(capacity: usize) -> EventLog {
        EventLog { capacity, state: Mutex::default() }
    }

    /// Takes the events out, oldest first (by the time they ended).
    pub fn take(&self) -> Vec<Event> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.events.drain(..).collect()
    }

    /// Events that were dropped for want of room.
    pub fn lost(&self) -> u64 {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).lost
    }
}

impl Listener for EventLog {
    fn event(&self, event: &Event) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.events.len() >= self.capacity {
            state.events.pop_front();
            state.lost += 1;
        }
        if self.capacity > 0 {
            state.events.push_back(*event);
        }
    }
}
