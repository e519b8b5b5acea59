//! Compiling a module in the background, by pools that run tasks when and where they like.

use std::sync::atomic::AtomicBool;

use wasm::types::DefinedFuncIndex;

use crate::config::{Config, Strategy};
use crate::engine::Engine;
use crate::module::compile;
use crate::pool::{Pool, Task};

use super::*;

/// A module of so many empty functions.
fn module(functions: u32) -> Vec<u8> {
    let leb = |value: u32, out: &mut Vec<u8>| {
        out.extend([value as u8 | 0x80, (value >> 7) as u8 | 0x80, (value >> 14) as u8 & 0x7f]);
    };
    let mut out = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0".to_vec();
    for (id, each) in [(3, &[0][..]), (10, &[2, 0, 0x0b][..])] {
        out.push(id);
        leb(functions * each.len() as u32 + 3, &mut out);
        leb(functions, &mut out);
        out.extend(each.repeat(functions as usize));
    }
    out
}

/// A pool that runs tasks at once, and fails if it is within too many of them.
#[derive(Debug, Default)]
struct Inline {
    depth: AtomicUsize,
    too_deep: AtomicBool,
}

impl Pool for Inline {
    fn threads(&self) -> usize {
        2
    }

    fn spawn(&self, task: Task) -> Result<(), Task> {
        if self.depth.fetch_add(1, Ordering::Relaxed) > 3 {
            self.too_deep.store(true, Ordering::Relaxed);
        } else {
            task.run();
        }
        self.depth.fetch_sub(1, Ordering::Relaxed);
        Ok(())
    }
}

#[test]
fn a_pool_that_runs_tasks_at_once_is_not_entered_again_and_again() {
    let pool = Arc::new(Inline::default());
    let config = Config { strategy: Strategy::Hybrid, pool: Some(pool.clone()), ..Config::default() };
    let engine = Engine::new(config).unwrap();
    let module = compile(&engine, module(1000)).unwrap();
    assert!(!pool.too_deep.load(Ordering::Relaxed));
    assert!((0..1000).all(|index| module.tier(DefinedFuncIndex::new(index)).is_some()));
}

#[test]
fn a_task_knows_whether_it_runs_where_it_is_given() {
    let handed = HandedOver::new();
    assert!(handed.is_within() && handed.end());
    let handed = HandedOver::new();
    assert!(!handed.end() && !handed.is_within());
    // On another thread it is the pool's, at any time.
    let handed = HandedOver::new();
    thread::scope(|scope| assert!(!scope.spawn(|| handed.is_within()).join().unwrap()));
    assert!(!handed.end());
}
