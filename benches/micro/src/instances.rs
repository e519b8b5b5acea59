//! Instantiation of a small module, and what a live instance of it holds in memory.

use crate::engine::{Engine, Linker, Module, Store};
use crate::{Outcome, clock, failed};
use serde_json::{Value, json};
use std::time::Instant;

/// Small, but with one of each: a 1 MiB memory with data, a table with an element, a global, an export.
const MODULE: &str = r#"(module
  (memory (export "memory") 16)
  (table 4 funcref)
  (global $count (mut i32) (i32.const 7))
  (data (i32.const 1024) "some bytes of data for the memory to start with")
  (elem (i32.const 1) $get)
  (func $get (export "get") (result i32)
    (i32.add (global.get $count) (i32.load8_u (i32.const 1024)))))"#;

const ROUNDS: usize = 20_000;
const LIVE: usize = 1000;

/// Measures on an engine and module that are already there, as a server that starts one instance a request would.
pub(crate) fn measure() -> Outcome<Value> {
    let engine = Engine::default();
    let bytes = wat::parse_str(MODULE)?;
    let module = Module::new(&engine, &bytes).map_err(failed)?;
    let linker: Linker<()> = Linker::new(&engine);
    let ready = linker.instantiate_pre(&module).map_err(failed)?;

    // One call first, so that a lazy engine has compiled the function.
    {
        let mut store = Store::new(&engine, ());
        let instance = ready.instantiate(&mut store).map_err(failed)?;
        let get = instance.get_typed_func::<(), i32>(&mut store, "get").map_err(failed)?;
        let value = get.call(&mut store, ()).map_err(failed)?;
        if value != 7 + i32::from(b's') {
            return Err(format!("the module returned {value}").into());
        }
    }

    let mut whole = Vec::with_capacity(ROUNDS);
    let mut alone = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let mut store = Store::new(&engine, ());
        let created = Instant::now();
        let instance = ready.instantiate(&mut store).map_err(failed)?;
        alone.push(created.elapsed().as_secs_f64() * 1e6);
        std::hint::black_box(&instance);
        drop(store);
        whole.push(start.elapsed().as_secs_f64() * 1e6);
    }
    let (whole_min, whole_median) = clock::min_median(whole);
    let (alone_min, alone_median) = clock::min_median(alone);

    // The same with the memory written and a call made, which a real instance would do.
    let mut used = Vec::with_capacity(ROUNDS / 4);
    for _ in 0..ROUNDS / 4 {
        let start = Instant::now();
        let mut store = Store::new(&engine, ());
        let instance = ready.instantiate(&mut store).map_err(failed)?;
        let get = instance.get_typed_func::<(), i32>(&mut store, "get").map_err(failed)?;
        std::hint::black_box(get.call(&mut store, ()).map_err(failed)?);
        drop(store);
        used.push(start.elapsed().as_secs_f64() * 1e6);
    }
    let (used_min, used_median) = clock::min_median(used);

    let mut live = Vec::with_capacity(LIVE);
    let (resident_before, virtual_before) = clock::memory_kb();
    for _ in 0..LIVE {
        let mut store = Store::new(&engine, ());
        let instance = ready.instantiate(&mut store).map_err(failed)?;
        live.push((store, instance));
    }
    let (resident, reserved) = clock::memory_kb();
    let per_live = |after: f64, before: f64| (after - before) / LIVE as f64;

    Ok(json!({
        "module_bytes": bytes.len(),
        "instantiate_us": whole_min,
        "instantiate_median_us": whole_median,
        "instantiate_only_us": alone_min,
        "instantiate_only_median_us": alone_median,
        "instantiate_and_call_us": used_min,
        "instantiate_and_call_median_us": used_median,
        "live_kb": per_live(resident, resident_before),
        "live_virtual_mb": per_live(reserved, virtual_before) / 1024.0,
        "live": live.len(),
    }))
}
