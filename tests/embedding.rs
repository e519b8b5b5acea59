//! What an embedder may do, in the right way and in the wrong one: an error, a documented panic, never undefined behaviour.

mod faults;
mod functions;
mod handles;
mod interrupts;
mod limits;
mod linking;
mod misuse;
mod nesting;
mod references;
mod terminations;
mod threads;
mod traps;
mod wakers;

use std::panic::{AssertUnwindSafe, catch_unwind};

use upshift::{Engine, Extern, Instance, Module, Store};

/// An instance of a module, given as text, in a new store of the default engine.
fn instantiate<T>(data: T, text: &str, imports: impl FnOnce(&mut Store<T>) -> Vec<Extern>) -> (Store<T>, Instance) {
    let engine = Engine::default();
    let module = Module::new(&engine, text).unwrap();
    let mut store = Store::new(&engine, data);
    let imports = imports(&mut store);
    let instance = Instance::new(&mut store, &module, &imports).unwrap();
    (store, instance)
}

/// The message of a panic, which there must be.
fn panic_of<R>(work: impl FnOnce() -> R) -> String {
    let panic = catch_unwind(AssertUnwindSafe(work)).err().expect("a panic");
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned()).expect("a panic with a message")
}
