//! What was made, found, waited for and collected has its place in a lane.

use std::time::Duration;

use upshift::ModuleNumber;

use super::*;

/// Events at these milliseconds from the process's start, shown.
fn shown(events: &[(u64, u64, EventKind)]) -> Value {
    let zero = Instant::now();
    let at = |milliseconds: u64| zero + Duration::from_millis(milliseconds);
    let event = |&(start, end, kind): &(u64, u64, EventKind)| {
        let mut event = crate::recorded::tests::event(kind);
        (event.module, event.start, event.end) = (Some(ModuleNumber(1)), at(start), at(end));
        event
    };
    let events: Vec<Event> = events.iter().map(event).collect();
    lanes(&Recorded {
        events: &events,
        lost: 0,
        spans: &[],
        functions: &[],
        title: "",
        options: "",
        zero,
        end: at(1000),
        main_thread: 1,
        first_call: None,
    })
}

fn module(method: CompileMethod, cached: bool, success: bool) -> EventKind {
    let finish = (method == CompileMethod::Streaming).then_some(Duration::from_millis(3));
    EventKind::Module { method, cached, lazy: true, success, bytes: 2048, functions: 7, code_bytes: 0, finish }
}

fn collection(freed: usize) -> EventKind {
    EventKind::CodeGc {
        collection: 1,
        candidate_bytes: 4096,
        freed,
        freed_bytes: freed * 1024,
        freed_percent: 9 * u32::from(freed > 0),
    }
}

#[test]
fn a_module_is_made_streamed_found_or_failed() {
    let shown = shown(&[
        (1, 5, module(CompileMethod::Sync, false, true)),
        (10, 20, module(CompileMethod::Streaming, false, true)),
        (30, 31, module(CompileMethod::Async, true, true)),
        (40, 41, module(CompileMethod::Sync, false, false)),
    ]);
    let expected = json!([{ "name": "module", "pieces": [
        [1000, 5000, 0, "module made: sync, 2.0 KiB of 7 functions, 4.00 ms"],
        [10000, 20000, 1,
            "module made while it arrived: streaming, 2.0 KiB of 7 functions, 3.00 ms after the last byte, 10.00 ms"],
        [30000, 31000, 2, "module from the cache: async, 2.0 KiB of 7 functions, 1.00 ms"],
        [40000, 41000, 3, "failed: sync, 2.0 KiB of 7 functions, 1.00 ms"],
    ]}]);
    assert_eq!(shown, expected);
}

#[test]
fn a_wait_lasts_until_the_module_is_there() {
    let wait = EventKind::Cache { outcome: CacheOutcome::Wait };
    let shown = shown(&[(10, 10, wait), (12, 14, collection(0)), (2, 25, module(CompileMethod::Sync, true, true))]);
    assert_eq!(shown[1]["name"], "cache waits");
    let piece = &shown[1]["pieces"][0];
    assert_eq!((piece[0].as_u64(), piece[1].as_u64()), (Some(10000), Some(25000)));
    assert!(shown[1]["pieces"][0][3].as_str().unwrap().ends_with(", 15.00 ms"));
}

#[test]
fn collections_say_what_they_freed() {
    let shown = shown(&[(1, 2, collection(2)), (5, 6, collection(0))]);
    let pieces = &shown[0]["pieces"];
    assert_eq!((&shown[0]["name"], &pieces[0][2], &pieces[1][2]), (&json!("code GC"), &json!(8), &json!(9)));
    assert_eq!(pieces[0][3], "code collection: 2.0 KiB freed of 4.0 KiB out of use, 9 % of all code, 1.00 ms");
}

#[test]
fn more_than_can_be_seen_are_drawn_as_one() {
    let events: Vec<_> = (0..3000).map(|at| (at / 30, at / 30 + 1, collection(1))).collect();
    let shown = shown(&events);
    let pieces = shown[0]["pieces"].as_array().unwrap();
    assert_eq!(pieces.len(), 100);
    assert!(pieces[0][3].as_str().unwrap().starts_with("30 here; the last: "));
}

#[test]
fn nothing_has_no_lane() {
    assert_eq!(shown(&[(1, 1, EventKind::StoreMade)]), json!([]));
    assert!(Look::ALL.iter().enumerate().all(|(at, look)| look.number() == at));
}
