//! Broken input: real modules cut short or with a byte changed, and modules made at random. Each is an error that says
//! where, or a module that runs as it should.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use arbitrary::Unstructured;
use upshift::{
    CompileError, CompileErrorKind, Config, Engine, Extern, Instance, Linker, Module, Store, StoreLimits,
    StoreLimitsBuilder, Val,
};

use crate::fetched;
use crate::random::Random;

/// Fuel of each call.
const FUEL: u64 = 10_000;
/// Of the modules with a changed byte that are valid still, one in so many is run: compiling takes most of the time.
const RUN_ONE_IN: usize = 50;

fn engine(guard_pages: bool) -> Engine {
    Engine::new(Config::new().consume_fuel(true).canonicalize_nans(true).guard_pages(guard_pages)).unwrap()
}

/// Does `work` for every number below `count`, on all cores.
fn for_each(count: usize, work: impl Fn(usize) + Sync) {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        break;
                    }
                    work(number);
                }
            });
        }
    });
}

/// A module, or a checked error.
fn load(engine: &Engine, bytes: &[u8]) -> Option<Module> {
    match Module::from_binary(engine, bytes) {
        Ok(module) => Some(module),
        Err(error) => {
            let error = error.downcast_ref::<CompileError>().unwrap_or_else(|| panic!("{error:?}"));
            assert_ne!(error.kind(), CompileErrorKind::Compile, "{error}");
            assert!(error.offset().is_some_and(|offset| offset <= bytes.len()), "{error}");
            assert!(!error.message().is_empty());
            None
        }
    }
}

/// What can be seen of a run: results, reasons, sizes and contents.
fn run(engine: &Engine, module: &Module, most_calls: usize) -> Vec<String> {
    let limits = StoreLimitsBuilder::new().memory_size(64 << 20).table_elements(100_000).build();
    let mut store: Store<StoreLimits> = Store::new(engine, limits);
    store.limiter(|limits| limits);
    store.set_fuel(FUEL).unwrap();
    let mut linker = Linker::new(engine);
    if let Err(error) = linker.define_unknown_imports_as_default_values(&mut store, module) {
        return vec![error.root_cause().to_string()];
    }
    match linker.instantiate(&mut store, module) {
        Ok(instance) => call_exports(&mut store, instance, most_calls),
        Err(error) => vec![error.root_cause().to_string()],
    }
}

fn call_exports(store: &mut Store<StoreLimits>, instance: Instance, most: usize) -> Vec<String> {
    let mut seen = Vec::new();
    let items: Vec<Extern> = instance.exports(&mut *store).map(|export| export.into_extern()).collect();
    for func in items.iter().filter_map(|item| item.into_func()).take(most) {
        let ty = func.ty(&*store);
        let Some(params) = ty.params().map(|ty| Val::default_for_ty(&ty)).collect::<Option<Vec<Val>>>() else {
            continue;
        };
        let mut results = vec![Val::I32(0); ty.results().len()];
        store.set_fuel(FUEL).unwrap();
        match func.call(&mut *store, &params, &mut results) {
            Ok(()) => seen.extend(results.iter().map(show)),
            Err(error) => seen.push(error.root_cause().to_string()),
        }
        assert!(store.get_fuel().unwrap() <= FUEL);
    }
    for item in items {
        match item {
            Extern::Memory(memory) => seen.push(format!("{:?}", checksum(memory.data(&*store)))),
            Extern::Global(global) => seen.push(show(&global.get(&mut *store))),
            Extern::Table(table) => seen.push(table.size(&*store).to_string()),
            Extern::Func(_) => {}
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
    // Most of a memory is zero: whole words of nothing are passed over.
    let words = bytes.chunks(8).enumerate().filter(|(_, word)| word.iter().any(|&byte| byte != 0));
    let hash = words.fold(0, |hash: u64, (at, word)| {
        let word = word.iter().fold(at as u64, |word, &byte| word.rotate_left(8) ^ u64::from(byte));
        (hash.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95)
    });
    (bytes.len(), hash)
}

fn cut_short(bytes: &[u8]) {
    let engine = engine(true);
    for_each(bytes.len().div_ceil(4096), |part| {
        assert!(load(&engine, &bytes[..part * 4096]).is_none(), "the first {} bytes", part * 4096);
    });
    assert!(load(&engine, bytes).is_some());
}

/// Changes one bit or byte at a time. A third of the changes are in the first and last parts, where the structure is.
fn change(bytes: &[u8], count: usize) {
    let engine = engine(true);
    let valid = AtomicUsize::new(0);
    for_each(count, |number| {
        let mut random = Random::new(number as u64);
        let mut changed = bytes.to_vec();
        let edge = bytes.len().min(8192);
        let at = match number % 6 {
            0 => random.below(edge),
            1 => bytes.len() - 1 - random.below(edge),
            _ => random.below(bytes.len()),
        };
        changed[at] ^= if number % 2 == 0 { 1 << random.below(8) } else { 1 + random.below(255) as u8 };
        let Some(module) = load(&engine, &changed) else { return };
        if valid.fetch_add(1, Ordering::Relaxed).is_multiple_of(RUN_ONE_IN) {
            run(&engine, &module, 2);
        }
    });
    assert!(valid.into_inner() > 0);
}

#[test]
fn a_module_cut_short_is_an_error() {
    [fetched::quickjs(), fetched::sqlite(), fetched::resvg()].iter().for_each(|bytes| cut_short(bytes));
}

#[test]
fn a_small_module_with_a_changed_byte_fails_or_runs() {
    change(&fetched::quickjs(), 8_500);
}

#[test]
fn a_large_module_with_a_changed_byte_fails_or_runs() {
    change(&fetched::sqlite(), 1_200);
    change(&fetched::resvg(), 300);
}

#[test]
fn random_bytes_are_an_error() {
    let engine = engine(true);
    for_each(2_000, |number| {
        let mut random = Random::new(number as u64);
        let len = random.below(200);
        let mut bytes = b"\0asm\x01\0\0\0".to_vec();
        bytes.extend(random.bytes(len));
        // Custom sections may hold anything, so some are modules.
        load(&engine, &bytes);
        load(&engine, &bytes[random.below(8)..]);
    });
}

#[test]
fn random_modules_run_alike_with_guards_and_with_checks() {
    let engines = [engine(true), engine(false)];
    let made = AtomicUsize::new(0);
    for_each(300, |number| {
        let Some(bytes) = random_module(number as u64) else { return };
        made.fetch_add(1, Ordering::Relaxed);
        let [guarded, checked] = engines.each_ref().map(|engine| match load(engine, &bytes) {
            Some(module) => run(engine, &module, usize::MAX),
            None => Vec::new(),
        });
        assert_eq!(guarded, checked, "module {number}");
    });
    assert!(made.into_inner() > 100);
}

/// A valid module of the proposals that there are.
fn random_module(seed: u64) -> Option<Vec<u8>> {
    let data = Random::new(seed).bytes(2000);
    let mut input = Unstructured::new(&data);
    let mut config: wasm_smith::Config = input.arbitrary().ok()?;
    config.gc_enabled = false;
    config.exceptions_enabled = false;
    config.threads_enabled = false;
    config.shared_everything_threads_enabled = false;
    config.custom_descriptors_enabled = false;
    config.max_memory32_bytes = 16 << 20;
    config.max_memory64_bytes = 16 << 20;
    config.max_table_elements = 1000;
    config.allow_start_export = true;
    Some(wasm_smith::Module::new(config, &mut input).ok()?.to_bytes())
}
