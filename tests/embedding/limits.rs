//! `ResourceLimiter`: growth refused, growth that fails, counts, errors and panics of the limiter.

use upshift::{
    Engine, Error, Instance, Memory, MemoryType, Module, Ref, RefType, ResourceLimiter, Result, Store, StoreLimits,
    StoreLimitsBuilder, Table, TableType, TypedFunc,
};

use super::panic_of;

/// What a limiter was asked and told.
#[derive(Debug, PartialEq)]
enum Event {
    Memory(usize, usize, Option<usize>),
    MemoryFailed(String),
    Table(usize, usize, Option<usize>),
    TableFailed(String),
}

/// What it answers.
#[derive(Clone, Copy, Default)]
enum Answer {
    #[default]
    Yes,
    No,
    Error,
    Panic,
}

#[derive(Default)]
struct Recorder {
    events: Vec<Event>,
    answer: Answer,
    error_on_failure: bool,
}

impl Recorder {
    fn answer(&mut self, event: Event) -> Result<bool> {
        self.events.push(event);
        match self.answer {
            Answer::Yes => Ok(true),
            Answer::No => Ok(false),
            Answer::Error => Err(Error::msg("the limiter's error")),
            Answer::Panic => panic!("the limiter's panic"),
        }
    }

    fn failed(&mut self, event: Event) -> Result<()> {
        self.events.push(event);
        if self.error_on_failure { Err(Error::msg("growth must not fail")) } else { Ok(()) }
    }
}

impl ResourceLimiter for Recorder {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        self.answer(Event::Memory(current, desired, maximum))
    }

    fn memory_grow_failed(&mut self, error: Error) -> Result<()> {
        self.failed(Event::MemoryFailed(error.to_string()))
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        self.answer(Event::Table(current, desired, maximum))
    }

    fn table_grow_failed(&mut self, error: Error) -> Result<()> {
        self.failed(Event::TableFailed(error.to_string()))
    }
}

const GROWING: &str = r#"(module
    (memory 1 3)
    (table $t 2 5 funcref)
    (func (export "memory") (param i32) (result i32) (memory.grow (local.get 0)))
    (func (export "table") (param i32) (result i32) (table.grow $t (ref.null func) (local.get 0)))
    (func (export "sizes") (result i32 i32) memory.size (table.size $t)))"#;

struct Growing {
    store: Store<Recorder>,
    memory: TypedFunc<i32, i32>,
    table: TypedFunc<i32, i32>,
    sizes: TypedFunc<(), (i32, i32)>,
}

fn growing() -> Growing {
    let engine = Engine::default();
    let module = Module::new(&engine, GROWING).unwrap();
    let mut store = Store::new(&engine, Recorder::default());
    store.limiter(|recorder| recorder);
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    Growing {
        memory: instance.get_typed_func(&mut store, "memory").unwrap(),
        table: instance.get_typed_func(&mut store, "table").unwrap(),
        sizes: instance.get_typed_func(&mut store, "sizes").unwrap(),
        store,
    }
}

impl Growing {
    fn events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.store.data_mut().events)
    }
}

#[test]
fn a_limiter_is_asked_before_and_told_after() {
    let mut growing = growing();
    let page = 65536;
    assert_eq!(growing.events(), [Event::Memory(0, page, Some(3 * page)), Event::Table(0, 2, Some(5))]);
    assert_eq!(growing.memory.call(&mut growing.store, 1).unwrap(), 1);
    assert_eq!(growing.table.call(&mut growing.store, 1).unwrap(), 2);
    assert_eq!(growing.events(), [Event::Memory(page, 2 * page, Some(3 * page)), Event::Table(2, 3, Some(5))]);
    // Nothing to grow, nothing to ask.
    assert_eq!(growing.memory.call(&mut growing.store, 0).unwrap(), 2);
    assert_eq!(growing.table.call(&mut growing.store, 0).unwrap(), 3);
    assert_eq!(growing.events(), []);
    // Past the maximum: asked all the same, then told.
    assert_eq!(growing.memory.call(&mut growing.store, 2).unwrap(), -1);
    assert_eq!(growing.table.call(&mut growing.store, -1).unwrap(), -1);
    let events = growing.events();
    assert_eq!(events[0], Event::Memory(2 * page, 4 * page, Some(3 * page)));
    assert!(matches!(&events[1], Event::MemoryFailed(message) if message.contains("maximum")), "{events:?}");
    assert_eq!(events[2], Event::Table(3, 3 + 0xffff_ffff, Some(5)));
    assert!(matches!(events[3], Event::TableFailed(_)), "{events:?}");
    growing.store.data_mut().error_on_failure = true;
    for result in [growing.memory.call(&mut growing.store, 2), growing.table.call(&mut growing.store, 9)] {
        assert_eq!(result.unwrap_err().root_cause().to_string(), "growth must not fail");
    }
    assert_eq!(growing.sizes.call(&mut growing.store, ()).unwrap(), (2, 3));
}

#[test]
fn a_limiter_may_refuse_fail_and_panic() {
    let mut growing = growing();
    let Growing { store, memory, table, sizes } = &mut growing;
    store.data_mut().answer = Answer::No;
    assert_eq!(memory.call(&mut *store, 1).unwrap(), -1);
    assert_eq!(table.call(&mut *store, 1).unwrap(), -1);
    let made = Memory::new(&mut *store, MemoryType::new(1, None));
    assert!(made.unwrap_err().to_string().contains("resource limiter"));
    let made = Table::new(&mut *store, TableType::new(RefType::FUNCREF, 1, None), Ref::Func(None));
    assert!(made.unwrap_err().to_string().contains("resource limiter"));
    store.data_mut().answer = Answer::Error;
    for result in [memory.call(&mut *store, 1), table.call(&mut *store, 1)] {
        assert_eq!(result.unwrap_err().root_cause().to_string(), "the limiter's error");
    }
    let made = Memory::new(&mut *store, MemoryType::new(1, None));
    assert_eq!(made.unwrap_err().root_cause().to_string(), "the limiter's error");
    store.data_mut().answer = Answer::Panic;
    assert_eq!(panic_of(|| memory.call(&mut *store, 1)), "the limiter's panic");
    assert_eq!(panic_of(|| table.call(&mut *store, 1)), "the limiter's panic");
    store.data_mut().answer = Answer::Yes;
    assert_eq!(memory.call(&mut *store, 1).unwrap(), 1);
    assert_eq!(sizes.call(&mut *store, ()).unwrap(), (2, 2));
}

#[test]
fn fixed_limits() {
    let engine = Engine::default();
    let module = Module::new(&engine, GROWING).unwrap();
    let limits = || StoreLimitsBuilder::new().memory_size(2 << 16).table_elements(3).instances(2).memories(2).tables(2);
    for trap in [false, true] {
        let mut store: Store<StoreLimits> = Store::new(&engine, limits().trap_on_grow_failure(trap).build());
        store.limiter(|limits| limits);
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        for name in ["memory", "table"] {
            let grow = instance.get_typed_func::<i32, i32>(&mut store, name).unwrap();
            assert!(grow.call(&mut store, 1).unwrap() > 0);
            match grow.call(&mut store, 1) {
                Ok(result) => assert!(result == -1 && !trap),
                Err(error) => assert!(trap && error.root_cause().to_string().contains("forced trap"), "{error:?}"),
            }
        }
        Instance::new(&mut store, &module, &[]).unwrap();
        let third = Instance::new(&mut store, &module, &[]).unwrap_err();
        assert!(third.to_string().contains("2 instances"), "{third}");
        assert!(Memory::new(&mut store, MemoryType::new(1, None)).unwrap_err().to_string().contains("2 memories"));
    }
}
