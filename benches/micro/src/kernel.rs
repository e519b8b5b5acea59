//! One kernel: from bytes to the first result, then the calls themselves.

use crate::engine::{Engine, Linker, Module, Store};
use crate::{Outcome, clock, failed};
use serde_json::{Value, json};

/// Calls `run(n)` `reps` times in one instance; every call must return the same value.
pub(crate) fn measure(file: &str, n: i32, reps: usize) -> Outcome<Value> {
    let bytes = std::fs::read(file)?;
    let start = clock::process_cpu();
    let wall = std::time::Instant::now();
    let engine = Engine::default();
    let compile_start = clock::process_cpu();
    let module = Module::new(&engine, &bytes).map_err(failed)?;
    let compile = clock::process_cpu() - compile_start;

    let linker: Linker<()> = Linker::new(&engine);
    let mut store = Store::new(&engine, ());
    let instantiate_start = clock::thread_cpu();
    let instance = linker.instantiate(&mut store, &module).map_err(failed)?;
    let instantiate = clock::thread_cpu() - instantiate_start;
    let run = instance.get_typed_func::<i32, i64>(&mut store, "run").map_err(failed)?;

    let mut cpu = Vec::with_capacity(reps);
    let mut result = None;
    let mut first = None;
    for _ in 0..reps {
        let call_start = clock::thread_cpu();
        let value = run.call(&mut store, n).map_err(failed)?;
        cpu.push((clock::thread_cpu() - call_start).as_secs_f64());
        first.get_or_insert_with(|| [(clock::process_cpu() - start).as_secs_f64(), wall.elapsed().as_secs_f64()]);
        if *result.get_or_insert(value) != value {
            return Err(format!("run({n}) returned {value} after {result:?}").into());
        }
    }
    let [first_cpu, first_wall] = first.unwrap_or_default();
    Ok(json!({
        "cpu": cpu,
        "cpu_s": first_cpu,
        "wall_s": first_wall,
        "compile_cpu": compile.as_secs_f64(),
        "instantiate": instantiate.as_secs_f64(),
        "peak_mb": clock::peak_mb(),
        "result": result,
    }))
}
