//! One script per store and module, with its URL and names, announced once.

use std::sync::Arc;
use std::thread;

use upshift::{DebuggerHook, Engine, Instance, Module, Script, ScriptId, Store};

use super::{baseline, debugger, instantiate, listener};

#[test]
fn a_store_has_one_script_for_a_module() {
    let (engine, module) = baseline();
    let (mut one, mut two) = (Store::new(&engine, ()), Store::new(&engine, ()));
    let script = one.import_module(&module);
    instantiate(&mut one, &module);
    assert!(Script::same(&script, &one.import_module(&module.clone())));
    let other = two.import_module(&module);
    assert!(script.id() != other.id() && !Script::same(&script, &other));
    assert_eq!((one.scripts().len(), two.scripts().len()), (1, 1));
    assert_eq!(one.scripts()[0].id(), script.id());
}

#[test]
fn a_script_lives_as_long_as_a_handle_or_the_instance() {
    let (engine, module) = baseline();
    let mut store = Store::new(&engine, ());
    let first = store.import_module(&module).id();
    assert_eq!(store.scripts().len(), 0);
    let second = store.import_module(&module).id();
    assert_ne!(first, second, "numbers are never used again");
    instantiate(&mut store, &module);
    let third = store.import_module(&module).id();
    assert_eq!(store.import_module(&module).id(), third, "the store keeps it with the instance");
}

#[test]
fn the_url_is_the_one_by_which_the_store_got_the_module() {
    let (engine, module) = baseline();
    let urls = ["https://a.example/m.wasm", "https://b.example/m.wasm"];
    let modules = urls.map(|url| module.clone().with_source_url(url));
    for (url, handle) in urls.iter().zip(&modules) {
        let mut store = Store::new(&engine, ());
        instantiate(&mut store, handle);
        assert_eq!(store.import_module(&modules[0]).url(), *url, "the first handle counts");
    }
}

/// Tenants that compile the same bytes share a module, and nothing that another says of it.
#[test]
fn a_url_stays_with_who_gave_it() {
    let (engine, module) = baseline();
    let secret = module.clone().with_source_url("https://a.example/secret?token=123");
    let mut theirs = Store::new(&engine, ());
    let instance = instantiate(&mut theirs, &secret);
    assert_eq!(instance.module(&theirs).source_url(), secret.source_url());
    assert_eq!(theirs.import_module(&module).module().source_url(), secret.source_url(), "their own store knows it");
    let again = Module::new(&engine, super::MODULE).unwrap();
    assert!(Module::same(&again, &secret));
    let mut ours = Store::new(&engine, ());
    let (codes, hook) = listener();
    ours.set_code_listener(hook);
    let instance = instantiate(&mut ours, &again);
    super::call(&mut ours, instance, "first");
    ours.poll().unwrap();
    let script = ours.import_module(&again);
    let told = codes.functions().remove(0).url.unwrap();
    let urls = [module.source_url(), again.source_url(), script.url(), &told];
    for url in urls.into_iter().chain([instance.module(&ours).source_url(), script.module().source_url()]) {
        assert!(url.starts_with("wasm://wasm/m-"), "{url}");
    }
}

/// A store keeps a module, and tells its debugger of it, once it has an instance: not for having tried.
#[test]
fn a_failed_instantiation_keeps_nothing() {
    let engine = Engine::default();
    let limits = upshift::StoreLimitsBuilder::new().memory_size(1 << 16).build();
    let mut store = Store::new(&engine, limits);
    store.limiter(|limits| limits);
    let (log, hook) = debugger();
    store.set_debugger(hook);
    for number in 0..20 {
        let text = format!("(module (memory 100) (func (result i32) i32.const {number}))");
        let module = Module::new(&engine, text).unwrap().with_source_url("https://example.org/m.wasm");
        assert!(Instance::new(&mut store, &module, &[]).is_err());
    }
    store.poll().unwrap();
    assert_eq!((engine.statistics().modules, store.scripts().len(), log.take()), (0, 0, vec![]));
}

/// A segment that does not fit leaves the instance in the store, as a table may lead to its functions.
#[test]
fn an_instantiation_that_traps_keeps_its_module() {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let (log, hook) = debugger();
    store.set_debugger(hook);
    let table =
        Instance::new(&mut store, &Module::new(&engine, r#"(module (table (export "t") 1 funcref))"#).unwrap(), &[]);
    let table = table.unwrap().get_export(&mut store, "t").unwrap();
    log.take();
    let text = r#"(module (import "" "t" (table 1 funcref)) (func $f (result i32) i32.const 5) (elem (i32.const 0) $f)
        (memory 1) (data (i32.const 65536) "a"))"#;
    let module = Module::new(&engine, text).unwrap().with_source_url("https://example.org/m.wasm");
    assert!(Instance::new(&mut store, &module, std::slice::from_ref(&table)).is_err());
    drop(module);
    store.poll().unwrap();
    let scripts = store.scripts();
    assert_eq!((engine.statistics().modules, scripts.len()), (2, 2));
    assert_eq!(log.take(), [format!("+ {} https://example.org/m.wasm", scripts[1].id().0)]);
    let escaped = *table.into_table().unwrap().get(&mut store, 0).unwrap().unwrap_func().unwrap();
    assert_eq!(escaped.typed::<(), i32>(&store).unwrap().call(&mut store, ()).unwrap(), 5);
}

/// The start function belongs to the instance: its debugger knows the script before it runs.
#[test]
fn a_script_is_told_of_before_the_start_function_runs() {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let (log, hook) = debugger();
    store.set_debugger(hook);
    let seen = Arc::clone(&log);
    let host = upshift::Func::wrap(&mut store, move || seen.push("start".into()));
    let module = Module::new(&engine, r#"(module (import "" "f" (func $f)) (start $f))"#).unwrap();
    Instance::new(&mut store, &module, &[host.into()]).unwrap();
    let told = log.take();
    assert!(told.len() == 2 && told[0].starts_with("+ ") && told[1] == "start", "{told:?}");
}

#[test]
fn without_a_url_the_bytes_give_one() {
    let engine = Engine::default();
    let url = |text: &str| Module::new(&engine, text).unwrap().source_url().to_string();
    let (named, plain) = (url("(module $some_name)"), url("(module)"));
    let hash = named.strip_prefix("wasm://wasm/some_name-").unwrap();
    assert!(hash.len() == 8 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()), "{named}");
    assert_eq!(plain, url("(module)"));
    assert_ne!(plain, url("(module (memory 1))"));
    assert_eq!(plain.len(), "wasm://wasm/".len() + 8);
}

#[test]
fn a_module_of_a_file_has_its_url() {
    let engine = Engine::default();
    let path = std::env::temp_dir().join(format!("upshift {}%.wat", std::process::id()));
    std::fs::write(&path, "(module)").unwrap();
    let module = Module::from_file(&engine, &path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let url = module.source_url();
    let name = format!("/upshift%20{}%25.wat", std::process::id());
    assert!(url.starts_with("file:///") && url.ends_with(&name), "{url}");
}

#[test]
fn sections_and_names_are_read() {
    let engine = Engine::default();
    let module = Module::new(
        &engine,
        r#"(module (func $f) (func)
            (@custom "sourceMappingURL" "\05a.map")
            (@custom "external_debug_info" "\03d.o"))"#,
    )
    .unwrap();
    let mut store = Store::new(&engine, ());
    let script = store.import_module(&module);
    assert_eq!((script.source_map_url(), script.external_debug_info()), (Some("a.map"), Some("d.o")));
    assert_eq!((&*script.function_name(0), &*script.function_name(1)), ("f", "wasm-function[1]"));
    assert_eq!(script.function_name(u32::MAX), "wasm-function[4294967295]");
    let (engine, module) = baseline();
    let script = Store::new(&engine, ()).import_module(&module);
    assert_eq!((script.source_map_url(), script.external_debug_info()), (None, None));
}

#[test]
fn a_debugger_hears_of_each_script_once() {
    let (engine, module) = baseline();
    let mut store = Store::new(&engine, ());
    let (log, hook) = debugger();
    store.set_debugger(hook);
    instantiate(&mut store, &module);
    let id = store.import_module(&module).id().0;
    instantiate(&mut store, &module);
    drop(store.import_module(&module));
    store.poll().unwrap();
    assert_eq!(log.take(), [format!("+ {id} {}", module.source_url())]);
    drop(store);
    assert_eq!(log.take(), [format!("- {id}")]);
}

#[test]
fn a_late_debugger_hears_of_what_is_there() {
    let (engine, module) = baseline();
    let [dropped, kept] = ["(module (func))", "(module (memory 1))"].map(|text| Module::new(&engine, text).unwrap());
    let mut store = Store::new(&engine, ());
    let script = store.import_module(&kept);
    drop(store.import_module(&dropped));
    instantiate(&mut store, &module);
    let (first, hook) = debugger();
    store.set_debugger(hook);
    let instance = store.import_module(&module).id().0;
    let expected = [format!("+ {} {}", script.id().0, script.url()), format!("+ {instance} {}", module.source_url())];
    assert_eq!(first.take(), expected);
    let (second, hook) = debugger();
    store.set_debugger(hook);
    assert_eq!((first.take(), second.take()), (vec![], expected.to_vec()));
    store.set_debugger(None);
    drop(script);
    store.poll().unwrap();
    assert_eq!((first.take(), second.take()), (vec![], vec![]), "nobody listens");
}

#[test]
fn a_removal_is_told_on_the_stores_thread() {
    let (engine, module) = baseline();
    let mut store = Store::new(&engine, ());
    let (log, hook) = debugger();
    store.set_debugger(hook);
    let script = store.import_module(&module);
    let id = script.id().0;
    log.take();
    thread::spawn(move || drop((script, module))).join().unwrap();
    assert_eq!(log.take(), [""; 0]);
    assert_eq!(engine.statistics().modules, 0);
    assert_eq!(store.poll().unwrap(), 0, "it is work of the engine's own");
    assert_eq!(log.take(), [format!("- {id}")]);
}

/// Another script for the same module comes before the store was polled.
#[test]
fn a_removal_is_told_before_the_next_script_of_the_module() {
    let (engine, module) = baseline();
    let mut store = Store::new(&engine, ());
    let (log, hook) = debugger();
    store.set_debugger(hook);
    let first = store.import_module(&module).id().0;
    let script = store.import_module(&module);
    let url = module.source_url();
    let expected = [format!("+ {first} {url}"), format!("- {first}"), format!("+ {} {url}", script.id().0)];
    assert_eq!(log.take(), expected);
    store.poll().unwrap();
    assert_eq!(log.take(), [""; 0]);
}

/// Handles are dropped on other threads while the store makes new ones.
#[test]
fn scripts_come_and_go_on_many_threads() {
    let (engine, module) = baseline();
    let mut store = Store::new(&engine, ());
    let (log, hook) = debugger();
    store.set_debugger(hook);
    thread::scope(|scope| {
        let (sender, receiver) = std::sync::mpsc::channel::<Script>();
        scope.spawn(move || receiver.into_iter().for_each(drop));
        for round in 0..2000 {
            sender.send(store.import_module(&module)).unwrap();
            if round % 7 == 0 {
                store.poll().unwrap();
            }
        }
    });
    drop(store);
    let mut living = None;
    for line in log.take() {
        let mut words = line.split(' ');
        match (words.next(), words.next()) {
            (Some("+"), id) => assert_eq!(std::mem::replace(&mut living, id.map(str::to_string)), None, "{line}"),
            (_, id) => assert_eq!(living.take().as_deref(), id, "{line}"),
        }
    }
    assert_eq!(living, None);
}

#[derive(Debug)]
struct Panics;

impl DebuggerHook for Panics {
    fn script_added(&self, _: &Script) {
        panic!("expected by a test");
    }

    fn script_removed(&self, _: ScriptId) {
        panic!("expected by a test");
    }
}

#[test]
fn a_debugger_that_panics_harms_nobody() {
    let (engine, module) = baseline();
    let mut store = Store::new(&engine, ());
    store.set_debugger(Some(Arc::new(Panics)));
    drop(store.import_module(&module));
    store.poll().unwrap();
    instantiate(&mut store, &module);
    assert_eq!(store.scripts().len(), 1);
    drop(store);
}

#[test]
#[should_panic(expected = "different engines")]
fn a_module_of_another_engine_is_refused() {
    let (_engine, module) = baseline();
    Store::new(&Engine::default(), ()).import_module(&module);
}

/// A module whose code was replaced by the variant with explicit checks is the same module still.
#[test]
fn an_import_without_guard_makes_no_second_script() {
    let engine = Engine::default();
    let checked = Module::new(&engine, r#"(module (memory (export "m") 1 2))"#).unwrap();
    let module = Module::new(&engine, r#"(module (import "" "m" (memory 1)))"#).unwrap();
    let mut store = Store::new(&engine, ());
    let memory = Instance::new(&mut store, &checked, &[]).unwrap().get_export(&mut store, "m").unwrap();
    let (log, hook) = debugger();
    store.set_debugger(hook);
    log.take();
    for _ in 0..2 {
        Instance::new(&mut store, &module, std::slice::from_ref(&memory)).unwrap();
    }
    assert_eq!(log.take().len(), 1);
    assert_eq!(store.scripts().len(), 2);
}
