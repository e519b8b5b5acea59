//! Hot functions move up, in place and in the background.

use std::time::{Duration, Instant};

use upshift::{Config, Engine, Module, Strategy, Tier, TierChoice};

use super::{at_once, chain, chain_result, instantiate};

#[test]
fn a_hot_function_moves_up_at_once() {
    let engine = Engine::new(&at_once()).unwrap();
    let (module, mut store, instance) = instantiate(&engine, &chain(5, 3));
    let run = instance.get_typed_func::<i32, i32>(&mut store, "0").unwrap();
    for _ in 0..20 {
        assert_eq!(run.call(&mut store, 0).unwrap(), chain_result(5, 3));
    }
    assert!((0..5).all(|function| module.function_tier(function) == Some(Tier::Optimizing)));
    let statistics = module.statistics();
    assert_eq!((statistics.baseline.functions, statistics.optimizing.functions), (0, 5));
    assert_eq!((statistics.baseline.compiled, statistics.tiering.over_budget, statistics.tiering.failed), (5, 0, 0));
    assert!(statistics.tiering.tier_ups >= 5);
}

#[test]
fn a_hot_function_moves_up_in_the_background() {
    let engine = Engine::new(Config::new().tiering_budget(100)).unwrap();
    let (module, mut store, instance) = instantiate(&engine, &chain(5, 3));
    let run = instance.get_typed_func::<i32, i32>(&mut store, "0").unwrap();
    let start = Instant::now();
    while module.statistics().optimizing.functions < 5 {
        assert_eq!(run.call(&mut store, 0).unwrap(), chain_result(5, 3));
        assert!(start.elapsed() < Duration::from_secs(60), "{:?}", engine.statistics());
    }
    assert_eq!(run.call(&mut store, 0).unwrap(), chain_result(5, 3));
}

#[test]
fn a_cold_function_stays_where_it_is() {
    let engine = Engine::default();
    let (module, mut store, instance) = instantiate(&engine, &chain(3, 3));
    instance.get_typed_func::<i32, i32>(&mut store, "0").unwrap().call(&mut store, 0).unwrap();
    assert!((0..3).all(|function| module.function_tier(function) == Some(Tier::Baseline)));
    assert_eq!(module.statistics().tiering.tier_ups, 0);
}

#[test]
fn one_tier_alone_stays_alone() {
    for (choice, tier) in [(TierChoice::Baseline, Tier::Baseline), (TierChoice::Optimizing, Tier::Optimizing)] {
        let engine = Engine::new(at_once().tier(choice)).unwrap();
        let (module, mut store, instance) = instantiate(&engine, &chain(3, 1000));
        let run = instance.get_typed_func::<i32, i32>(&mut store, "0").unwrap();
        (0..20).for_each(|_| assert_eq!(run.call(&mut store, 0).unwrap(), chain_result(3, 1000)));
        assert!((0..3).all(|function| module.function_tier(function) == Some(tier)));
    }
}

#[test]
fn the_eager_strategy_compiles_by_the_first_tier() {
    for (choice, tier) in [(TierChoice::Auto, Tier::Baseline), (TierChoice::Optimizing, Tier::Optimizing)] {
        let engine = Engine::new(Config::new().tier(choice).strategy(Strategy::Eager)).unwrap();
        let module = Module::new(&engine, chain(10, 3)).unwrap();
        assert!((0..10).all(|function| module.function_tier(function) == Some(tier)));
    }
}

#[test]
fn the_hybrid_strategy_compiles_behind_the_back() {
    let engine = Engine::new(Config::new().strategy(Strategy::Hybrid)).unwrap();
    let (module, mut store, instance) = instantiate(&engine, &chain(200, 3));
    let run = instance.get_typed_func::<i32, i32>(&mut store, "150").unwrap();
    assert_eq!(run.call(&mut store, 0).unwrap(), chain_result(50, 3));
    let start = Instant::now();
    while module.statistics().compiled < 200 {
        assert!(start.elapsed() < Duration::from_secs(60), "{:?}", module.statistics());
        std::thread::yield_now();
    }
    // Modules may go while they are being compiled.
    (0..20).for_each(|salt| drop(Module::new(&engine, chain(300, salt + 1)).unwrap()));
}

#[test]
fn functions_can_be_compiled_by_hand() {
    let engine = Engine::default();
    let (module, mut store, instance) = instantiate(&engine, &chain(2, 3));
    let baseline = module.code_in(0, Tier::Baseline).unwrap();
    let optimizing = module.code_in(0, Tier::Optimizing).unwrap();
    assert_eq!((baseline.tier, optimizing.tier, module.function_tier(0)), (Tier::Baseline, Tier::Optimizing, None));
    module.compile_function_in(1, Tier::Optimizing).unwrap();
    module.compile_function_in(1, Tier::Baseline).unwrap();
    assert_eq!(module.function_tier(1), Some(Tier::Optimizing));
    let run = instance.get_typed_func::<i32, i32>(&mut store, "0").unwrap();
    assert_eq!(run.call(&mut store, 0).unwrap(), chain_result(2, 3));
    module.flush_code();
    assert_eq!((module.statistics().compiled, module.statistics().code_bytes), (0, 0));
    assert_eq!(run.call(&mut store, 0).unwrap(), chain_result(2, 3));
}
