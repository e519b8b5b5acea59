//! Modules, scripts, stores and the engine come and go, on several threads and in every order, and those who listen hear
//! of each thing once, on the right thread.

mod deaths;
mod logging;
mod profilers;
mod scripts;
mod sharing;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};

use upshift::{CodeListener, CreatedCode, DebuggerHook, Engine, Instance, Module, Script, ScriptId, Store, Tier};

/// Two functions with names and one without, each of which can be called, and a loop that becomes hot.
const MODULE: &str = r#"(module $m
    (import "host" "call" (func $host))
    (func $first (export "first") (result i32) i32.const 1)
    (func $second (export "second") (result i32) (i32.add (call $first) (i32.const 1)))
    (func (export "third") (call $host))
    (func $hot (export "hot") (param i32) (result i32)
        (loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
        (i32.const 7)))"#;

/// What a code listener was told.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Told {
    name: String,
    module: Option<u64>,
    script: Option<ScriptId>,
    function: Option<u32>,
    tier: Option<Tier>,
    osr: Option<u32>,
    len: usize,
    url: Option<String>,
    positions: Vec<(u32, Option<u32>)>,
    thread: ThreadId,
}

/// A code listener that keeps all it is told, and checks that nothing is told twice.
#[derive(Debug, Default)]
struct Codes {
    state: Mutex<CodesState>,
}

#[derive(Debug, Default)]
struct CodesState {
    told: Vec<Told>,
    /// What there is now, by address.
    living: BTreeMap<usize, String>,
    freed: usize,
}

impl CodeListener for Codes {
    fn code_created(&self, code: &CreatedCode<'_>) {
        let told = Told {
            name: code.name().into_owned(),
            module: code.module().map(|number| number.0),
            script: code.script(),
            function: code.function(),
            tier: code.tier(),
            osr: code.osr(),
            len: code.bytes().len(),
            url: code.source_url().map(str::to_string),
            positions: code.positions().collect(),
            thread: thread::current().id(),
        };
        let mut state = self.state.lock().unwrap();
        let before = state.living.insert(code.address(), told.name.clone());
        assert_eq!(before, None, "told twice of the code at {:#x}", code.address());
        state.told.push(told);
    }

    fn code_freed(&self, address: usize) {
        let mut state = self.state.lock().unwrap();
        assert!(state.living.remove(&address).is_some(), "code freed that was not there: {address:#x}");
        state.freed += 1;
    }
}

impl Codes {
    /// What was told since the last time, stubs apart.
    fn functions(&self) -> Vec<Told> {
        let told = std::mem::take(&mut self.state.lock().unwrap().told);
        told.into_iter().filter(|told| told.function.is_some()).collect()
    }

    /// The names of what was told since the last time, sorted.
    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.functions().into_iter().map(|told| told.name).collect();
        names.sort();
        names
    }

    /// Functions whose code is there now, and how often code was freed.
    fn counts(&self) -> (usize, usize) {
        let state = self.state.lock().unwrap();
        (state.living.values().filter(|name| !name.ends_with("-stub")).count(), state.freed)
    }
}

/// A debugger that keeps all it is told.
#[derive(Debug, Default)]
struct Debugger(Mutex<Vec<String>>);

impl DebuggerHook for Debugger {
    fn script_added(&self, script: &Script) {
        self.push(format!("+ {} {}", script.id().0, script.url()));
    }

    fn script_removed(&self, script: ScriptId) {
        self.push(format!("- {}", script.0));
    }
}

impl Debugger {
    fn push(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }

    /// What was told since the last time.
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

/// An instance of [`MODULE`] whose host function does nothing.
fn instantiate(store: &mut Store<()>, module: &Module) -> Instance {
    let host = upshift::Func::wrap(&mut *store, || {});
    Instance::new(store, module, &[host.into()]).unwrap()
}

fn call(store: &mut Store<()>, instance: Instance, name: &str) -> i32 {
    instance.get_typed_func::<(), i32>(&mut *store, name).unwrap().call(store, ()).unwrap()
}

/// An engine of one tier, so that what is compiled is known; and the module.
fn baseline() -> (Engine, Module) {
    let engine = Engine::new(upshift::Config::new().tier(upshift::TierChoice::Baseline)).unwrap();
    let module = Module::new(&engine, MODULE).unwrap();
    (engine, module)
}

fn listener() -> (Arc<Codes>, Option<Arc<dyn CodeListener>>) {
    let codes = Arc::<Codes>::default();
    (Arc::clone(&codes), Some(codes))
}

fn debugger() -> (Arc<Debugger>, Option<Arc<dyn DebuggerHook>>) {
    let debugger = Arc::<Debugger>::default();
    (Arc::clone(&debugger), Some(debugger))
}
