//! A subscriber hears of spans, of their figures and of events within them, and nothing of it needs one.

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use wasm::compile_imports::CompileTimeImports;

use super::*;
use crate::compile::streaming::StreamingJob;
use crate::config::{Config, Strategy};
use crate::engine::Engine;
use crate::events::Events;

/// Writes down what it hears of the spans that the test's own thread makes, on whichever thread, and of that thread's
/// events. Other tests are heard as well, and left out.
#[derive(Clone)]
struct Heard {
    thread: ThreadId,
    lines: Arc<Mutex<Vec<String>>>,
    /// Handles of each of the test's spans, by its number from 1.
    spans: Arc<Mutex<HashMap<u64, usize>>>,
}

/// The number of everybody else's spans.
const OTHERS: u64 = u64::MAX;

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        match field.name() {
            "took_us" => {}
            // Another one in every run.
            "cpu_us" | "finish_us" | "code_bytes" | "module" => self.0 += &format!(" {}", field.name()),
            name => self.0 += &format!(" {name}={value:?}"),
        }
    }
}

impl Heard {
    fn here(&self) -> bool {
        thread::current().id() == self.thread
    }

    fn add(&self, line: String) {
        self.lines.lock().unwrap().push(line);
    }

    /// Adds a line about a span, if it is one of the test's.
    fn about(&self, span: &Id, what: &str) {
        if span.into_u64() != OTHERS {
            let elsewhere = if self.here() { "" } else { " elsewhere" };
            self.add(format!("{}:{what}{elsewhere}", span.into_u64()));
        }
    }
}

impl Subscriber for Heard {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "upshift"
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        if !self.here() {
            return Id::from_u64(OTHERS);
        }
        let mut spans = self.spans.lock().unwrap();
        let number = spans.len() as u64 + 1;
        spans.insert(number, 1);
        let mut fields = Fields(String::new());
        span.record(&mut fields);
        self.add(format!("{number}: {} {}{}", span.metadata().level(), span.metadata().name(), fields.0));
        Id::from_u64(number)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        let mut fields = Fields(String::new());
        values.record(&mut fields);
        let mut lines = self.lines.lock().unwrap();
        // All figures of a span are one line.
        match lines.last_mut().filter(|line| line.starts_with(&format!("{}: figures", span.into_u64()))) {
            Some(line) => *line += &fields.0,
            None => {
                drop(lines);
                self.about(span, &format!(" figures{}", fields.0));
            }
        }
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        if self.here() {
            let mut fields = Fields(String::new());
            event.record(&mut fields);
            let of = event.parent().map_or(String::new(), |span| format!("{}: ", span.into_u64()));
            self.add(format!("{of}{}{}", event.metadata().level(), fields.0));
        }
    }

    fn enter(&self, span: &Id) {
        self.about(span, " enter");
    }

    fn exit(&self, span: &Id) {
        self.about(span, " exit");
    }

    fn clone_span(&self, span: &Id) -> Id {
        if let Some(handles) = self.spans.lock().unwrap().get_mut(&span.into_u64()) {
            *handles += 1;
        }
        span.clone()
    }

    fn try_close(&self, span: Id) -> bool {
        let mut spans = self.spans.lock().unwrap();
        let Some(handles) = spans.get_mut(&span.into_u64()) else { return false };
        *handles -= 1;
        let last = *handles == 0;
        drop(spans);
        if last {
            self.about(&span, " close");
        }
        last
    }
}

/// What is heard of some work.
fn hear(heard: &Heard, work: impl Fn()) -> Vec<String> {
    heard.spans.lock().unwrap().clear();
    work();
    std::mem::take(&mut *heard.lines.lock().unwrap())
}

/// One test, as a subscriber is one for the whole process: `tracing` asks who wants to hear of a place in the code when it is
/// first reached, and that may be by another test, on whose thread nobody would.
#[test]
fn a_subscriber_hears_spans_and_what_came_of_them() {
    let heard = Heard { thread: thread::current().id(), lines: Arc::default(), spans: Arc::default() };
    tracing::subscriber::set_global_default(heard.clone()).expect("no other test does this");
    assert_eq!(hear(&heard, work), WORK);
    assert_eq!(hear(&heard, whole_module), MODULE);
    assert_eq!(hear(&heard, || in_pieces(&Engine::new(single()).unwrap())), STREAM);
    assert_eq!(hear(&heard, elsewhere), ELSEWHERE);
}

/// Spans by hand.
fn work() {
    let (events, number) = (Events::default(), ModuleNumber(7));
    let making = events.start(module(CompileMethod::Async, None));
    let entered = making.enter();
    of(making.span(), number);
    let compiling = events.start(compile(number, 3, (Tier::Baseline, None), Cause::FirstCall));
    compiling.span().in_scope(|| {
        events.mark(Some(number), EventKind::Publish { function: 3, tier: Tier::Baseline, osr: None });
    });
    drop(compiling);
    drop(entered);
    let started = events.start(collect_code());
    events.end(&started, None, || EventKind::CodeGc {
        collection: 1,
        candidate_bytes: 64,
        freed: 1,
        freed_bytes: 64,
        freed_percent: 50,
    });
}

const WORK: &[&str] = &[
    "1: INFO wasm.AsyncCompile",
    "1: enter",
    "1: figures module",
    r#"2: DEBUG wasm.CompileLazy module function=3 tier="baseline" cause="first call""#,
    "2: enter",
    r#"TRACE message=publish baseline f3 name="wasm.Publish" module"#,
    "2: exit",
    "2: close",
    "1: exit",
    "3: DEBUG wasm.CodeGC",
    "3: figures collection=1 candidate_bytes=64 freed=1 freed_bytes=64 freed_percent=50",
    r#"3: DEBUG message=code GC 1: free 1 objects name="wasm.CodeGC""#,
    "3: close",
    "1: close",
];

/// An engine whose calling threads do all work.
fn single() -> Config {
    Config { threads: 1, strategy: Strategy::Eager, ..Config::default() }
}

/// A module of two functions, the second of which calls the first.
const BYTES: &[u8] = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x03\x02\0\0\x0a\x09\x02\x02\0\x0b\x04\0\x10\0\x0b";

fn whole_module() {
    let engine = Engine::new(single()).unwrap();
    let first = crate::module::compile(&engine, BYTES).unwrap();
    let second = crate::module::compile(&engine, BYTES).unwrap();
    assert!(Arc::ptr_eq(&first, &second));
    engine.collect_code();
}

const MODULE: &[&str] = &[
    "1: INFO wasm.SyncCompile",
    "1: enter",
    "1: figures module",
    r#"DEBUG message=cache miss name="wasm.CacheMiss" module"#,
    r#"2: DEBUG wasm.Decode module method="sync""#,
    "2: enter",
    "2: exit",
    "2: figures cpu_us bytes=30 functions=2 success=true",
    r#"2: DEBUG message=decode: functions 2 name="wasm.Decode" module"#,
    "2: close",
    "3: DEBUG wasm.Validate module",
    "3: enter",
    "3: exit",
    "3: figures cpu_us bytes=9 threads=1",
    r#"3: DEBUG message=validate name="wasm.Validate" module"#,
    "3: close",
    r#"4: DEBUG wasm.CompileBaseline module function=0 tier="baseline" cause="request""#,
    "4: enter",
    r#"4: figures wasm_bytes=2 cpu_us outcome="done" code_bytes"#,
    r#"4: DEBUG message=compile baseline f0 name="wasm.CompileBaseline" module"#,
    "4: exit",
    "4: close",
    r#"TRACE message=publish baseline f0 name="wasm.Publish" module"#,
    r#"5: DEBUG wasm.CompileBaseline module function=1 tier="baseline" cause="request""#,
    "5: enter",
    r#"5: figures wasm_bytes=4 cpu_us outcome="done" code_bytes"#,
    r#"5: DEBUG message=compile baseline f1 name="wasm.CompileBaseline" module"#,
    "5: exit",
    "5: close",
    r#"TRACE message=publish baseline f1 name="wasm.Publish" module"#,
    "1: figures cached=false lazy=false success=true bytes=30 functions=2 code_bytes",
    r#"1: INFO message=module ready name="wasm.SyncCompile" module"#,
    "1: exit",
    "1: close",
    "6: INFO wasm.SyncCompile",
    "6: enter",
    r#"DEBUG message=cache hit name="wasm.CacheHit" module"#,
    "6: figures module cached=true lazy=false success=true bytes=30 functions=2 code_bytes",
    r#"6: INFO message=module from the cache name="wasm.SyncCompile" module"#,
    "6: exit",
    "6: close",
    "7: DEBUG wasm.CodeGC",
    "7: enter",
    r#"TRACE message=code GC 1: begin, candidates 0 name="wasm.CodeGCBegin""#,
    "7: exit",
    "7: enter",
    "7: exit",
    "7: figures collection=1 candidate_bytes=0 freed=0 freed_bytes=0 freed_percent=0",
    r#"7: DEBUG message=code GC 1: free 0 objects name="wasm.CodeGC""#,
    "7: close",
    r#"TRACE message=module dropped name="wasm.ModuleDropped" module"#,
    "8: DEBUG wasm.EngineDropped",
    "8: enter",
    "8: figures dropped=0 awaited=0",
    r#"8: DEBUG message=engine dropped: tasks dropped 0, waited for 0 name="wasm.EngineDropped""#,
    "8: exit",
    "8: close",
];

/// The same module in two pieces, twice.
fn in_pieces(engine: &Engine) {
    let stream = || {
        let mut job = StreamingJob::new(engine, CompileTimeImports::NONE);
        for half in BYTES.chunks(BYTES.len() / 2 + 1) {
            job.push(half).unwrap();
        }
        job.finish().unwrap()
    };
    let first = stream();
    assert!(Arc::ptr_eq(&first, &stream()));
}

const STREAM: &[&str] = &[
    "1: INFO wasm.StreamingCompile module",
    "1: enter",
    r#"2: DEBUG wasm.Decode module method="streaming""#,
    "1: exit",
    "1: enter",
    "2: enter",
    "2: exit",
    "1: exit",
    "1: enter",
    "2: enter",
    "2: exit",
    r#"DEBUG message=stream owns its prefix name="wasm.StreamOwn" module"#,
    "3: DEBUG wasm.Validate module",
    "3: enter",
    "3: exit",
    "1: exit",
    "1: enter",
    "2: enter",
    "2: exit",
    "2: figures cpu_us bytes=30 functions=2 success=true",
    r#"2: DEBUG message=decode (streaming): functions 2 name="wasm.Decode" module"#,
    "3: figures cpu_us bytes=9 threads=1",
    r#"3: DEBUG message=validate name="wasm.Validate" module"#,
    r#"4: DEBUG wasm.CompileBaseline module function=0 tier="baseline" cause="request""#,
    "4: enter",
    r#"4: figures wasm_bytes=2 cpu_us outcome="done" code_bytes"#,
    r#"4: DEBUG message=compile baseline f0 name="wasm.CompileBaseline" module"#,
    "4: exit",
    "4: close",
    r#"TRACE message=publish baseline f0 name="wasm.Publish" module"#,
    r#"5: DEBUG wasm.CompileBaseline module function=1 tier="baseline" cause="request""#,
    "5: enter",
    r#"5: figures wasm_bytes=4 cpu_us outcome="done" code_bytes"#,
    r#"5: DEBUG message=compile baseline f1 name="wasm.CompileBaseline" module"#,
    "5: exit",
    "5: close",
    r#"TRACE message=publish baseline f1 name="wasm.Publish" module"#,
    "3: close",
    "1: figures cached=false lazy=false success=true bytes=30 functions=2 code_bytes finish_us",
    r#"1: INFO message=module (streaming) ready name="wasm.StreamingCompile" module"#,
    "1: exit",
    "1: close",
    "2: close",
    "6: INFO wasm.StreamingCompile module",
    "6: enter",
    r#"7: DEBUG wasm.Decode module method="streaming""#,
    "6: exit",
    "6: enter",
    "7: enter",
    "7: exit",
    "6: exit",
    "6: enter",
    "7: enter",
    "7: exit",
    r#"DEBUG message=stream collects name="wasm.StreamCollect" module"#,
    "6: exit",
    "6: enter",
    r#"DEBUG message=cache hit name="wasm.CacheHit" module"#,
    "6: figures module cached=true lazy=false success=true bytes=30 functions=2 code_bytes finish_us",
    r#"6: INFO message=module (streaming) from the cache name="wasm.StreamingCompile" module"#,
    "6: exit",
    "6: close",
    "7: close",
    r#"TRACE message=module dropped name="wasm.ModuleDropped" module"#,
    "8: DEBUG wasm.EngineDropped",
    "8: enter",
    "8: figures dropped=0 awaited=0",
    r#"8: DEBUG message=engine dropped: tasks dropped 0, waited for 0 name="wasm.EngineDropped""#,
    "8: exit",
    "8: close",
];

/// Work that two threads do.
fn elsewhere() {
    let events = Events::default();
    let started = events.start(validate(ModuleNumber(8)));
    thread::scope(|scope| scope.spawn(|| drop(started.enter())).join().unwrap());
    events.end(&started, None, || EventKind::Validate { bytes: 9, threads: 2, cpu: Duration::from_micros(5) });
}

const ELSEWHERE: &[&str] = &[
    "1: DEBUG wasm.Validate module",
    "1: enter elsewhere",
    "1: exit elsewhere",
    "1: figures cpu_us bytes=9 threads=2",
    r#"1: DEBUG message=validate name="wasm.Validate""#,
    "1: close",
];
