//! A module that is asked for again while it is there: what the module cache saves, and what comparing the bytes takes.

use crate::engine::{Engine, Module};
use crate::{Outcome, clock, failed};
use serde_json::{Value, json};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// How often the module is asked for again.
const HITS: usize = 50;

/// Milliseconds of the first compilation, of a hit, and of a comparison of the bytes with a copy of them; medians of the two.
pub(crate) fn measure(file: &str) -> Outcome<Value> {
    let bytes = std::fs::read(file)?;
    let again = bytes.clone();
    let engine = Engine::default();
    let start = Instant::now();
    let module = Module::new(&engine, &bytes).map_err(failed)?;
    let first = start.elapsed();
    let (mut hits, mut comparisons) = (Vec::new(), Vec::new());
    for _ in 0..HITS {
        let start = Instant::now();
        let same = Module::new(&engine, &again).map_err(failed)?;
        hits.push(milliseconds(start.elapsed()));
        if !Module::same(&same, &module) {
            return Err("the module was made twice".into());
        }
        let start = Instant::now();
        if black_box(&bytes[..]) != black_box(&again[..]) {
            return Err("equal bytes differ".into());
        }
        comparisons.push(milliseconds(start.elapsed()));
    }
    Ok(json!({
        "first_ms": milliseconds(first),
        "hit_ms": clock::min_median(hits).1,
        "compare_ms": clock::min_median(comparisons).1,
    }))
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
