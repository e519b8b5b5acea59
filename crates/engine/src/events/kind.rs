//! The kinds of events: what each says, its name in traces, and its fields for whoever writes them down.
//!
//! Who adds a kind adds it to each `match` here and in `describe`, and to `metrics::record`; traces take it from there.

use std::time::Duration;

use abi::tier::Tier;
use wasm::decode::error::DecodeError;
use wasm::decode::stream::Decoded;

use super::steps::{CodeGcStep, StreamStep};

/// How the making of a module was asked for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum CompileMethod {
    /// By a call that returns the module.
    #[default]
    Sync,
    /// By a call that returns at once; the work is done by the pool.
    Async,
    /// Byte by byte, while the bytes arrive.
    Streaming,
}

impl CompileMethod {
    /// Every method.
    pub const ALL: [CompileMethod; 3] = [CompileMethod::Sync, CompileMethod::Async, CompileMethod::Streaming];

    /// A word for traces and metrics.
    pub fn name(self) -> &'static str {
        match self {
            CompileMethod::Sync => "sync",
            CompileMethod::Async => "async",
            CompileMethod::Streaming => "streaming",
        }
    }
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
    /// Nothing: who asked makes the module, and whoever wants it meanwhile waits. (A stream tells of its prefix instead.)
    Miss,
}

impl CacheOutcome {
    /// A word for traces and metrics.
    pub fn name(self) -> &'static str {
        match self {
            CacheOutcome::Hit => "hit",
            CacheOutcome::Wait => "wait",
            CacheOutcome::Conflict => "conflict",
            CacheOutcome::Miss => "miss",
        }
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

impl Cause {
    /// A few words for traces and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Cause::FirstCall => "first call",
            Cause::Request => "request",
            Cause::TierUp => "tier-up",
        }
    }
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

impl Outcome {
    /// A few words for traces.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Done { .. } => "done",
            Outcome::Invalid => "invalid",
            Outcome::OverBudget => "over budget",
            Outcome::Failed => "failed",
        }
    }
}

/// What happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum EventKind {
    /// Span: the sections of a module were decoded (V8's `WasmModuleDecoded`). Of a stream, from its first byte to its last.
    Decode {
        /// On whose behalf.
        method: CompileMethod,
        /// Bytes of the module.
        bytes: usize,
        /// Functions that it defines; 0 if decoding failed.
        functions: usize,
        /// Processor time; nothing while nobody listens.
        cpu: Duration,
        /// Nothing was wrong with it.
        success: bool,
    },
    /// Span: the bodies of a module were validated.
    Validate {
        /// Bytes of code.
        bytes: usize,
        /// Threads that took part.
        threads: usize,
        /// Processor time of all of them; nothing while nobody listens.
        cpu: Duration,
    },
    /// Span: a module was made from bytes, or found in the cache (V8's `WasmModuleCompiled`); spans of its decoding,
    /// validation and eager compilation lie within.
    Module {
        /// How it was asked for.
        method: CompileMethod,
        /// It was found in the module cache.
        cached: bool,
        /// Its functions are compiled when they are called.
        lazy: bool,
        /// There is a module.
        success: bool,
        /// Bytes of the module.
        bytes: usize,
        /// Functions that it defines.
        functions: usize,
        /// Bytes of machine code that it has now.
        code_bytes: usize,
        /// Of a stream: the time since its last byte.
        finish: Option<Duration>,
    },
    /// Mark: a module was asked for. The event's module is the one that is there, or that is made now, if there is one.
    Cache {
        /// What there was.
        outcome: CacheOutcome,
    },
    /// Mark: a stream met the module cache, or ended early. The event's module is what the stream was to become.
    Stream {
        /// What became of it.
        step: StreamStep,
    },
    /// Span: an instance was made, all but the call of its start function (V8's `WasmModuleInstantiated`).
    Instantiate {
        /// Functions that the module imports.
        imported_functions: usize,
        /// There is an instance.
        success: bool,
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
    /// Mark: better code has replaced this code; it is freed when no stack holds it.
    Retire {
        /// Index of the function.
        function: u32,
        /// The tier of the code that was replaced.
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
        /// Bytes of machine code that it had.
        code_bytes: usize,
    },
    /// Span: code that nothing leads to any more was looked for on all stacks, and freed: from the first question to the
    /// last answer. Of no module in particular, on the thread that brought the last answer.
    CodeGc {
        /// Its number among those of the engine, from 1.
        collection: u64,
        /// Bytes of machine code that nothing led to when it began.
        candidate_bytes: usize,
        /// Code objects freed.
        freed: usize,
        /// Bytes of machine code of those.
        freed_bytes: usize,
        /// What they took of the code memory that all code objects took, in percent.
        freed_percent: u32,
    },
    /// Mark: a step of such a collection before it frees anything. (Where the system has no barrier for the threads of a
    /// process nothing follows its beginning, as nothing can be freed.)
    CodeGcStep {
        /// The number of the collection.
        collection: u64,
        /// What was done.
        step: CodeGcStep,
    },
    /// Mark: a store was made, that of the event.
    StoreMade,
    /// Mark: a store was dropped, that of the event, and all it had is gone.
    StoreDropped,
    /// Mark: the last handle to a module is gone, and its code goes. On whichever thread that was.
    ModuleDropped,
    /// Span: the last handle to the engine is gone: tasks that had not begun were dropped, those that ran have ended. Modules
    /// may live on.
    EngineDropped {
        /// Tasks that had not begun.
        dropped: usize,
        /// Tasks that ran.
        awaited: usize,
    },
}

/// The value of a field of an event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FieldValue {
    /// A count, a number of bytes, an index or an offset.
    Number(u64),
    /// A word.
    Text(&'static str),
    /// Yes or no.
    Flag(bool),
    /// A time.
    Time(Duration),
}

impl From<usize> for FieldValue {
    fn from(value: usize) -> FieldValue {
        FieldValue::Number(value as u64)
    }
}

impl From<u32> for FieldValue {
    fn from(value: u32) -> FieldValue {
        FieldValue::Number(value.into())
    }
}

impl From<bool> for FieldValue {
    fn from(value: bool) -> FieldValue {
        FieldValue::Flag(value)
    }
}

impl From<&'static str> for FieldValue {
    fn from(value: &'static str) -> FieldValue {
        FieldValue::Text(value)
    }
}

impl From<Duration> for FieldValue {
    fn from(value: Duration) -> FieldValue {
        FieldValue::Time(value)
    }
}

impl EventKind {
    /// The sections of a module of so many bytes were decoded.
    pub(crate) fn decoded(
        method: CompileMethod,
        bytes: usize,
        cpu: Duration,
        result: &Result<Decoded, DecodeError>,
    ) -> EventKind {
        let functions = result.as_ref().map_or(0, |decoded| decoded.info.bodies.len());
        EventKind::Decode { method, bytes, functions, cpu, success: result.is_ok() }
    }

    /// A name for traces, close to the one that V8 gives the same thing.
    pub fn name(&self) -> &'static str {
        match self {
            EventKind::Decode { .. } => "wasm.Decode",
            EventKind::Validate { .. } => "wasm.Validate",
            EventKind::Module { method: CompileMethod::Sync, .. } => "wasm.SyncCompile",
            EventKind::Module { method: CompileMethod::Async, .. } => "wasm.AsyncCompile",
            EventKind::Module { method: CompileMethod::Streaming, .. } => "wasm.StreamingCompile",
            EventKind::Cache { outcome: CacheOutcome::Hit } => "wasm.CacheHit",
            EventKind::Cache { outcome: CacheOutcome::Wait } => "wasm.CacheWait",
            EventKind::Cache { outcome: CacheOutcome::Conflict } => "wasm.CacheConflict",
            EventKind::Cache { outcome: CacheOutcome::Miss } => "wasm.CacheMiss",
            EventKind::Stream { step: StreamStep::Own } => "wasm.StreamOwn",
            EventKind::Stream { step: StreamStep::Collect } => "wasm.StreamCollect",
            EventKind::Stream { step: StreamStep::Abort } => "wasm.StreamAbort",
            EventKind::Instantiate { .. } => "wasm.SyncInstantiate",
            EventKind::Compile { osr: Some(_), .. } => "wasm.CompileOsr",
            EventKind::Compile { cause: Cause::FirstCall, tier: Tier::Baseline, .. } => "wasm.CompileLazy",
            EventKind::Compile { tier: Tier::Baseline, .. } => "wasm.CompileBaseline",
            EventKind::Compile { tier: Tier::Optimizing, .. } => "wasm.CompileTopTier",
            EventKind::TierUp { osr: None, .. } => "wasm.TriggerTierUp",
            EventKind::TierUp { osr: Some(_), .. } => "wasm.TriggerOsr",
            EventKind::Publish { .. } => "wasm.Publish",
            EventKind::Retire { .. } => "wasm.Retire",
            EventKind::OsrEnter { .. } => "wasm.OsrEnter",
            EventKind::Flush { .. } => "wasm.FlushCode",
            EventKind::CodeGc { .. } => "wasm.CodeGC",
            EventKind::CodeGcStep { step: CodeGcStep::Begin { .. }, .. } => "wasm.CodeGCBegin",
            EventKind::CodeGcStep { step: CodeGcStep::Answer(_), .. } => "wasm.CodeGCAnswer",
            EventKind::CodeGcStep { step: CodeGcStep::Wait { .. }, .. } => "wasm.CodeGCWait",
            EventKind::CodeGcStep { step: CodeGcStep::Remember, .. } => "wasm.CodeGCRemember",
            EventKind::StoreMade => "wasm.StoreMade",
            EventKind::StoreDropped => "wasm.StoreDropped",
            EventKind::ModuleDropped => "wasm.ModuleDropped",
            EventKind::EngineDropped { .. } => "wasm.EngineDropped",
        }
    }

    /// Does it take time by its nature? Else it is a mark.
    pub fn is_span(&self) -> bool {
        match self {
            EventKind::Decode { .. }
            | EventKind::Validate { .. }
            | EventKind::Module { .. }
            | EventKind::Instantiate { .. }
            | EventKind::Compile { .. }
            | EventKind::CodeGc { .. }
            | EventKind::EngineDropped { .. } => true,
            EventKind::Cache { .. }
            | EventKind::Stream { .. }
            | EventKind::TierUp { .. }
            | EventKind::Publish { .. }
            | EventKind::Retire { .. }
            | EventKind::OsrEnter { .. }
            | EventKind::Flush { .. }
            | EventKind::CodeGcStep { .. }
            | EventKind::StoreMade
            | EventKind::StoreDropped
            | EventKind::ModuleDropped => false,
        }
    }

    /// The index of the function that it is about, if it is about one.
    pub fn function(&self) -> Option<u32> {
        match *self {
            EventKind::Compile { function, .. }
            | EventKind::TierUp { function, .. }
            | EventKind::Publish { function, .. }
            | EventKind::Retire { function, .. }
            | EventKind::OsrEnter { function, .. }
            | EventKind::Flush { function, .. } => Some(function),
            EventKind::Decode { .. }
            | EventKind::Validate { .. }
            | EventKind::Module { .. }
            | EventKind::Cache { .. }
            | EventKind::Stream { .. }
            | EventKind::Instantiate { .. }
            | EventKind::CodeGc { .. }
            | EventKind::CodeGcStep { .. }
            | EventKind::StoreMade
            | EventKind::StoreDropped
            | EventKind::ModuleDropped
            | EventKind::EngineDropped { .. } => None,
        }
    }

    /// Calls `each` with the name and value of every field that has one, but for the function's index.
    pub fn each_field(&self, mut each: impl FnMut(&'static str, FieldValue)) {
        let mut osr_offset = None;
        match *self {
            EventKind::Decode { method, bytes, functions, cpu, success } => {
                each("cpu_us", cpu.into());
                each("method", method.name().into());
                each("bytes", bytes.into());
                each("functions", functions.into());
                each("success", success.into());
            }
            EventKind::Validate { bytes, threads, cpu } => {
                each("cpu_us", cpu.into());
                each("bytes", bytes.into());
                each("threads", threads.into());
            }
            EventKind::Module { method, cached, lazy, success, bytes, functions, code_bytes, finish } => {
                each("method", method.name().into());
                each("cached", cached.into());
                each("lazy", lazy.into());
                each("success", success.into());
                each("bytes", bytes.into());
                each("functions", functions.into());
                each("code_bytes", code_bytes.into());
                if let Some(finish) = finish {
                    each("finish_us", finish.into());
                }
            }
            EventKind::Cache { outcome } => each("outcome", outcome.name().into()),
            EventKind::Stream { step } => each("step", step.name().into()),
            EventKind::Instantiate { imported_functions, success } => {
                each("imported_functions", imported_functions.into());
                each("success", success.into());
            }
            EventKind::Compile { tier, osr, cause, wasm_bytes, cpu, outcome, .. } => {
                osr_offset = osr;
                each("tier", tier.name().into());
                each("cause", cause.name().into());
                each("wasm_bytes", wasm_bytes.into());
                each("cpu_us", cpu.into());
                each("outcome", outcome.name().into());
                if let Outcome::Done { code_bytes } = outcome {
                    each("code_bytes", code_bytes.into());
                }
            }
            EventKind::TierUp { osr, priority, .. } => {
                osr_offset = osr;
                each("priority", priority.into());
            }
            EventKind::Publish { tier, osr, .. } | EventKind::Retire { tier, osr, .. } => {
                osr_offset = osr;
                each("tier", tier.name().into());
            }
            EventKind::OsrEnter { offset, .. } => osr_offset = Some(offset),
            EventKind::Flush { code_bytes, .. } => each("code_bytes", code_bytes.into()),
            EventKind::StoreMade | EventKind::StoreDropped | EventKind::ModuleDropped => {}
            EventKind::CodeGcStep { collection, step } => {
                each("collection", FieldValue::Number(collection));
                step.each_field(&mut each);
            }
            EventKind::EngineDropped { dropped, awaited } => {
                each("dropped", dropped.into());
                each("awaited", awaited.into());
            }
            EventKind::CodeGc { collection, candidate_bytes, freed, freed_bytes, freed_percent } => {
                each("collection", FieldValue::Number(collection));
                each("candidate_bytes", candidate_bytes.into());
                each("freed", freed.into());
                each("freed_bytes", freed_bytes.into());
                each("freed_percent", freed_percent.into());
            }
        }
        if let Some(offset) = osr_offset {
            each("osr_offset", offset.into());
        }
    }
}
