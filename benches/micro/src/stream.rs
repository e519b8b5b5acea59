//! A module that arrives from a source of limited speed: how long after its last byte it is ready.

use crate::engine::{Config, Engine, Strategy, StreamingCompilation};
use crate::{Outcome, clock, failed};
use serde_json::{Value, json};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Bytes that come at a time.
const PIECE: usize = 64 << 10;

/// From the moment at which the last piece is there to that at which the module is, ms, and CPU of all threads, s. `rate` is
/// the source's, in millions of bytes a second; `strategy` is `lazy` or `eager`.
pub(crate) fn measure(file: &str, rate: &str, strategy: &str) -> Outcome<Value> {
    let bytes = std::fs::read(file)?;
    let rate: f64 = rate.parse()?;
    let mut config = Config::new();
    config.strategy(if strategy == "eager" { Strategy::Eager } else { Strategy::Lazy });
    let engine = Engine::new(&config).map_err(failed)?;
    let (start, cpu) = (Instant::now(), clock::process_cpu());
    let mut stream = StreamingCompilation::new(&engine);
    let (mut sent, mut last) = (0, start);
    for piece in bytes.chunks(PIECE) {
        sent += piece.len();
        let due = start + Duration::from_secs_f64(sent as f64 / (rate * 1e6));
        sleep(due.saturating_duration_since(Instant::now()));
        last = due;
        stream.push(piece).map_err(failed)?;
    }
    let module = stream.finish().map_err(failed)?;
    let ready = Instant::now();
    Ok(json!({
        "ready_ms": ready.duration_since(last).as_secs_f64() * 1e3,
        "wall_s": ready.duration_since(start).as_secs_f64(),
        "cpu_s": (clock::process_cpu() - cpu).as_secs_f64(),
        "compiled": module.statistics().compiled,
        "peak_mb": clock::peak_mb(),
    }))
}
