//! Every kind of body in every tier: the same results, code in proportion to the body, and no job past its budget.

use upshift::{Config, Tier, TierChoice};

use super::Program;
use super::bytes::*;
use super::shapes::{self, Shape};

/// A configuration in which everything that runs is hot, and is optimized while it waits.
fn hot() -> Config {
    let mut config = Config::new();
    config.tiering_budget(1).sync_tier_up(true);
    config
}

#[test]
fn tiers_agree_on_every_shape() {
    for Shape { name, make } in shapes::ALL {
        let bytes = make(300);
        let outcomes = [
            Config::new().tier(TierChoice::Baseline),
            Config::new().tier(TierChoice::Optimizing),
            &mut hot(),
            hot().lazy_validation(true).guard_pages(false),
            hot().max_code_bytes(Some(1)),
            hot().max_code_bytes(Some(1)).code_gc_stress(true),
            hot().osr(false).inlining(false).consume_fuel(false),
        ]
        .map(|config| {
            let mut program = Program::new(config, &bytes);
            [0, 0, 1, 2, 2].map(|argument| program.outcome(argument))
        });
        for outcome in &outcomes {
            assert_eq!(outcome, &outcomes[0], "{name}");
        }
    }
}

/// Bytes of code and of tables of the whole module in the baseline tier.
fn baseline_bytes(bytes: &[u8]) -> usize {
    let mut program = Program::new(Config::new().tier(TierChoice::Auto), bytes);
    program.module.compile_all().unwrap_or_else(|error| panic!("{error:#}"));
    program.outcome(1);
    let statistics = program.module.statistics();
    assert_eq!((statistics.tiering.tier_ups, statistics.optimizing.compiled), (0, 0));
    statistics.code_bytes + statistics.metadata_bytes
}

#[test]
fn baseline_code_grows_with_the_body() {
    for Shape { name, make } in shapes::ALL {
        let (small, large) = (make(5_000), make(20_000));
        let (of_small, of_large) = (baseline_bytes(&small), baseline_bytes(&large));
        // Offsets grow by a byte or two with the number of parts.
        assert!(of_large < of_small * 6 + 1000, "{name}: {of_small} bytes, then {of_large}");
        let each = if *name == "branches with many values" { 300 } else { 32 };
        assert!(of_large < large.len() * each, "{name}: {of_large} bytes from {}", large.len());
    }
}

/// Bodies that the optimizing tier cannot afford, and why.
fn too_much() -> [(&'static str, Vec<u8>); 4] {
    let shape = |name: &str| shapes::ALL.iter().find(|shape| shape.name == name).unwrap().make;
    [
        ("loops in loops: time", shape("nested loops")(40_000)),
        ("many values for long: time", shape("locals across merges")(10_000)),
        ("a long body: memory", shape("calls")(450_000)),
        ("a deep stack: time", shape("a deep stack of loads")(400_000)),
    ]
}

#[test]
fn what_costs_too_much_stays_in_the_baseline_tier() {
    for (name, bytes) in too_much() {
        let mut program = Program::new(&hot(), &bytes);
        let index = program.module.functions().count() as u32 - 1;
        let outcomes: Vec<_> = (0..12).map(|_| program.outcome(0)).collect();
        assert!(outcomes.iter().all(|outcome| *outcome == outcomes[0]), "{name}");
        let statistics = program.module.statistics();
        assert!(statistics.tiering.over_budget > 0, "{name}: {statistics:?}");
        assert_eq!(statistics.tiering.failed, 0, "{name}");
        assert_eq!(program.module.function_tier(index), Some(Tier::Baseline), "{name}");
        assert!(program.module.osr_code(index).is_empty(), "{name}");
        // Given up for good: it is not tried again.
        let over_budget = statistics.tiering.over_budget;
        (0..5).for_each(|_| assert_eq!(program.outcome(0), outcomes[0]));
        assert_eq!(program.module.statistics().tiering.over_budget, over_budget, "{name}");
    }
}

/// In the background, the program does not wait for a job that is given up, and the engine can go at any time.
#[test]
fn an_engine_goes_while_a_job_is_too_much() {
    for (name, bytes) in too_much().iter().take(2) {
        let mut program = Program::new(Config::new().tiering_budget(1), bytes);
        let first = program.outcome(0);
        (0..20).for_each(|_| assert_eq!(program.outcome(0), first, "{name}"));
    }
}

#[test]
fn a_tree_of_small_calls_is_inlined_in_part() {
    const COUNT: usize = 7_000;
    let mut builder = Builder::new(&[function_type(&[], &[I32])]);
    for index in 0..COUNT {
        // Each calls two of the ones before; every seventh ends the recursion.
        let code = match index % 7 {
            0 => constant(1),
            part => [call(index - 1), call(index - part), I32_ADD.to_vec()].concat(),
        };
        builder = builder.function(0, &[], &code);
    }
    let all = each(COUNT, |index| [call(index), I32_ADD.to_vec()].concat());
    let bytes = builder.function(0, &[], &[constant(0), all].concat()).finish();
    let expected: usize = (0..COUNT).map(|index| index % 7 + 1).sum();
    let mut config = hot();
    for config in [Config::new().tier(TierChoice::Baseline), config.tiering_budget(400)] {
        let mut program = Program::new(config, &bytes);
        for _ in 0..3 {
            assert_eq!(program.run(0).unwrap(), [format!("I32({expected})")]);
        }
        let statistics = program.module.statistics();
        assert_eq!(statistics.tiering.failed, 0);
        assert!(statistics.code_bytes < bytes.len() * 60, "{statistics:?}");
    }
}
