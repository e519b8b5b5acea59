//! What an engine tells of its work, in order.

use std::sync::Arc;

use upshift::{Cause, Engine, EventKind, EventLog, Outcome};

use super::{at_once, chain, instantiate};

/// An event in few words.
fn describe(kind: &EventKind) -> String {
    match *kind {
        EventKind::Compile { function, tier, osr, cause, outcome: Outcome::Done { .. }, .. } => {
            let cause = match cause {
                Cause::FirstCall => "first call",
                Cause::Request => "request",
                Cause::TierUp => "tier-up",
            };
            format!("{tier}{} of f{function}: {cause}", if osr.is_some() { " entry" } else { "" })
        }
        EventKind::TierUp { function, osr, priority } => {
            format!("f{function} is hot{} ({priority})", if osr.is_some() { " in a loop" } else { "" })
        }
        EventKind::Publish { function, tier, osr } => {
            format!("publish {tier}{} of f{function}", if osr.is_some() { " entry" } else { "" })
        }
        EventKind::OsrEnter { function, .. } => format!("f{function} goes on in its entry"),
        EventKind::Flush { function } => format!("flush f{function}"),
        EventKind::CodeGc { freed, .. } => format!("free {freed}"),
        other => other.name().into(),
    }
}

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
    let told: Vec<String> = events.iter().map(|event| describe(&event.kind)).collect();
    let position = |text: &str| {
        let at = told.iter().position(|line| line == text);
        at.unwrap_or_else(|| panic!("no {text:?} in {told:#?}"))
    };
    let order = [
        "wasm.Decode",
        "wasm.Validate",
        "wasm.SyncCompile",
        "baseline of f0: first call",
        "publish baseline of f0",
        "f0 is hot (1)",
        "optimizing of f0: tier-up",
        "publish optimizing of f0",
        "baseline of f1: first call",
        "publish baseline of f1",
        "f1 is hot (1)",
        "optimizing of f1: tier-up",
        "publish optimizing of f1",
    ];
    let places: Vec<usize> = order.iter().map(|text| position(text)).collect();
    assert_eq!(places, (0..order.len()).collect::<Vec<_>>(), "{told:#?}");
    assert_eq!(told[told.len() - 3..told.len() - 1], ["flush f0", "flush f1"]);
    assert!(told[told.len() - 1].starts_with("free "));
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
