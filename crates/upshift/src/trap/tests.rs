//! Tests of `trap`.

use runtime::trap::TrapReason;

use super::{Trap, WasmBacktrace};
use crate::{Engine, Error, Func, Instance, Module, Store};

#[test]
fn every_reason_has_a_trap_of_its_own() {
    for &reason in TrapReason::ALL {
        let trap = Trap::from(reason);
        match reason {
            TrapReason::UndefinedElement => assert_eq!(trap, Trap::TableOutOfBounds),
            _ => assert_eq!(trap.reason(), Some(reason)),
        }
    }
    for &trap in Trap::ALL {
        assert_eq!(trap.reason().map(Trap::from), Some(trap));
    }
}

#[test]
fn messages_contain_those_of_the_test_suite() {
    for &reason in TrapReason::ALL.iter().filter(|&&reason| reason != TrapReason::OutOfFuel) {
        // Of these two, the suite accepts what begins or goes on so.
        let text = reason.message().trim_start_matches("wasm trap: ");
        assert!(Trap::from(reason).message().contains(text), "{text}");
    }
    assert_eq!(Trap::MemoryOutOfBounds.to_string(), "wasm trap: out of bounds memory access");
}

const NESTED: &str = r#"(module $outer
    (import "" "call" (func $call))
    (func $inner (export "inner") i32.const 1 i32.const 0 i32.div_s drop)
    (func (export "run") call $call))"#;

/// Host code that calls back into Wasm, which traps.
fn nested() -> Error {
    let engine = Engine::default();
    let module = Module::new(&engine, NESTED).unwrap();
    let mut store = Store::new(&engine, ());
    let call = Func::wrap(&mut store, |mut caller: crate::Caller<'_, ()>| -> crate::Result<()> {
        let inner = caller.get_export("inner").and_then(crate::Extern::into_func).unwrap();
        inner.typed::<(), ()>(&caller)?.call(&mut caller, ()).map_err(|error| error.context("in the host"))
    });
    let instance = Instance::new(&mut store, &module, &[call.into()]).unwrap();
    instance.get_typed_func::<(), ()>(&mut store, "run").unwrap().call(&mut store, ()).unwrap_err()
}

#[test]
fn a_backtrace_crosses_host_frames() {
    let error = nested();
    assert_eq!(error.to_string(), "in the host");
    assert_eq!(error.downcast_ref(), Some(&Trap::IntegerDivisionByZero));
    let backtrace = error.downcast_ref::<WasmBacktrace>().unwrap();
    let frames: Vec<(u32, Option<&str>)> =
        backtrace.frames().iter().map(|frame| (frame.func_index(), frame.func_name())).collect();
    assert_eq!(frames, [(1, Some("inner")), (2, None)]);
    let frame = &backtrace.frames()[0];
    assert_eq!(frame.module_name(), Some("outer"));
    assert!(Module::same(frame.module(), backtrace.frames()[1].module()));
    assert_eq!(frame.module().name(), Some("outer"));
    // One byte of locals and two constants of two bytes stand before the division.
    assert_eq!(frame.func_offset(), Some(5));
    let offset = frame.module_offset().unwrap();
    let text = backtrace.to_string();
    let first = format!("error while executing at wasm backtrace:\n    0: {offset:#8x} - outer!inner\n    1:");
    assert!(text.starts_with(&first) && text.ends_with("outer!<wasm function 2>"), "{text}");
}

#[test]
fn backtraces_can_be_off() {
    let engine = Engine::new(crate::Config::new().wasm_backtrace(false)).unwrap();
    let module = Module::new(&engine, r#"(module (func (export "f") unreachable))"#).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let error = instance.get_typed_func::<(), ()>(&mut store, "f").unwrap().call(&mut store, ()).unwrap_err();
    assert_eq!(format!("{error:#}"), "wasm trap: wasm `unreachable` instruction executed");
}

#[test]
fn a_deep_backtrace_shows_both_ends() {
    let engine = Engine::default();
    let module = Module::new(&engine, r#"(module (func $down (export "run") call $down))"#).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let run = instance.get_typed_func::<(), ()>(&mut store, "run").unwrap();
    let error = run.call(&mut store, ()).unwrap_err();
    let backtrace = error.downcast_ref::<WasmBacktrace>().unwrap();
    let (text, frames) = (backtrace.to_string(), backtrace.frames().len());
    assert!(frames > 100);
    assert!(text.contains(&format!("... {} more frames ...", frames - 25)), "{text}");
    assert_eq!(text.lines().count(), 1 + 20 + 1 + 5, "{text}");
}

#[test]
fn shown_names_steer_no_terminal() {
    let shown = |name| super::Name(name).to_string();
    assert_eq!(shown("a\x1b[2Jb\nc\u{202e}\u{9b}"), r"a\u{1b}[2Jb\nc\u{202e}\u{9b}");
    assert_eq!(shown(r#"<T as "größe">::नि{x}'\"#), r#"<T as "größe">::नि{x}'\"#);
    assert_eq!(shown(""), "");
    let text = r#"(module $"m\07" (func $"f\0d" (export "f") unreachable))"#;
    let module = Module::new(&Engine::default(), text).unwrap();
    let mut store = Store::new(module.engine(), ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let error = instance.get_typed_func::<(), ()>(&mut store, "f").unwrap().call(&mut store, ()).unwrap_err();
    let backtrace = error.downcast_ref::<WasmBacktrace>().unwrap();
    assert_eq!(backtrace.frames()[0].func_name(), Some("f\r"));
    assert!(backtrace.to_string().ends_with(r"m\u{7}!f\r"), "{backtrace}");
}
