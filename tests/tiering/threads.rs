//! Tier-up with many stores on many threads, and with engines that go while jobs run.

use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use upshift::{Config, Engine, Instance, Module, Store, Strategy};

use super::{chain, chain_result};

const THREADS: usize = 4;

fn use_store(engine: &Engine, module: &Module, rounds: usize, expected: i32) {
    let mut store = Store::new(engine, ());
    let instance = Instance::new(&mut store, module, &[]).unwrap();
    let run = instance.get_typed_func::<i32, i32>(&mut store, "0").unwrap();
    for _ in 0..rounds {
        assert_eq!(run.call(&mut store, 5).unwrap(), expected);
    }
}

#[test]
fn functions_move_up_under_many_threads() {
    for sync in [false, true] {
        let engine = Engine::new(Config::new().tiering_budget(2000).sync_tier_up(sync).threads(3)).unwrap();
        for round in 1..8 {
            let module = Module::new(&engine, chain(30, round * 10)).unwrap();
            let barrier = Barrier::new(THREADS);
            thread::scope(|scope| {
                for _ in 0..THREADS {
                    let (engine, module, barrier) = (&engine, &module, &barrier);
                    scope.spawn(move || {
                        barrier.wait();
                        use_store(engine, module, 200, chain_result(30, round * 10));
                    });
                }
            });
            let statistics = module.statistics();
            assert_eq!((statistics.compiled, statistics.tiering.failed), (30, 0));
        }
    }
}

#[test]
fn an_engine_goes_while_jobs_run() {
    for round in 0..30 {
        let mut config = Config::new();
        config.tiering_budget(100).threads(1 + round % 4);
        if round % 3 == 0 {
            config.strategy(Strategy::Hybrid);
        }
        let engine = Engine::new(&config).unwrap();
        let module = Module::new(&engine, chain(40, 5 + round)).unwrap();
        use_store(&engine, &module, 1 + round, chain_result(40, 5 + round));
        if round % 2 == 0 {
            drop(module);
            thread::sleep(Duration::from_micros(300));
            drop(engine);
        } else {
            drop(engine);
            drop(module);
        }
    }
}

#[test]
fn the_last_handle_may_go_on_any_thread() {
    for round in 0..20 {
        let engine = Engine::new(Config::new().tiering_budget(100)).unwrap();
        let module = Module::new(&engine, chain(20, 9)).unwrap();
        let handles: Vec<_> = (0..THREADS)
            .map(|_| {
                let (engine, module) = (engine.clone(), module.clone());
                thread::spawn(move || {
                    use_store(&engine, &module, 10 + round, chain_result(20, 9));
                    drop(engine);
                })
            })
            .collect();
        drop(engine);
        drop(module);
        handles.into_iter().for_each(|handle| handle.join().unwrap());
    }
}
