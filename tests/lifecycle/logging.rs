//! Code is told of once to each listener, on the store's thread, however early or late it listens.

use std::sync::{Arc, Barrier};
use std::thread;

use upshift::{CodeListener, Config, CreatedCode, Engine, Instance, Module, Store, Strategy, Tier};

use super::{Codes, MODULE, baseline, call, instantiate, listener};

#[test]
fn code_is_told_of_at_the_next_poll() {
    let (engine, module) = baseline();
    let module = module.with_source_url("https://example.org/m.wasm");
    let mut store = Store::new(&engine, ());
    let (codes, hook) = listener();
    store.set_code_listener(hook);
    let instance = instantiate(&mut store, &module);
    let script = store.import_module(&module);
    assert_eq!(call(&mut store, instance, "second"), 2);
    store.poll().unwrap();
    let told = codes.functions();
    assert_eq!(told.iter().map(|told| &*told.name).collect::<Vec<_>>(), ["second", "first"]);
    let second = &told[0];
    assert_eq!((second.function, second.tier, second.osr), (Some(2), Some(Tier::Baseline), None));
    assert_eq!((second.module, second.script), (Some(module.number().0), Some(script.id())));
    assert_eq!(second.url.as_deref(), Some("https://example.org/m.wasm"));
    assert_eq!(second.thread, thread::current().id());
    let code = module.code(2).unwrap();
    assert_eq!((second.len, &second.positions), (code.bytes.len(), &code.positions));
    assert!(!second.positions.is_empty(), "it has a call");
    // Nothing is told again.
    store.poll().unwrap();
    assert_eq!(codes.names(), [""; 0]);
}

#[test]
fn a_late_listener_hears_of_what_is_there() {
    let (engine, module) = baseline();
    let mut store = Store::new(&engine, ());
    let instance = instantiate(&mut store, &module);
    call(&mut store, instance, "second");
    let (codes, hook) = listener();
    store.set_code_listener(hook);
    assert_eq!(codes.names(), [""; 0], "not before the poll");
    store.poll().unwrap();
    let stubs = codes.state.lock().unwrap().living.values().filter(|name| name.ends_with("-stub")).count();
    assert!(stubs > 0, "stubs are told of, too");
    assert_eq!(codes.names(), ["first", "second"]);
}

#[test]
fn a_listener_that_is_set_again_hears_all_again_and_one_that_is_gone_nothing() {
    let (engine, module) = baseline();
    let mut store = Store::new(&engine, ());
    let instance = instantiate(&mut store, &module);
    let (first, hook) = listener();
    store.set_code_listener(hook);
    call(&mut store, instance, "first");
    store.set_code_listener(None);
    store.poll().unwrap();
    assert_eq!(first.names(), [""; 0]);
    assert_eq!(Arc::strong_count(&first), 1, "the store has let go of it");
    call(&mut store, instance, "second");
    for _ in 0..2 {
        let (codes, hook) = listener();
        store.set_code_listener(hook);
        store.poll().unwrap();
        assert_eq!(codes.names(), ["first", "second"]);
    }
}

#[test]
fn retired_code_is_told_of_until_it_is_freed() {
    let mut config = Config::new();
    config.tiering_budget(2000).sync_tier_up(true);
    let engine = Engine::new(&config).unwrap();
    let module = Module::new(&engine, MODULE).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = instantiate(&mut store, &module);
    let hot = instance.get_typed_func::<i32, i32>(&mut store, "hot").unwrap();
    for _ in 0..4 {
        assert_eq!(hot.call(&mut store, 1_000_000).unwrap(), 7);
    }
    let (codes, hook) = listener();
    store.set_code_listener(hook);
    store.poll().unwrap();
    let told = codes.functions();
    assert!(told.iter().any(|told| told.tier == Some(Tier::Baseline)), "{told:?}");
    assert!(told.iter().any(|told| told.tier == Some(Tier::Optimizing)), "{told:?}");
    assert!(told.iter().any(|told| told.osr.is_some()), "{told:?}");
    let before = codes.counts();
    engine.collect_code();
    store.poll().unwrap();
    let after = codes.counts();
    assert!(after.0 < before.0 && after.1 > 0, "{before:?} {after:?}");
    module.flush_code();
    store.poll().unwrap();
    assert_eq!(codes.counts().0, 0);
}

/// Modules that a store gets to use while it listens, and modules that it does not use.
#[test]
fn a_store_hears_of_the_modules_that_it_uses() {
    let (engine, module) = baseline();
    let other = Module::new(&engine, "(module (func $other))").unwrap();
    other.compile_all().unwrap();
    module.compile_function(1).unwrap();
    let mut store = Store::new(&engine, ());
    let (codes, hook) = listener();
    store.set_code_listener(hook);
    store.poll().unwrap();
    assert_eq!(codes.names(), [""; 0]);
    drop(store.import_module(&other));
    store.poll().unwrap();
    assert_eq!(codes.names(), ["other"]);
    instantiate(&mut store, &module);
    store.poll().unwrap();
    assert_eq!(codes.names(), ["first"]);
    module.compile_all().unwrap();
    store.poll().unwrap();
    assert_eq!(codes.names(), ["hot", "second", "wasm-function[3]"]);
}

#[test]
fn the_death_of_a_module_frees_its_code() {
    let (engine, module) = baseline();
    module.compile_all().unwrap();
    let mut store = Store::new(&engine, ());
    let (codes, hook) = listener();
    store.set_code_listener(hook);
    drop(store.import_module(&module));
    store.poll().unwrap();
    assert_eq!(codes.counts(), (4, 0));
    thread::spawn(move || drop(module)).join().unwrap();
    assert_eq!(codes.counts(), (4, 0), "on the store's own thread");
    store.poll().unwrap();
    assert_eq!(codes.counts(), (0, 4));
}

/// Events of a module that is gone before they are delivered.
#[test]
fn a_module_that_dies_before_the_poll_is_told_of() {
    let (engine, module) = baseline();
    let mut store = Store::new(&engine, ());
    let (codes, hook) = listener();
    store.set_code_listener(hook);
    drop(store.import_module(&module));
    module.compile_all().unwrap();
    let number = module.number().0;
    drop(module);
    assert_eq!(engine.statistics().modules, 0);
    store.poll().unwrap();
    let told = codes.functions();
    assert_eq!((told.len(), codes.counts()), (4, (0, 4)));
    assert!(told.iter().all(|told| told.module == Some(number)));
}

#[derive(Debug)]
struct Panics;

impl CodeListener for Panics {
    fn code_created(&self, _: &CreatedCode<'_>) {
        panic!("expected by a test");
    }
}

#[test]
fn a_listener_that_panics_harms_nobody() {
    let mut config = Config::new();
    let engine = Engine::new(config.code_listener(Some(Arc::new(Panics)))).unwrap();
    let module = Module::new(&engine, MODULE).unwrap();
    let mut store = Store::new(&engine, ());
    store.set_code_listener(Some(Arc::new(Panics)));
    let instance = instantiate(&mut store, &module);
    assert_eq!(call(&mut store, instance, "second"), 2);
    store.poll().unwrap();
    let (codes, hook) = listener();
    store.set_code_listener(hook);
    store.poll().unwrap();
    assert_eq!(codes.names(), ["first", "second"]);
}

#[test]
fn the_engines_listener_hears_of_all_at_once() {
    let (codes, hook) = listener();
    let mut config = Config::new();
    let engine = Engine::new(config.strategy(Strategy::Eager).code_listener(hook)).unwrap();
    let module = Module::new(&engine, MODULE).unwrap();
    assert_eq!(codes.names(), ["first", "hot", "second", "wasm-function[3]"]);
    drop(module);
    assert_eq!(codes.counts(), (0, 4));
}

/// Functions are compiled on several threads while stores start and stop to use the module and to listen: each listener
/// hears of each piece of code once, and when all is done of all.
#[test]
fn every_listener_of_every_store_hears_of_every_function_once() {
    const STORES: usize = 4;
    const FUNCTIONS: u32 = 300;
    let text = format!("(module {})", "(func (result i32) i32.const 1)".repeat(FUNCTIONS as usize));
    for round in 0..6 {
        let engine = Engine::new(Config::new().tier(upshift::TierChoice::Baseline)).unwrap();
        let module = Module::new(&engine, &text).unwrap();
        let barrier = Barrier::new(STORES + 2);
        thread::scope(|scope| {
            for start in 0..2 {
                let (module, barrier) = (&module, &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    for at in 0..FUNCTIONS {
                        // From both ends, so that they race in the middle.
                        module.compile_function(if start == 0 { at } else { FUNCTIONS - 1 - at }).unwrap();
                    }
                });
            }
            for place in 0..STORES {
                let (engine, module, barrier) = (&engine, &module, &barrier);
                scope.spawn(move || {
                    let mut store = Store::new(engine, ());
                    let (codes, hook) = listener();
                    if place % 2 == 0 {
                        Instance::new(&mut store, module, &[]).unwrap();
                    }
                    barrier.wait();
                    for _ in 0..(place + round) * 20 {
                        thread::yield_now();
                    }
                    store.set_code_listener(hook);
                    if place % 2 == 1 {
                        Instance::new(&mut store, module, &[]).unwrap();
                    }
                    wait_for_all(&mut store, &codes, FUNCTIONS as usize);
                });
            }
        });
    }
}

fn wait_for_all(store: &mut Store<()>, codes: &Codes, count: usize) {
    let start = std::time::Instant::now();
    let mut told = Vec::new();
    while told.len() < count {
        assert!(start.elapsed().as_secs() < 60, "{} of {count}", told.len());
        store.poll().unwrap();
        told.extend(codes.functions());
        thread::yield_now();
    }
    store.poll().unwrap();
    told.extend(codes.functions());
    let mut functions: Vec<Option<u32>> = told.iter().map(|told| told.function).collect();
    functions.sort();
    assert_eq!(functions, (0..count as u32).map(Some).collect::<Vec<_>>());
    assert!(told.iter().all(|told| told.thread == thread::current().id()));
}

/// The engine's listener hears of all stores, and calls code by the URL by which the first of them got the module.
#[test]
fn the_engines_listener_is_given_a_stores_url() {
    let codes = Arc::<Codes>::default();
    let engine = Engine::new(Config::new().code_listener(Some(codes.clone()))).unwrap();
    let module = Module::new(&engine, MODULE).unwrap();
    let mut unnamed = Store::new(&engine, ());
    let instance = instantiate(&mut unnamed, &module);
    call(&mut unnamed, instance, "first");
    assert_eq!(codes.functions()[0].url.as_deref(), Some(module.source_url()));
    let mut store = Store::new(&engine, ());
    instantiate(&mut store, &module.clone().with_source_url("https://example.org/m.wasm"));
    call(&mut unnamed, instance, "second");
    let told = codes.functions().remove(0);
    assert_eq!((told.url.as_deref(), told.script), (Some("https://example.org/m.wasm"), None));
}
