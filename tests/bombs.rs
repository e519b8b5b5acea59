//! Compile bombs: modules written to make a compiler slow, large, or deep. Time and memory stay in proportion to the bytes
//! in the baseline tier; the optimizing tier gives up what is too much for it, and the program goes on.
//!
//! Nothing here looks at a clock but [`growth`], which is run by hand.

mod bytes;
mod growth;
mod recursion;
mod shapes;
mod sizes;
mod tiers;

use upshift::{Config, Engine, Error, Func, Instance, Module, Store, Val};

/// An instance of a module in a store of its own.
struct Program {
    module: Module,
    store: Store<()>,
    run: Func,
}

impl Program {
    /// Makes an instance; `run` is its entry.
    fn new(config: &Config, bytes: &[u8]) -> Program {
        let engine = Engine::new(config).unwrap();
        let module = Module::from_binary(&engine, bytes).unwrap_or_else(|error| panic!("{error:#}"));
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        let run = instance.get_func(&mut store, "run").unwrap();
        Program { module, store, run }
    }

    /// Calls `run` with the same number for each parameter: its results, or why there are none.
    fn run(&mut self, argument: i32) -> Result<Vec<String>, Error> {
        let ty = self.run.ty(&self.store);
        let arguments = vec![Val::I32(argument); ty.params().len()];
        let mut results = vec![Val::I32(0); ty.results().len()];
        self.run.call(&mut self.store, &arguments, &mut results)?;
        Ok(results.iter().map(|value| format!("{value:?}")).collect())
    }

    /// The same in words.
    fn outcome(&mut self, argument: i32) -> Vec<String> {
        self.run(argument).unwrap_or_else(|error| vec![error.root_cause().to_string()])
    }
}
