//! The state of a running script, and what each directive does to it.

use std::any::Any;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use upshift::{Engine, Instance, Linker, Module, Store, Trap};
use wast::token::Id;
use wast::{QuoteWat, WastDirective, Wat};

use super::Outcome;
use super::execute::{Executed, Problem};
use super::{expect, message, spectest};

/// The state of a script.
pub(super) struct Runner {
    pub(super) store: Store<()>,
    pub(super) linker: Linker<()>,
    /// The last instance; `None` after one that failed, so that nothing is asserted of an older one.
    pub(super) current: Option<Instance>,
    /// Instances by their `$name`.
    pub(super) instances: HashMap<String, Instance>,
    /// The last definition, and definitions by their `$name`.
    last_definition: Option<Module>,
    definitions: HashMap<String, Module>,
}

impl Runner {
    /// A script's state at its begin: nothing but `spectest`.
    ///
    /// # Errors
    /// When the items of `spectest` cannot be made.
    pub(super) fn new(engine: &Engine) -> upshift::Result<Runner> {
        let mut store = Store::new(engine, ());
        let mut linker = Linker::new(engine);
        linker.allow_shadowing(true);
        spectest::define(&mut linker, &mut store)?;
        Ok(Runner {
            store,
            linker,
            current: None,
            instances: HashMap::new(),
            last_definition: None,
            definitions: HashMap::new(),
        })
    }

    /// Runs one directive. A panic in it becomes a failure.
    pub(super) fn run(&mut self, directive: WastDirective<'_>) -> Result<(), Outcome> {
        catch_unwind(AssertUnwindSafe(|| self.directive(directive)))
            .unwrap_or_else(|panic| Err(Outcome::Failed(format!("panic: {}", panic_message(&*panic)))))
    }

    fn directive(&mut self, directive: WastDirective<'_>) -> Result<(), Outcome> {
        match directive {
            WastDirective::Module(module) => {
                let name = module.name();
                self.current = None;
                let module = self.define(module).map_err(Outcome::failed)?;
                self.instantiate(&module, name)
            }
            WastDirective::ModuleDefinition(module) => {
                let name = module.name();
                let module = self.define(module).map_err(Outcome::failed)?;
                if let Some(name) = name {
                    self.definitions.insert(name.name().to_string(), module.clone());
                }
                self.last_definition = Some(module);
                Ok(())
            }
            WastDirective::ModuleInstance { instance, module, .. } => {
                let definition = match module {
                    Some(module) => self.definitions.get(module.name()).cloned(),
                    None => self.last_definition.clone(),
                };
                let definition = definition.ok_or_else(|| Outcome::failed("no such module definition"))?;
                self.current = None;
                self.instantiate(&definition, instance)
            }
            WastDirective::Register { name, module, .. } => {
                let instance = self.instance(module).map_err(Outcome::failed)?;
                self.linker.instance(&mut self.store, name, instance).map(drop).map_err(describe)
            }
            WastDirective::Invoke(invoke) => self.invoke(invoke).map(drop).map_err(Outcome::from),
            WastDirective::AssertReturn { exec, results, .. } => {
                let Executed { values } = self.execute(exec)?;
                expect::values(&mut self.store, &values, &results)
            }
            WastDirective::AssertTrap { exec, message, .. } => {
                let outcome = self.execute(exec);
                expect_trap(outcome, message)
            }
            WastDirective::AssertExhaustion { call, message, .. } => {
                let outcome = self.invoke(call);
                expect_trap(outcome, message)
            }
            WastDirective::AssertInvalid { module, message, .. }
            | WastDirective::AssertMalformed { module, message, .. }
            | WastDirective::AssertInvalidCustom { module, message, .. }
            | WastDirective::AssertMalformedCustom { module, message, .. } => match self.define(module) {
                Ok(_) => Err(Outcome::Failed(format!("the module compiled, but should not: {message}"))),
                Err(Problem::Compile(_)) => Ok(()),
                Err(problem) => Err(problem.into()),
            },
            WastDirective::AssertUnlinkable { module, message, .. } => self.unlinkable(module, message),
            WastDirective::AssertException { .. } => Err(Outcome::unsupported("assert_exception")),
            WastDirective::AssertSuspension { .. } => Err(Outcome::unsupported("assert_suspension")),
            WastDirective::Thread(_) => Err(Outcome::unsupported("thread")),
            WastDirective::Wait { .. } => Err(Outcome::unsupported("wait")),
        }
    }

    /// Compiles a module given as text, quoted text or bytes.
    pub(super) fn define(&self, mut module: QuoteWat<'_>) -> Result<Module, Problem> {
        if matches!(module, QuoteWat::QuoteComponent(..) | QuoteWat::Wat(Wat::Component(_))) {
            return Err(Problem::Unsupported("component".to_string()));
        }
        let bytes = module.encode().map_err(|error| Problem::Compile(error.message()))?;
        Module::from_binary(self.store.engine(), &bytes).map_err(|error| Problem::Compile(format!("{error:#}")))
    }

    fn instantiate(&mut self, module: &Module, name: Option<Id<'_>>) -> Result<(), Outcome> {
        let instance = self.linker.instantiate(&mut self.store, module).map_err(describe)?;
        if let Some(name) = name {
            self.instances.insert(name.name().to_string(), instance);
        }
        self.current = Some(instance);
        Ok(())
    }

    fn unlinkable(&mut self, module: Wat<'_>, message: &str) -> Result<(), Outcome> {
        let module = self.define(QuoteWat::Wat(module))?;
        match self.linker.instantiate(&mut self.store, &module) {
            Ok(_) => Err(Outcome::Failed(format!("the module was linked, but should not: {message}"))),
            Err(error) => match error.downcast_ref::<Trap>() {
                Some(trap) => Err(Outcome::Failed(format!("expected a link error ({message}), got a trap: {trap}"))),
                None => Ok(()),
            },
        }
    }

    /// The instance of this name, or the last one.
    pub(super) fn instance(&self, name: Option<Id<'_>>) -> Result<Instance, Problem> {
        match name {
            Some(name) => self.instances.get(name.name()).copied(),
            None => self.current,
        }
        .ok_or_else(|| Problem::Script("there is no such instance (did its module fail?)".to_string()))
    }
}

fn expect_trap(outcome: Result<Executed, Problem>, expected: &str) -> Result<(), Outcome> {
    match outcome {
        Ok(Executed { values }) => {
            Err(Outcome::Failed(format!("expected the trap `{expected}`, got the results {values:?}")))
        }
        Err(Problem::Trap(actual)) if message::same_trap(actual, expected) => Ok(()),
        Err(Problem::Trap(actual)) => Err(Outcome::Failed(format!("expected the trap `{expected}`, got `{actual}`"))),
        Err(problem) => Err(problem.into()),
    }
}

fn describe(error: upshift::Error) -> Outcome {
    Outcome::Failed(format!("{error:#}"))
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("(no message)")
}
