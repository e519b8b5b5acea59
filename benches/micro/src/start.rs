//! A module from bytes to an instance, with default values for its imports.

use crate::engine::{Engine, Linker, Module, Store};
use crate::{Outcome, clock, failed};
use serde_json::{Value, json};
use std::time::Instant;

/// CPU of all threads and wall time, s, and the peak memory of the process, MB.
pub(crate) fn measure(file: &str) -> Outcome<Value> {
    let bytes = std::fs::read(file)?;
    let start = clock::process_cpu();
    let wall = Instant::now();
    let engine = Engine::default();
    let module = Module::new(&engine, &bytes).map_err(failed)?;
    let mut linker: Linker<()> = Linker::new(&engine);
    let mut store = Store::new(&engine, ());
    linker.define_unknown_imports_as_default_values(&mut store, &module).map_err(failed)?;
    linker.instantiate(&mut store, &module).map_err(failed)?;
    Ok(json!({
        "cpu_s": (clock::process_cpu() - start).as_secs_f64(),
        "wall_s": wall.elapsed().as_secs_f64(),
        "peak_mb": clock::peak_mb(),
    }))
}
