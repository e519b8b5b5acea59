//! Whatever dies first, in whatever place, the rest goes on and nothing is left. (Debug builds check the registry when the
//! engine goes.)

use std::sync::{Arc, Mutex};
use std::thread;

use upshift::{
    CodeListener, Config, CreatedCode, DebuggerHook, Engine, EngineWeak, Func, Instance, Module, Script, ScriptId,
    Store, Strategy,
};

use super::{MODULE, baseline, call, debugger, instantiate, listener};

/// An engine that is watched: nothing but the weak handle is kept.
fn watched(config: &Config) -> (Engine, EngineWeak, Module) {
    let engine = Engine::new(config).unwrap();
    let module = Module::new(&engine, MODULE).unwrap();
    let weak = engine.weak();
    (engine, weak, module)
}

#[test]
fn handles_die_in_every_order() {
    // Module, script, store, engine: all 24 orders, with and without an instance and listeners.
    for order in 0..24 {
        for variant in 0..4 {
            let (engine, weak, module) = watched(&Config::new());
            let mut store = Store::new(&engine, ());
            let (log, hook) = debugger();
            let (_codes, listener) = listener();
            if variant % 2 == 1 {
                store.set_debugger(hook);
                store.set_code_listener(listener);
            }
            let script = store.import_module(&module);
            if variant / 2 == 1 {
                let instance = instantiate(&mut store, &module);
                call(&mut store, instance, "second");
            }
            let url = module.source_url().to_string();
            let (mut module, mut script, mut store, mut engine) =
                (Some(module), Some(script), Some(store), Some(engine));
            for what in nth_order(order) {
                match what {
                    0 => drop(module.take()),
                    1 => drop(script.take()),
                    2 => drop(store.take()),
                    _ => drop(engine.take()),
                }
                if let Some(script) = &script {
                    assert_eq!((script.url(), &*script.function_name(1)), (&*url, "first"));
                }
                if let Some(store) = &mut store {
                    store.poll().unwrap();
                }
            }
            assert!(weak.upgrade().is_none(), "order {order}, variant {variant}");
            let told = log.take();
            assert_eq!(told.len(), if variant % 2 == 1 { 2 } else { 0 }, "added and removed: {told:?}");
        }
    }
}

/// The numbers 0 to 3 in their `n`th order.
fn nth_order(mut n: usize) -> Vec<usize> {
    let mut left = vec![0, 1, 2, 3];
    let mut order = Vec::new();
    for count in (1..=4).rev() {
        order.push(left.remove(n % count));
        n /= count;
    }
    order
}

#[test]
fn a_store_dies_with_events_and_removals_that_wait() {
    let (engine, module) = baseline();
    let mut store = Store::new(&engine, ());
    let ((codes, listener), (log, hook)) = (listener(), debugger());
    store.set_code_listener(listener);
    store.set_debugger(hook);
    let script = store.import_module(&module);
    module.compile_all().unwrap();
    drop(script);
    drop(store);
    assert_eq!(codes.counts(), (0, 0), "what waited is not told");
    assert_eq!(log.take().len(), 2);
    assert_eq!((Arc::strong_count(&codes), Arc::strong_count(&log)), (1, 1));
    assert_eq!(engine.statistics().stores, 0);
}

#[test]
fn a_store_dies_on_another_thread_while_code_is_made() {
    for _ in 0..20 {
        let (engine, module) = baseline();
        thread::scope(|scope| {
            scope.spawn(|| {
                module.compile_all().unwrap();
                module.flush_code();
                module.compile_all().unwrap();
            });
            for _ in 0..3 {
                scope.spawn(|| {
                    for _ in 0..20 {
                        let mut store = Store::new(&engine, ());
                        store.set_code_listener(listener().1);
                        instantiate(&mut store, &module);
                        store.poll().unwrap();
                    }
                });
            }
        });
        assert_eq!(engine.statistics().stores, 0);
    }
}

#[test]
fn a_module_dies_on_another_thread_than_its_stores() {
    let (engine, module) = baseline();
    let mut stores: Vec<Store<()>> = (0..10).map(|_| Store::new(&engine, ())).collect();
    for store in &mut stores {
        store.set_code_listener(listener().1);
        drop(store.import_module(&module));
    }
    module.compile_all().unwrap();
    thread::spawn(move || drop(module)).join().unwrap();
    assert_eq!(engine.statistics().modules, 0);
    let before = engine.code_bytes();
    for store in &mut stores {
        store.poll().unwrap();
    }
    assert!(engine.code_bytes() < before, "code was kept for the logs until they were delivered");
}

#[test]
fn an_engine_goes_with_everything_alive_and_work_under_way() {
    for round in 0..20 {
        let mut config = Config::new();
        config.tiering_budget(100).threads(2).strategy([Strategy::Lazy, Strategy::Hybrid][round % 2]);
        let (engine, weak, module) = watched(&config);
        let mut store = Store::new(&engine, ());
        store.set_code_listener(listener().1);
        store.set_debugger(debugger().1);
        let instance = instantiate(&mut store, &module);
        let hot = instance.get_typed_func::<i32, i32>(&mut store, "hot").unwrap();
        hot.call(&mut store, 10_000).unwrap();
        let mut parts: Vec<Box<dyn std::any::Any>> = vec![Box::new(engine), Box::new(module), Box::new(store)];
        parts.rotate_left(round % 3);
        drop(parts);
        assert!(weak.upgrade().is_none());
    }
}

/// Something that holds the last handles, and drops them when it is called.
#[derive(Debug, Default)]
struct Last(Mutex<Vec<Module>>);

impl CodeListener for Last {
    fn code_created(&self, _: &CreatedCode<'_>) {
        drop(std::mem::take(&mut *self.0.lock().unwrap()));
    }
}

impl DebuggerHook for Last {
    fn script_added(&self, _: &Script) {
        drop(std::mem::take(&mut *self.0.lock().unwrap()));
    }

    fn script_removed(&self, _: ScriptId) {
        drop(std::mem::take(&mut *self.0.lock().unwrap()));
    }
}

#[test]
fn the_last_handle_of_a_module_goes_in_a_listener() {
    let (engine, module) = baseline();
    let mut store = Store::new(&engine, ());
    let last = Arc::<Last>::default();
    store.set_code_listener(Some(last.clone()));
    drop(store.import_module(&module));
    store.poll().unwrap();
    module.compile_all().unwrap();
    last.0.lock().unwrap().push(module);
    store.poll().unwrap();
    assert_eq!(engine.statistics().modules, 0);
    store.poll().unwrap();
}

#[test]
fn the_last_handle_of_a_module_goes_in_the_engines_listener() {
    let last = Arc::<Last>::default();
    let engine = Engine::new(Config::new().code_listener(Some(last.clone()))).unwrap();
    let other = Module::new(&engine, "(module (func))").unwrap();
    last.0.lock().unwrap().push(Module::new(&engine, MODULE).unwrap());
    other.compile_all().unwrap();
    assert_eq!(engine.statistics().modules, 1);
    // The listener may hold what holds the engine: then both go when it is let go of.
    last.0.lock().unwrap().push(other);
    let weak = engine.weak();
    drop(engine);
    assert!(weak.upgrade().is_some());
    drop(std::mem::take(&mut *last.0.lock().unwrap()));
    assert!(weak.upgrade().is_none());
}

#[test]
fn the_last_handle_of_a_module_goes_in_a_debugger() {
    let (engine, module) = baseline();
    let other = Module::new(&engine, "(module)").unwrap();
    let mut store = Store::new(&engine, ());
    let last = Arc::<Last>::default();
    store.set_debugger(Some(last.clone()));
    drop(store.import_module(&other));
    store.poll().unwrap();
    last.0.lock().unwrap().push(module);
    drop(store.import_module(&other));
    assert_eq!(engine.statistics().modules, 1);
    last.0.lock().unwrap().push(other);
    store.poll().unwrap();
    assert_eq!(engine.statistics().modules, 0);
    store.poll().unwrap();
}

#[test]
fn the_last_handles_go_in_a_host_function() {
    let (engine, module) = baseline();
    let other = Module::new(&engine, "(module (func))").unwrap();
    let mut store = Store::new(&engine, ());
    let script = store.import_module(&other);
    let held = Mutex::new(Some((module.clone(), other, script, engine)));
    let host = Func::wrap(&mut store, move || drop(held.lock().unwrap().take()));
    let instance = Instance::new(&mut store, &module, &[host.into()]).unwrap();
    drop(module);
    instance.get_typed_func::<(), ()>(&mut store, "third").unwrap().call(&mut store, ()).unwrap();
    let statistics = store.engine().statistics();
    assert_eq!(statistics.modules, 1, "the instance's");
    assert_eq!(call(&mut store, instance, "second"), 2);
    store.poll().unwrap();
}

/// A collection of code finds modules that have died, and frees code that logs have not delivered.
#[test]
fn modules_die_while_code_is_collected() {
    let mut config = Config::new();
    config.tier(upshift::TierChoice::Baseline);
    let engine = Engine::new(&config).unwrap();
    let mut store = Store::new(&engine, ());
    let (codes, hook) = listener();
    store.set_code_listener(hook);
    thread::scope(|scope| {
        let collector = scope.spawn(|| {
            for _ in 0..200 {
                engine.collect_code();
            }
        });
        while !collector.is_finished() {
            let module = Module::new(&engine, MODULE).unwrap();
            drop(store.import_module(&module));
            module.compile_all().unwrap();
            module.flush_code();
            module.compile_all().unwrap();
            let dropper = scope.spawn(move || drop(module));
            store.poll().unwrap();
            dropper.join().unwrap();
        }
    });
    store.poll().unwrap();
    assert_eq!((codes.counts().0, engine.statistics().modules), (0, 0));
}
