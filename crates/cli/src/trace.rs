//! `--trace`: the engine's events in the Trace Event Format, which `ui.perfetto.dev` and `chrome://tracing` draw. Names are
//! close to V8's.
//!
//! One event is one line, written as soon as it is made, so that a trace of any length takes no memory of its own. All text
//! goes through the JSON writer, names of functions included, which may hold anything.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::time::Instant;

use serde_json::{Map, Value, json};
use upshift::{Event, EventKind, FieldValue, Outcome, Tier};

use crate::recorded::Recorded;

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
        "ts": at(event.start), "args": args(recorded, event),
    });
    if event.kind.is_span() {
        entry["ph"] = json!("X");
        entry["dur"] = json!(at(event.end) - at(event.start));
    } else {
        entry["ph"] = json!("i");
        entry["s"] = json!("t");
    }
    entry
}

fn args(recorded: &Recorded<'_>, event: &Event) -> Value {
    let mut args = Map::new();
    args.extend(event.store.map(|store| ("store".into(), json!(store.0))));
    if let Some(function) = event.kind.function() {
        args.insert("index".into(), json!(function));
        let name = recorded.function(function).and_then(|info| info.name);
        args.extend(name.map(|name| ("function".into(), json!(name))));
    }
    event.kind.each_field(|name, value| {
        let value = match value {
            FieldValue::Number(number) => json!(number),
            FieldValue::Text(text) => json!(text),
            FieldValue::Flag(flag) => json!(flag),
            FieldValue::Time(time) => json!(time.as_secs_f64() * 1e6),
        };
        args.insert(name.into(), value);
    });
    args.into()
}

#[cfg(test)]
mod tests;
