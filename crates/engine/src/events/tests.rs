//! The log keeps the newest events, and silence costs nothing.

use std::time::Duration;

use abi::tier::Tier;

use super::*;

fn flush(function: u32) -> EventKind {
    EventKind::Flush { function, code_bytes: 30 }
}

#[test]
fn the_log_keeps_the_newest_events() {
    let log = Arc::new(EventLog::new(2));
    let events = Events::new(Some(Arc::clone(&log) as Arc<dyn Listener>));
    for function in 0..3 {
        events.mark(None, flush(function));
    }
    assert_eq!(log.lost(), 1);
    let kinds: Vec<EventKind> = log.take().iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [flush(1), flush(2)]);
    assert!(log.take().is_empty());
}

#[test]
fn spans_have_a_start_and_an_end() {
    let log = Arc::new(EventLog::new(10));
    let events = Events::new(Some(Arc::clone(&log) as Arc<dyn Listener>));
    let started = events.start(Span::none());
    let module = Some(ModuleNumber::next());
    events.end(&started, module, || EventKind::CodeGc {
        collection: 1,
        candidate_bytes: 700,
        freed: 2,
        freed_bytes: 8,
        freed_percent: 1,
    });
    let event = log.take()[0];
    assert!(event.start <= event.end && event.module == module && event.thread == thread_number());
    let other = std::thread::spawn(thread_number).join().unwrap();
    assert_ne!(other, event.thread);
}

#[test]
fn what_nobody_hears_is_counted() {
    let events = Events::default();
    let started = events.start(Span::none());
    events.end(&started, None, || EventKind::CodeGc {
        collection: 1,
        candidate_bytes: 700,
        freed: 3,
        freed_bytes: 100,
        freed_percent: 50,
    });
    events.mark(None, flush(7));
    let metrics = events.metrics();
    assert_eq!((metrics.collections.get(), metrics.freed.get(), metrics.flushed.get()), (1, 3, 1));
}

/// One of each kind.
fn kinds() -> Vec<EventKind> {
    let (tier, osr, function) = (Tier::Optimizing, Some(40), 3);
    let compile = |cause, osr, outcome| EventKind::Compile {
        function,
        tier: if cause == Cause::TierUp { tier } else { Tier::Baseline },
        osr,
        cause,
        wasm_bytes: 10,
        cpu: Duration::from_micros(2),
        outcome,
    };
    let module = |method, cached, success| EventKind::Module {
        method,
        cached,
        lazy: true,
        success,
        bytes: 100,
        functions: 4,
        code_bytes: 0,
        finish: (method == CompileMethod::Streaming).then_some(Duration::from_micros(3)),
    };
    let done = Outcome::Done { code_bytes: 64 };
    let code_gc = |step| EventKind::CodeGcStep { collection: 1, step };
    vec![
        EventKind::Decode { method: CompileMethod::Sync, bytes: 100, functions: 4, cpu: Duration::ZERO, success: true },
        EventKind::Decode {
            method: CompileMethod::Streaming,
            bytes: 100,
            functions: 0,
            cpu: Duration::ZERO,
            success: false,
        },
        EventKind::Validate { bytes: 50, threads: 2, cpu: Duration::ZERO },
        module(CompileMethod::Sync, false, true),
        module(CompileMethod::Async, true, true),
        module(CompileMethod::Streaming, false, false),
        EventKind::Cache { outcome: CacheOutcome::Hit },
        EventKind::Cache { outcome: CacheOutcome::Conflict },
        EventKind::Instantiate { imported_functions: 2, success: true },
        EventKind::Instantiate { imported_functions: 0, success: false },
        compile(Cause::FirstCall, None, done),
        compile(Cause::Request, None, Outcome::Invalid),
        compile(Cause::TierUp, osr, Outcome::OverBudget),
        EventKind::TierUp { function, osr: None, priority: 1 },
        EventKind::TierUp { function, osr, priority: 2 },
        EventKind::Publish { function, tier, osr: None },
        EventKind::Retire { function, tier: Tier::Baseline, osr: None },
        EventKind::OsrEnter { function, offset: 40 },
        flush(function),
        EventKind::CodeGc { collection: 1, candidate_bytes: 700, freed: 2, freed_bytes: 640, freed_percent: 7 },
        EventKind::Cache { outcome: CacheOutcome::Miss },
        EventKind::Stream { step: StreamStep::Own },
        EventKind::Stream { step: StreamStep::Collect },
        EventKind::Stream { step: StreamStep::Abort },
        code_gc(CodeGcStep::Begin { candidates: 2, candidate_bytes: 700 }),
        code_gc(CodeGcStep::Answer(Answer::Idle)),
        code_gc(CodeGcStep::Answer(Answer::InHost)),
        code_gc(CodeGcStep::Answer(Answer::Asking)),
        code_gc(CodeGcStep::Answer(Answer::Interrupted)),
        code_gc(CodeGcStep::Answer(Answer::Crossing)),
        code_gc(CodeGcStep::Answer(Answer::Leaving)),
        code_gc(CodeGcStep::Answer(Answer::Waiting)),
        code_gc(CodeGcStep::Answer(Answer::Dying)),
        code_gc(CodeGcStep::Wait { stores: 3 }),
        code_gc(CodeGcStep::Remember),
        EventKind::StoreMade,
        EventKind::StoreDropped,
        EventKind::ModuleDropped,
        EventKind::EngineDropped { dropped: 2, awaited: 1 },
    ]
}

#[test]
fn every_kind_has_its_line() {
    let lines: Vec<String> = kinds().iter().map(EventKind::to_string).collect();
    let expected = [
        "decode: functions 4",
        "decode (streaming): failed",
        "validate",
        "module ready",
        "module (async) from the cache",
        "module (streaming): failed",
        "cache hit",
        "cache conflict",
        "instantiate: imported functions 2",
        "instantiate: failed",
        "lazy f3",
        "compile baseline f3: invalid",
        "compile optimizing f3 loop 40: over budget",
        "tier-up f3 (1)",
        "tier-up f3 loop 40 (2)",
        "publish optimizing f3",
        "retire baseline f3",
        "enter f3 loop 40",
        "flush f3",
        "code GC 1: free 2 objects",
        "cache miss",
        "stream owns its prefix",
        "stream collects",
        "stream aborted",
        "code GC 1: begin, candidates 2",
        "code GC 1: answered for, idle",
        "code GC 1: answered for, in the host",
        "code GC 1: answered for, the one that asks",
        "code GC 1: answers, interrupted",
        "code GC 1: answers, between Wasm and host",
        "code GC 1: answers, leaving Wasm",
        "code GC 1: answers, waiting itself",
        "code GC 1: answers, dying",
        "code GC 1: wait for 3 stores",
        "code GC 1: one more is wanted",
        "store made",
        "store dropped",
        "module dropped",
        "engine dropped: tasks dropped 2, waited for 1",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn fields_have_names_of_their_own() {
    for kind in kinds() {
        let mut names = Vec::new();
        kind.each_field(|name, _| names.push(name));
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all, "{kind:?}");
        assert!(kind.name().starts_with("wasm."));
        assert!(!kind.is_span() || kind.function().is_none() || matches!(kind, EventKind::Compile { .. }));
    }
}

#[test]
fn marks_and_spans_are_counted_once() {
    let events = Events::default();
    for kind in kinds() {
        events.mark(None, kind);
    }
    let metrics = events.metrics();
    assert_eq!((metrics.decode_time.read().count(), metrics.decodes_failed.get()), (2, 1));
    assert_eq!((metrics.modules_sync.get(), metrics.modules_async.get(), metrics.modules_streaming.get()), (1, 1, 0));
    assert_eq!((metrics.modules_cached.get(), metrics.modules_failed.get()), (1, 1));
    assert_eq!((metrics.cached_time.read().count(), metrics.sync_time.read().count()), (1, 1));
    assert_eq!((metrics.cache_hits.get(), metrics.cache_conflicts.get(), metrics.cache_waits.get()), (1, 1, 0));
    assert_eq!((metrics.cache_misses.get(), metrics.streams_aborted.get()), (2, 1), "one of them a stream's");
    assert_eq!((metrics.stores.get(), metrics.stores_awaited.get()), (1, 3));
    assert_eq!((metrics.instances.get(), metrics.instances_failed.get()), (1, 1));
    assert_eq!((metrics.compiled_lazily.get(), metrics.compiled_on_request.get()), (1, 0));
    assert_eq!((metrics.compilations_invalid.get(), metrics.compilations_over_budget.get()), (1, 1));
    assert_eq!(metrics.baseline_time.read().sum(), 2000);
    assert_eq!((metrics.baseline_code.read().max(), metrics.osr_code.read().count()), (64, 0));
    assert_eq!((metrics.tier_ups.get(), metrics.osr_requests.get(), metrics.osr_entered.get()), (1, 1, 1));
    assert_eq!((metrics.retired.get(), metrics.flushed.get(), metrics.flushed_bytes.get()), (1, 1, 30));
    assert_eq!((metrics.freed_bytes.get(), metrics.freed_percent.read().max()), (640, 7));
    // The one stream of these failed.
    assert_eq!(metrics.finish_time.read().count(), 0);
}
