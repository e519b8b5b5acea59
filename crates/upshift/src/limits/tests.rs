//! Tests of `limits`, and of growing memories.

use super::{ResourceLimiter, StoreLimits, StoreLimitsBuilder};
use crate::{Engine, Instance, Memory, MemoryType, Module, Result, Store};

const GROW: &str = r#"(module
    (memory (export "m") 1)
    (table (export "t") 1 funcref)
    (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))"#;

fn limited(limits: StoreLimits) -> (Store<StoreLimits>, Module) {
    let engine = Engine::default();
    let mut store = Store::new(&engine, limits);
    store.limiter(|limits| limits);
    (store, Module::new(&engine, GROW).unwrap())
}

fn grow(store: &mut Store<StoreLimits>, instance: Instance, pages: i32) -> Result<i32> {
    instance.get_typed_func::<i32, i32>(&mut *store, "grow")?.call(store, pages)
}

#[test]
fn growing_past_a_limit_fails_or_traps() {
    let (mut store, module) = limited(StoreLimitsBuilder::new().memory_size(3 << 16).table_elements(1).build());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    assert_eq!(grow(&mut store, instance, 2).unwrap(), 1);
    assert_eq!(grow(&mut store, instance, 1).unwrap(), -1);
    assert!(instance.get_table(&mut store, "t").unwrap().grow(&mut store, 1, crate::Ref::Func(None)).is_err());
    *store.data_mut() = StoreLimitsBuilder::new().memory_size(3 << 16).trap_on_grow_failure(true).build();
    let error = grow(&mut store, instance, 1).unwrap_err();
    assert!(format!("{error:#}").contains("forced trap"), "{error:?}");
    assert_eq!(instance.get_memory(&mut store, "m").unwrap().size(&store), 3);
}

#[test]
fn entities_are_counted() {
    let (mut store, module) = limited(StoreLimitsBuilder::new().instances(2).memories(3).build());
    for _ in 0..2 {
        Instance::new(&mut store, &module, &[]).unwrap();
    }
    let error = Instance::new(&mut store, &module, &[]).unwrap_err();
    assert_eq!(error.to_string(), "the resource limiter allows 2 instances in a store");
    Memory::new(&mut store, MemoryType::new(0, None)).unwrap();
    assert!(Memory::new(&mut store, MemoryType::new(0, None)).is_err());
}

/// Refuses with an error of its own.
struct Refuses;

impl ResourceLimiter for Refuses {
    fn memory_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> Result<bool> {
        Err(crate::Error::from(std::fmt::Error).context(format!("{desired} is too much")))
    }

    fn table_growing(&mut self, _: usize, _: usize, _: Option<usize>) -> Result<bool> {
        Ok(false)
    }
}

#[test]
fn the_error_of_a_limiter_comes_back() {
    let engine = Engine::default();
    let mut store = Store::new(&engine, Refuses);
    store.limiter(|limits| limits);
    let error = Memory::new(&mut store, MemoryType::new(1, None)).unwrap_err();
    assert_eq!(error.to_string(), "65536 is too much");
    assert!(error.is::<std::fmt::Error>());
}

#[test]
fn memories_are_bounded() {
    let mut store = Store::<u8>::default();
    let memory = Memory::new(&mut store, MemoryType::new(1, Some(1))).unwrap();
    let mut buffer = [1u8; 4];
    assert!(memory.read(&store, 65533, &mut buffer).is_err());
    assert!(memory.write(&mut store, usize::MAX, &buffer).is_err());
    memory.write(&mut store, 65532, &buffer).unwrap();
    let (bytes, data) = memory.data_and_store_mut(&mut store);
    *data = bytes[65535];
    assert_eq!(*store.data(), 1);
    assert_eq!(memory.data_size(&store), 65536);
    assert_eq!(memory.data_ptr(&store), memory.data_mut(&mut store).as_mut_ptr());
    assert!(memory.grow(&mut store, u64::MAX).is_err());
}

#[test]
#[should_panic(expected = "wrong store")]
fn a_memory_of_another_store_panics() {
    let memory = Memory::new(Store::<()>::default(), MemoryType::new(1, None)).unwrap();
    memory.size(Store::<()>::default());
}
