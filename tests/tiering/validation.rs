//! Bodies that are validated when they are first compiled.

use upshift::{CompileError, CompileErrorKind, Config, Engine, Module, Strategy, Tier, WasmBacktrace};

use super::instantiate;

/// Function `bad` is not valid; `good` is; `calls` calls one or the other.
const TEXT: &str = r#"(module
    (func $bad (export "bad") (result i32) (i32.add (i32.const 1) (f32.const 2)))
    (func $good (export "good") (result i32) (i32.const 7))
    (func $calls (export "calls") (param i32) (result i32)
        (if (result i32) (local.get 0) (then (call $bad)) (else (call $good)))))"#;

#[test]
fn an_invalid_function_fails_at_every_call_of_it() {
    let whole = Module::new(&Engine::default(), TEXT).unwrap_err();
    let expected = whole.downcast_ref::<CompileError>().unwrap();
    for strategy in [Strategy::Lazy, Strategy::Eager, Strategy::Hybrid] {
        let engine = Engine::new(Config::new().lazy_validation(true).strategy(strategy)).unwrap();
        let (module, mut store, instance) = instantiate(&engine, TEXT);
        let calls = instance.get_typed_func::<i32, i32>(&mut store, "calls").unwrap();
        for _ in 0..3 {
            assert_eq!(calls.call(&mut store, 0).unwrap(), 7);
            let error = calls.call(&mut store, 1).unwrap_err();
            let fault = error.downcast_ref::<CompileError>().unwrap();
            assert_eq!((fault.kind(), fault.function_name()), (CompileErrorKind::Invalid, Some("bad")));
            assert_eq!((fault.offset(), fault.to_string()), (expected.offset(), expected.to_string()));
            let frames = error.downcast_ref::<WasmBacktrace>().unwrap().frames();
            assert_eq!(frames.len(), 1, "the function that called");
            assert_eq!(frames[0].func_name(), Some("calls"));
        }
        assert_eq!(module.function_tier(0), None);
        for tier in Tier::ALL {
            assert!(module.compile_function_in(0, *tier).unwrap_err().is::<CompileError>());
            assert!(module.code_in(0, *tier).is_err());
        }
        assert!(module.compile_function(1).is_ok());
    }
}

#[test]
fn an_invalid_function_is_never_inlined() {
    let engine = Engine::new(Config::new().lazy_validation(true).tiering_budget(100).sync_tier_up(true)).unwrap();
    let (module, mut store, instance) = instantiate(&engine, TEXT);
    let calls = instance.get_typed_func::<i32, i32>(&mut store, "calls").unwrap();
    for round in 0..200 {
        let argument = i32::from(round % 3 == 0);
        assert_eq!(calls.call(&mut store, argument).is_err(), argument == 1);
    }
    assert_eq!((module.function_tier(2), module.statistics().tiering.failed), (Some(Tier::Optimizing), 0));
}

#[test]
fn what_is_around_the_bodies_is_validated_at_once() {
    let engine = Engine::new(Config::new().lazy_validation(true)).unwrap();
    assert!(Module::new(&engine, r#"(module (func (export "a")) (func (export "a")))"#).is_err());
    assert!(Module::new(&engine, r#"(module (global i32 (f32.const 1)))"#).is_err());
}
