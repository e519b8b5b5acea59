//! Requests during a collection, and engines that go during one.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use upshift::{Cause, Config, Engine, Event, EventKind, EventListener, Instance, Module, Store};

use super::wait_for;

/// Holds up the thread that compiles a function at its first call: it is in a hook, and answers nobody.
#[derive(Debug, Default)]
struct HoldUp {
    is_held: AtomicBool,
    may_go: Mutex<bool>,
    gone: Condvar,
    events: Mutex<Vec<EventKind>>,
}

impl HoldUp {
    fn release(&self) {
        *self.may_go.lock().unwrap() = true;
        self.gone.notify_all();
    }
}

impl EventListener for HoldUp {
    fn event(&self, event: &Event) {
        self.events.lock().unwrap().push(event.kind);
        if matches!(event.kind, EventKind::Compile { cause: Cause::FirstCall, .. }) {
            self.is_held.store(true, Ordering::SeqCst);
            let may_go = self.may_go.lock().unwrap();
            drop(self.gone.wait_while(may_go, |may_go| !*may_go).unwrap());
        }
    }
}

#[test]
fn requests_during_a_collection_give_exactly_one_more() {
    let listener = Arc::new(HoldUp::default());
    let engine = Engine::new(Config::new().event_listener(Some(listener.clone()))).unwrap();
    let module = Module::new(&engine, r#"(module (func (export "f") (result i32) i32.const 7))"#).unwrap();
    let other = Module::new(&engine, "(module (func) (func))").unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut store = Store::new(&engine, ());
            let instance = Instance::new(&mut store, &module, &[]).unwrap();
            let f = instance.get_typed_func::<(), i32>(&mut store, "f").unwrap();
            assert_eq!(f.call(&mut store, ()).unwrap(), 7);
        });
        wait_for("a store in a hook", || listener.is_held.load(Ordering::SeqCst));
        other.compile_all().unwrap();
        // Flushes, and begins a collection that waits for the store.
        other.flush_code();
        assert!(other.statistics().retired_bytes > 0);
        for _ in 0..3 {
            assert_eq!(engine.collect_code(), 0);
        }
        let gc = engine.statistics().code_gc;
        assert_eq!((gc.collections, gc.remembered), (0, 3));
        listener.release();
    });
    wait_for("the collections", || engine.statistics().code_gc.collections >= 2);
    assert_eq!((other.statistics().retired_bytes, engine.statistics().code_gc.collections), (0, 2));
    let events = listener.events.lock().unwrap();
    let freed: Vec<usize> = events
        .iter()
        .filter_map(|event| match event {
            EventKind::CodeGc { candidate_bytes, freed_bytes, .. } => {
                assert!(freed_bytes <= candidate_bytes);
                Some(*freed_bytes)
            }
            _ => None,
        })
        .collect();
    assert!(freed.len() == 2 && freed[0] > 0 && freed[1] == 0, "{freed:?}");
}

#[test]
fn an_engine_may_go_while_a_collection_waits() {
    for round in 0..20 {
        let listener = Arc::new(HoldUp::default());
        let engine = Engine::new(Config::new().event_listener(Some(listener.clone()))).unwrap();
        let text = r#"(module (func (export "f") (result i32) i32.const 7))"#;
        let other = Module::new(&engine, "(module (func) (func))").unwrap();
        let user = {
            let engine = engine.clone();
            thread::spawn(move || {
                let module = Module::new(&engine, text).unwrap();
                let mut store = Store::new(&engine, ());
                drop(engine);
                let instance = Instance::new(&mut store, &module, &[]).unwrap();
                let f = instance.get_typed_func::<(), i32>(&mut store, "f").unwrap();
                assert_eq!(f.call(&mut store, ()).unwrap(), 7);
            })
        };
        wait_for("a store in a hook", || listener.is_held.load(Ordering::SeqCst));
        other.compile_all().unwrap();
        other.flush_code();
        let weak = engine.weak();
        if round % 2 == 0 {
            drop(other);
            drop(engine);
            listener.release();
        } else {
            listener.release();
            drop(engine);
            drop(other);
        }
        user.join().unwrap();
        wait_for("the engine to go", || weak.upgrade().is_none());
    }
}

#[test]
fn a_listener_that_panics_stops_no_collection() {
    #[derive(Debug)]
    struct Panics;

    impl EventListener for Panics {
        fn event(&self, event: &Event) {
            assert!(!matches!(event.kind, EventKind::CodeGc { .. }), "as it should");
        }
    }

    let engine = Engine::new(Config::new().event_listener(Some(Arc::new(Panics)))).unwrap();
    let module = Module::new(&engine, "(module (func))").unwrap();
    for round in 1..4 {
        module.compile_all().unwrap();
        module.flush_code();
        assert_eq!((module.statistics().code_bytes, engine.statistics().code_gc.collections), (0, round));
    }
}
