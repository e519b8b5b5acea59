//! A module from bytes to the end of its first call. Imported functions trap, the other imports have default values.

use crate::engine::{Caller, Config, Engine, Error, Linker, Module, Store, Val};
use crate::{Outcome, clock, failed};
use serde_json::{Value, json};
use std::time::Instant;

/// CPU of all threads and wall time, s, and the peak memory of the process, MB. `call` is the name of an export and its i32
/// arguments; without it, the instance is the end. A call may end by a trap, such as that of the first import it calls.
pub(crate) fn measure(config: &Config, file: &str, call: &[&str]) -> Outcome<Value> {
    let bytes = std::fs::read(file)?;
    let start = clock::process_cpu();
    let wall = Instant::now();
    let engine = Engine::new(config).map_err(failed)?;
    let module = Module::new(&engine, &bytes).map_err(failed)?;
    let mut linker: Linker<()> = Linker::new(&engine);
    let mut store = Store::new(&engine, ());
    linker.allow_shadowing(true); // Go's compiler lets modules import one thing several times
    for import in module.imports() {
        if let Some(ty) = import.ty().func() {
            let trap = |_: Caller<'_, ()>, _: &[Val], _: &mut [Val]| Err(Error::msg("a stubbed import was called"));
            linker.func_new(import.module(), import.name(), ty.clone(), trap).map_err(failed)?;
        }
    }
    linker.define_unknown_imports_as_default_values(&mut store, &module).map_err(failed)?;
    let instance = linker.instantiate(&mut store, &module).map_err(failed)?;
    let mut end = "instance";
    if let [name, words @ ..] = call {
        let func = instance.get_func(&mut store, name).ok_or("no such export")?;
        let arguments = words.iter().map(|word| Ok(Val::I32(word.parse()?))).collect::<Outcome<Vec<_>>>()?;
        let mut results = vec![Val::I32(0); func.ty(&store).results().len()];
        end = if func.call(&mut store, &arguments, &mut results).is_ok() { "returned" } else { "trapped" };
    }
    Ok(json!({
        "cpu_s": (clock::process_cpu() - start).as_secs_f64(),
        "wall_s": wall.elapsed().as_secs_f64(),
        "end": end,
        "peak_mb": clock::peak_mb(),
    }))
}
