//! What the threads of the soak do: a table, an entry for each kind of action.

use std::sync::{Arc, Mutex};

use upshift::{
    CodeListener, CompileError, Config, DebuggerHook, Engine, Error, EventLog, Linker, ManualPool, Module, Pool,
    Result, Script, Store, Strategy, Tier, TierChoice, Trap,
};

use super::futures;
use super::listeners::{CodeBook, ScriptBook};
use super::programs::{Program, define_imports};
use super::world::{Contact, Guest, Loaded, Pardon, Site, Tenant, World};
use crate::random::Random;

/// A kind of action.
pub struct Actor {
    pub name: &'static str,
    /// How often, compared with the others.
    weight: usize,
    pub act: fn(&mut Worker),
}

/// What a thread of the soak has.
pub struct Worker {
    pub world: Arc<World>,
    pub random: Random,
}

const ACTORS: &[Actor] = &[
    Actor { name: "make engine", weight: 2, act: |worker| drop(worker.make_engine()) },
    Actor { name: "drop engine", weight: 1, act: |worker| drop(worker.world.sites.take(&mut worker.random)) },
    Actor { name: "compile", weight: 30, act: |worker| drop(worker.compile()) },
    Actor { name: "compile what is broken", weight: 4, act: Worker::compile_broken },
    Actor { name: "compile functions", weight: 10, act: Worker::compile_functions },
    Actor { name: "compile async", weight: 16, act: futures::begin },
    Actor { name: "advance async", weight: 20, act: futures::advance },
    Actor { name: "pump", weight: 20, act: futures::pump },
    Actor { name: "drop module", weight: 8, act: |worker| drop(worker.world.modules.take(&mut worker.random)) },
    Actor { name: "make store", weight: 20, act: Worker::make_store },
    Actor { name: "instantiate", weight: 20, act: Worker::instantiate },
    Actor { name: "drop store", weight: 8, act: |worker| drop(worker.world.tenants.take(&mut worker.random)) },
    Actor { name: "call", weight: 120, act: Worker::call },
    Actor { name: "poll", weight: 10, act: Worker::poll },
    Actor { name: "post", weight: 30, act: Worker::post },
    Actor { name: "post a failure", weight: 4, act: Worker::post_failure },
    Actor { name: "terminate", weight: 6, act: Worker::terminate },
    Actor { name: "collect", weight: 12, act: Worker::collect },
    Actor { name: "flush", weight: 8, act: Worker::flush },
    Actor { name: "listen", weight: 4, act: Worker::listen },
    Actor { name: "look", weight: 10, act: Worker::look },
];

/// The table without the entries of these names.
pub fn all_but(without: &[&str]) -> Vec<Actor> {
    let kept = ACTORS.iter().filter(|actor| !without.contains(&actor.name));
    kept.map(|&Actor { name, weight, act }| Actor { name, weight, act }).collect()
}

impl Worker {
    pub fn new(world: Arc<World>, random: Random) -> Worker {
        Worker { world, random }
    }

    pub fn pick<'b>(&mut self, actors: &'b [Actor]) -> &'b Actor {
        let mut place = self.random.below(actors.iter().map(|actor| actor.weight).sum());
        let found = actors.iter().find(|actor| {
            let here = place < actor.weight;
            place = place.wrapping_sub(actor.weight);
            here
        });
        found.expect("a place below the sum of the weights")
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.random.below(n) == 0
    }

    fn make_engine(&mut self) -> Site {
        let mut config = Config::new();
        let (lazy_validation, fuel) = (self.one_in(6), self.one_in(6));
        config.lazy_validation(lazy_validation).consume_fuel(fuel).threads(self.random.below(4));
        config.tier([TierChoice::Auto, TierChoice::Auto, TierChoice::Baseline][self.random.below(3)]);
        config.tiering_budget([50, 1000, 20_000][self.random.below(3)]).sync_tier_up(self.one_in(4));
        config.strategy([Strategy::Lazy, Strategy::Eager, Strategy::Hybrid][self.random.below(3)]);
        config.guard_pages(!self.one_in(4)).memory_init_cow(!self.one_in(4)).module_cache(!self.one_in(4));
        config.code_gc_stress(self.one_in(2));
        if self.one_in(3) {
            config.max_code_bytes(Some(20_000 << self.random.below(4)));
        }
        if self.one_in(3) {
            config.event_listener(Some(Arc::new(EventLog::new(100))));
        }
        if self.one_in(3) {
            config.code_listener(Some(Arc::new(CodeBook::default())));
        }
        let pool = self.one_in(4).then(|| Arc::new(ManualPool::new(2)));
        if let Some(pool) = &pool {
            config.pool(Arc::clone(pool) as Arc<dyn Pool>);
        }
        let engine = Engine::new(&config).expect("an engine");
        self.world.remember(&engine);
        let site = Site { engine, lazy_validation, fuel, pool };
        self.world.sites.put(site.clone(), &mut self.random);
        site
    }

    pub fn site(&mut self) -> Site {
        self.world.sites.copy(&mut self.random).unwrap_or_else(|| self.make_engine())
    }

    pub fn program(&mut self) -> Program {
        let world = Arc::clone(&self.world);
        Program::random(&mut self.random, || world.fresh())
    }

    fn compile(&mut self) -> Loaded {
        let site = self.site();
        let program = self.program();
        let module = Module::from_binary(&site.engine, &program.bytes()).expect("a valid module");
        let loaded = Loaded { module, program, site };
        self.world.modules.put(loaded.clone(), &mut self.random);
        loaded
    }

    fn loaded(&mut self) -> Loaded {
        self.world.modules.copy(&mut self.random).unwrap_or_else(|| self.compile())
    }

    /// The same fault gives the same text, whoever finds it.
    fn compile_broken(&mut self) {
        static TEXTS: Mutex<[Option<String>; 4]> = Mutex::new([const { None }; 4]);
        let site = self.site();
        let number = self.random.below(4);
        let adds = "(drop (i32.add (i32.const 1) (i32.const 2)))".repeat(number * 50);
        let text = format!("(module (func {adds}) (func {adds} i32.add) (func i64.add))");
        match Module::new(&site.engine, text) {
            Ok(_) => assert!(site.lazy_validation),
            Err(error) => {
                assert!(error.downcast_ref::<CompileError>().is_some());
                let mut texts = TEXTS.lock().expect("no panic");
                let text = format!("{error:#}");
                assert_eq!(texts[number].get_or_insert(text.clone()), &text);
            }
        }
    }

    fn compile_functions(&mut self) {
        let Loaded { module, .. } = self.loaded();
        let defined: Vec<u32> = module.functions().map(|function| function.index).collect();
        for _ in 0..self.random.below(4) {
            let index = defined[self.random.below(defined.len())];
            let tier = [Tier::Baseline, Tier::Optimizing][self.random.below(2)];
            // An engine of one tier refuses the other; code memory may be full.
            let _ = module.compile_function_in(index, tier);
        }
        if defined.len() < 1000 && self.one_in(4) {
            module.compile_all().expect("code");
        }
    }

    fn make_store(&mut self) {
        let Loaded { module, program, site } = self.loaded();
        let guest = Guest { random: Random::new(self.random.bits()), pardon: Pardon::default(), fills: 0 };
        let mut store = Store::new(&site.engine, guest);
        if site.fuel {
            store.set_fuel(u64::MAX / 2).expect("fuel is on");
        }
        let mut tenant = Tenant { store, site, instances: Vec::new() };
        self.add_instance(&mut tenant, &module, program);
        self.world.tenants.put(tenant, &mut self.random);
    }

    fn instantiate(&mut self) {
        let Some(mut tenant) = self.world.tenants.take(&mut self.random) else { return };
        let Loaded { module, program, site } = self.loaded();
        if site.engine.same(&tenant.site.engine) && tenant.instances.len() < 6 {
            self.add_instance(&mut tenant, &module, program);
        }
        self.world.tenants.put(tenant, &mut self.random);
    }

    fn add_instance(&mut self, tenant: &mut Tenant, module: &Module, program: Program) {
        let Tenant { store, site, instances } = tenant;
        let mut linker = Linker::new(&site.engine);
        define_imports(&mut linker).expect("imports");
        linker.define_unknown_imports_as_traps(module).expect("imports");
        if linker.define_unknown_imports_as_default_values(&mut *store, module).is_err() {
            return;
        }
        match linker.instantiate(&mut *store, module) {
            Ok(instance) => {
                instances.push((program, instance));
                let pardon = store.data().pardon.clone();
                let contact = Contact { handle: store.handle(), pardon, program, instance };
                self.world.contacts.put(contact, &mut self.random);
            }
            // A start function that calls an import; or somebody has ended it.
            Err(error) => assert!(matches!(program, Program::Real(_)) || pardoned(store, &error), "{error:?}"),
        }
    }

    fn call(&mut self) {
        let Some(mut tenant) = self.world.tenants.take(&mut self.random) else { return self.make_store() };
        for _ in 0..=self.random.below(8) {
            if tenant.instances.is_empty() {
                break;
            }
            let (program, instance) = tenant.instances[self.random.below(tenant.instances.len())];
            if let Err(error) = program.check(&mut tenant.store, instance, &mut self.random) {
                assert!(pardoned(&tenant.store, &error), "{program:?}: {error:?}");
            }
        }
        self.world.tenants.put(tenant, &mut self.random);
    }

    fn poll(&mut self) {
        let Some(mut tenant) = self.world.tenants.take(&mut self.random) else { return };
        if let Err(error) = tenant.store.poll() {
            assert!(pardoned(&tenant.store, &error), "{error:?}");
        }
        self.world.tenants.put(tenant, &mut self.random);
    }

    /// A task that calls what the store has, wherever the store happens to be.
    fn post(&mut self) {
        let Some(contact) = self.world.contacts.copy(&mut self.random) else { return };
        let Contact { handle, program, instance, .. } = contact;
        let mut random = Random::new(self.random.bits());
        let idle = self.one_in(3);
        let task = move |mut store: upshift::StoreContextMut<'_, Guest>| -> Result<()> {
            program.check(&mut store, instance, &mut random)
        };
        let taken = if idle { handle.post_idle(task) } else { handle.post(task) };
        assert!(taken || handle.is_closed());
    }

    fn post_failure(&mut self) {
        let Some(Contact { handle, pardon, .. }) = self.world.contacts.copy(&mut self.random) else { return };
        pardon.ask();
        handle.post(|_| Err(Error::msg(ENOUGH)));
    }

    fn terminate(&mut self) {
        let Some(Contact { handle, pardon, .. }) = self.world.contacts.copy(&mut self.random) else { return };
        pardon.ask();
        handle.terminate();
    }

    fn collect(&mut self) {
        let site = self.site();
        site.engine.collect_code();
    }

    fn flush(&mut self) {
        let Loaded { module, .. } = self.loaded();
        module.flush_code();
    }

    /// Sets or takes away the listeners of a store.
    fn listen(&mut self) {
        let Some(mut tenant) = self.world.tenants.take(&mut self.random) else { return };
        let (code, scripts) = (self.one_in(2), self.one_in(2));
        tenant.store.set_code_listener(code.then(|| Arc::new(CodeBook::default()) as Arc<dyn CodeListener>));
        tenant.store.set_debugger(scripts.then(|| Arc::new(ScriptBook::default()) as Arc<dyn DebuggerHook>));
        let known = tenant.store.scripts().len();
        assert!(known >= usize::from(scripts && !tenant.instances.is_empty()));
        let Loaded { module, .. } = self.loaded();
        if module.engine().same(tenant.store.engine()) {
            let script = tenant.store.import_module(&module);
            assert!(tenant.store.scripts().iter().any(|known| Script::same(known, &script)));
        }
        self.world.tenants.put(tenant, &mut self.random);
    }

    /// Reads whatever can be read, for numbers that cannot be.
    fn look(&mut self) {
        let Loaded { module, site, .. } = self.loaded();
        let (of_module, of_engine) = (module.statistics(), site.engine.statistics());
        assert!(of_module.compiled <= of_module.functions && of_engine.modules > 0, "{of_module:?} {of_engine:?}");
        let index = self.random.below(module.functions().len()) as u32;
        if let Some(code) = module.code(index) {
            assert!(!code.bytes.is_empty(), "function {index}");
        }
    }
}

const ENOUGH: &str = "enough";

/// Has somebody asked for this error?
fn pardoned(store: &Store<Guest>, error: &Error) -> bool {
    let wanted = error.downcast_ref::<Trap>() == Some(&Trap::Interrupt) || error.root_cause().to_string() == ENOUGH;
    wanted && store.data().pardon.asked()
}
