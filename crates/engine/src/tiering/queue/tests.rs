//! The hottest job comes first, and nothing is lost.

use super::*;
use crate::config::Config;
use crate::engine::Engine;
use crate::module::compile;

fn module() -> (Engine, Arc<NativeModule>) {
    let engine = Engine::new(Config::default()).unwrap();
    let module = compile(&engine, &b"\0asm\x01\0\0\0"[..]).unwrap();
    (engine, module)
}

fn job(module: &Arc<NativeModule>, function: u32, osr: Option<u32>, priority: u32) -> Queued {
    Queued::new(module, DefinedFuncIndex(function), osr, priority)
}

#[test]
fn hottest_first_then_osr_then_oldest() {
    let (_engine, module) = module();
    let queue = Queue::default();
    for (function, osr, priority) in [(0, None, 1), (1, None, 4), (2, None, 1), (3, Some(7), 1), (4, None, 2)] {
        queue.push(job(&module, function, osr, priority));
    }
    assert_eq!(queue.len(), (5, 0));
    let running: Vec<Popped<'_>> = std::iter::from_fn(|| queue.pop()).collect();
    assert_eq!(running.iter().map(|popped| popped.job.function.0).collect::<Vec<_>>(), [1, 4, 3, 0, 2]);
    assert_eq!(queue.len(), (0, 5));
    drop(running);
    assert_eq!(queue.len(), (0, 0));
}

#[test]
fn a_job_counts_once_and_as_long_as_its_module_lives() {
    let (_engine, module) = module();
    let queue = Queue::default();
    for priority in [1, 2, 4] {
        queue.push(job(&module, 0, None, priority));
        queue.push(job(&module, 0, Some(9), priority));
    }
    assert_eq!(queue.len(), (2, 0));
    drop(module);
    assert_eq!(queue.len(), (0, 0));
}
