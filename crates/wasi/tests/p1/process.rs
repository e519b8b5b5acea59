//! Arguments, environment, clocks, random bytes and the end of a program.

use crate::guest::{DATA, END, Guest, OUT, refused};
use upshift::{Engine, Linker, Module, Store};
use wasi::{I32Exit, WasiCtx, WasiCtxBuilder, add_to_linker};

/// The strings that a pair of functions gives.
fn strings(g: &mut Guest, sizes: &str, get: &str) -> Vec<Vec<u8>> {
    g.call(sizes, &[OUT, OUT + 4]).unwrap();
    let (count, size) = (g.u32(OUT) as i64, g.u32(OUT + 4) as i64);
    g.call(get, &[OUT, END - size]).unwrap();
    let mut all = Vec::new();
    for i in 0..count {
        let at = i64::from(g.u32(OUT + 4 * i));
        let rest = g.peek(at, (END - at) as usize);
        all.push(rest.split(|&byte| byte == 0).next().unwrap().to_vec());
    }
    all
}

#[test]
fn arguments_and_environment() {
    let mut g = Guest::with(|builder, _| {
        builder.arg("program").args(&["a b", "", "ü"]);
        builder.env("X", "1").envs(&[("Y", "a=b"), ("X", "2")]);
    });
    let args: [&[u8]; 4] = [b"program", b"a b", b"", "ü".as_bytes()];
    assert_eq!(strings(&mut g, "args_sizes_get", "args_get"), args);
    let env: [&[u8]; 2] = [b"Y=a=b", b"X=2"];
    assert_eq!(strings(&mut g, "environ_sizes_get", "environ_get"), env);
    refused!(g.call("args_get", &[OUT, END - 3]), Fault);
    refused!(g.call("args_get", &[END - 4, DATA]), Fault);
    refused!(g.call("args_sizes_get", &[END, OUT]), Fault);
}

#[test]
fn no_arguments() {
    let mut g = Guest::new();
    g.call("args_sizes_get", &[OUT, OUT + 4]).unwrap();
    assert_eq!((g.u32(OUT), g.u32(OUT + 4)), (0, 0));
    g.call("args_get", &[END, END]).unwrap();
}

#[test]
fn clocks() {
    let mut g = Guest::new();
    for id in 0..4 {
        g.call("clock_res_get", &[id, OUT]).unwrap();
        assert!(g.u64(OUT) >= 1);
        g.call("clock_time_get", &[id, 1, OUT]).unwrap();
        let before = g.u64(OUT);
        g.call("clock_time_get", &[id, 0, OUT]).unwrap();
        assert!(g.u64(OUT) >= before);
    }
    refused!(g.call("clock_res_get", &[4, OUT]), Inval);
    refused!(g.call("clock_time_get", &[-1, 0, OUT]), Inval);
}

#[test]
fn runs_can_repeat_exactly() {
    let run = || {
        let mut g = Guest::with(|builder, _| {
            builder.deterministic(1_000, 42);
        });
        g.call("random_get", &[DATA, 21]).unwrap();
        let mut seen = g.peek(DATA, 22);
        for id in 0..4 {
            g.call("clock_time_get", &[id, 0, OUT]).unwrap();
            seen.extend(g.u64(OUT).to_le_bytes());
        }
        seen
    };
    assert_eq!(run(), run());
}

#[test]
fn random_bytes() {
    let mut g = Guest::new();
    g.call("random_get", &[DATA, 0x1_0000]).unwrap();
    let some = g.peek(DATA, 0x1_0000);
    let zeros = some.iter().filter(|&&byte| byte == 0).count();
    assert!(zeros < 1000);
    g.call("random_get", &[END, 0]).unwrap();
}

#[test]
fn signals_and_yielding() {
    let mut g = Guest::new();
    g.call("sched_yield", &[]).unwrap();
    g.call("proc_raise", &[0]).unwrap();
    refused!(g.call("proc_raise", &[6]), NotSup);
    refused!(g.call("proc_raise", &[99]), Inval);
}

/// Runs a program's `_start` and returns its error.
fn run(wat: &str) -> upshift::Result<()> {
    let engine = Engine::default();
    let module = Module::new(&engine, wat).unwrap();
    let mut linker = Linker::new(&engine);
    add_to_linker(&mut linker, |ctx: &mut WasiCtx| ctx).unwrap();
    let mut store = Store::new(&engine, WasiCtxBuilder::new().build());
    let instance = linker.instantiate(&mut store, &module).unwrap();
    instance.get_typed_func::<(), ()>(&mut store, "_start").unwrap().call(&mut store, ())
}

#[test]
fn exit_codes() {
    for code in [0, 1, 77, 255, -1] {
        let error = run(&format!(
            r#"(module
                (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
                (memory (export "memory") 1)
                (func (export "_start") (call $exit (i32.const {code})) unreachable))"#
        ))
        .unwrap_err();
        assert_eq!(error.downcast_ref::<I32Exit>(), Some(&I32Exit(code)));
    }
}

#[test]
fn a_program_without_memory_cannot_pass_pointers() {
    let error = run(r#"(module
            (import "wasi_snapshot_preview1" "random_get" (func $get (param i32 i32) (result i32)))
            (func (export "_start") (drop (call $get (i32.const 0) (i32.const 0)))))"#)
    .unwrap_err();
    assert!(format!("{error:?}").contains("memory"));
    run(r#"(module
            (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
            (func (export "_start") (drop (call $yield))))"#)
    .unwrap();
}
