//! The tiers agree: random programs give the same results, traps, globals and memories in every one of them.
//!
//! The programs are modules of `wasm-smith`, each from a seed. A run tries [`PROGRAMS`] of them, or as many as
//! `UPSHIFT_PROGRAMS` says, or those in a range (`4000..5000`); ten thousand is a thorough run. Every other program counts fuel, which all tiers must spend
//! alike in calls that return; the others end by a counter of their own, so that code is tested as users have it.

use std::ops::Range;
use std::sync::LazyLock;

use arbitrary::Unstructured;
use upshift::{Config, Engine, Extern, Linker, Module, Store, StoreLimits, StoreLimitsBuilder, TierChoice, Val};

use crate::random::Random;

/// Programs of an ordinary run.
const PROGRAMS: u64 = 400;

/// Fuel of one call, in engines that count it.
const FUEL: u64 = 20_000;

/// Times that each export is called, so that there is something to move up.
const CALLS: usize = 3;

/// The ways in which a program runs; the first is what the others are compared with.
const WAYS: [&str; 5] = ["optimizing", "baseline", "baseline, checked", "auto, at once", "auto, in the background"];

fn config(way: usize, fuel: bool) -> Config {
    let mut config = Config::new();
    // The bits of a NaN that an operator makes are the machine's choice, so they are fixed.
    config.canonicalize_nans(true).consume_fuel(fuel);
    match way {
        0 => config.tier(TierChoice::Optimizing),
        1 => config.tier(TierChoice::Baseline),
        2 => config.tier(TierChoice::Baseline).guard_pages(false),
        3 => config.tiering_budget(50).sync_tier_up(true),
        _ => config.tiering_budget(50),
    };
    config
}

fn engines(fuel: bool) -> Vec<Engine> {
    (0..WAYS.len()).map(|way| Engine::new(&config(way, fuel)).expect("an engine")).collect()
}

/// Engines that count fuel, and engines that do not.
static ENGINES: LazyLock<[Vec<Engine>; 2]> = LazyLock::new(|| [engines(true), engines(false)]);

fn program(seed: u64) -> Option<Vec<u8>> {
    let data = Random::new(seed ^ 0x5eed_0f71).bytes(4000);
    let mut input = Unstructured::new(&data);
    let mut config: wasm_smith::Config = input.arbitrary().ok()?;
    config.gc_enabled = false;
    config.exceptions_enabled = false;
    config.threads_enabled = false;
    config.shared_everything_threads_enabled = false;
    config.custom_descriptors_enabled = false;
    config.max_memories = config.max_memories.min(3);
    config.max_memory32_bytes = 4 << 20;
    config.max_memory64_bytes = 4 << 20;
    config.max_table_elements = 1000;
    config.allow_start_export = true;
    config.export_everything = true;
    let mut module = wasm_smith::Module::new(config, &mut input).ok()?;
    if seed % 2 == 1 {
        module.ensure_termination(1000).ok()?;
    }
    Some(module.to_bytes())
}

/// What can be seen of a run, a line each.
fn observe(engine: &Engine, bytes: &[u8], fuel: bool) -> Vec<String> {
    let module = match Module::from_binary(engine, bytes) {
        Ok(module) => module,
        Err(error) => return vec![format!("{error:#}")],
    };
    let limits = StoreLimitsBuilder::new().memory_size(16 << 20).table_elements(10_000).build();
    let mut store: Store<StoreLimits> = Store::new(engine, limits);
    store.limiter(|limits| limits);
    if fuel {
        store.set_fuel(FUEL).expect("fuel is on");
    }
    let mut linker = Linker::new(engine);
    if let Err(error) = linker.define_unknown_imports_as_default_values(&mut store, &module) {
        return vec![error.to_string()];
    }
    let instance = match linker.instantiate(&mut store, &module) {
        Ok(instance) => instance,
        Err(error) => return vec![error.root_cause().to_string()],
    };
    let mut seen = Vec::new();
    let exports: Vec<Extern> = instance.exports(&mut store).map(|export| export.into_extern()).collect();
    for item in exports.iter().cycle().take(exports.len() * CALLS) {
        let Extern::Func(func) = item else { continue };
        let ty = func.ty(&store);
        let params: Option<Vec<Val>> = ty.params().map(|ty| Val::default_for_ty(&ty)).collect();
        let Some(params) = params else { continue };
        let mut results = vec![Val::I32(0); ty.results().len()];
        if fuel {
            store.set_fuel(FUEL).expect("fuel is on");
        }
        match func.call(&mut store, &params, &mut results) {
            Ok(()) => {
                seen.extend(results.iter().map(show));
                // A trap may leave out what was used since the last call or return, so it is compared here only.
                if fuel {
                    seen.push(format!("fuel {}", store.get_fuel().expect("fuel is on")));
                }
            }
            Err(error) => seen.push(error.root_cause().to_string()),
        }
    }
    for item in exports {
        match item {
            Extern::Memory(memory) => seen.push(format!("{:?}", checksum(memory.data(&store)))),
            Extern::Global(global) => {
                let value = global.get(&mut store);
                seen.push(show(&value));
            }
            Extern::Func(_) | Extern::Table(_) => {}
        }
    }
    seen
}

fn show(value: &Val) -> String {
    match value {
        Val::FuncRef(func) => format!("funcref {}", func.is_some()),
        Val::ExternRef(reference) => format!("externref {}", reference.is_some()),
        number => format!("{number:?}"),
    }
}

/// Length and a hash.
fn checksum(bytes: &[u8]) -> (usize, u64) {
    let hash = bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash: u64, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    (bytes.len(), hash)
}

/// Frames of the tiers differ in size, so a deep recursion may end in one by the stack and in another by its fuel; what
/// comes after such a trap need not agree either.
fn exhausted(seen: &[String]) -> bool {
    seen.iter().any(|line| line.contains("call stack exhausted"))
}

fn agree(seed: u64) -> bool {
    let Some(bytes) = program(seed) else { return false };
    let fuel = seed.is_multiple_of(2);
    let engines = &ENGINES[usize::from(!fuel)];
    let seen: Vec<Vec<String>> = engines.iter().map(|engine| observe(engine, &bytes, fuel)).collect();
    if seen.iter().any(|seen| exhausted(seen)) {
        return false;
    }
    for (way, other) in seen.iter().enumerate().skip(1) {
        let difference = seen[0].iter().zip(other).position(|(one, other)| one != other);
        assert!(
            seen[0] == *other,
            "program {seed}: {} and {} differ at line {difference:?}:\n{:?}\n{:?}",
            WAYS[0],
            WAYS[way],
            difference.map(|at| &seen[0][at]),
            difference.map(|at| &other[at]),
        );
    }
    true
}

/// The programs that the environment asks for.
fn programs() -> Range<u64> {
    let Ok(text) = std::env::var("UPSHIFT_PROGRAMS") else { return 0..PROGRAMS };
    let (start, end) = text.split_once("..").unwrap_or(("0", &text));
    let number = |text: &str| text.parse().expect("UPSHIFT_PROGRAMS is a number or a range");
    number(start)..number(end)
}

/// Runs every fourth program, so that the test threads share the work.
fn run_quarter(quarter: u64) {
    let seeds: Vec<u64> = programs().filter(|seed| seed % 4 == quarter).collect();
    let compared = seeds.iter().filter(|&&seed| agree(seed)).count();
    assert!(compared >= seeds.len() / 2, "only {compared} programs of {} could be compared", seeds.len());
}

#[test]
fn quarter_0() {
    run_quarter(0);
}

#[test]
fn quarter_1() {
    run_quarter(1);
}

#[test]
fn quarter_2() {
    run_quarter(2);
}

#[test]
fn quarter_3() {
    run_quarter(3);
}
