//! wasmi, in its default mode: everything validated first, a body translated at its first call.

use crate::{Outcome, clock, failed};
use serde_json::{Value, json};
use wasmi::{
    CompilationMode, Config, Engine, Error, Extern, ExternType, Func, Global, Linker, Memory, Module, Ref, Store,
    Table, Val,
};

/// Calls `run(n)` `reps` times in one instance; every call must return the same value.
pub(crate) fn kernel(file: &str, n: i32, reps: usize) -> Outcome<Value> {
    let bytes = std::fs::read(file)?;
    let start = clock::process_cpu();
    let wall = std::time::Instant::now();
    let engine = Engine::default();
    let compile_start = clock::process_cpu();
    let module = Module::new(&engine, &bytes[..]).map_err(failed)?;
    let compile = clock::process_cpu() - compile_start;

    let mut store = Store::new(&engine, ());
    let instantiate_start = clock::thread_cpu();
    let instance = Linker::new(&engine).instantiate_and_start(&mut store, &module).map_err(failed)?;
    let instantiate = clock::thread_cpu() - instantiate_start;
    let run = instance.get_typed_func::<i32, i64>(&store, "run").map_err(failed)?;

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

/// The whole module to bytecode, validation included.
pub(crate) fn compile(file: &str) -> Outcome<Value> {
    let bytes = std::fs::read(file)?;
    let mut config = Config::default();
    config.compilation_mode(CompilationMode::Eager);
    let engine = Engine::new(&config);
    let start = clock::process_cpu();
    Module::new(&engine, &bytes[..]).map_err(failed)?;
    Ok(json!({
        "cpu_s": (clock::process_cpu() - start).as_secs_f64(),
        "wasm_bytes": bytes.len(),
        "peak_mb": clock::peak_mb(),
    }))
}

/// From bytes to the end of the first call, or to an instance without one; functions that are missing fail when called, all
/// else is empty. `call` is the export's name and its i32 arguments.
pub(crate) fn start(mode: CompilationMode, file: &str, call: &[&str]) -> Outcome<Value> {
    let bytes = std::fs::read(file)?;
    let start = clock::process_cpu();
    let wall = std::time::Instant::now();
    let mut config = Config::default();
    config.compilation_mode(mode);
    let engine = Engine::new(&config);
    let module = Module::new(&engine, &bytes[..]).map_err(failed)?;
    let mut store = Store::new(&engine, ());
    let mut linker = Linker::new(&engine);
    for import in module.imports() {
        // Go's compiler lets modules import one thing several times.
        if linker.get(&store, import.module(), import.name()).is_none() {
            let stub = stub(&mut store, import.ty())?;
            linker.define(import.module(), import.name(), stub).map_err(failed)?;
        }
    }
    let instance = linker.instantiate_and_start(&mut store, &module).map_err(failed)?;
    let mut end = "instance";
    if let [name, words @ ..] = call {
        let func = instance.get_func(&store, name).ok_or("no such export")?;
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

/// Something of that type to import: an empty memory or table, a zero, a function that fails when called.
fn stub(store: &mut Store<()>, ty: &ExternType) -> Outcome<Extern> {
    Ok(match ty {
        ExternType::Func(ty) => {
            Func::new(store, ty.clone(), |_, _, _| Err(Error::new("a stubbed import was called"))).into()
        }
        ExternType::Memory(ty) => Memory::new(store, *ty).map_err(failed)?.into(),
        ExternType::Table(ty) => Table::new(store, *ty, Ref::default_for_ty(ty.element())).map_err(failed)?.into(),
        ExternType::Global(ty) => Global::new(store, Val::default_for_ty(ty.content()), ty.mutability()).into(),
    })
}
