//! wasmtime, with either of its compilers.

use crate::{Outcome, clock, failed};
use serde_json::{Value, json};
use wasmtime::{Config, Engine, Linker, Module, Store, Strategy, Val};

/// The default configuration with the compiler of that name.
pub(crate) fn config(compiler: &str) -> Outcome<Config> {
    let strategy = match compiler {
        "cranelift" => Strategy::Cranelift,
        "winch" => Strategy::Winch,
        _ => return Err(format!("unknown engine `{compiler}`; {}", crate::USAGE).into()),
    };
    let mut config = Config::new();
    config.strategy(strategy);
    Ok(config)
}

/// Calls `run(n)` `reps` times in one instance; every call must return the same value.
pub(crate) fn kernel(config: &Config, file: &str, n: i32, reps: usize) -> Outcome<Value> {
    let bytes = std::fs::read(file)?;
    let start = clock::process_cpu();
    let wall = std::time::Instant::now();
    let engine = Engine::new(config).map_err(failed)?;
    let compile_start = clock::process_cpu();
    let module = Module::new(&engine, &bytes).map_err(failed)?;
    let compile = clock::process_cpu() - compile_start;

    let mut store = Store::new(&engine, ());
    let instantiate_start = clock::thread_cpu();
    let instance = Linker::new(&engine).instantiate(&mut store, &module).map_err(failed)?;
    let instantiate = clock::thread_cpu() - instantiate_start;
    let run = instance.get_typed_func::<i32, i64>(&mut store, "run").map_err(failed)?;

    let mut cpu = Vec::with_capacity(reps);
    let (mut result, mut first) = (None, None);
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

/// The whole module, validation included, on one thread.
pub(crate) fn compile(mut config: Config, file: &str) -> Outcome<Value> {
    let bytes = std::fs::read(file)?;
    config.parallel_compilation(false);
    let engine = Engine::new(&config).map_err(failed)?;
    let start = clock::process_cpu();
    let module = Module::new(&engine, &bytes).map_err(failed)?;
    let spent = (clock::process_cpu() - start).as_secs_f64();
    let text = module.text().len();
    let functions = module.functions().count();
    Ok(json!({
        "cpu_s": spent,
        "functions": functions,
        "us_a_function": spent * 1e6 / functions.max(1) as f64,
        "wasm_bytes": bytes.len(),
        "code_bytes": text,
        "peak_mb": clock::peak_mb(),
    }))
}

/// From bytes to the end of the first call, or to an instance without one; functions that are missing fail when called, all
/// else has default values. `call` is the export's name and its i32 arguments.
pub(crate) fn start(config: &Config, file: &str, call: &[&str]) -> Outcome<Value> {
    let bytes = std::fs::read(file)?;
    let start = clock::process_cpu();
    let wall = std::time::Instant::now();
    let engine = Engine::new(config).map_err(failed)?;
    let module = Module::new(&engine, &bytes).map_err(failed)?;
    let mut linker = Linker::new(&engine);
    let mut store = Store::new(&engine, ());
    linker.define_unknown_imports_as_traps(&module).map_err(failed)?;
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
