//! The engine's work as spans and events of the crate `tracing`, for whoever subscribes to it: target `upshift`, names close
//! to V8's. Modules and instances are told at level INFO, the compilation of functions at DEBUG, the marks between at TRACE.
//!
//! A span is entered while the work is done on this thread, so what a listener of the host logs meanwhile lies in it; when
//! the work is done, an event in the span says what came of it.
//!
//! Choice: not a feature. Without a subscriber a span or an event costs a relaxed load and a branch, a few nanoseconds
//! beside the microseconds of the least of them; the crate brings two small ones along and no macros to compile; and there
//! is one configuration fewer to test.

use std::time::Duration;

use abi::tier::Tier;
use tracing::span::EnteredSpan;
use tracing::{Level, Span, debug_span, info_span};

use super::kind::{Cause, CompileMethod, EventKind};
use super::{About, ModuleNumber};

#[cfg(test)]
mod tests;

/// A module is being made.
pub(crate) fn module(method: CompileMethod, number: ModuleNumber, bytes: usize) -> EnteredSpan {
    macro_rules! named {
        ($name:literal) => {
            info_span!(target: "upshift", $name, module = number.0, bytes)
        };
    }
    let span: Span = match method {
        CompileMethod::Sync => named!("wasm.SyncCompile"),
        CompileMethod::Async => named!("wasm.AsyncCompile"),
        CompileMethod::Streaming => named!("wasm.StreamingCompile"),
    };
    span.entered()
}

/// An instance is being made.
pub(crate) fn instantiate(number: ModuleNumber) -> EnteredSpan {
    info_span!(target: "upshift", "wasm.SyncInstantiate", module = number.0).entered()
}

/// A function is being compiled.
pub(crate) fn compile(
    number: ModuleNumber,
    function: u32,
    (tier, osr): (Tier, Option<u32>),
    cause: Cause,
) -> EnteredSpan {
    macro_rules! named {
        ($name:literal) => {
            debug_span!(target: "upshift", $name, module = number.0, function, tier = tier.name())
        };
    }
    let span: Span = match (tier, osr, cause) {
        (_, Some(_), _) => named!("wasm.CompileOsr"),
        (Tier::Baseline, None, Cause::FirstCall) => named!("wasm.CompileLazy"),
        (Tier::Baseline, None, Cause::Request | Cause::TierUp) => named!("wasm.CompileBaseline"),
        (Tier::Optimizing, None, _) => named!("wasm.CompileTopTier"),
    };
    span.entered()
}

/// Tells what came of it.
pub(super) fn event(about: About, kind: &EventKind, took: Duration) {
    macro_rules! at {
        ($level:expr) => {
            tracing::event!(
                target: "upshift",
                $level,
                name = kind.name(),
                module = about.module.map(|number| number.0),
                store = about.store.map(|number| number.0),
                took_us = kind.is_span().then(|| u64::try_from(took.as_micros()).unwrap_or(u64::MAX)),
                "{kind}"
            )
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
