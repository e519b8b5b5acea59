//! Functions move between tiers while they run: tier-up, on-stack replacement, code that is dropped and comes back.

mod backtraces;
mod ceiling;
mod events;
mod feedback;
mod osr;
mod threads;
mod tier_up;
mod validation;

use upshift::{Config, Engine, Instance, Module, Store};

/// A store with an instance of a module made from text.
fn instantiate(engine: &Engine, text: &str) -> (Module, Store<()>, Instance) {
    let module = Module::new(engine, text).unwrap();
    let mut store = Store::new(engine, ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    (module, store, instance)
}

/// A configuration in which functions move up at once, on the thread that runs them.
fn at_once() -> Config {
    let mut config = Config::new();
    config.tiering_budget(100).sync_tier_up(true);
    config
}

/// Functions `f0` to `f(count - 1)`, each of which has a loop and calls the next; and `run`, which calls the first.
pub(crate) fn chain(count: usize, salt: usize) -> String {
    let mut text = String::from("(module (memory 1)");
    for n in 0..count {
        let next = if n + 1 == count { "(i32.const 1)".into() } else { format!("(call {} (local.get 0))", n + 1) };
        text += &format!(
            r#"(func (export "{n}") (param i32) (result i32) (local i32)
                (local.set 1 (i32.const {salt}))
                (loop
                    (i32.store (i32.const {address}) (local.get 1))
                    (br_if 0 (local.tee 1 (i32.sub (local.get 1) (i32.const 1)))))
                (i32.add (i32.add (i32.const {salt}) (i32.load (i32.const {address}))) {next}))"#,
            address = n * 4,
        );
    }
    text + ")"
}

/// What the first function of a [`chain`] returns, less what the memory holds.
pub(crate) fn chain_result(count: usize, salt: usize) -> i32 {
    // The last value that each loop stores is 1.
    (count * (salt + 1)) as i32 + 1
}
