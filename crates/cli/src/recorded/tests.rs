//! What is recorded of a small module, for the tests of the writers too.

use std::sync::Arc;

use upshift::{Config, Engine, EventKind, EventListener, EventLog, Module};

use super::*;
use crate::process;

/// An event of this kind that happens now.
pub(crate) fn event(kind: EventKind) -> Event {
    let now = Instant::now();
    Event { module: None, store: None, start: now, end: now, thread: upshift::thread_number(), kind }
}

/// Compiles a small module by the baseline tier, and gives what was recorded to `look`.
pub(crate) fn recorded(text: &str, look: impl FnOnce(&Recorded<'_>)) {
    let log = Arc::new(EventLog::new(10_000));
    let mut config = Config::new();
    config.event_listener(Some(Arc::clone(&log) as Arc<dyn EventListener>));
    let zero = process::started();
    let module = Module::new(&Engine::new(&config).unwrap(), text).unwrap();
    module.compile_all().unwrap();
    let functions: Vec<FunctionInfo<'_>> = module.functions().collect();
    let events = log.take();
    let (main_thread, end) = (upshift::thread_number(), Instant::now());
    let spans = [Span { name: "wasm.Execute", start: zero, end }];
    let first_call = Some(Moment::now());
    look(&Recorded {
        events: &events,
        lost: 3,
        spans: &spans,
        functions: &functions,
        title: "</title><script>alert(1)</script>\"'&.wasm",
        options: "--tier auto",
        zero,
        end,
        main_thread,
        first_call,
    });
}

#[test]
fn functions_are_found_by_their_index() {
    recorded(r#"(module (import "a" "b" (func)) (func $x) (func $y))"#, |recorded| {
        assert!(recorded.function(0).is_none());
        assert_eq!(recorded.function(1).unwrap().name, Some("x"));
        assert_eq!(recorded.function(2).unwrap().name, Some("y"));
        assert!(recorded.function(3).is_none());
    });
}
