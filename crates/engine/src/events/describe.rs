//! An event in one short line that is the same in every run that does the same: no times, no addresses, no sizes of code,
//! no numbers of threads or modules. Timelines that tests compare are made of such lines (`tests/timeline.rs`).

use std::fmt;

use super::kind::{CacheOutcome, Cause, CompileMethod, EventKind, Outcome};
use super::steps::{Answer, CodeGcStep, StreamStep};

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            EventKind::Decode { method, functions, success, .. } => {
                write!(f, "decode{}", by(method))?;
                if success { write!(f, ": functions {functions}") } else { f.write_str(": failed") }
            }
            EventKind::Validate { .. } => f.write_str("validate"),
            EventKind::Module { method, cached, success, .. } => match (success, cached) {
                (true, false) => write!(f, "module{} ready", by(method)),
                (true, true) => write!(f, "module{} from the cache", by(method)),
                (false, _) => write!(f, "module{}: failed", by(method)),
            },
            EventKind::Cache { outcome } => f.write_str(match outcome {
                CacheOutcome::Hit => "cache hit",
                CacheOutcome::Wait => "cache wait",
                CacheOutcome::Conflict => "cache conflict",
                CacheOutcome::Miss => "cache miss",
            }),
            EventKind::Stream { step } => f.write_str(match step {
                StreamStep::Own => "stream owns its prefix",
                StreamStep::Collect => "stream collects",
                StreamStep::Abort => "stream aborted",
            }),
            EventKind::Instantiate { imported_functions, success } => {
                f.write_str("instantiate")?;
                if success { write!(f, ": imported functions {imported_functions}") } else { f.write_str(": failed") }
            }
            EventKind::Compile { function, tier, osr, cause, outcome, .. } => {
                match cause {
                    Cause::FirstCall => write!(f, "lazy {}", Place(function, osr))?,
                    Cause::Request | Cause::TierUp => write!(f, "compile {tier} {}", Place(function, osr))?,
                }
                match outcome {
                    Outcome::Done { .. } => Ok(()),
                    Outcome::Invalid | Outcome::OverBudget | Outcome::Failed => write!(f, ": {}", outcome.name()),
                }
            }
            EventKind::TierUp { function, osr, priority } => {
                write!(f, "tier-up {} ({priority})", Place(function, osr))
            }
            EventKind::Publish { function, tier, osr } => write!(f, "publish {tier} {}", Place(function, osr)),
            EventKind::Retire { function, tier, osr } => write!(f, "retire {tier} {}", Place(function, osr)),
            EventKind::OsrEnter { function, offset } => write!(f, "enter {}", Place(function, Some(offset))),
            EventKind::Flush { function, .. } => write!(f, "flush f{function}"),
            EventKind::CodeGc { collection, freed, .. } => write!(f, "code GC {collection}: free {freed} objects"),
            EventKind::CodeGcStep { collection, step } => write!(f, "code GC {collection}: {step}"),
            EventKind::StoreMade => f.write_str("store made"),
            EventKind::StoreDropped => f.write_str("store dropped"),
            EventKind::ModuleDropped => f.write_str("module dropped"),
            EventKind::EngineDropped { dropped, awaited } => {
                write!(f, "engine dropped: tasks dropped {dropped}, waited for {awaited}")
            }
        }
    }
}

impl fmt::Display for CodeGcStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            CodeGcStep::Begin { candidates, .. } => write!(f, "begin, candidates {candidates}"),
            CodeGcStep::Answer(answer) => f.write_str(match answer {
                Answer::Idle => "answered for, idle",
                Answer::InHost => "answered for, in the host",
                Answer::Asking => "answered for, the one that asks",
                Answer::Interrupted => "answers, interrupted",
                Answer::Crossing => "answers, between Wasm and host",
                Answer::Leaving => "answers, leaving Wasm",
                Answer::Waiting => "answers, waiting itself",
                Answer::Dying => "answers, dying",
            }),
            CodeGcStep::Wait { stores } => write!(f, "wait for {stores} stores"),
            CodeGcStep::Remember => f.write_str("one more is wanted"),
        }
    }
}

/// How a module was asked for, where that is worth saying.
fn by(method: CompileMethod) -> &'static str {
    match method {
        CompileMethod::Sync => "",
        CompileMethod::Async => " (async)",
        CompileMethod::Streaming => " (streaming)",
    }
}

/// A function, or the loop in it at this offset of the module.
struct Place(u32, Option<u32>);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place(function, None) => write!(f, "f{function}"),
            Place(function, Some(offset)) => write!(f, "f{function} loop {offset}"),
        }
    }
}
