//! How time and memory grow with the body: a table, to be read. Run it in a build with optimizations:
//!
//! `cargo test --release -p upshift-tests bombs::growth -- --ignored --nocapture`

use std::time::Duration;

use upshift::{Config, Engine, Module, TierChoice};

use super::shapes::{self, Shape};

/// What the module's one large function takes in a tier: processor time, bytes of code, bytes of tables.
fn measure(tier: TierChoice, bytes: &[u8]) -> Option<(Duration, usize, usize)> {
    let runs = (0..3).map(|_| {
        let engine = Engine::new(Config::new().tier(tier).threads(1)).unwrap();
        let module = Module::from_binary(&engine, bytes).unwrap();
        module.compile_all().ok()?;
        let statistics = module.statistics();
        Some((statistics.compile_time, statistics.code_bytes, statistics.metadata_bytes))
    });
    runs.collect::<Option<Vec<_>>>()?.into_iter().min()
}

#[test]
#[ignore = "a measurement"]
fn growth() {
    println!(
        "{:32} {:>9} {:>10} {:>6} {:>6} {:>7} {:>7}",
        "body", "bytes", "CPU", "ratio", "ratio", "code/B", "tables/B"
    );
    for Shape { name, make } in shapes::ALL {
        let sizes = [10_000, 20_000, 40_000].map(make);
        let costs = sizes.each_ref().map(|bytes| measure(TierChoice::Baseline, bytes));
        let [Some(small), Some(middle), Some(large)] = costs else {
            println!("{name:32} fails");
            continue;
        };
        let [small_time, middle_time, large_time] = [small.0, middle.0, large.0].map(|time| time.as_secs_f64());
        let len = sizes[2].len() as f64;
        println!(
            "{name:32} {:9} {:7.2} ms {:6.2} {:6.2} {:7.2} {:7.2}",
            sizes[2].len(),
            large_time * 1e3,
            middle_time / small_time,
            large_time / middle_time,
            large.1 as f64 / len,
            large.2 as f64 / len,
        );
    }
}
