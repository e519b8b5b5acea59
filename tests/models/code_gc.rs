//! Collections of code, with stores that enter, leave, call the host and die, code that is replaced, and a module that goes.
//!
//! A store here does what the engine's stores promise: whether it runs is known under its lock. One that does not run, or is
//! suspended in a host call, is answered for by whoever asks; one that runs notes the request, and reports at its next
//! safepoint, when it leaves, or when it dies.

#[path = "../../crates/engine/src/code_gc/protocol.rs"]
#[allow(dead_code, reason = "the models use what they need")]
mod protocol;

use std::collections::HashSet;
use std::sync::Weak;
use std::time::Duration;

use shuttle::rand::{Rng, thread_rng};
use shuttle::sync::Arc;
use shuttle::thread;

use crate::sync::Mutex;
use protocol::{Collections, Number, World};

/// Long enough never to pass.
const EVER: Duration = Duration::from_secs(1 << 20);

/// A module of one function: the code that its slot leads to, and the code that nothing leads to any more.
struct Module {
    codes: Mutex<Codes>,
    model: Weak<Model>,
}

#[derive(Default)]
struct Codes {
    slot: usize,
    retired: Vec<usize>,
}

impl Module {
    fn publish(&self, code: usize) {
        let mut codes = self.codes.lock().unwrap();
        let old = std::mem::replace(&mut codes.slot, code);
        codes.retired.push(old);
    }
}

impl Drop for Module {
    fn drop(&mut self) {
        let codes = self.codes.lock().unwrap();
        if let Some(model) = self.model.upgrade() {
            let mut freed = model.freed.lock().unwrap();
            freed.insert(codes.slot);
            freed.extend(&codes.retired);
        }
    }
}

#[derive(Default)]
struct Store {
    state: Mutex<StoreState>,
}

#[derive(Default)]
struct StoreState {
    /// Code of its frames, by which it also keeps it.
    stack: Vec<usize>,
    /// Does a thread run in it, and is not in the host?
    running: bool,
    /// Collections that it has been asked for and has not reported to.
    asked: Vec<Number>,
}

/// An engine.
#[derive(Default)]
struct Model {
    collections: Collections<Candidates>,
    stores: Mutex<Vec<Arc<Store>>>,
    modules: Mutex<Vec<Weak<Module>>>,
    freed: Mutex<HashSet<usize>>,
    /// The collection that frees now.
    freeing: Mutex<Option<Number>>,
}

/// The retired code of each module.
struct Candidates {
    number: Number,
    modules: Vec<(Weak<Module>, HashSet<usize>)>,
}

impl World for Arc<Model> {
    type Candidates = Candidates;

    fn snapshot(&self, number: Number) -> Candidates {
        let modules: Vec<Arc<Module>> = self.modules.lock().unwrap().iter().filter_map(Weak::upgrade).collect();
        let candidates = |module: &Arc<Module>| module.codes.lock().unwrap().retired.iter().copied().collect();
        let modules = modules.iter().map(|module| (Arc::downgrade(module), candidates(module))).collect();
        Candidates { number, modules }
    }

    fn ask(&self, number: Number) -> Option<usize> {
        let stores = self.stores.lock().unwrap().clone();
        let mut asked = 0;
        for store in stores {
            let mut state = store.state.lock().unwrap();
            if state.running {
                state.asked.push(number);
            } else {
                let live = state.stack.iter().copied().collect();
                drop(state);
                self.collections.report(self, number, &live);
            }
            asked += 1;
        }
        Some(asked)
    }

    fn free(&self, candidates: Candidates, live: &HashSet<usize>) {
        let other = self.freeing.lock().unwrap().replace(candidates.number);
        assert_eq!(other, None, "one collection at a time");
        for (module, candidates) in &candidates.modules {
            let Some(module) = module.upgrade() else { continue };
            let is_free = |code: &usize| candidates.contains(code) && !live.contains(code);
            let free: Vec<usize> = module.codes.lock().unwrap().retired.extract_if(.., |code| is_free(code)).collect();
            self.free_codes(&free);
        }
        *self.freeing.lock().unwrap() = None;
    }
}

impl Model {
    fn new() -> (Arc<Model>, Arc<Module>) {
        let model = Arc::new(Model::default());
        let module = model.module(0);
        (model, module)
    }

    fn module(self: &Arc<Self>, code: usize) -> Arc<Module> {
        let codes = Mutex::new(Codes { slot: code, retired: Vec::new() });
        let module = Arc::new(Module { codes, model: Arc::downgrade(self) });
        self.modules.lock().unwrap().push(Arc::downgrade(&module));
        module
    }

    fn store(&self) -> Arc<Store> {
        let store = Arc::new(Store::default());
        self.stores.lock().unwrap().push(Arc::clone(&store));
        store
    }

    /// No stack holds code that is freed.
    fn free_codes(&self, free: &[usize]) {
        for store in self.stores.lock().unwrap().clone() {
            let state = store.state.lock().unwrap();
            for code in free {
                assert!(!state.stack.contains(code), "code {code} is on a stack");
            }
        }
        let mut freed = self.freed.lock().unwrap();
        for &code in free {
            assert!(freed.insert(code), "code {code} is freed twice");
        }
    }

    fn freed(&self) -> Vec<usize> {
        let mut freed: Vec<usize> = self.freed.lock().unwrap().iter().copied().collect();
        freed.sort_unstable();
        freed
    }
}

impl Store {
    /// Calls the function of the module: a frame of what its slot leads to.
    fn enter(&self, model: &Arc<Model>, module: &Module) {
        self.state.lock().unwrap().running = true;
        thread::yield_now();
        let code = module.codes.lock().unwrap().slot;
        // The code is in a register of this thread. It reports at safepoints only, so nobody counts on the stack until then.
        thread::yield_now();
        assert!(!model.freed.lock().unwrap().contains(&code), "code {code} was freed before it was entered");
        self.state.lock().unwrap().stack.push(code);
    }

    /// A safepoint in compiled code.
    fn safepoint(&self, model: &Arc<Model>) {
        let (asked, live) = {
            let mut state = self.state.lock().unwrap();
            (std::mem::take(&mut state.asked), state.stack.iter().copied().collect())
        };
        for number in asked {
            model.collections.report(model, number, &live);
        }
    }

    /// Is in the host for a while.
    fn call_host(&self, model: &Arc<Model>) {
        self.safepoint(model);
        self.state.lock().unwrap().running = false;
        thread::yield_now();
        self.state.lock().unwrap().running = true;
    }

    fn leave(&self, model: &Arc<Model>) {
        let mut state = self.state.lock().unwrap();
        state.stack.pop();
        state.running = !state.stack.is_empty();
        drop(state);
        self.safepoint(model);
    }

    fn die(self: Arc<Self>, model: &Arc<Model>) {
        model.stores.lock().unwrap().retain(|store| !Arc::ptr_eq(store, &self));
        self.safepoint(model);
    }
}

fn check(iterations: usize, model: impl Fn() + Send + Sync + 'static) {
    let model = Arc::new(model);
    let again = Arc::clone(&model);
    shuttle::check_random(move || model(), iterations);
    shuttle::check_pct(move || again(), iterations, 3);
}

/// A thread that uses a store in one of several ways, and lets it die or not.
fn run_store(model: &Arc<Model>, module: &Arc<Module>) {
    let store = model.store();
    let mut choice = thread_rng();
    for _ in 0..choice.gen_range(1..3) {
        store.enter(model, module);
        match choice.gen_range(0..4) {
            0 => store.safepoint(model),
            1 => store.call_host(model),
            2 => {
                store.enter(model, module);
                store.safepoint(model);
                store.leave(model);
            }
            _ => {}
        }
        store.leave(model);
    }
    if choice.gen_range(0..2) == 0 {
        store.die(model);
    }
}

#[test]
fn code_on_a_stack_is_never_freed_and_everything_else_is() {
    check(4000, || {
        let (model, module) = Model::new();
        let stores: Vec<_> = (0..2)
            .map(|_| {
                let (model, module) = (Arc::clone(&model), Arc::clone(&module));
                thread::spawn(move || run_store(&model, &module))
            })
            .collect();
        let publishers: Vec<_> = [1, 2]
            .map(|code| {
                let (model, module) = (Arc::clone(&model), Arc::clone(&module));
                thread::spawn(move || {
                    module.publish(code);
                    let number = model.collections.request(&model);
                    assert!(model.collections.wait(number, EVER));
                })
            })
            .into_iter()
            .collect();
        stores.into_iter().chain(publishers).for_each(|thread| thread.join().unwrap());
        model.collections.request(&model);
        assert_eq!(model.collections.under_way(), None);
        let slot = module.codes.lock().unwrap().slot;
        assert_eq!(model.freed(), (0..=2).filter(|&code| code != slot).collect::<Vec<_>>());
    });
}

#[test]
fn requests_during_a_collection_give_exactly_one_more() {
    check(2000, || {
        let (model, module) = Model::new();
        let store = model.store();
        store.enter(&model, &module);
        module.publish(1);
        let first = model.collections.request(&model);
        let threads: Vec<_> = (0..3)
            .map(|_| {
                let model = Arc::clone(&model);
                thread::spawn(move || model.collections.request(&model))
            })
            .collect();
        let promised: Vec<Number> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        assert!(promised.iter().all(|&number| number > first && number == promised[0]));
        assert_eq!(model.collections.statistics().completed, 0);
        // It reports to the first, and the second comes.
        store.safepoint(&model);
        assert_eq!(model.collections.under_way(), Some(promised[0]));
        store.leave(&model);
        assert!(model.collections.wait(promised[0], EVER));
        assert_eq!((model.collections.statistics().completed, model.collections.under_way()), (2, None));
        assert_eq!(model.freed(), [0]);
    });
}

#[test]
fn a_module_may_go_during_a_collection() {
    check(2000, || {
        let (model, kept) = Model::new();
        let module = model.module(10);
        module.publish(11);
        kept.publish(1);
        let store = model.store();
        let user = {
            let (model, kept, store) = (Arc::clone(&model), Arc::clone(&kept), Arc::clone(&store));
            thread::spawn(move || {
                store.enter(&model, &kept);
                store.safepoint(&model);
                store.leave(&model);
            })
        };
        let dropper = thread::spawn(move || drop(module));
        let number = model.collections.request(&model);
        user.join().unwrap();
        assert!(model.collections.wait(number, EVER));
        dropper.join().unwrap();
        assert_eq!(model.freed(), [0, 10, 11]);
    });
}

#[test]
fn a_collection_that_is_given_up_leaves_nothing_behind() {
    check(2000, || {
        /// Cannot ask all stores, but has asked some.
        struct Broken(Arc<Model>);

        impl World for Broken {
            type Candidates = Candidates;

            fn snapshot(&self, number: Number) -> Candidates {
                self.0.snapshot(number)
            }

            fn ask(&self, number: Number) -> Option<usize> {
                self.0.ask(number);
                None
            }

            fn free(&self, _: Candidates, _: &HashSet<usize>) {
                panic!("nothing is known");
            }
        }

        let (model, module) = Model::new();
        let (reporting, holding) = (model.store(), model.store());
        reporting.enter(&model, &module);
        holding.enter(&model, &module);
        module.publish(1);
        let broken = Broken(Arc::clone(&model));
        let number = model.collections.request(&broken);
        assert!(model.collections.wait(number, EVER));
        let user = {
            let (model, reporting) = (Arc::clone(&model), Arc::clone(&reporting));
            thread::spawn(move || {
                reporting.safepoint(&model);
                reporting.leave(&model);
            })
        };
        // The late report to the first is none to the second, so what the other store holds is not freed.
        let second = model.collections.request(&model);
        user.join().unwrap();
        assert_eq!((model.freed(), model.collections.under_way()), (vec![], Some(second)));
        holding.leave(&model);
        assert!(model.collections.wait(second, EVER));
        model.collections.request(&model);
        assert_eq!((model.freed(), model.collections.statistics().completed), (vec![0], 2));
    });
}
