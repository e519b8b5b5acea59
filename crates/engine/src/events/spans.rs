//! The engine's work as spans and events of the crate `tracing`, for whoever subscribes to it: target `upshift`, names close
//! to V8's. Modules and instances are told at level INFO, the compilation of functions at DEBUG, the marks between at TRACE.
//!
//! 1. A span is made when work begins, with what is known of it ([`module`] and its siblings), and is part of the work's
//!    `Started`.
//! 2. It is entered on every thread while that does a part of the work, so what is told meanwhile, by a listener of the host
//!    too, lies in it. A stream is in its spans only while bytes are worked on, not while it waits for them.
//! 3. At the end its figures are recorded ([`close`]) under the names that the event's fields have, and an event in the
//!    span says what came of it ([`event`]).
//!
//! Choice: not a feature. Without a subscriber a span or an event costs a relaxed load and a branch, a few nanoseconds
//! beside the microseconds of the least of them; the crate brings two small ones along and no macros to compile; and there
//! is one configuration fewer to test.

use std::time::Duration;

use abi::tier::Tier;
use tracing::field::Empty;
use tracing::{Level, Span, debug_span, info_span};

use super::kind::{Cause, CompileMethod, EventKind, FieldValue};
use super::{About, ModuleNumber};

#[cfg(test)]
mod tests;

/// Fields of events that spans have from their start.
const KNOWN: [&str; 4] = ["method", "tier", "cause", "osr_offset"];

/// A module is being made; which one may become known later ([`of`]).
pub(crate) fn module(method: CompileMethod, number: Option<ModuleNumber>) -> Span {
    macro_rules! named {
        ($name:literal) => {
            info_span!(
                target: "upshift", $name, module = number.map(|number| number.0),
                bytes = Empty, functions = Empty, code_bytes = Empty, lazy = Empty, cached = Empty, success = Empty,
                finish_us = Empty,
            )
        };
    }
    match method {
        CompileMethod::Sync => named!("wasm.SyncCompile"),
        CompileMethod::Async => named!("wasm.AsyncCompile"),
        CompileMethod::Streaming => named!("wasm.StreamingCompile"),
    }
}

/// Says which module a span is about.
pub(crate) fn of(span: &Span, number: ModuleNumber) {
    span.record("module", number.0);
}

/// The sections of a module are being decoded.
pub(crate) fn decode(method: CompileMethod, number: ModuleNumber) -> Span {
    debug_span!(
        target: "upshift", "wasm.Decode", module = number.0, method = method.name(),
        bytes = Empty, functions = Empty, cpu_us = Empty, success = Empty,
    )
}

/// The bodies of a module are being validated.
pub(crate) fn validate(number: ModuleNumber) -> Span {
    debug_span!(
        target: "upshift", "wasm.Validate", module = number.0, bytes = Empty, threads = Empty, cpu_us = Empty,
    )
}

/// An instance is being made.
pub(crate) fn instantiate(number: ModuleNumber) -> Span {
    info_span!(
        target: "upshift", "wasm.SyncInstantiate", module = number.0, imported_functions = Empty, success = Empty,
    )
}

/// A function is being compiled.
pub(crate) fn compile(number: ModuleNumber, function: u32, (tier, osr): (Tier, Option<u32>), cause: Cause) -> Span {
    macro_rules! named {
        ($name:literal) => {
            debug_span!(
                target: "upshift", $name, module = number.0, function, tier = tier.name(), cause = cause.name(),
                osr_offset = osr, wasm_bytes = Empty, code_bytes = Empty, cpu_us = Empty, outcome = Empty,
            )
        };
    }
    match (tier, osr, cause) {
        (_, Some(_), _) => named!("wasm.CompileOsr"),
        (Tier::Baseline, None, Cause::FirstCall) => named!("wasm.CompileLazy"),
        (Tier::Baseline, None, Cause::Request | Cause::TierUp) => named!("wasm.CompileBaseline"),
        (Tier::Optimizing, None, _) => named!("wasm.CompileTopTier"),
    }
}

/// Code that nothing leads to is being looked for, and freed.
pub(crate) fn collect_code() -> Span {
    debug_span!(
        target: "upshift", "wasm.CodeGC", collection = Empty, candidate_bytes = Empty, freed = Empty, freed_bytes = Empty, freed_percent = Empty,
    )
}

/// The last handle to an engine has gone, and its tasks end.
pub(crate) fn drop_engine() -> Span {
    debug_span!(target: "upshift", "wasm.EngineDropped", dropped = Empty, awaited = Empty)
}

/// Records what came of the work.
pub(super) fn close(span: &Span, kind: &EventKind) {
    if span.is_disabled() {
        return;
    }
    kind.each_field(|name, value| {
        if !KNOWN.contains(&name) {
            match value {
                FieldValue::Number(number) => span.record(name, number),
                FieldValue::Text(text) => span.record(name, text),
                FieldValue::Flag(flag) => span.record(name, flag),
                FieldValue::Time(time) => span.record(name, microseconds(time)),
            };
        }
    });
}

/// Tells what happened, in the span of the work if there is one, else in whatever span this thread is.
pub(super) fn event(span: &Span, about: About, kind: &EventKind, took: Duration) {
    macro_rules! event {
        ($level:expr $(, parent: $parent:expr)?) => {
            tracing::event!(
                target: "upshift",
                $(parent: $parent,)?
                $level,
                name = kind.name(),
                module = about.module.map(|number| number.0),
                store = about.store.map(|number| number.0),
                took_us = kind.is_span().then(|| microseconds(took)),
                "{kind}"
            )
        };
    }
    macro_rules! at {
        ($level:expr) => {
            if span.is_disabled() { event!($level) } else { event!($level, parent: span) }
        };
    }
    match kind {
        EventKind::Module { .. } | EventKind::Instantiate { .. } => at!(Level::INFO),
        EventKind::Decode { .. }
        | EventKind::Validate { .. }
        | EventKind::Cache { .. }
        | EventKind::Stream { .. }
        | EventKind::Compile { .. }
        | EventKind::TierUp { .. }
        | EventKind::CodeGc { .. }
        | EventKind::EngineDropped { .. } => at!(Level::DEBUG),
        EventKind::Publish { .. }
        | EventKind::Retire { .. }
        | EventKind::OsrEnter { .. }
        | EventKind::Flush { .. }
        | EventKind::CodeGcStep { .. }
        | EventKind::StoreMade
        | EventKind::StoreDropped
        | EventKind::ModuleDropped => at!(Level::TRACE),
    }
}

fn microseconds(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
