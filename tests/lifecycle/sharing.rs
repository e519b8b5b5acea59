//! A module is shared by stores on any threads: one artefact, compiled once.

use std::sync::Arc;
use std::thread;

use upshift::{Config, Engine, EventKind, EventLog, Module, Script, Store, TierChoice};

use super::{MODULE, baseline, call, instantiate};

#[test]
fn a_thousand_stores_compile_a_module_once() {
    const STORES: usize = 1000;
    let log = Arc::new(EventLog::new(10_000));
    let mut config = Config::new();
    config.tier(TierChoice::Baseline).event_listener(Some(log.clone()));
    let engine = Engine::new(&config).unwrap();
    let module = Module::new(&engine, MODULE).unwrap();
    let mut stores: Vec<Store<()>> = (0..STORES).map(|_| Store::new(&engine, ())).collect();
    let mut bytes = None;
    for store in &mut stores {
        let instance = instantiate(store, &module);
        assert_eq!(call(store, instance, "second"), 2);
        assert!(Module::same(&instance.module(&mut *store), &module));
        let now = (engine.code_bytes(), module.statistics().code_bytes, module.statistics().compiled);
        assert_eq!(*bytes.get_or_insert(now), now, "code is used by all");
    }
    let compiled = |event: &upshift::Event| matches!(event.kind, EventKind::Compile { .. });
    assert_eq!(log.take().iter().filter(|event| compiled(event)).count(), 2);
    assert_eq!(module.statistics().compiled, 2);
    assert_eq!((engine.statistics().modules, engine.statistics().stores), (1, STORES));
    drop(stores);
    assert_eq!((engine.statistics().modules, engine.statistics().stores), (1, 0));
}

#[test]
fn a_module_sent_to_another_thread_is_the_same_there() {
    let (engine, module) = baseline();
    let mut store = Store::new(&engine, ());
    let instance = instantiate(&mut store, &module);
    call(&mut store, instance, "first");
    let address = module.code(1).unwrap().address;
    let sent = module.clone();
    let other = thread::spawn(move || {
        let engine = sent.engine().clone();
        let mut store = Store::new(&engine, ());
        let script = store.import_module(&sent);
        let instance = instantiate(&mut store, &sent);
        assert_eq!(call(&mut store, instance, "first"), 1);
        assert_eq!(sent.code(1).unwrap().address, address);
        assert_eq!(engine.statistics().stores, 2);
        script
    });
    let script: Script = other.join().unwrap();
    assert!(Module::same(&script.module(), &module));
    assert_eq!(
        (engine.statistics().stores, module.statistics().compiled, module.number()),
        (1, 1, script.module().number())
    );
}

#[test]
fn stores_on_many_threads_share_a_module_while_they_come_and_go() {
    let (engine, module) = baseline();
    thread::scope(|scope| {
        for _ in 0..4 {
            let (engine, module) = (&engine, &module);
            scope.spawn(move || {
                for _ in 0..200 {
                    let mut store = Store::new(engine, ());
                    let instance = instantiate(&mut store, module);
                    assert_eq!(call(&mut store, instance, "second"), 2);
                }
            });
        }
    });
    assert_eq!((engine.statistics().stores, module.statistics().compiled), (0, 2));
}
