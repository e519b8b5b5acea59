//! Collections with stores that are idle, run, are suspended in a host function, and die.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use upshift::{Config, Engine, Linker, Module, Store, Trap};

use super::wait_for;

pub(crate) const MODULE: &str = r#"(module
    (import "host" "wait" (func $wait))
    (func (export "idle") (result i32) (call $one))
    (func $one (result i32) (i32.const 1))
    (func (export "spin") (loop $l (drop (call $one)) (br $l)))
    (func (export "suspend") (result i32) (call $wait) (call $one)))"#;

/// What a store is doing during a collection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Doing {
    Nothing,
    Running,
    Suspended,
    Dying,
}

const ALL: [Doing; 4] = [Doing::Nothing, Doing::Running, Doing::Suspended, Doing::Dying];

/// A door that host functions wait at.
#[derive(Default)]
struct Door {
    is_open: Mutex<bool>,
    opened: Condvar,
    waiting: AtomicUsize,
}

impl Door {
    fn wait(&self) {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let is_open = self.is_open.lock().unwrap();
        drop(self.opened.wait_while(is_open, |is_open| !*is_open).unwrap());
        self.waiting.fetch_sub(1, Ordering::SeqCst);
    }

    fn open(&self) {
        *self.is_open.lock().unwrap() = true;
        self.opened.notify_all();
    }
}

/// An engine, and what its stores are told by.
struct Bench {
    engine: Engine,
    module: Module,
    linker: Linker<()>,
    door: Arc<Door>,
    /// Calls of `spin` that have begun.
    running: AtomicUsize,
    /// Stores that have died.
    died: AtomicUsize,
    done: AtomicBool,
}

impl Bench {
    fn new(config: &mut Config) -> Bench {
        let engine = Engine::new(config.epoch_interruption(true)).unwrap();
        let module = Module::new(&engine, MODULE).unwrap();
        let door = Arc::new(Door::default());
        let mut linker = Linker::new(&engine);
        let same = Arc::clone(&door);
        linker.func_wrap("host", "wait", move || same.wait()).unwrap();
        let (running, died, done) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicBool::new(false));
        Bench { engine, module, linker, door, running, died, done }
    }

    fn store(&self) -> (Store<()>, upshift::Instance) {
        let mut store = Store::new(&self.engine, ());
        store.set_epoch_deadline(1);
        let instance = self.linker.instantiate(&mut store, &self.module).unwrap();
        (store, instance)
    }

    /// Does it until the bench is over.
    fn act(&self, doing: Doing) {
        let (mut store, instance) = self.store();
        match doing {
            Doing::Nothing => {
                let idle = instance.get_typed_func::<(), i32>(&mut store, "idle").unwrap();
                assert_eq!(idle.call(&mut store, ()).unwrap(), 1);
                self.running.fetch_add(1, Ordering::SeqCst);
                wait_for("the end", || self.done.load(Ordering::SeqCst));
                assert_eq!(idle.call(&mut store, ()).unwrap_err().downcast_ref::<Trap>(), Some(&Trap::Interrupt));
            }
            Doing::Running => {
                let spin = instance.get_typed_func::<(), ()>(&mut store, "spin").unwrap();
                self.running.fetch_add(1, Ordering::SeqCst);
                let end = spin.call(&mut store, ()).unwrap_err();
                assert_eq!(end.downcast_ref::<Trap>(), Some(&Trap::Interrupt));
            }
            Doing::Suspended => {
                let suspend = instance.get_typed_func::<(), i32>(&mut store, "suspend").unwrap();
                self.running.fetch_add(1, Ordering::SeqCst);
                let end = suspend.call(&mut store, ());
                // The rest of the function still is what it was; what it calls ends at the deadline.
                assert_eq!(end.unwrap_err().downcast_ref::<Trap>(), Some(&Trap::Interrupt));
            }
            Doing::Dying => {
                drop((store, instance));
                self.running.fetch_add(1, Ordering::SeqCst);
                while !self.done.load(Ordering::SeqCst) {
                    let (mut store, instance) = self.store();
                    let idle = instance.get_typed_func::<(), i32>(&mut store, "idle").unwrap();
                    let _ = idle.call(&mut store, ());
                    drop(store);
                    self.died.fetch_add(1, Ordering::SeqCst);
                }
            }
        }
    }

    fn retired(&self) -> usize {
        self.module.statistics().retired_bytes
    }
}

/// Ends what the stores are doing, also when an assertion fails.
struct End<'a>(&'a Bench);

impl Drop for End<'_> {
    fn drop(&mut self) {
        // First the epoch: whoever goes on after this is to find it passed.
        self.0.engine.increment_epoch();
        self.0.done.store(true, Ordering::SeqCst);
        self.0.door.open();
    }
}

#[test]
fn each_combination_of_stores_lets_code_go() {
    for set in 1..1u32 << ALL.len() {
        let doing: Vec<Doing> =
            ALL.into_iter().enumerate().filter(|(bit, _)| set >> bit & 1 != 0).map(|d| d.1).collect();
        collect_while(&doing);
    }
}

fn collect_while(doing: &[Doing]) {
    let bench = &Bench::new(&mut Config::new());
    thread::scope(|scope| {
        let _end = End(bench);
        doing.iter().for_each(|&doing| _ = scope.spawn(move || bench.act(doing)));
        let suspended = doing.iter().filter(|doing| **doing == Doing::Suspended).count();
        wait_for("all stores", || {
            bench.running.load(Ordering::SeqCst) == doing.len()
                && bench.door.waiting.load(Ordering::SeqCst) == suspended
        });
        for _ in 0..20 {
            // One that runs is just compiling it again.
            bench.module.flush_code();
        }
        let before = bench.engine.statistics().code_gc.collections;
        // All of one that is suspended is on its stack, and one that dies may not have got any.
        let certain = doing.contains(&Doing::Nothing) || doing.contains(&Doing::Running);
        // Who asks does not wait long; and on a busy machine one that runs may not have come to its code yet.
        wait_for("a collection", || {
            bench.module.flush_code();
            let gc = bench.engine.statistics().code_gc;
            gc.collections > before && (gc.freed_bytes > 0 || !certain)
        });
        if doing.contains(&Doing::Suspended) {
            assert!(bench.retired() > 0, "{doing:?}: the code of a frame was freed");
        }
        let holds = doing.iter().any(|doing| matches!(doing, Doing::Running | Doing::Suspended | Doing::Dying));
        assert!(holds || bench.retired() == 0, "{doing:?}: {} bytes", bench.retired());
    });
    // A job in the background may still bring some.
    wait_for("all code to go", || {
        bench.module.flush_code();
        let statistics = bench.module.statistics();
        (statistics.retired_bytes, statistics.code_bytes) == (0, 0)
    });
}

#[test]
fn a_store_that_always_runs_is_in_nobodys_way() {
    let bench = &Bench::new(&mut Config::new());
    thread::scope(|scope| {
        let _end = End(bench);
        scope.spawn(move || bench.act(Doing::Running));
        wait_for("the store", || bench.running.load(Ordering::SeqCst) == 1);
        // Another module's code is freed to the last byte.
        let text = format!("(module {})", "(func (result i32) (i32.const 5))".repeat(50));
        for _ in 0..20 {
            let other = Module::new(&bench.engine, &text).unwrap();
            other.compile_all().unwrap();
            assert!(other.statistics().code_bytes > 0);
            other.flush_code();
            wait_for("the code to go", || other.statistics().code_bytes == 0);
        }
        assert!(bench.engine.statistics().code_gc.interrupted > 0);
    });
}

#[test]
fn modules_and_stores_may_go_during_collections() {
    let bench = &Bench::new(Config::new().tiering_budget(500));
    thread::scope(|scope| {
        let _end = End(bench);
        for doing in [Doing::Running, Doing::Dying, Doing::Dying] {
            scope.spawn(move || bench.act(doing));
        }
        for round in 0..60 {
            let module = Module::new(&bench.engine, MODULE.replace("const 1", &format!("const {round}"))).unwrap();
            let mut store = Store::new(&bench.engine, ());
            store.set_epoch_deadline(1);
            let instance = bench.linker.instantiate(&mut store, &module).unwrap();
            let idle = instance.get_typed_func::<(), i32>(&mut store, "idle").unwrap();
            assert_eq!(idle.call(&mut store, ()).unwrap(), round);
            module.flush_code();
            assert_eq!(idle.call(&mut store, ()).unwrap(), round);
            if round % 2 == 0 {
                drop(module);
                drop(store);
            }
        }
    });
    assert!(bench.died.load(Ordering::SeqCst) > 0);
    wait_for("all code to go", || {
        bench.module.flush_code();
        bench.engine.statistics().retired_bytes == 0
    });
}
