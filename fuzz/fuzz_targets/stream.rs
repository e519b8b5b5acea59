//! Modules in pieces: bytes decide a module, what is broken in it, where it is cut, and in which order the tasks of a pool
//! run by hand are done. A stream, a compilation in the background and one at once, of the same bytes and racing each
//! other, must give the same module or the same error.
#![no_main]

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use arbitrary::{Arbitrary, Unstructured};
use libfuzzer_sys::fuzz_target;
use upshift::{Config, Engine, ManualPool, Module, Result, Strategy, StreamingCompilation};

fn module(input: &mut Unstructured<'_>) -> Option<Vec<u8>> {
    let mut config = wasm_smith::Config::arbitrary(input).ok()?;
    config.gc_enabled = false;
    config.exceptions_enabled = false;
    config.threads_enabled = false;
    config.shared_everything_threads_enabled = false;
    config.custom_descriptors_enabled = false;
    let mut bytes = wasm_smith::Module::new(config, input).ok()?.to_bytes();
    // Some of them are broken, or cut.
    for _ in 0..input.int_in_range(0..=2).ok()? {
        let place = input.choose_index(bytes.len()).ok()?;
        bytes[place] = input.arbitrary().ok()?;
    }
    if input.ratio(1, 4).ok()? {
        bytes.truncate(input.choose_index(bytes.len()).ok()?);
    }
    Some(bytes)
}

/// What a compilation gave: the error's text, or what can be seen of the module.
fn seen(result: &Result<Module>) -> std::result::Result<(usize, usize, usize), String> {
    match result {
        Ok(module) => Ok((module.wire_bytes().len(), module.functions().len(), module.exports().len())),
        Err(error) => Err(format!("{error:#}")),
    }
}

/// Polls until it is ready, running tasks of the pool in an order that the input decides.
fn drive(
    future: impl Future<Output = Result<Module>>,
    pool: &ManualPool,
    order: &mut Unstructured<'_>,
) -> Result<Module> {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(result) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return result;
        }
        let waiting = pool.pending().len();
        assert!(waiting > 0, "it waits, and there is nothing to do");
        pool.run(order.int_in_range(0..=waiting - 1).unwrap_or(0));
    }
}

fuzz_target!(|data: &[u8]| {
    let mut input = Unstructured::new(data);
    let Some(bytes) = module(&mut input) else { return };
    let at_once = Module::from_binary(&Engine::default(), &bytes);

    let pool = Arc::new(ManualPool::new(2));
    let mut config = Config::new();
    config.pool(pool.clone()).module_cache(input.arbitrary().unwrap_or(true));
    config.strategy(if input.arbitrary().unwrap_or(false) { Strategy::Eager } else { Strategy::Lazy });
    let engine = Engine::new(&config).expect("an engine");
    let mut stream = StreamingCompilation::new(&engine);
    let mut rival = None;
    let mut rest = &bytes[..];
    while !rest.is_empty() {
        let len = input.int_in_range(1..=rest.len()).unwrap_or(rest.len());
        stream.push(&rest[..len]).expect("memory, and an engine");
        rest = &rest[len..];
        if rival.is_none() && input.ratio(1, 3).unwrap_or(false) {
            rival = Some(Module::compile_async(&engine, bytes.clone()));
        }
        let waiting = pool.pending().len();
        if waiting > 0 {
            pool.run(input.int_in_range(0..=waiting - 1).unwrap_or(0));
        }
    }
    if input.ratio(1, 8).unwrap_or(false) {
        stream.abort();
    } else if input.arbitrary().unwrap_or(false) {
        assert_eq!(seen(&stream.finish()), seen(&at_once));
    } else {
        assert_eq!(seen(&drive(stream.finish_async(), &pool, &mut input)), seen(&at_once));
    }
    if let Some(rival) = rival {
        // Text, as a binary that lost its magic number may look, fails in another way.
        if bytes.starts_with(b"\0asm") {
            assert_eq!(seen(&drive(rival, &pool, &mut input)), seen(&at_once));
        }
    }
    let weak = engine.weak();
    drop(at_once);
    drop(engine);
    pool.run_all();
    assert!(weak.upgrade().is_none());
});
