//! Modules that are made in the background: awaited, looked at, delivered to a store, or cancelled.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread;

use upshift::{EngineWeak, Linker, ManualPool, Module, ModuleFuture, Result};

use super::actors::Worker;
use super::programs::{Program, define_imports};
use super::world::{Loaded, Site};

/// A module to come. Keeps nothing of its engine.
pub struct Coming {
    future: ModuleFuture,
    program: Program,
    engine: EngineWeak,
    lazy_validation: bool,
    fuel: bool,
    pool: Option<Arc<ManualPool>>,
}

pub fn begin(worker: &mut Worker) {
    let Site { engine, lazy_validation, fuel, pool } = worker.site();
    let program = worker.program();
    let future = Module::compile_async(&engine, program.bytes());
    let coming = Coming { future, program, engine: engine.weak(), lazy_validation, fuel, pool };
    drop(engine);
    worker.world.coming.put(coming, &mut worker.random);
}

/// Does one of the things that can be done with a module to come.
pub fn advance(worker: &mut Worker) {
    let Some(mut coming) = worker.world.coming.take(&mut worker.random) else { return begin(worker) };
    match worker.random.below(8) {
        0 => drop(coming),
        1 => match Pin::new(&mut coming.future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Pending => worker.world.coming.put(coming, &mut worker.random),
            Poll::Ready(result) => arrive(worker, coming, result),
        },
        2 | 3 => deliver(worker, coming),
        _ => {
            let result = wait(&mut coming);
            arrive(worker, coming, result);
        }
    }
}

/// Runs some task that waits in a pool that nobody else runs.
pub fn pump(worker: &mut Worker) {
    let Some(pool) = worker.site().pool else { return };
    for _ in 0..worker.random.below(4) {
        let waiting = pool.pending().len();
        if waiting > 0 {
            // Another thread may have taken it meanwhile.
            pool.run(worker.random.below(waiting));
        }
    }
}

fn wait(coming: &mut Coming) -> Result<Module> {
    loop {
        if let Poll::Ready(result) = Pin::new(&mut coming.future).poll(&mut Context::from_waker(Waker::noop())) {
            return result;
        }
        if !coming.pool.as_ref().is_some_and(|pool| pool.run_next()) {
            thread::yield_now();
        }
    }
}

fn arrive(worker: &mut Worker, coming: Coming, result: Result<Module>) {
    let Coming { program, engine, lazy_validation, fuel, pool, .. } = coming;
    match result {
        Ok(module) => {
            let site = Site { engine: module.engine().clone(), lazy_validation, fuel, pool };
            worker.world.modules.put(Loaded { module, program, site }, &mut worker.random);
        }
        // The futures do not keep the engine; what is made is valid.
        Err(error) => assert!(engine.upgrade().is_none(), "{program:?}: {error:#}"),
    }
}

/// Has the module instantiated by whatever store gets it, if that is one of its engine.
fn deliver(worker: &mut Worker, coming: Coming) {
    let Some(contact) = worker.world.contacts.copy(&mut worker.random) else { return drop(coming) };
    coming.future.deliver(&contact.handle, move |mut store, module| {
        let Ok(module) = module else { return Ok(()) };
        if !module.engine().same(store.engine()) {
            return Ok(());
        }
        let mut linker = Linker::new(store.engine());
        define_imports(&mut linker)?;
        linker.define_unknown_imports_as_traps(&module)?;
        // It may fail: modules have start functions, and somebody may ask for the end of this.
        drop(linker.instantiate(&mut store, &module));
        Ok(())
    });
}
