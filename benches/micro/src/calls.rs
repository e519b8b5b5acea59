//! Calls across the border, ns each: host to Wasm by a typed function, Wasm to host by an import.

use crate::engine::{Caller, Engine, Linker, Module, Store};
use crate::{Outcome, clock, failed};
use serde_json::{Value, json};

/// `add` and `nothing` are called from the host; `plain_loop` and `caller_loop` call the host `n` times.
const MODULE: &str = r#"(module
  (import "host" "plain" (func $plain (param i32) (result i32)))
  (import "host" "caller" (func $caller (param i32) (result i32)))
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "nothing"))
  (func (export "plain_loop") (param $n i32) (result i32) (local $x i32)
    (loop $again
      (local.set $x (call $plain (local.get $x)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $x))
  (func (export "caller_loop") (param $n i32) (result i32) (local $x i32)
    (loop $again
      (local.set $x (call $caller (local.get $x)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $x)))"#;

const CALLS: i32 = 2_000_000;
const BATCHES: usize = 15;

/// Runs all four measurements; each figure is that of the best batch.
pub(crate) fn measure() -> Outcome<Value> {
    let engine = Engine::default();
    let module = Module::new(&engine, wat::parse_str(MODULE)?).map_err(failed)?;
    let mut linker: Linker<u64> = Linker::new(&engine);
    linker.func_wrap("host", "plain", |x: i32| x.wrapping_add(1)).map_err(failed)?;
    linker
        .func_wrap("host", "caller", |mut caller: Caller<'_, u64>, x: i32| {
            *caller.data_mut() += 1;
            x.wrapping_add(1)
        })
        .map_err(failed)?;
    let mut store = Store::new(&engine, 0u64);
    let instance = linker.instantiate(&mut store, &module).map_err(failed)?;

    let add = instance.get_typed_func::<(i32, i32), i32>(&mut store, "add").map_err(failed)?;
    let host_to_wasm = best_batch(|| {
        let mut sum = 0;
        for _ in 0..CALLS {
            sum = add.call(&mut store, (sum, 3)).map_err(failed)?;
        }
        expect(sum, CALLS.wrapping_mul(3))
    })?;

    let nothing = instance.get_typed_func::<(), ()>(&mut store, "nothing").map_err(failed)?;
    let host_to_wasm_empty = best_batch(|| {
        for _ in 0..CALLS {
            nothing.call(&mut store, ()).map_err(failed)?;
        }
        Ok(())
    })?;

    let mut from_wasm = [0.0; 2];
    for (slot, name) in from_wasm.iter_mut().zip(["plain_loop", "caller_loop"]) {
        let calling = instance.get_typed_func::<i32, i32>(&mut store, name).map_err(failed)?;
        *slot = best_batch(|| expect(calling.call(&mut store, CALLS).map_err(failed)?, CALLS))?;
    }

    Ok(json!({
        "host_to_wasm_ns": host_to_wasm,
        "host_to_wasm_empty_ns": host_to_wasm_empty,
        "wasm_to_host_ns": from_wasm[0],
        "wasm_to_host_caller_ns": from_wasm[1],
    }))
}

/// Thread CPU of the fastest of several batches, ns a call. The first batch also warms up whatever compiles lazily.
fn best_batch(mut batch: impl FnMut() -> Outcome<()>) -> Outcome<f64> {
    let mut best = f64::INFINITY;
    for _ in 0..BATCHES {
        let start = clock::thread_cpu();
        batch()?;
        let spent = (clock::thread_cpu() - start).as_secs_f64();
        best = best.min(spent * 1e9 / f64::from(CALLS));
    }
    Ok(best)
}

fn expect(got: i32, wanted: i32) -> Outcome<()> {
    if got == wanted { Ok(()) } else { Err(format!("a call returned {got}, not {wanted}").into()) }
}
