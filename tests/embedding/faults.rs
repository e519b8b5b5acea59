//! Faults that are not Wasm's: they end the process as they would have without the engine.

use std::os::unix::process::ExitStatusExt;

use upshift::Func;

use super::instantiate;
use crate::child;

const SIGILL: i32 = 4;
const SIGSEGV: i32 = 11;

const CALLS_HOST: &str = r#"(module
    (import "" "" (func $host))
    (memory 1)
    (func (export "run") (call $host))
    (func (export "load") (drop (i32.load (i32.const -1)))))"#;

/// Runs a host function that faults, called by Wasm, after Wasm has trapped by a fault of its own.
fn fault_in_host(fault: fn()) {
    let (mut store, instance) = instantiate((), CALLS_HOST, |store| vec![Func::wrap(store, fault).into()]);
    let load = instance.get_typed_func::<(), ()>(&mut store, "load").unwrap();
    assert!(load.call(&mut store, ()).is_err());
    let _ = instance.get_typed_func::<(), ()>(&mut store, "run").unwrap().call(&mut store, ());
    println!("survived");
}

fn assert_dies(name: &str, signal: i32, body: impl FnOnce()) {
    let Some(output) = child::run(name) else { return body() };
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.signal(), Some(signal), "{}: {text}", output.status);
    assert!(!text.contains("survived"), "{text}");
}

fn read_null() {
    // SAFETY: none; the fault is what this is about, and ends the process.
    unsafe { std::ptr::null::<u8>().wrapping_add(8).read_volatile() };
}

#[test]
fn a_fault_in_a_host_function_ends_the_process() {
    assert_dies("embedding::faults::a_fault_in_a_host_function_ends_the_process", SIGSEGV, || fault_in_host(read_null));
}

#[test]
fn an_illegal_instruction_in_a_host_function_ends_the_process() {
    assert_dies("embedding::faults::an_illegal_instruction_in_a_host_function_ends_the_process", SIGILL, || {
        // SAFETY: none; as above.
        fault_in_host(|| unsafe { std::arch::asm!("ud2") });
    });
}

#[test]
fn a_fault_outside_of_calls_ends_the_process() {
    assert_dies("embedding::faults::a_fault_outside_of_calls_ends_the_process", SIGSEGV, || {
        let engine = upshift::Engine::default();
        let _store = upshift::Store::new(&engine, ());
        read_null();
    });
}
