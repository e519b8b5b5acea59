//! Interrupts of running code: from the request on another thread to the task that it asked for.

use crate::engine::{Config, Engine, Instance, Module, Store, TierChoice};
use crate::{Outcome, clock, failed};
use serde_json::{Value, json};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// How many requests are made.
const REQUESTS: u64 = 500;

/// Two programs that never end: one is a loop, the other calls itself, 16 deep, again and again with no loop of its own but
/// the outermost.
const PROGRAMS: &str = r#"(module
    (func (export "loop") (loop $next (br $next)))
    (func $deep (param i32)
        (if (local.get 0) (then
            (call $deep (i32.sub (local.get 0) (i32.const 1)))
            (call $deep (i32.sub (local.get 0) (i32.const 1))))))
    (func (export "calls") (call $deep (i32.const 100))))"#;

/// Microseconds from a request to its task, the median and the longest, and from `terminate` to the end of the call, in a loop
/// and in calls that have none. `tier` is `baseline` or `optimizing`.
pub(crate) fn measure(tier: &str) -> Outcome<Value> {
    let tier = TierChoice::ALL.iter().find(|choice| choice.name() == tier).ok_or("no such tier")?;
    let mut config = Config::new();
    config.tier(*tier);
    let engine = Engine::new(&config).map_err(failed)?;
    let module = Module::new(&engine, PROGRAMS).map_err(failed)?;
    let mut report = json!({});
    for program in ["loop", "calls"] {
        let (times, end) = interrupt(&engine, &module, program)?;
        report[format!("{program}_max_us")] = times.iter().copied().fold(0.0, f64::max).into();
        report[format!("{program}_us")] = clock::min_median(times).1.into();
        report[format!("{program}_end_us")] = end.into();
    }
    Ok(report)
}

fn interrupt(engine: &Engine, module: &Module, program: &str) -> Outcome<(Vec<f64>, f64)> {
    let mut store = Store::new(engine, ());
    let instance = Instance::new(&mut store, module, &[]).map_err(failed)?;
    let run = instance.get_typed_func::<(), ()>(&mut store, program).map_err(failed)?;
    let handle = store.handle();
    let (told, times) = mpsc::channel();
    let runner = thread::spawn(move || {
        let outcome = run.call(&mut store, ());
        (outcome.is_err(), Instant::now())
    });
    let mut found = Vec::new();
    for request in 0..REQUESTS {
        // At no fixed place of the program.
        thread::sleep(Duration::from_micros(300 + request * 7 % 400));
        let (told, asked) = (told.clone(), Instant::now());
        handle.post(move |_| {
            let _ = told.send(asked.elapsed());
            Ok(())
        });
        found.push(microseconds(times.recv()?));
    }
    let asked = Instant::now();
    handle.terminate();
    let (trapped, end) = runner.join().map_err(|_| "the program panicked")?;
    if !trapped {
        Err("the program came to its end".into())
    } else {
        Ok((found, microseconds(end.duration_since(asked))))
    }
}

fn microseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
