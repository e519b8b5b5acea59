//! Scenarios on one thread.

use upshift::{Config, Engine, Instance, Module, Store};

use super::Timeline;

/// `hot` calls `warm` in a loop; `cold` is called by neither.
const PROGRAM: &str = r#"(module
    (import "host" "f" (func $f))
    (func $warm (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
    (func $hot (export "hot") (param i32) (result i32) (local i32)
        (loop $next
            (local.set 1 (call $warm (local.get 1)))
            (br_if $next (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
        (local.get 1))
    (func (export "cold") (call $f)))"#;

fn at_once(timeline: &mut Config) -> &mut Config {
    timeline.tiering_budget(1000).sync_tier_up(true).threads(1)
}

fn instance(engine: &Engine, store: &mut Store<()>) -> Instance {
    let module = Module::new(engine, PROGRAM).unwrap();
    let f = upshift::Func::wrap(&mut *store, || {});
    Instance::new(store, &module, &[f.into()]).unwrap()
}

#[test]
fn a_loop_moves_up_while_it_runs() {
    let mut config = Config::new();
    let timeline = Timeline::listen(at_once(&mut config));
    let engine = Engine::new(&config).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = instance(&engine, &mut store);
    let hot = instance.get_typed_func::<i32, i32>(&mut store, "hot").unwrap();
    for round in 1..=3 {
        timeline.note(&format!("call hot ({round})"));
        assert_eq!(hot.call(&mut store, 1000).unwrap(), 1000);
    }
    timeline.compare("tier_up");
}

#[test]
fn code_is_flushed_and_comes_back() {
    let mut config = Config::new();
    let timeline = Timeline::listen(at_once(&mut config));
    let engine = Engine::new(&config).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = instance(&engine, &mut store);
    let cold = instance.get_typed_func::<(), ()>(&mut store, "cold").unwrap();
    cold.call(&mut store, ()).unwrap();
    timeline.note("flush");
    instance.module(&store).flush_code();
    timeline.note("call cold");
    cold.call(&mut store, ()).unwrap();
    timeline.note("a module that is not valid, and an instance that cannot be");
    Module::new(&engine, "(module (func i32.add))").unwrap_err();
    let module = instance.module(&store);
    Instance::new(&mut store, &module, &[]).unwrap_err();
    timeline.compare("flush");
}
