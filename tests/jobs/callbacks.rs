//! Listeners that ask for modules while modules are made.

use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use std::{fmt, thread};

use upshift::{CodeListener, CreatedCode, DebuggerHook, EngineWeak, Instance, Script, ScriptId, Store, Strategy};

use super::*;

type Ask = fn(&Engine) -> Module;

/// Asks for a module whenever it hears of something, but not of what that leads to.
struct Asks {
    engine: OnceLock<EngineWeak>,
    ask: Ask,
    busy: AtomicBool,
    got: Mutex<Vec<Module>>,
}

impl fmt::Debug for Asks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Asks")
    }
}

impl Asks {
    fn new(ask: Ask) -> Arc<Asks> {
        let (engine, busy, got) = (OnceLock::new(), AtomicBool::new(false), Mutex::default());
        Arc::new(Asks { engine, ask, busy, got })
    }

    fn ask(&self) {
        if let Some(engine) = self.engine.get().and_then(EngineWeak::upgrade)
            && !self.busy.swap(true, Ordering::Relaxed)
        {
            let module = (self.ask)(&engine);
            self.got.lock().unwrap().push(module);
            self.busy.store(false, Ordering::Relaxed);
        }
    }
}

impl CodeListener for Asks {
    fn code_created(&self, _: &CreatedCode<'_>) {
        self.ask();
    }
}

impl DebuggerHook for Asks {
    fn script_added(&self, _: &Script) {
        self.ask();
    }

    fn script_removed(&self, _: ScriptId) {
        self.ask();
    }
}

const ASKS: [Ask; 3] = [
    |engine| Module::new(engine, wasm(1)).unwrap(),
    |engine| Module::compile_async(engine, wasm(1)).wait().unwrap(),
    |engine| {
        let mut stream = upshift::StreamingCompilation::new(engine);
        stream.push(&wasm(1)).unwrap();
        stream.finish().unwrap()
    },
];

/// Does `work` on a thread that must not take for ever.
fn in_time(work: impl FnOnce() + Send + 'static) {
    let (done, is_done) = channel();
    let thread = thread::spawn(move || {
        work();
        done.send(()).unwrap();
    });
    let outcome = is_done.recv_timeout(Duration::from_secs(60));
    assert!(outcome != Err(std::sync::mpsc::RecvTimeoutError::Timeout), "somebody waits for itself");
    thread.join().unwrap();
}

#[test]
fn a_code_listener_may_ask_for_the_module_that_is_made() {
    for (ask, strategy) in ASKS.into_iter().flat_map(|ask| [(ask, Strategy::Eager), (ask, Strategy::Lazy)]) {
        in_time(move || {
            let asks = Asks::new(ask);
            let engine = Engine::new(Config::new().strategy(strategy).code_listener(Some(asks.clone()))).unwrap();
            asks.engine.set(engine.weak()).unwrap();
            let ways = [Module::new(&engine, wasm(1)), Module::compile_async(&engine, wasm(1)).wait()];
            let mut store = Store::new(&engine, ());
            for module in ways {
                let module = module.unwrap();
                let instance = Instance::new(&mut store, &module, &[]).unwrap();
                let f = instance.get_typed_func::<(), i32>(&mut store, "f").unwrap();
                assert_eq!(f.call(&mut store, ()).unwrap(), 1);
            }
            let got = std::mem::take(&mut *asks.got.lock().unwrap());
            assert!(!got.is_empty());
            for module in &got {
                let instance = Instance::new(&mut store, module, &[]).unwrap();
                assert!(instance.get_func(&mut store, "f").is_some());
            }
        });
    }
}

#[test]
fn listeners_on_one_engine_may_ask_for_each_others_modules() {
    in_time(|| {
        let asks = Asks::new(|engine| {
            _ = Module::new(engine, wasm(2)).unwrap();
            Module::new(engine, wasm(1)).unwrap()
        });
        let mut config = Config::new();
        let engine = Engine::new(config.strategy(Strategy::Eager).code_listener(Some(asks.clone()))).unwrap();
        asks.engine.set(engine.weak()).unwrap();
        for _ in 0..20 {
            thread::scope(|scope| {
                for number in [1, 2, 1, 2] {
                    let engine = &engine;
                    scope.spawn(move || Module::new(engine, wasm(number)).unwrap());
                }
            });
            asks.got.lock().unwrap().clear();
        }
    });
}

#[test]
fn a_debugger_may_ask_for_modules() {
    for ask in ASKS {
        in_time(move || {
            let asks = Asks::new(ask);
            let engine = Engine::new(Config::new().strategy(Strategy::Eager)).unwrap();
            asks.engine.set(engine.weak()).unwrap();
            let mut store = Store::new(&engine, ());
            store.set_debugger(Some(asks.clone()));
            let module = Module::new(&engine, wasm(1)).unwrap();
            Instance::new(&mut store, &module, &[]).unwrap();
            let got = asks.got.lock().unwrap();
            assert!(!got.is_empty() && got.iter().all(|other| Module::same(other, &module)));
        });
    }
}
