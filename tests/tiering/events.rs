//! What an engine tells of its work, in order.

use std::sync::Arc;

use upshift::{Engine, EventKind, EventLog};

use super::{at_once, chain, instantiate};

#[test]
fn a_timeline_of_one_module() {
    let log = Arc::new(EventLog::new(1000));
    let engine = Engine::new(at_once().event_listener(Some(log.clone()))).unwrap();
    let (module, mut store, instance) = instantiate(&engine, &chain(2, 3));
    let run = instance.get_typed_func::<i32, i32>(&mut store, "0").unwrap();
    (0..10).for_each(|_| assert!(run.call(&mut store, 0).is_ok()));
    module.flush_code();
    let events = log.take();
    assert!(events.iter().all(|event| event.module.is_none_or(|number| number == module.number())));
    assert!(events.iter().all(|event| event.start <= event.end && event.thread == upshift::thread_number()));
    let told: Vec<String> = events.iter().map(|event| event.kind.to_string()).collect();
    let position = |text: &str| {
        let at = told.iter().position(|line| line == text);
        at.unwrap_or_else(|| panic!("no {text:?} in {told:#?}"))
    };
    let order = [
        "cache miss",
        "decode: functions 2",
        "validate",
        "module ready",
        "store made",
        "instantiate: imported functions 0",
        "lazy f0",
        "publish baseline f0",
        "tier-up f0 (1)",
        "compile optimizing f0",
        "publish optimizing f0",
        "retire baseline f0",
        "lazy f1",
        "publish baseline f1",
        "tier-up f1 (1)",
        "compile optimizing f1",
        "publish optimizing f1",
        "retire baseline f1",
    ];
    let places: Vec<usize> = order.iter().map(|text| position(text)).collect();
    assert_eq!(places, (0..order.len()).collect::<Vec<_>>(), "{told:#?}");
    let end: Vec<&str> = told[told.len() - 5..].iter().map(|line| line.trim_end_matches(char::is_numeric)).collect();
    assert_eq!(end[..2], ["flush f", "flush f"]);
    assert_eq!(end[2..4], ["code GC 1: begin, candidates ", "code GC 1: answered for, idle"]);
    assert!(end[4].starts_with("code GC 1: free "), "{end:?}");
    assert_eq!(events[events.len() - 2].store, Some(store.number()));
}

/// A listener that panics when a function is published.
#[derive(Debug)]
struct Faulty;

impl upshift::EventListener for Faulty {
    fn event(&self, event: &upshift::Event) {
        assert!(!matches!(event.kind, EventKind::Publish { .. }), "a test of panics");
    }
}

#[test]
fn a_listener_that_panics_harms_nobody_else() {
    let engine = Engine::new(at_once().event_listener(Some(Arc::new(Faulty)))).unwrap();
    let (module, mut store, instance) = instantiate(&engine, &chain(2, 3));
    let run = instance.get_typed_func::<i32, i32>(&mut store, "0").unwrap();
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run.call(&mut store, 0)));
    assert!(outcome.is_err(), "the panic comes out where the call was made");
    // What was published stays published.
    for _ in 0..10 {
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run.call(&mut store, 0)));
    }
    assert!(run.call(&mut store, 0).is_ok());
    let _ = module.compile_all();
}
