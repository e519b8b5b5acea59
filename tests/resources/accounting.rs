//! What an engine says that it takes is what the process has.

use std::fs;

use upshift::{Config, Engine, Linker, MemoryUsage, Module, Store, Strategy, StreamingCompilation};

use super::large;
use crate::child;

/// Bytes that the process has, pages that it shares with others or maps twice counted in part.
fn proportional() -> usize {
    let text = fs::read_to_string("/proc/self/smaps_rollup").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().trim().parse::<usize>().unwrap() * 1024
}

/// What came since a moment, by the engine's account and in the process.
struct Growth {
    accounted: usize,
    taken: usize,
}

struct Before {
    usage: MemoryUsage,
    taken: usize,
}

impl Before {
    fn now(engine: &Engine) -> Before {
        Before { usage: engine.memory_usage(), taken: proportional() }
    }

    fn growth(&self, engine: &Engine) -> Growth {
        let usage = engine.memory_usage();
        let growth =
            Growth { accounted: usage.total() - self.usage.total(), taken: proportional().saturating_sub(self.taken) };
        for ((name, before), (_, now)) in self.usage.iter().zip(usage.iter()) {
            if before != now {
                println!("  {name}: {before} to {now}");
            }
        }
        println!("  accounted {}, taken {}", growth.accounted, growth.taken);
        growth
    }
}

impl Growth {
    /// The account is right within this many hundredths.
    fn assert_within(&self, percent: usize, what: &str) {
        let Growth { accounted, taken } = *self;
        let difference = accounted.abs_diff(taken);
        assert!(difference * 100 <= taken * percent, "{what}: accounted {accounted}, taken {taken}");
    }
}

fn engine(strategy: Strategy) -> Engine {
    Engine::new(Config::new().strategy(strategy).threads(1)).unwrap()
}

#[test]
fn modules_are_accounted_for() {
    child::within("resources::accounting::modules_are_accounted_for", || {
        let engine = engine(Strategy::Lazy);
        // Made before and dropped after, so that the allocator has nothing to reuse; but what it takes to make a module.
        let binaries: Vec<Vec<u8>> = (0..13).map(|salt| large::module(2 << 20, salt)).collect();
        let make = |binary: &Vec<u8>| Module::from_binary(&engine, binary).unwrap();
        let _first = make(&binaries[12]);
        let before = Before::now(&engine);
        let modules: Vec<Module> = binaries[..12].iter().map(make).collect();
        let growth = before.growth(&engine);
        growth.assert_within(10, "modules");
        let own: usize = modules.iter().map(|module| module.memory_usage().total()).sum();
        // They share the engine's list of modules, and lazy stubs.
        assert!(growth.accounted.abs_diff(own) < growth.accounted / 50, "{} and {own}", growth.accounted);
        drop(modules);
        assert_eq!(engine.memory_usage().total(), before.usage.total());
    });
}

#[test]
fn code_is_accounted_for() {
    child::within("resources::accounting::code_is_accounted_for", || {
        let engine = engine(Strategy::Lazy);
        let module = |salt| Module::from_binary(&engine, &large::module(1 << 20, salt)).unwrap();
        // Takes what compiling takes once.
        let first = module(99);
        first.compile_all().unwrap();
        let modules: Vec<Module> = (0..16).map(module).collect();
        let before = Before::now(&engine);
        modules.iter().for_each(|module| module.compile_all().unwrap());
        before.growth(&engine).assert_within(10, "code");
        let usage = engine.memory_usage();
        assert_eq!(usage.code + usage.stubs, engine.code_bytes());
        drop((first, modules));
        assert_eq!(engine.memory_usage().code, 0);
    });
}

#[test]
fn stores_are_accounted_for() {
    child::within("resources::accounting::stores_are_accounted_for", || {
        let engine = engine(Strategy::Lazy);
        let module = Module::new(
            &engine,
            r#"(module
                (import "host" "f" (func $f))
                (memory (export "memory") 1 4)
                (table 2000 funcref)
                (elem (i32.const 0) $f)
                (global (mut i32) (i32.const 1))
                (func (export "fill") (memory.fill (i32.const 0) (i32.const 7) (i32.const 65536))))"#,
        )
        .unwrap();
        let mut linker: Linker<()> = Linker::new(&engine);
        linker.func_wrap("host", "f", || {}).unwrap();
        let make = || {
            let mut store = Store::new(&engine, ());
            let instance = linker.instantiate(&mut store, &module).unwrap();
            instance.get_typed_func::<(), ()>(&mut store, "fill").unwrap().call(&mut store, ()).unwrap();
            let table = upshift::Table::new(
                &mut store,
                upshift::TableType::new(upshift::RefType::FUNCREF, 500, None),
                upshift::Ref::Func(None),
            )
            .unwrap();
            let null = upshift::Ref::Func(None);
            table.fill(&mut store, 0, null, 500).unwrap();
            store
        };
        drop(make());
        let before = Before::now(&engine);
        let stores: Vec<Store<()>> = (0..1000).map(|_| make()).collect();
        before.growth(&engine).assert_within(15, "stores");
        let own: usize = stores.iter().map(|store| store.memory_usage().total()).sum();
        assert_eq!(own, engine.memory_usage().stores.total());
        drop(stores);
        assert_eq!(engine.memory_usage().stores.total(), 0);
    });
}

/// What an instance may take beside the module's own memories and tables.
const PER_STORE: usize = 64 << 10;

#[test]
fn a_thousand_stores_of_a_large_module() {
    child::within("resources::accounting::a_thousand_stores_of_a_large_module", || {
        let engine = engine(Strategy::Lazy);
        let bytes = large::module(14 << 20, 0);
        assert!(bytes.len() > 14 << 20);
        let module = Module::from_binary(&engine, &bytes).unwrap();
        drop(bytes);
        let linker: Linker<()> = Linker::new(&engine);
        let make = || {
            let mut store = Store::new(&engine, ());
            let instance = linker.instantiate(&mut store, &module).unwrap();
            let run = instance.get_typed_func::<i32, i32>(&mut store, "run").unwrap();
            assert_eq!(run.call(&mut store, 3).unwrap(), large::result(3));
            store
        };
        // The second one has the image made.
        let first = [make(), make()];
        let (before, code) = (Before::now(&engine), engine.code_bytes());
        let stores: Vec<Store<()>> = (0..1000).map(|_| make()).collect();
        let growth = before.growth(&engine);
        assert_eq!(engine.code_bytes(), code, "all share the code");
        let declared = large::TABLE * size_of::<usize>();
        println!("  {} bytes a store, {declared} of them its table", growth.taken / 1000);
        assert!(growth.taken <= (PER_STORE + declared) * 1000, "{} bytes a store", growth.taken / 1000);
        drop((first, stores));
    });
}

#[test]
fn every_change_of_a_store_is_accounted_for() {
    use upshift::{Extern, ExternRef, Func, Global, GlobalType, Memory, MemoryType, Mutability, Val, ValType};
    let engine = Engine::new(Config::new().guard_pages(false)).unwrap();
    let mut store = Store::new(&engine, ());
    let mut last = store.memory_usage();
    // In builds with assertions, asking compares the account with all that the store holds.
    let mut grew = |store: &Store<()>, what: &str| {
        let now = store.memory_usage();
        assert_eq!(engine.memory_usage().stores, now, "{what}");
        let grown = now.total() - last.total();
        last = now;
        grown
    };
    let memory = Memory::new(&mut store, MemoryType::new(1, None)).unwrap();
    assert!(grew(&store, "a memory") >= 1 << 16);
    memory.grow(&mut store, 5).unwrap();
    assert!(grew(&store, "a memory that grew") >= 5 << 16);
    let table = upshift::TableType::new(upshift::RefType::FUNCREF, 100, None);
    let table = upshift::Table::new(&mut store, table, upshift::Ref::Func(None)).unwrap();
    table.grow(&mut store, 1000, upshift::Ref::Func(None)).unwrap();
    assert!(grew(&store, "a table") >= 1100 * 8);
    let global = GlobalType::new(ValType::I32, Mutability::Var);
    let _ = Global::new(&mut store, global, Val::I32(1)).unwrap();
    assert!(grew(&store, "a global") >= 16);
    let captured = [7u8; 1000];
    let f = Func::wrap(&mut store, move || i32::from(captured[1]));
    assert!(grew(&store, "a function of the host") >= 1000);
    let _ = ExternRef::new(&mut store, [1u8; 500]).unwrap();
    assert!(grew(&store, "a value of the host") >= 500);
    let text = r#"(module (import "" "" (func (result i32))) (memory 2) (table 10 funcref) (global i32 (i32.const 1))
        (data (i32.const 0) "x"))"#;
    let module = Module::new(&engine, text).unwrap();
    upshift::Instance::new(&mut store, &module, &[Extern::Func(f)]).unwrap();
    assert!(grew(&store, "an instance") >= 2 << 16);
    let text = "(module (memory 3) (table 5 funcref) (table 10000001 funcref))";
    upshift::Instance::new(&mut store, &Module::new(&engine, text).unwrap(), &[]).unwrap_err();
    assert_eq!(grew(&store, "no instance"), 0);
}

#[test]
fn linkers_are_accounted_for() {
    child::within("resources::accounting::linkers_are_accounted_for", || {
        let engine = Engine::default();
        let mut first: Linker<()> = Linker::new(&engine);
        first.func_wrap("m", "first", |n: i32| n).unwrap();
        let before = Before::now(&engine);
        let mut linker: Linker<()> = Linker::new(&engine);
        for n in 0..20_000 {
            linker.func_wrap("m", &format!("function number {n}"), move || n).unwrap();
        }
        before.growth(&engine).assert_within(25, "a linker");
        // The functions belong to both.
        let one = engine.memory_usage().linkers - before.usage.linkers;
        let twin = linker.clone();
        let two = engine.memory_usage().linkers - before.usage.linkers;
        assert!(two > one && two < 2 * one, "{one}, {two}");
        // A store that gets one counts no more than its own part.
        let mut store = Store::new(&engine, ());
        let host = store.memory_usage().host;
        linker.get(&mut store, "m", "function number 7").unwrap();
        assert!(store.memory_usage().host - host < 200);
        drop((linker, twin));
        let left = engine.memory_usage().linkers - before.usage.linkers;
        assert!(left > 0 && left < 1000, "the store's function is left: {left}");
        drop(store);
        assert_eq!(engine.memory_usage().linkers, before.usage.linkers);
    });
}

#[test]
fn streams_are_accounted_for() {
    child::within("resources::accounting::streams_are_accounted_for", || {
        for strategy in [Strategy::Lazy, Strategy::Eager] {
            let engine = engine(strategy);
            let binary = large::module(12 << 20, 1);
            let pushed = |len: usize| {
                let mut stream = StreamingCompilation::new(&engine);
                binary[..len].chunks(1 << 20).for_each(|chunk| stream.push(chunk).unwrap());
                stream
            };
            drop(pushed(1 << 20));
            assert_eq!(engine.memory_usage().streams, 0);
            let before = Before::now(&engine);
            let stream = pushed(binary.len() - 1);
            before.growth(&engine).assert_within(30, "a stream");
            drop(stream);
            assert_eq!(engine.memory_usage().streams, 0);
            let module = pushed(binary.len()).finish().unwrap();
            assert_eq!(engine.memory_usage().streams, 0);
            drop(module);
        }
    });
}
