//! Collections of code while stores run, rest, are suspended in the host, and die; requests, and logs, during one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use upshift::{CodeListener, Config, CreatedCode, Engine, Instance, Linker, Module, Store, StoreHandle, TierChoice};

use super::{Actor, Timeline};
use crate::code_gc::stores::MODULE;
use crate::jobs::orders;

/// An engine of one tier, and [`MODULE`], whose host function is a line.
struct Bench {
    timeline: Arc<Timeline>,
    engine: Engine,
    module: Module,
    linker: Arc<Linker<()>>,
}

impl Bench {
    fn new() -> Bench {
        let mut config = Config::new();
        let timeline = Timeline::listen(config.tier(TierChoice::Baseline));
        let engine = Engine::new(&config).unwrap();
        let module = Module::new(&engine, MODULE).unwrap();
        let mut linker = Linker::new(&engine);
        let host = Arc::clone(&timeline);
        linker.func_wrap("host", "wait", move || host.tell(|_| "-- in the host".into())).unwrap();
        Bench { timeline, engine, module, linker: Arc::new(linker) }
    }

    fn store(&self) -> (Store<()>, Instance) {
        let mut store = Store::new(&self.engine, ());
        let instance = self.linker.instantiate(&mut store, &self.module).unwrap();
        (store, instance)
    }

    /// A thread that calls a function of a store that is there, gives the store back, and whether the call returned.
    fn caller(&self, name: &'static str, function: &'static str) -> (Actor<(Store<()>, bool)>, StoreHandle<()>) {
        let (mut store, instance) = self.store();
        let handle = store.handle();
        let work = move || {
            let function = instance.get_func(&mut store, function).unwrap();
            let mut results = vec![upshift::Val::I32(0); function.ty(&store).results().len()];
            let returned = function.call(&mut store, &[], &mut results).is_ok();
            (store, returned)
        };
        (self.timeline.actor(name, work), handle)
    }

    /// A thread that wants a collection.
    fn collector(&self) -> Actor<()> {
        let engine = self.engine.clone();
        self.timeline.actor("collector", move || _ = engine.collect_code())
    }

    /// A thread that leads the functions of [`MODULE`] back to their lazy stubs, and wants a collection.
    fn flusher(&self) -> Actor<()> {
        let module = self.module.clone();
        self.timeline.actor("collector", move || module.flush_code())
    }

    fn retired(&self) -> usize {
        self.module.statistics().retired_bytes
    }
}

fn call(store: &mut Store<()>, instance: Instance, name: &str) -> i32 {
    instance.get_typed_func::<(), i32>(&mut *store, name).unwrap().call(store, ()).unwrap()
}

/// One store is idle, one waits in a host function, one runs, and one dies between the question and its answer. The answers
/// come in every order; the last one, or the question if that is last, brings what is freed.
#[test]
fn four_stores_answer() {
    const DYING: usize = 0;
    const RUNNING: usize = 1;
    const ASKING: usize = 2;
    orders(3, |order| {
        let bench = Bench::new();
        let timeline = &bench.timeline;
        timeline.note("s1 is idle");
        let (mut idle, instance) = bench.store();
        assert_eq!(call(&mut idle, instance, "idle"), 1);
        timeline.note("s2 waits in a host function");
        let (suspended, _) = bench.caller("suspended", "suspend");
        suspended.to("in the host");
        timeline.note("s3 runs, in a module of its own, and is just compiling a function");
        let (running, handle) = runner(&bench);
        running.to("lazy f2");
        timeline.note("s4 will die");
        let mut dying = Some(bench.store().0);
        timeline.note("a collection asks all of them");
        let collector = bench.flusher();
        collector.to("s1: code GC");
        let place = |part: usize| order.iter().position(|&known| known == part);
        let [dies_early, runs_early] = [DYING, RUNNING].map(|part| place(part) < place(ASKING));
        for &part in order {
            match part {
                DYING => drop(dying.take()),
                // By then it has answered.
                RUNNING => running.to("in the host"),
                _ if runs_early => collector.past("code GC 1: free"),
                _ => collector.past("code GC 1: wait for 1 stores"),
            }
        }
        collector.end();
        assert_eq!(timeline.count("s4: code GC 1: answers, dying"), usize::from(dies_early));
        assert_eq!(timeline.count("[running] code GC 1: free"), usize::from(!runs_early));
        assert_eq!((timeline.count("code GC 1: answer"), timeline.count("code GC 1: free 2")), (4, 1));
        assert!(bench.retired() > 0, "the code on s2's stack");
        timeline.note("s2 goes on and ends; s3 goes on, and is compiling again");
        let (_, returned) = suspended.end();
        assert!(returned);
        running.to("lazy f3");
        let collector = bench.collector();
        collector.past("code GC 2: wait for 1 stores");
        timeline.note("s3 comes to a loop, and is interrupted there");
        running.past("code GC 2: free 1");
        collector.end();
        assert_eq!(bench.retired(), 0);
        timeline.note("s3 is ended");
        handle.terminate();
        let (_, returned) = running.end();
        assert!(!returned);
        if order == [DYING, ASKING, RUNNING] {
            timeline.compare("code_gc");
        }
    });
}

/// A thread that calls the host through a function of a module of its own, which no collection of the others' code touches;
/// then another function; then runs a loop for ever.
fn runner(bench: &Bench) -> (Actor<(Store<()>, bool)>, StoreHandle<()>) {
    let text = r#"(module
        (import "host" "wait" (func $wait))
        (func (export "run") (call $step) (call $last) (loop $l (br $l)))
        (func $step (call $wait))
        (func $last))"#;
    let module = Module::new(&bench.engine, text).unwrap();
    let mut store = Store::new(&bench.engine, ());
    let instance = bench.linker.instantiate(&mut store, &module).unwrap();
    let handle = store.handle();
    let work = move || {
        let run = instance.get_typed_func::<(), ()>(&mut store, "run").unwrap();
        let returned = run.call(&mut store, ()).is_ok();
        (store, returned)
    };
    (bench.timeline.actor("running", work), handle)
}

/// However many want a collection while there is one, and at whatever stage it is, exactly one follows.
#[test]
fn requests_during_a_collection_are_one() {
    // Which of the three stages there are requests at.
    for stages in 0..8u32 {
        let bench = Bench::new();
        let timeline = &bench.timeline;
        let wants = |stage: u32, what: &str| {
            if stages >> stage & 1 != 0 {
                timeline.note(what);
                for _ in 0..2 {
                    assert_eq!(bench.engine.collect_code(), 0);
                }
            }
        };
        timeline.note("s1 is idle; s2 is in the middle of compiling, and answers nobody");
        let (mut idle, instance) = bench.store();
        assert_eq!(call(&mut idle, instance, "idle"), 1);
        let (running, handle) = bench.caller("running", "spin");
        running.to("lazy f3");
        timeline.note("a collection asks both");
        let collector = bench.flusher();
        collector.to("s1: code GC 1");
        wants(0, "two more are wanted while it asks");
        collector.past("wait for 1 stores");
        wants(1, "two more while it waits");
        running.past("answers, interrupted");
        running.to("code GC 1: free");
        collector.end();
        wants(2, "two more while it frees");
        timeline.note("s2 goes on");
        if stages != 0 {
            running.past("code GC 2: free");
        }
        // Else it might be ended before it comes so far, or not.
        running.to("lazy f2");
        timeline.note("s2 is ended");
        handle.terminate();
        let (store, _) = running.end();
        drop((store, idle));
        let gc = bench.engine.statistics().code_gc;
        let (followed, remembered) = (u64::from(stages != 0), 2 * u64::from(stages.count_ones()));
        assert_eq!((gc.collections, gc.remembered), (1 + followed, remembered), "{stages:03b}");
        if stages == 7 {
            timeline.compare("second_request");
        }
    }
}

/// Writes down what a store hears of functions. (Stubs have no order among themselves.)
#[derive(Debug)]
struct Hears {
    timeline: Arc<Timeline>,
    store: &'static str,
    /// The functions whose code there is, by address.
    living: Mutex<HashMap<usize, u32>>,
}

impl Hears {
    fn set(timeline: &Arc<Timeline>, name: &'static str, store: &mut Store<()>) {
        let hears = Hears { timeline: Arc::clone(timeline), store: name, living: Mutex::default() };
        store.set_code_listener(Some(Arc::new(hears)));
    }
}

impl CodeListener for Hears {
    fn code_created(&self, code: &CreatedCode<'_>) {
        if let Some(function) = code.function() {
            let before = self.living.lock().unwrap().insert(code.address(), function);
            assert_eq!(before, None, "told twice");
            self.timeline.tell(|_| format!("-- {} hears: there is code of f{function}", self.store));
        }
    }

    fn code_freed(&self, address: usize) {
        let function = self.living.lock().unwrap().remove(&address);
        if let Some(function) = function {
            self.timeline.tell(|_| format!("-- {} hears: code of f{function} is freed", self.store));
        }
    }
}

/// A store starts to listen while a collection waits for another: it hears of the code that is about to be freed, then of
/// what is compiled meanwhile, then that the first is freed; each once.
#[test]
fn a_log_is_turned_on_during_a_collection() {
    let bench = Bench::new();
    let timeline = &bench.timeline;
    timeline.note("s1 is idle; s2 is in the middle of compiling, and hears of code");
    let (mut idle, instance) = bench.store();
    let (mut store, running) = bench.store();
    Hears::set(timeline, "s2", &mut store);
    assert_eq!(call(&mut idle, instance, "idle"), 1);
    let handle = store.handle();
    let work = move || {
        let spin = running.get_typed_func::<(), ()>(&mut store, "spin").unwrap();
        let returned = spin.call(&mut store, ()).is_ok();
        (store, returned)
    };
    let running = timeline.actor("running", work);
    running.to("lazy f3");
    timeline.note("a collection asks both");
    let collector = bench.flusher();
    collector.past("wait for 1 stores");
    timeline.note("s1 listens from now on");
    Hears::set(timeline, "s1", &mut idle);
    idle.poll().unwrap();
    timeline.note("s1 compiles something new");
    assert_eq!(call(&mut idle, instance, "idle"), 1);
    idle.poll().unwrap();
    timeline.note("s2 goes on: it answers, frees, and hears of all that");
    running.to("code GC 1: free");
    collector.end();
    running.to("s2 hears: code of f2 is freed");
    timeline.note("s1 hears of it on its own thread");
    idle.poll().unwrap();
    timeline.note("s2 is ended");
    handle.terminate();
    let (store, returned) = running.end();
    assert!(!returned);
    drop(store);
    timeline.compare("log_during_code_gc");
}
