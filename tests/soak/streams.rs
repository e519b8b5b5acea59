//! Modules that come in pieces: pushed by any thread, finished in either way, cut short, broken, or aborted.

use std::sync::Arc;

use upshift::{EngineWeak, Module, Result, StreamingCompilation};

use super::actors::Worker;
use super::futures::{Coming, Made};
use super::programs::Program;
use super::world::Site;

/// A stream that has got some of its bytes.
pub struct Flow {
    stream: StreamingCompilation,
    program: Program,
    bytes: Arc<[u8]>,
    at: usize,
    engine: EngineWeak,
    lazy_validation: bool,
    fuel: bool,
    pool: Option<Arc<upshift::ManualPool>>,
}

pub fn begin(worker: &mut Worker) {
    let Site { engine, lazy_validation, fuel, pool } = worker.site();
    let program = worker.program();
    let (stream, bytes) = (StreamingCompilation::new(&engine), program.bytes().into());
    let flow = Flow { stream, program, bytes, at: 0, engine: engine.weak(), lazy_validation, fuel, pool };
    drop(engine);
    worker.world.flows.put(flow, &mut worker.random);
}

/// Goes on with some stream.
pub fn advance(worker: &mut Worker) {
    let Some(mut flow) = worker.world.flows.take(&mut worker.random) else { return begin(worker) };
    match worker.random.below(20) {
        0 => drop(flow),
        1 => flow.stream.abort(),
        2 => cut_short(flow),
        3 => break_it(flow),
        _ => {
            push(worker, &mut flow);
            if flow.at < flow.bytes.len() {
                worker.world.flows.put(flow, &mut worker.random);
            } else {
                finish(worker, flow);
            }
        }
    }
}

fn push(worker: &mut Worker, flow: &mut Flow) {
    let rest = flow.bytes.len() - flow.at;
    for _ in 0..worker.random.below(4) {
        // Large modules in few pieces, small ones in many.
        let most = (rest / 3 + 20).min(flow.bytes.len() - flow.at + 1);
        let len = worker.random.below(most);
        let pushed = flow.stream.push(&flow.bytes[flow.at..flow.at + len]);
        flow.at += len;
        expect(flow, pushed.map(drop));
    }
}

fn finish(worker: &mut Worker, flow: Flow) {
    let Flow { stream, program, engine, lazy_validation, fuel, pool, .. } = flow;
    let coming = |made| Coming { made, program, engine, lazy_validation, fuel, pool };
    if worker.random.below(2) == 0 {
        let coming = coming(Made::ByStream(Box::pin(stream.finish_async())));
        worker.world.coming.put(coming, &mut worker.random);
    } else {
        let result = stream.finish();
        coming(Made::Taken).arrive(worker, result);
    }
}

/// What has come so far may be a module or not.
fn cut_short(flow: Flow) {
    let Flow { stream, at, bytes, engine, .. } = flow;
    same_as_at_once(stream.finish(), &bytes[..at], &engine);
}

/// Bytes that are no section, nor anything else that begins in them.
fn break_it(mut flow: Flow) {
    const GARBAGE: [u8; 300] = [0xff; 300];
    let pushed = flow.stream.push(&GARBAGE);
    expect(&flow, pushed);
    let Flow { stream, at, bytes, engine, .. } = flow;
    same_as_at_once(stream.finish(), &[&bytes[..at], &GARBAGE].concat(), &engine);
}

/// A stream gives what all its bytes at once give: a module, or an error of the same words.
fn same_as_at_once(result: Result<Module>, bytes: &[u8], engine: &EngineWeak) {
    let Some(engine) = engine.upgrade() else { return };
    let text = |result: Result<Module>| result.err().map(|error| format!("{error:#}"));
    assert_eq!(text(result), text(Module::from_binary(&engine, bytes)));
}

/// A valid stream fails only if its engine is gone.
fn expect(flow: &Flow, result: Result<()>) {
    if let Err(error) = result {
        assert!(flow.engine.upgrade().is_none(), "{:?} at {}: {error:#}", flow.program, flow.at);
    }
}
