//! The log keeps the newest events, and silence costs nothing.

use super::*;

#[test]
fn the_log_keeps_the_newest_events() {
    let log = Arc::new(EventLog::new(2));
    let events = Events::new(Some(Arc::clone(&log) as Arc<dyn Listener>));
    for function in 0..3 {
        events.mark(None, EventKind::Flush { function });
    }
    assert_eq!(log.lost(), 1);
    let kinds: Vec<EventKind> = log.take().iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [EventKind::Flush { function: 1 }, EventKind::Flush { function: 2 }]);
    assert!(log.take().is_empty());
}

#[test]
fn spans_have_a_start_and_an_end() {
    let log = Arc::new(EventLog::new(10));
    let events = Events::new(Some(Arc::clone(&log) as Arc<dyn Listener>));
    let started = events.start();
    let module = Some(ModuleNumber::next());
    events.end(started, module, || EventKind::Decode { bytes: 8, cpu: Duration::ZERO });
    let event = log.take()[0];
    assert!(event.start <= event.end && event.module == module && event.thread == thread_number());
    let other = std::thread::spawn(thread_number).join().unwrap();
    assert_ne!(other, event.thread);
}

#[test]
fn without_a_listener_no_event_is_made() {
    let events = Events::default();
    let started = events.start();
    assert!(started.0.is_none());
    events.end(started, None, || unreachable!("nobody listens"));
}
