//! The compile jobs: one function on the thread that called it, or all functions of a module on the pool.

use std::sync::{Arc, Mutex, PoisonError};

use abi::compiler::{CompileError, Compiler};
use code::native_module::NativeModule;
use sys::process::thread_cpu_time;
use wasm::types::DefinedFuncIndex;

use crate::pool::WorkerPool;

/// Compiles and publishes a function; gives its code pointer. A function that has code already is not compiled again.
///
/// # Errors
/// When the function passes a limit of the compiler, or code memory is full.
pub fn compile_function(
    compiler: &dyn Compiler,
    module: &NativeModule,
    function: DefinedFuncIndex,
) -> Result<*const u8, CompileError> {
    if let Some(code) = module.code(function) {
        return Ok(code.entry());
    }
    let start = thread_cpu_time();
    let compiled = compiler.compile(&module.env(), function, module.body(function))?;
    let code = module
        .add(function, compiler.tier(), compiled)
        .map_err(|error| CompileError { function: Some(function), message: error.to_string() })?;
    let time = thread_cpu_time().saturating_sub(start);
    Ok(module.publish(code, time))
}

/// Compiles all functions of a module on all threads of the pool.
///
/// # Errors
/// The error of the first function, by index, that could not be compiled. The others have their code.
pub fn compile_all(
    pool: &WorkerPool,
    compiler: &Arc<dyn Compiler>,
    module: &Arc<NativeModule>,
) -> Result<(), CompileError> {
    let failed: Arc<Mutex<Option<(u32, CompileError)>>> = Arc::default();
    let work = {
        let (compiler, module, failed) = (Arc::clone(compiler), Arc::clone(module), Arc::clone(&failed));
        move |item: usize| {
            let function = DefinedFuncIndex::new(item);
            if let Err(error) = compile_function(&*compiler, &module, function) {
                let mut first = failed.lock().unwrap_or_else(PoisonError::into_inner);
                if first.as_ref().is_none_or(|&(index, _)| function.0 < index) {
                    *first = Some((function.0, error));
                }
            }
        }
    };
    pool.run(module.info().bodies.len(), Arc::new(work));
    let first = failed.lock().unwrap_or_else(PoisonError::into_inner).take();
    first.map_or(Ok(()), |(_, error)| Err(error))
}
