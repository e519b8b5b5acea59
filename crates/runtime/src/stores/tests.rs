//! The registry: places are used again; stores in the host are answered for, those in Wasm answer for themselves.

use std::sync::atomic::Ordering::Relaxed;

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;
use crate::requests::{POLL, RAISED_LIMIT, REPORT};
use crate::testing;

/// Counts reports.
#[derive(Default)]
struct Counter(AtomicU64);

impl LiveCode for Counter {
    fn report(&self, live: &HashSet<usize>) {
        assert!(live.is_empty());
        self.0.fetch_add(1, Relaxed);
    }
}

/// Two stores without a thread, and what asks them.
struct Fixture {
    stores: Stores,
    contexts: [Box<StoreContext>; 2],
    registered: [Arc<Registered>; 2],
    counter: Arc<Counter>,
}

impl Fixture {
    fn new() -> Fixture {
        let stores = Stores::default();
        let space = CodeSpace::new(1 << 16).unwrap();
        let mut contexts = [0, 1].map(|_| Box::new(StoreContext::default()));
        // SAFETY: the tests remove what they made before the contexts go.
        let registered = contexts
            .each_mut()
            .map(|context| unsafe { stores.add(StoreId::new(), &raw mut **context, Arc::clone(&space)) });
        Fixture { stores, contexts, registered, counter: Arc::default() }
    }

    fn request(&self) -> usize {
        let sink: Arc<dyn LiveCode> = self.counter.clone();
        self.stores.request_reports(None, &sink).unwrap()
    }

    fn end(&self) {
        self.registered.iter().for_each(|registered| self.stores.remove(registered));
    }

    fn reports(&self) -> u64 {
        self.counter.0.load(Relaxed)
    }
}

#[test]
fn places_are_used_again() {
    let fixture = Fixture::new();
    let [first, second] = &fixture.registered;
    assert_eq!(fixture.stores.len(), 2);
    fixture.stores.remove(first);
    assert_eq!(fixture.stores.len(), 1);
    let mut third = StoreContext::default();
    // SAFETY: removed below.
    let again = unsafe { fixture.stores.add(StoreId::new(), &raw mut third, Arc::clone(&first.space)) };
    assert_eq!(again.place, first.place);
    fixture.stores.remove(second);
    fixture.stores.remove(&again);
    assert!(fixture.stores.is_empty());
}

#[test]
fn stores_in_the_host_are_answered_for() {
    let fixture = Fixture::new();
    assert_eq!((fixture.request(), fixture.reports()), (0, 1));
    for context in &fixture.contexts {
        assert_eq!(context.interrupt.load(Relaxed), 0);
        assert_eq!(context.stack_limit.load(Relaxed), 0);
    }
    fixture.end();
    // Nobody is left to ask, and that is a report as well.
    assert_eq!((fixture.request(), fixture.reports()), (0, 2));
}

#[test]
fn stores_in_wasm_answer_for_themselves() {
    let fixture = Fixture::new();
    let [context, _] = &fixture.contexts;
    context.in_wasm.store(1, Relaxed);
    assert_eq!((fixture.request(), fixture.request(), fixture.reports()), (1, 1, 2));
    assert_eq!(context.interrupt.load(Relaxed), REPORT);
    assert_eq!(context.stack_limit.load(Relaxed), RAISED_LIMIT);
    let (set, sinks) = fixture.registered[0].take(0);
    assert_eq!((set, sinks.len()), (REPORT, 2));
    assert_eq!(context.interrupt.load(Relaxed), 0);
    assert_eq!(context.stack_limit.load(Relaxed), 0);
    // What it has taken nobody else answers.
    assert_eq!(fixture.registered[0].take(0).1.len(), 0);
    fixture.end();
    assert_eq!(fixture.reports(), 2);
}

#[test]
fn a_store_that_dies_reports_what_it_owes() {
    let fixture = Fixture::new();
    fixture.contexts[1].in_wasm.store(1, Relaxed);
    assert_eq!((fixture.request(), fixture.reports()), (1, 1));
    fixture.stores.remove(&fixture.registered[1]);
    assert_eq!(fixture.reports(), 2);
    // To what is gone nothing can be done.
    fixture.registered[1].interrupt(POLL);
    assert_eq!(fixture.contexts[1].interrupt.load(Relaxed), REPORT);
    fixture.stores.remove(&fixture.registered[0]);
}

#[test]
fn only_what_runs_is_terminated() {
    let mut fixture = Fixture::new();
    fixture.registered[0].interrupt(TERMINATE);
    assert_eq!(fixture.contexts[0].interrupt.load(Relaxed), 0);
    // In a host function.
    fixture.contexts[0].entry = std::ptr::dangling_mut();
    fixture.registered[0].interrupt(TERMINATE);
    assert_eq!(fixture.contexts[0].interrupt.load(Relaxed), TERMINATE);
    assert_eq!(fixture.contexts[0].stack_limit.load(Relaxed), 0);
    // In Wasm.
    fixture.contexts[1].in_wasm.store(1, Relaxed);
    fixture.registered[1].interrupt(TERMINATE);
    assert_eq!(fixture.contexts[1].interrupt.load(Relaxed), TERMINATE);
    assert_eq!(fixture.contexts[1].stack_limit.load(Relaxed), RAISED_LIMIT);
    fixture.end();
}

#[test]
fn a_store_that_is_away_is_answered_for() {
    let (mut store, foreground) = testing::store();
    let stores = Arc::clone(&store.environment().stores);
    let context = store.context();
    // SAFETY: the store lives, and no thread is in Wasm of it, whatever the words say.
    let (words, running) = unsafe { (words(context), Running::new(context)) };
    let counter = Arc::new(Counter::default());
    let sink: Arc<dyn LiveCode> = counter.clone();
    let request = || stores.request_reports(None, &sink).unwrap();
    let reports = || counter.0.load(Relaxed);
    words.in_wasm.store(1, Relaxed);
    assert_eq!((request(), reports()), (1, 1));
    let inside = running.away(|| {
        // As it left it has answered what it was asked.
        assert_eq!((words.in_wasm.load(Relaxed), reports(), words.interrupt.load(Relaxed)), (0, 2, 0));
        assert!(foreground.post(Box::new(|_| Ok(()))).is_ok());
        assert_eq!(words.stack_limit.load(Relaxed), 0);
        (request(), reports())
    });
    assert_eq!(inside, (0, 3));
    // Back in Wasm, it finds out about the task soon.
    let back = || (words.in_wasm.load(Relaxed), words.interrupt.load(Relaxed), words.stack_limit.load(Relaxed));
    assert_eq!(back(), (1, POLL, RAISED_LIMIT));
    let panics = || running.away(|| panic!("as it should"));
    catch_unwind(AssertUnwindSafe(panics)).unwrap_err();
    assert_eq!(back(), (1, POLL, RAISED_LIMIT));
    words.in_wasm.store(0, Relaxed);
}
