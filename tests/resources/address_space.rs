//! How much address space memories take, and what happens when there is none.

use std::fs;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use upshift::{Engine, Instance, Memory, MemoryType, Module, Store, Trap, TypedFunc};

use crate::child;

/// Bytes of address space that the process has taken.
fn taken() -> u64 {
    let status = fs::read_to_string("/proc/self/statm").unwrap();
    status.split(' ').next().unwrap().parse::<u64>().unwrap() * 4096
}

/// Bytes of private memory that the process may write to.
fn writable() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let size = status.lines().find_map(|line| line.strip_prefix("VmData:")).unwrap();
    size.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() * 1024
}

fn allow_more_address_space(bytes: u64) {
    let current = Some(taken() + bytes);
    setrlimit(Resource::As, Rlimit { current, maximum: current }).unwrap();
}

const PROGRAM: &str = r#"(module
    (memory (export "memory") 1 MAX)
    (data (i32.const 0) "\2a")
    (func (export "load") (param i32) (result i32) (i32.load (local.get 0)))
    (func (export "store") (param i32 i32) (i32.store (local.get 0) (local.get 1)))
    (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))"#;

struct Program {
    store: Store<()>,
    memory: Memory,
    load: TypedFunc<i32, i32>,
    put: TypedFunc<(i32, i32), ()>,
    grow: TypedFunc<i32, i32>,
}

impl Program {
    fn new(engine: &Engine, module: &Module) -> Program {
        let mut store = Store::new(engine, ());
        let instance = Instance::new(&mut store, module, &[]).unwrap();
        Program {
            memory: instance.get_memory(&mut store, "memory").unwrap(),
            load: instance.get_typed_func(&mut store, "load").unwrap(),
            put: instance.get_typed_func(&mut store, "store").unwrap(),
            grow: instance.get_typed_func(&mut store, "grow").unwrap(),
            store,
        }
    }

    fn check(&mut self) {
        let Program { store, memory, load, put, grow } = self;
        assert_eq!(load.call(&mut *store, 0).unwrap(), 42);
        let outside = |result: upshift::Result<i32>| {
            assert_eq!(result.unwrap_err().downcast_ref::<Trap>(), Some(&Trap::MemoryOutOfBounds));
        };
        outside(load.call(&mut *store, 65533));
        outside(load.call(&mut *store, -1));
        put.call(&mut *store, (65532, 7)).unwrap();
        assert_eq!(grow.call(&mut *store, 9).unwrap(), 1);
        assert_eq!(load.call(&mut *store, 65532).unwrap(), 7);
        put.call(&mut *store, (655356, 8)).unwrap();
        assert_eq!(load.call(&mut *store, 655356).unwrap(), 8);
        outside(load.call(&mut *store, 655357));
        assert_eq!(memory.size(&*store), 10);
        assert_eq!(memory.data(&*store)[65532], 7);
    }
}

fn program(engine: &Engine, maximum: &str) -> Module {
    Module::new(engine, PROGRAM.replace("MAX", maximum)).unwrap()
}

#[test]
fn a_thousand_small_memories() {
    child::within("resources::address_space::a_thousand_small_memories", || {
        let engine = Engine::default();
        for maximum in ["1", "16"] {
            let module = program(&engine, maximum);
            let before = taken();
            let mut live: Vec<Program> = (0..1000).map(|_| Program::new(&engine, &module)).collect();
            let each = (taken() - before) / 1000;
            assert!(each < 2 << 20, "{each} bytes each");
            for (number, program) in live.iter_mut().enumerate() {
                program.put.call(&mut program.store, (8, number as i32)).unwrap();
            }
            for (number, program) in live.iter_mut().enumerate() {
                assert_eq!(program.load.call(&mut program.store, 8).unwrap(), number as i32);
            }
        }
    });
}

#[test]
fn programs_run_without_address_space_for_guards() {
    child::within("resources::address_space::programs_run_without_address_space_for_guards", || {
        let engine = Engine::default();
        let module = program(&engine, "");
        let mut guarded = Program::new(&engine, &module);
        allow_more_address_space(1 << 30);
        let mut checked: Vec<Program> = (0..10).map(|_| Program::new(&engine, &module)).collect();
        checked.iter_mut().for_each(Program::check);
        guarded.check();
        // The first one's range can be had again, and code with checks serves both.
        drop(guarded);
        (0..3).for_each(|_| Program::new(&engine, &module).check());
    });
}

#[test]
fn an_engine_is_made_with_little_address_space() {
    child::within("resources::address_space::an_engine_is_made_with_little_address_space", || {
        allow_more_address_space(512 << 20);
        let engine = Engine::default();
        Program::new(&engine, &program(&engine, "")).check();
        let mut store = Store::new(&engine, ());
        let huge = Memory::new(&mut store, MemoryType::new(20_000, None)).unwrap_err();
        assert!(huge.to_string().contains("linear memory of 1310720000 bytes"), "{huge}");
    });
}

#[test]
fn a_memory_survives_growth_that_the_system_refuses() {
    child::within("resources::address_space::a_memory_survives_growth_that_the_system_refuses", || {
        let engine = Engine::new(upshift::Config::new().guard_pages(false)).unwrap();
        let mut program = Program::new(&engine, &program(&engine, ""));
        program.check();
        // Pages that may be written count against this limit: ranges are to be had, but not all of their pages.
        let unlimited = getrlimit(Resource::Data);
        let mut refused = 0;
        for megabytes in 1..60 {
            let limit = Rlimit { current: Some(writable() + (megabytes << 20)), ..unlimited };
            setrlimit(Resource::Data, limit).unwrap();
            let Program { store, load, put, grow, .. } = &mut program;
            let old = grow.call(&mut *store, 160);
            setrlimit(Resource::Data, unlimited).unwrap();
            refused += i32::from(old.unwrap() == -1);
            assert_eq!(load.call(&mut *store, 65532).unwrap(), 7);
            put.call(&mut *store, (4, megabytes as i32)).unwrap();
            assert_eq!(load.call(&mut *store, 4).unwrap(), megabytes as i32);
        }
        assert!(refused > 0);
    });
}
