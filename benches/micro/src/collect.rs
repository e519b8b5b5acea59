//! Collections of code that find nothing, in an engine of many stores: what asking every one of them takes.

use crate::engine::{Engine, Instance, Module, Store};
use crate::{Outcome, clock, failed};
use serde_json::{Value, json};
use std::time::Instant;

const COLLECTIONS: usize = 200;

/// Microseconds of a collection, the median, with `count` stores in each of which nothing runs.
pub(crate) fn measure(count: usize) -> Outcome<Value> {
    let engine = Engine::default();
    let module = Module::new(&engine, r#"(module (func (export "f")))"#).map_err(failed)?;
    let mut stores = Vec::new();
    for _ in 0..count {
        let mut store = Store::new(&engine, ());
        Instance::new(&mut store, &module, &[]).map_err(failed)?;
        stores.push(store);
    }
    let mut times = Vec::new();
    for _ in 0..COLLECTIONS {
        let start = Instant::now();
        engine.collect_code();
        times.push(start.elapsed().as_secs_f64() * 1e6);
    }
    Ok(json!({ "stores": stores.len(), "us": clock::min_median(times).1 }))
}
