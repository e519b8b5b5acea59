//! Asynchronous instantiation: the pool makes ready what it can, the thread that polls makes the instance.

use std::pin::pin;

use upshift::{Instance, Linker, Store};

use super::*;

/// Polls to the end; the pool works whenever the future waits.
fn drive<F: Future>(pool: &ManualPool, future: F) -> (F::Output, Vec<&'static str>) {
    let (mut future, mut ran) = (pin!(future), Vec::new());
    loop {
        match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(result) => return (result, ran),
            Poll::Pending => {
                ran.extend(names(pool));
                assert!(pool.run_all() > 0, "waits for nothing");
            }
        }
    }
}

#[test]
fn the_image_is_made_by_the_pool_when_it_is_due() {
    let (engine, pool) = by_hand(&mut Config::new());
    let module = Module::new(&engine, wasm(7)).unwrap();
    let mut prepared = Vec::new();
    for _ in 0..4 {
        let mut store = Store::new(&engine, ());
        let (instance, ran) = drive(&pool, Instance::new_async(&mut store, &module, &[]));
        prepared.push(ran.len());
        let run = instance.unwrap().get_typed_func::<(), i32>(&mut store, "f").unwrap();
        assert_eq!(run.call(&mut store, ()).unwrap(), 7);
    }
    assert_eq!(prepared, [0, 1, 0, 0]);
}

#[test]
fn the_variant_with_checks_is_made_by_the_pool() {
    let (engine, pool) = by_hand(Config::new().strategy(upshift::Strategy::Eager));
    // The import has no guard, as it is small; the importer expects one, as far as it knows.
    let importer =
        r#"(module (import "a" "m" (memory 1)) (func (export "f") (result i32) (i32.load8_u (i32.const 0))))"#;
    let module = Module::new(&engine, importer).unwrap();
    let mut store = Store::new(&engine, ());
    let memory = upshift::Memory::new(&mut store, upshift::MemoryType::new(1, Some(1))).unwrap();
    memory.data_mut(&mut store)[0] = 9;
    let (instance, ran) = drive(&pool, Instance::new_async(&mut store, &module, &[memory.into()]));
    assert_eq!(ran, ["prepare"]);
    let run = instance.unwrap().get_typed_func::<(), i32>(&mut store, "f").unwrap();
    assert_eq!(run.call(&mut store, ()).unwrap(), 9);
}

#[test]
fn from_bytes_to_an_instance() {
    let (engine, pool) = by_hand(&mut Config::new());
    let mut linker = Linker::new(&engine);
    linker.func_wrap("a", "b", || 4).unwrap();
    let mut store = Store::new(&engine, ());
    let text = r#"(module (import "a" "b" (func (result i32))) (export "f" (func 0)))"#;
    let (made, ran) = drive(&pool, linker.instantiate_bytes_async(&mut store, text));
    assert_eq!(ran, ["compile"]);
    let (module, instance) = made.unwrap();
    assert!(Module::same(&module, &instance.module(&store)));
    let run = instance.get_typed_func::<(), i32>(&mut store, "f").unwrap();
    assert_eq!(run.call(&mut store, ()).unwrap(), 4);
    // Errors of either half.
    let (made, _) = drive(&pool, linker.instantiate_bytes_async(&mut store, broken(1)));
    assert!(made.unwrap_err().is::<upshift::CompileError>());
    let unknown = r#"(module (import "a" "c" (func)))"#;
    let (made, _) = drive(&pool, linker.instantiate_bytes_async(&mut store, unknown));
    assert!(made.unwrap_err().is::<upshift::UnknownImportError>());
}

#[test]
fn dropped_in_the_middle_it_leaves_nothing() {
    let (engine, pool) = by_hand(&mut Config::new());
    let module = Module::new(&engine, wasm(7)).unwrap();
    let mut store = Store::new(&engine, ());
    Instance::new(&mut store, &module, &[]).unwrap();
    {
        let future = pin!(Instance::new_async(&mut store, &module, &[]));
        assert!(future.poll(&mut Context::from_waker(Waker::noop())).is_pending());
        assert_eq!(names(&pool), ["prepare"]);
    }
    assert_eq!(names(&pool).len(), 0);
    Instance::new(&mut store, &module, &[]).unwrap();
}
