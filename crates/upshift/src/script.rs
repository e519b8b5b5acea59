//! `Script`: what a debugger knows a module of a store by.

use std::borrow::Cow;
use std::fmt::Debug;
use std::sync::Arc;

use engine::scripts;

use crate::engine::{Engine, EngineWeak};
use crate::module::Module;

pub use engine::scripts::ScriptId;

/// What a debugger knows a module of a store by: there is one for each module that a store uses, as long as somebody holds
/// it. A handle, cheap to clone and usable from any thread. It keeps the module, not the store.
///
/// ```
/// use upshift::{Engine, Module, Store};
///
/// # fn main() -> upshift::Result<()> {
/// let engine = Engine::default();
/// let module = Module::new(&engine, "(module $m (func $f) (func))")?;
/// let mut store = Store::new(&engine, ());
/// let script = store.import_module(&module);
/// assert!(script.url().starts_with("wasm://wasm/m-"));
/// assert_eq!((script.function_name(0), script.function_name(1)), ("f".into(), "wasm-function[1]".into()));
/// assert!(Module::same(&script.module(), &module));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Script {
    // Before the engine, as in `Module`.
    inner: scripts::Script,
    engine: Engine,
}

/// Who is told of the scripts of a store; see [`Store::set_debugger`](crate::Store::set_debugger). Called on the store's
/// thread. A panic in it goes no further.
///
/// It may use the engine as a [`CodeListener`](crate::CodeListener) may, and must not use the store that it hears of, which
/// is in use.
pub trait DebuggerHook: Send + Sync + Debug {
    /// There is a script. Called once for each.
    fn script_added(&self, script: &Script);

    /// A script that was added is gone: the last handle to it has been dropped, or the store. Called once for each.
    fn script_removed(&self, script: ScriptId);
}

impl Script {
    pub(crate) fn new(engine: &Engine, inner: scripts::Script) -> Script {
        Script { inner, engine: engine.clone() }
    }

    /// Its number, never used twice in an engine.
    pub fn id(&self) -> ScriptId {
        self.inner.id()
    }

    /// Where the module is from: the [URL](Module::with_source_url) of the handle by which the store got it first, else the
    /// module's own.
    pub fn url(&self) -> &str {
        self.inner.url()
    }

    /// The URL of the module's source map, from its custom section `sourceMappingURL`.
    pub fn source_map_url(&self) -> Option<&str> {
        self.inner.source_map_url()
    }

    /// The URL of the file that holds the module's DWARF, from its custom section `external_debug_info`.
    pub fn external_debug_info(&self) -> Option<&str> {
        self.inner.external_debug_info()
    }

    /// The name of a function, by its index, where imported functions come first: from the name section, which is read when
    /// it is first asked for; without one `wasm-function[INDEX]`.
    pub fn function_name(&self, index: u32) -> Cow<'_, str> {
        self.inner.function_name(index)
    }

    /// The module.
    pub fn module(&self) -> Module {
        Module::from_store(&self.engine, self.inner.module(), self.inner.given_url().cloned())
    }

    /// Are both handles to the same script?
    pub fn same(a: &Script, b: &Script) -> bool {
        a.inner.same(&b.inner)
    }
}

/// Makes scripts of the engine's into scripts of ours. Does not keep the engine, as a store's record leads here.
#[derive(Debug)]
pub(crate) struct HookAdapter {
    engine: EngineWeak,
    hook: Arc<dyn DebuggerHook>,
}

impl HookAdapter {
    pub(crate) fn wrap(engine: &Engine, hook: Arc<dyn DebuggerHook>) -> Arc<dyn scripts::DebuggerHook> {
        Arc::new(HookAdapter { engine: engine.weak(), hook })
    }
}

impl scripts::DebuggerHook for HookAdapter {
    fn script_added(&self, script: &scripts::Script) {
        // The store holds its engine.
        if let Some(engine) = self.engine.upgrade() {
            self.hook.script_added(&Script { inner: script.clone(), engine });
        }
    }

    fn script_removed(&self, script: ScriptId) {
        self.hook.script_removed(script);
    }
}
