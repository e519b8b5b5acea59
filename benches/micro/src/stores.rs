//! Many stores of one module: what each takes beyond the first two, with an instance in it. Imported functions trap.

use crate::engine::{Caller, Engine, Error, Linker, Module, Store, Val};
use crate::{Outcome, failed};
use serde_json::{Value, json};
use std::time::Instant;

/// Resident bytes a store, all that its instance's memories and tables touch included, and the time for one, us.
pub(crate) fn measure(file: &str, count: usize) -> Outcome<Value> {
    let bytes = std::fs::read(file)?;
    let engine = Engine::default();
    let module = Module::new(&engine, &bytes).map_err(failed)?;
    // The first makes what all share; the second makes what is only made for a second, as the image of a memory.
    let mut live = vec![store(&engine, &module)?, store(&engine, &module)?];
    let (before, start) = (resident_bytes()?, Instant::now());
    for _ in 0..count {
        live.push(store(&engine, &module)?);
    }
    let time = start.elapsed();
    let taken = resident_bytes()?.saturating_sub(before);
    Ok(json!({
        "stores": count,
        "tables_each": live.last().map_or(0, table_bytes),
        "bytes_each": taken / count.max(1) as u64,
        "us_each": time.as_secs_f64() * 1e6 / count.max(1) as f64,
    }))
}

fn store(engine: &Engine, module: &Module) -> Outcome<Store<()>> {
    let mut linker: Linker<()> = Linker::new(engine);
    let mut store = Store::new(engine, ());
    linker.allow_shadowing(true); // Go's compiler lets modules import one thing several times
    for import in module.imports() {
        if let Some(ty) = import.ty().func() {
            let trap = |_: Caller<'_, ()>, _: &[Val], _: &mut [Val]| Err(Error::msg("a stubbed import was called"));
            linker.func_new(import.module(), import.name(), ty.clone(), trap).map_err(failed)?;
        }
    }
    linker.define_unknown_imports_as_default_values(&mut store, module).map_err(failed)?;
    linker.instantiate(&mut store, module).map_err(failed)?;
    Ok(store)
}

/// Bytes of a store's tables, as far as the engine tells.
#[cfg(feature = "upshift")]
fn table_bytes(store: &Store<()>) -> usize {
    store.memory_usage().tables
}

#[cfg(not(feature = "upshift"))]
fn table_bytes(_: &Store<()>) -> usize {
    0
}

fn resident_bytes() -> Outcome<u64> {
    let text = std::fs::read_to_string("/proc/self/statm")?;
    let pages = text.split(' ').nth(1).ok_or("/proc/self/statm")?;
    Ok(pages.parse::<u64>()? * 4096)
}
