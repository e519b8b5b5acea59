//! Who uses what, and what is left when something dies.

use super::*;
use crate::config::Config;
use crate::engine::Engine;
use crate::module::compile;

const EMPTY: &[u8] = b"\0asm\x01\0\0\0";
/// With a custom section, so that a cache sees two modules.
const OTHER: &[u8] = b"\0asm\x01\0\0\0\0\x02\x01a";

fn number(module: &NativeModule) -> ModuleNumber {
    attachment::of(module).number
}

#[test]
fn using_is_idempotent_and_undone_by_either_death() {
    let engine = Engine::new(Config::default()).unwrap();
    let registry = &engine.service().registry;
    let [one, two] = [EMPTY, OTHER].map(|bytes| compile(&engine, bytes).unwrap());
    let mut stores: Vec<Store> = (0..3).map(|_| Store::new(engine.environment())).collect();
    for store in &mut stores {
        for module in [&one, &two, &one] {
            registry.use_module(store, module, None, true);
        }
    }
    let numbers = [number(&one), number(&two)];
    let users = || numbers.map(|number| registry.users(number));
    assert_eq!(users(), [3, 3]);
    stores.pop();
    assert_eq!(users(), [2, 2]);
    drop(two);
    assert_eq!(users(), [2, 0]);
    let record = registry.record(&mut stores[0]);
    assert_eq!(record.scripts.used().len(), 2, "forgotten on the store's own thread");
    record.look();
    assert_eq!(record.scripts.used(), [(numbers[0], true)]);
    drop((one, stores));
    assert_eq!(users(), [0, 0]);
    assert_eq!(registry.lock().stores, 0);
}

#[test]
fn a_store_that_nobody_asks_about_is_not_entered() {
    let engine = Engine::new(Config::default()).unwrap();
    let module = compile(&engine, EMPTY).unwrap();
    let mut store = Store::new(engine.environment());
    for _ in 0..2 {
        engine.instantiate(&mut store, &module, &[], None).unwrap();
    }
    assert!(store.attachment().is_none());
    let registry = &engine.service().registry;
    let stores = registry.lock().stores;
    assert_eq!((stores, registry.users(number(&module))), (0, 0));
    // Its instances are found when somebody wants to know.
    let record = registry.record(&mut store);
    assert_eq!(record.scripts.used(), [(number(&module), true)]);
    assert_eq!(registry.users(number(&module)), 1);
}

#[test]
fn a_store_remembers_the_url_that_it_was_given() {
    let engine = Engine::new(Config::default()).unwrap();
    let module = compile(&engine, EMPTY).unwrap();
    let urls = [Some("https://a.example/"), Some("https://b.example/"), None].map(|url| url.map(Arc::<str>::from));
    for url in &urls {
        let mut store = Store::new(engine.environment());
        engine.instantiate(&mut store, &module, &[], url.as_ref()).unwrap();
        assert_eq!(store.attachment().is_some(), url.is_some());
        assert_eq!(&engine.given_url(&store, &module), url);
        let script = engine.import_module(&mut store, &module, urls[0].as_ref()).unwrap();
        assert_eq!(script.given_url(), url.as_ref(), "the first handle counts");
    }
}

#[test]
fn a_variant_counts_as_its_module() {
    let engine = Engine::new(Config::default()).unwrap();
    let registry = &engine.service().registry;
    let module = compile(&engine, EMPTY).unwrap();
    let variant = engine.environment().hooks.checked_variant(&module).unwrap();
    let mut store = Store::new(engine.environment());
    registry.use_module(&mut store, &module, None, true);
    registry.use_module(&mut store, &variant, None, true);
    let number = number(&module);
    assert_eq!((registry.users(number), registry.natives(number).len()), (1, 2));
    drop(module);
    assert_eq!(registry.users(number), 1, "the variant lives");
    drop(variant);
    assert_eq!((registry.users(number), registry.modules().len()), (0, 0));
}

#[test]
fn a_module_may_survive_its_engine() {
    let engine = Engine::new(Config::default()).unwrap();
    let module = compile(&engine, EMPTY).unwrap();
    drop(engine);
    drop(module);
}

/// The check at the end finds what is left.
#[test]
#[cfg(debug_assertions)]
#[should_panic(expected = "left stores behind")]
fn a_store_that_is_left_behind_is_found() {
    let mut registry = Arc::<Registry>::default();
    let state = Arc::get_mut(&mut registry).unwrap().state.get_mut().unwrap();
    state.stores = 1;
    drop(registry);
}
