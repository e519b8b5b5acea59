//! The compile jobs: one function on the thread that called it, or all functions of a module on the pool.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::{io, thread};

use abi::compiler::{CompileError, Compiler};
use code::native_module::NativeModule;
use sys::process::thread_cpu_time;
use sys::stack::{approximate_sp, current_thread_stack_bounds};
use wasm::types::DefinedFuncIndex;

use crate::pool::WorkerPool;
use crate::tuning;

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
    let compile = || {
        let start = thread_cpu_time();
        let compiled = compiler.compile(&module.env(), function, module.body(function))?;
        Ok((compiled, thread_cpu_time().saturating_sub(start)))
    };
    let fail = |message: String| CompileError { function: Some(function), message };
    // A bug of the compiler costs this function, not the process.
    let compile = || catch_unwind(AssertUnwindSafe(compile)).unwrap_or_else(|panic| Err(fail(describe_panic(&*panic))));
    let (compiled, time) = with_stack(compile).map_err(|error| fail(error.to_string()))??;
    let code = module.add(function, compiler.tier(), compiled).map_err(|error| fail(error.to_string()))?;
    Ok(module.publish(code, time))
}

/// Runs `work` on this thread, or on a new one if this one's stack is almost used up, as it may be when the first call of
/// a function comes deep in a recursion.
fn with_stack<T: Send>(work: impl FnOnce() -> T + Send) -> io::Result<T> {
    let here = approximate_sp();
    let short = current_thread_stack_bounds()
        .is_some_and(|bounds| bounds.contains(&here) && here - bounds.start < tuning::COMPILE_STACK);
    if !short {
        return Ok(work());
    }
    thread::scope(|scope| {
        let worker = thread::Builder::new().name("upshift-lazy".into()).spawn_scoped(scope, work)?;
        worker.join().map_err(|_| io::Error::other("the compiler's thread has died"))
    })
}

fn describe_panic(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or(panic.downcast_ref::<String>().map(String::as_str));
    format!("the compiler panicked: {}", text.unwrap_or("no message"))
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
