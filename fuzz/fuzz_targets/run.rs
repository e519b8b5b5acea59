//! Valid modules of any shape: every export runs to an end under fuel, and the optimizing tier, the baseline tier with
//! explicit checks, and both tiers with a budget that is spent at once give the same results, traps, and contents.
#![no_main]

use std::sync::LazyLock;

use arbitrary::{Arbitrary, Unstructured};
use libfuzzer_sys::fuzz_target;
use upshift::{Config, Engine, Extern, Linker, Module, Store, StoreLimits, StoreLimitsBuilder, TierChoice, Val};

static OPTIMIZING: LazyLock<Engine> = LazyLock::new(|| engine(Config::new().tier(TierChoice::Optimizing)));
static BASELINE: LazyLock<Engine> =
    LazyLock::new(|| engine(Config::new().tier(TierChoice::Baseline).guard_pages(false)));
static AUTO: LazyLock<Engine> = LazyLock::new(|| engine(Config::new().tiering_budget(500).sync_tier_up(true)));

fn engine(config: &mut Config) -> Engine {
    config.consume_fuel(true).canonicalize_nans(true).verify_compiler(true);
    Engine::new(config).expect("an engine")
}

fn module(data: &[u8]) -> Option<Vec<u8>> {
    let mut input = Unstructured::new(data);
    let mut config = wasm_smith::Config::arbitrary(&mut input).ok()?;
    config.gc_enabled = false;
    config.exceptions_enabled = false;
    config.threads_enabled = false;
    config.shared_everything_threads_enabled = false;
    config.custom_descriptors_enabled = false;
    config.max_memories = config.max_memories.min(3);
    config.max_memory32_bytes = 16 << 20;
    config.max_memory64_bytes = 16 << 20;
    config.max_table_elements = 1000;
    config.allow_start_export = true;
    Some(wasm_smith::Module::new(config, &mut input).ok()?.to_bytes())
}

/// What can be seen of a run: results, traps by their text, globals and memories.
fn run(engine: &Engine, bytes: &[u8]) -> Vec<String> {
    let mut seen = Vec::new();
    let module = match Module::new(engine, bytes) {
        Ok(module) => module,
        // Proposals that are not there yet.
        Err(error) => return vec![format!("{error:#}")],
    };
    let limits = StoreLimitsBuilder::new().memory_size(64 << 20).table_elements(10_000).build();
    let mut store: Store<StoreLimits> = Store::new(engine, limits);
    store.limiter(|limits| limits);
    store.set_fuel(100_000).expect("fuel is on");
    let mut linker = Linker::new(engine);
    if linker.define_unknown_imports_as_default_values(&mut store, &module).is_err() {
        return seen;
    }
    let instance = match linker.instantiate(&mut store, &module) {
        Ok(instance) => instance,
        Err(error) => return vec![error.root_cause().to_string()],
    };
    let exports: Vec<Extern> = instance.exports(&mut store).map(|export| export.into_extern()).collect();
    for item in &exports {
        let Extern::Func(func) = item else { continue };
        let ty = func.ty(&store);
        let params: Option<Vec<Val>> = ty.params().map(|ty| Val::default_for_ty(&ty)).collect();
        let Some(params) = params else { continue };
        let mut results = vec![Val::I32(0); ty.results().len()];
        store.set_fuel(100_000).expect("fuel is on");
        match func.call(&mut store, &params, &mut results) {
            Ok(()) => seen.extend(results.iter().map(show)),
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

fn checksum(bytes: &[u8]) -> (usize, u64) {
    let hash = bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash: u64, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    (bytes.len(), hash)
}

fuzz_target!(|data: &[u8]| {
    let Some(bytes) = module(data) else { return };
    // Frames of the tiers differ in size, so a deep recursion may end in one by the stack and in another by its fuel; what
    // comes after such a trap need not agree either.
    let exhausted = |seen: &[String]| seen.iter().any(|line| line.contains("call stack exhausted"));
    let optimizing = run(&OPTIMIZING, &bytes);
    for engine in [&BASELINE, &AUTO] {
        let other = run(engine, &bytes);
        if exhausted(&optimizing) || exhausted(&other) {
            return;
        }
        assert_eq!(optimizing, other);
    }
});
