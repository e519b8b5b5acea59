//! `--trace`: the engine's events in the Trace Event Format, which `ui.perfetto.dev` and `chrome://tracing` draw. Names are
//! close to V8's.
//!
//! One event is one line, written as soon as it is made, so that a trace of any length takes no memory of its own. All text
//! goes through the JSON writer, names of functions included, which may hold anything.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use upshift::{Cause, Event, EventKind, Outcome, Tier};

use crate::recording::Recorded;

/// The process in the trace; there is only one.
const PROCESS: u32 = 1;

/// Writes the trace.
///
/// # Errors
/// When `out` does not take it.
pub(crate) fn write(out: &mut impl Write, recorded: &Recorded<'_>) -> io::Result<()> {
    let about = json!({
        "program": recorded.title,
        "options": recorded.options,
        "engine": concat!("upshift ", env!("CARGO_PKG_VERSION")),
        "lost_events": recorded.lost,
    });
    write!(out, "{{\"displayTimeUnit\":\"ms\",\"otherData\":{about},\"traceEvents\":[")?;
    let mut list = List { out, first: true };
    list.add(&json!({ "ph": "M", "name": "process_name", "pid": PROCESS, "args": { "name": recorded.title } }))?;
    let mut threads: BTreeSet<u32> = recorded.events.iter().map(|event| event.thread).collect();
    threads.insert(recorded.main_thread);
    for thread in threads {
        let name = if thread == recorded.main_thread { "main".to_string() } else { format!("worker {thread}") };
        let order = if thread == recorded.main_thread { 0 } else { thread };
        list.add(
            &json!({ "ph": "M", "name": "thread_name", "pid": PROCESS, "tid": thread, "args": { "name": name } }),
        )?;
        list.add(&json!({
            "ph": "M", "name": "thread_sort_index", "pid": PROCESS, "tid": thread, "args": { "sort_index": order },
        }))?;
    }
    for span in recorded.spans {
        let (start, end) = (recorded.microseconds(span.start), recorded.microseconds(span.end));
        list.add(&json!({
            "ph": "X", "name": span.name, "cat": "wasm", "pid": PROCESS, "tid": recorded.main_thread,
            "ts": start, "dur": end - start,
        }))?;
    }
    let mut code = CodeBytes::default();
    for event in recorded.events {
        list.add(&entry(recorded, event))?;
        if code.count(event) {
            list.add(&json!({
                "ph": "C", "name": "wasm.CodeBytesMade", "pid": PROCESS, "ts": recorded.microseconds(event.end),
                "args": { "baseline": code.baseline, "optimizing": code.optimizing },
            }))?;
        }
    }
    list.out.write_all(b"\n]}\n")
}

/// A list of JSON values, each on a line of its own.
struct List<'a, W> {
    out: &'a mut W,
    first: bool,
}

impl<W: Write> List<'_, W> {
    fn add(&mut self, value: &Value) -> io::Result<()> {
        self.out.write_all(if self.first { b"\n" } else { b",\n" })?;
        self.first = false;
        serde_json::to_writer(&mut *self.out, value).map_err(io::Error::from)
    }
}

/// Machine code made so far.
#[derive(Default)]
struct CodeBytes {
    baseline: usize,
    optimizing: usize,
}

impl CodeBytes {
    /// Counts an event, and says whether it changed anything.
    fn count(&mut self, event: &Event) -> bool {
        let EventKind::Compile { tier, outcome: Outcome::Done { code_bytes }, .. } = event.kind else { return false };
        match tier {
            Tier::Baseline => self.baseline += code_bytes,
            Tier::Optimizing => self.optimizing += code_bytes,
        }
        true
    }
}

/// An event: a span (`X`) if it took time by its nature, else a mark (`i`) of its thread.
fn entry(recorded: &Recorded<'_>, event: &Event) -> Value {
    let at = |instant: Instant| recorded.microseconds(instant);
    let mut entry = json!({
        "name": event.kind.name(), "cat": "wasm", "pid": PROCESS, "tid": event.thread,
        "ts": at(event.start), "args": args(recorded, &event.kind),
    });
    if is_span(&event.kind) {
        entry["ph"] = json!("X");
        entry["dur"] = json!(at(event.end) - at(event.start));
    } else {
        entry["ph"] = json!("i");
        entry["s"] = json!("t");
    }
    entry
}

fn is_span(kind: &EventKind) -> bool {
    match kind {
        EventKind::Decode { .. }
        | EventKind::Validate { .. }
        | EventKind::Module { .. }
        | EventKind::Compile { .. }
        | EventKind::CodeGc { .. } => true,
        EventKind::Cache { .. }
        | EventKind::TierUp { .. }
        | EventKind::Publish { .. }
        | EventKind::OsrEnter { .. }
        | EventKind::Flush { .. } => false,
    }
}

fn args(recorded: &Recorded<'_>, kind: &EventKind) -> Value {
    let of = |function: u32, rest: Value| {
        let name = recorded.function(function).and_then(|info| info.name);
        let mut all = json!({ "index": function });
        if let Some(name) = name {
            all["function"] = json!(name);
        }
        if let (Value::Object(all), Value::Object(rest)) = (&mut all, rest) {
            all.extend(rest.into_iter().filter(|(_, value)| !value.is_null()));
        }
        all
    };
    match *kind {
        EventKind::Cache { .. } => json!({}),
        EventKind::Decode { bytes, .. } | EventKind::Module { bytes } => json!({ "bytes": bytes }),
        EventKind::Validate { bytes, threads, .. } => json!({ "bytes": bytes, "threads": threads }),
        EventKind::Compile { function, tier, osr, cause, wasm_bytes, cpu, outcome } => {
            let (outcome, code_bytes) = describe(outcome);
            let rest = json!({
                "tier": tier.name(), "osr_offset": osr, "cause": why(cause), "wasm_bytes": wasm_bytes,
                "cpu_us": microseconds(cpu), "outcome": outcome, "code_bytes": code_bytes,
            });
            of(function, rest)
        }
        EventKind::TierUp { function, osr, priority } => {
            of(function, json!({ "osr_offset": osr, "priority": priority }))
        }
        EventKind::Publish { function, tier, osr } => of(function, json!({ "tier": tier.name(), "osr_offset": osr })),
        EventKind::OsrEnter { function, offset } => of(function, json!({ "osr_offset": offset })),
        EventKind::Flush { function } => of(function, json!({})),
        EventKind::CodeGc { candidate_bytes, freed, freed_bytes } => {
            json!({ "candidate_bytes": candidate_bytes, "freed": freed, "freed_bytes": freed_bytes })
        }
    }
}

fn microseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn why(cause: Cause) -> &'static str {
    match cause {
        Cause::FirstCall => "first call",
        Cause::Request => "request",
        Cause::TierUp => "tier-up",
    }
}

fn describe(outcome: Outcome) -> (&'static str, Option<usize>) {
    match outcome {
        Outcome::Done { code_bytes } => ("done", Some(code_bytes)),
        Outcome::Invalid => ("invalid", None),
        Outcome::OverBudget => ("over budget", None),
        Outcome::Failed => ("failed", None),
    }
}

#[cfg(test)]
mod tests;
