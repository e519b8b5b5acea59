//! Cuts of small modules everywhere, of a large one at random, and of broken ones.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use upshift::{Config, Engine, Instance, Module, Store, Strategy};

use super::samples::{FUNCTIONS, large, small};
use super::{assert_same, cut, describe, uncached, whole};
use crate::fetched;
use crate::random::Random;

/// Random slicings of a large module; one in [`FULL_ONE_IN`] is validated too. With `UPSHIFT_SLICINGS=all`, all are.
const SLICINGS: usize = 1000;
const FULL_ONE_IN: usize = 20;

#[test]
fn every_cut_of_a_small_module_gives_the_same() {
    let mut errors = 0;
    for strategy in [Strategy::Lazy, Strategy::Eager] {
        let engine = uncached(Config::new().strategy(strategy));
        for (number, bytes) in small().iter().enumerate() {
            let expected = whole(&engine, bytes);
            errors += usize::from(Module::from_binary(&engine, bytes).is_err());
            for at in 0..=bytes.len() {
                assert_same(&cut(&engine, bytes, &[at]), &expected, &format!("module {number} cut at {at}"));
            }
        }
    }
    assert!(errors > 0 && errors < 10, "{errors}");
}

#[test]
fn broken_modules_give_the_same_error() {
    let engine = uncached(&mut Config::new());
    let mut random = Random::new(1);
    let (mut good, mut bad) = (0, 0);
    for bytes in small() {
        let truncated = (0..bytes.len()).map(|len| bytes[..len].to_vec()).collect::<Vec<_>>();
        let changed = (0..400).map(|_| {
            let mut bytes = bytes.clone();
            for _ in 0..=random.below(2) {
                let at = random.below(bytes.len());
                bytes[at] = random.bits() as u8;
            }
            bytes
        });
        let changed: Vec<_> = changed.collect();
        for broken in truncated.into_iter().chain(changed) {
            let expected = whole(&engine, &broken);
            let mut cuts: Vec<usize> = (0..random.below(5)).map(|_| random.below(broken.len() + 1)).collect();
            cuts.sort_unstable();
            let streamed = cut(&engine, &broken, &cuts);
            *(if streamed.is_ok() { &mut good } else { &mut bad }) += 1;
            assert_same(&streamed, &expected, &format!("{broken:02x?} cut at {cuts:?}"));
        }
    }
    assert!(good > 200 && bad > 5000, "{good} {bad}");
}

/// Ends of pieces: few or many, short or long.
fn random_cuts(len: usize, random: &mut Random) -> Vec<usize> {
    let longest = [1 << 10, 16 << 10, 256 << 10, 4 << 20][random.below(4)];
    let mut cuts = Vec::new();
    let mut end = 0;
    loop {
        // Now and then, a few pieces of some bytes.
        end += if random.below(8) == 0 { random.below(4) } else { random.below(longest) };
        if end >= len {
            return cuts;
        }
        cuts.push(end);
    }
}

/// Does `work` for every number below `count`, on all cores.
fn for_each(count: usize, work: impl Fn(usize) + Sync) {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while let Some(number) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|&number| number < count) {
                    work(number);
                }
            });
        }
    });
}

fn slicings_of(bytes: &[u8]) {
    let all = std::env::var("UPSHIFT_SLICINGS").is_ok_and(|value| value == "all");
    let validated = uncached(&mut Config::new());
    // What depends on the cuts is mostly the decoder's.
    let decoded = uncached(Config::new().lazy_validation(true));
    let expected = whole(&validated, bytes);
    for_each(SLICINGS, |number| {
        let cuts = random_cuts(bytes.len(), &mut Random::new(number as u64));
        let engine = if all || number % FULL_ONE_IN == 0 { &validated } else { &decoded };
        assert_same(&cut(engine, bytes, &cuts), &expected, &format!("slicing {number}"));
    });
}

#[test]
fn a_large_module_in_a_thousand_slicings() {
    let bytes = large();
    assert!((13_000_000..15_000_000).contains(&bytes.len()), "{}", bytes.len());
    slicings_of(&bytes);
}

#[test]
fn a_real_large_module_in_a_thousand_slicings() {
    if let Some(bytes) = fetched::esbuild_if_there() {
        slicings_of(&bytes);
    }
}

/// What some exports of the large module give.
fn results(engine: &Engine, module: &Module) -> Vec<i32> {
    let mut store = Store::new(engine, ());
    let instance = Instance::new(&mut store, module, &[]).unwrap();
    let call = |index: usize| {
        let function = instance.get_typed_func::<i32, i32>(&mut store, &format!("f{index}")).unwrap();
        [1, -77].map(|value| function.call(&mut store, value).unwrap())
    };
    (0..20).flat_map(call).collect()
}

#[test]
fn the_code_of_a_stream_runs() {
    let bytes = large();
    let lazy = uncached(&mut Config::new());
    let expected = results(&lazy, &Module::from_binary(&lazy, &bytes).unwrap());
    for strategy in [Strategy::Lazy, Strategy::Eager, Strategy::Hybrid] {
        let engine = uncached(Config::new().strategy(strategy));
        let module = cut(&engine, &bytes, &random_cuts(bytes.len(), &mut Random::new(3))).unwrap();
        if strategy == Strategy::Eager {
            assert_eq!(module.statistics().compiled, FUNCTIONS);
        }
        assert_eq!(results(&engine, &module), expected);
    }
}

#[test]
fn the_first_fault_of_a_large_module_is_told() {
    let engine = uncached(&mut Config::new());
    let bytes = large();
    let module = Module::from_binary(&engine, &bytes).unwrap();
    let ends: Vec<usize> = module.functions().map(|function| function.offset + function.len - 1).collect();
    let mut random = Random::new(8);
    for round in 0..30 {
        let mut broken = bytes.clone();
        // Bodies that end in `unreachable`, not in `end`; now and then, a fault of the structure behind them, or a tail that
        // is missing.
        (0..=random.below(3)).for_each(|_| broken[ends[random.below(FUNCTIONS)]] = 0);
        match round % 3 {
            0 => broken[ends[FUNCTIONS - 1] + 1] = 0x20,
            1 => broken.truncate(bytes.len() - random.below(bytes.len() / 2)),
            _ => {}
        }
        let expected = whole(&engine, &broken);
        assert!(!expected.0.contains(" bytes\n"), "still valid");
        let streamed = cut(&engine, &broken, &random_cuts(broken.len(), &mut random));
        assert_eq!(describe(&streamed), expected.0, "round {round}");
    }
}
