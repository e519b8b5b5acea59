//! A subscriber hears of spans and of events within them, and nothing of it needs one.

use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use super::*;
use crate::events::Events;

/// Writes down what it hears of the target `upshift`.
#[derive(Clone)]
struct Heard {
    thread: ThreadId,
    lines: Arc<Mutex<Vec<String>>>,
    spans: Arc<AtomicU64>,
}

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() != "took_us" {
            self.0 += &format!(" {}={value:?}", field.name());
        }
    }
}

impl Heard {
    /// Takes a line of the test's own thread; other tests are heard as well.
    fn add(&self, line: String) {
        if thread::current().id() == self.thread {
            self.lines.lock().unwrap().push(line);
        }
    }
}

impl Subscriber for Heard {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "upshift"
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut fields = Fields(String::new());
        span.record(&mut fields);
        self.add(format!("{} {}{}", span.metadata().level(), span.metadata().name(), fields.0));
        let ours = thread::current().id() == self.thread;
        Id::from_u64(if ours { self.spans.fetch_add(1, Ordering::Relaxed) + 1 } else { u64::MAX })
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields(String::new());
        event.record(&mut fields);
        self.add(format!("{}{}", event.metadata().level(), fields.0));
    }

    fn enter(&self, span: &Id) {
        self.add(format!("enter {}", span.into_u64()));
    }

    fn exit(&self, span: &Id) {
        self.add(format!("exit {}", span.into_u64()));
    }
}

#[test]
fn a_subscriber_hears_spans_and_what_came_of_them() {
    let heard = Heard { thread: thread::current().id(), lines: Arc::default(), spans: Arc::default() };
    let (events, number) = (Events::default(), ModuleNumber(7));
    let work = || {
        let _module = module(CompileMethod::Async, number, 100);
        let span = compile(number, 3, (Tier::Baseline, None), Cause::FirstCall);
        events.mark(Some(number), EventKind::Publish { function: 3, tier: Tier::Baseline, osr: None });
        drop(span);
        let started = events.start();
        events.end(started, None, || EventKind::CodeGc {
            collection: 1,
            candidate_bytes: 64,
            freed: 1,
            freed_bytes: 64,
        });
    };
    // For the whole process: `tracing` asks who wants to hear of a place in the code when it is first reached, and that may
    // be by another test, on whose thread nobody would.
    tracing::subscriber::set_global_default(heard.clone()).expect("no other test does this");
    work();
    let expected = [
        "INFO wasm.AsyncCompile module=7 bytes=100",
        "enter 1",
        "DEBUG wasm.CompileLazy module=7 function=3 tier=\"baseline\"",
        "enter 2",
        "TRACE message=publish baseline f3 name=\"wasm.Publish\" module=7",
        "exit 2",
        "DEBUG message=code GC 1: free 1 objects name=\"wasm.CodeGC\"",
        "exit 1",
    ];
    assert_eq!(*heard.lines.lock().unwrap(), expected);
}
