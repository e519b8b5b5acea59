//! Scripts: what a debugger knows a module of a store by.
//!
//! 1. A store has at most one living [`Script`] for a module ([`Scripts::get_or_make`]). It is made when somebody asks for
//!    it, or when a debugger is there and the store has got an instance of the module. It holds its module; the store holds
//!    it weakly, but strongly once it has an instance, which holds the module as long as the store anyway.
//!    Its URL is the one that the store was given with the module: other stores share the module, but not what they call it.
//! 2. It is *announced* to the store's debugger once, on the store's thread: when it is made, or when the debugger comes
//!    ([`Scripts::set_debugger`]). A new debugger hears of all that are there.
//! 3. Its last handle goes, on any thread: `Inner::drop` leaves a note for the store and wakes it. On the store's thread
//!    [`Scripts::clean`] takes the weak handle away, and the debugger hears that the script is removed. If the store makes
//!    another script for the module before, the note is found to be about an older one and the removal told first.
//! 4. The store dies: every script that was announced is removed, and handles that others hold go on without a store.
//!
//! Invariant: `script_removed` is called once for each call of `script_added`, unless the debugger is taken away between.
//! Invariant: the lock is not held while a debugger is called, or a handle to a script is dropped.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::{self, Debug};
use std::sync::{Arc, Weak};

use code::native_module::NativeModule;
use runtime::store::Store;

use crate::attachment;
use crate::callback;
use crate::engine::Engine;
use crate::events::ModuleNumber;
use crate::log::Identity;
use crate::registry::{self, Registry, StoreRecord};
use crate::source::ModuleSource;
use crate::sync::{Mutex, MutexGuard, PoisonError};

/// The number of a script, never used twice in an engine.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ScriptId(pub u64);

/// What a debugger knows a module of a store by. A handle; it keeps the module, not the store.
#[derive(Clone)]
pub struct Script {
    inner: Arc<Inner>,
}

struct Inner {
    id: ScriptId,
    /// Where the store had the module from, if that was said.
    url: Option<Arc<str>>,
    source: Arc<ModuleSource>,
    store: Weak<StoreRecord>,
    module: Arc<NativeModule>,
}

/// Who is told of the scripts of a store, on the store's thread. What panics in it goes no further. It may use the engine as
/// a [`CodeListener`](crate::log::CodeListener) may; the store it hears of is in use.
pub trait DebuggerHook: Send + Sync + Debug {
    /// There is a script.
    fn script_added(&self, script: &Script);

    /// A script that was added is gone.
    fn script_removed(&self, script: ScriptId);
}

impl Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Script").field("id", &self.id()).field("url", &self.url()).finish()
    }
}

impl Script {
    /// Its number.
    pub fn id(&self) -> ScriptId {
        self.inner.id
    }

    /// The URL that was given when the store got the module.
    pub fn given_url(&self) -> Option<&Arc<str>> {
        self.inner.url.as_ref()
    }

    /// Where the module is from: the URL given when the store got it, else as [`ModuleSource::url`] says.
    pub fn url(&self) -> &str {
        self.inner.url.as_ref().unwrap_or_else(|| self.inner.source.url())
    }

    /// The URL of the module's source map.
    pub fn source_map_url(&self) -> Option<&str> {
        self.inner.source.source_map_url()
    }

    /// The URL of the file with the module's DWARF, if that is apart.
    pub fn external_debug_info(&self) -> Option<&str> {
        self.inner.source.external_debug_info()
    }

    /// The name of a function, or `wasm-function[INDEX]`.
    pub fn function_name(&self, index: u32) -> Cow<'_, str> {
        self.inner.source.function_name(index)
    }

    /// The module.
    pub fn module(&self) -> &Arc<NativeModule> {
        &self.inner.module
    }

    /// The module's number in events.
    pub fn module_number(&self) -> ModuleNumber {
        self.inner.source.number()
    }

    /// Are both handles to the same script?
    pub fn same(&self, other: &Script) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(record) = self.store.upgrade()
            && record.scripts.note(Gone::Script(self.source.number(), self.id))
        {
            record.wake();
        }
    }
}

/// What a store knows of the modules that it uses.
#[derive(Debug, Default)]
pub(crate) struct Scripts {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    modules: BTreeMap<ModuleNumber, Use>,
    debugger: Option<Arc<dyn DebuggerHook>>,
    /// What other threads leave for the store's.
    notes: Vec<Gone>,
    /// The store is dying.
    closed: bool,
}

/// A module that a store uses.
#[derive(Debug)]
struct Use {
    /// Where it is from, as far as the store was told.
    url: Option<Arc<str>>,
    /// Has the store an instance of it?
    instance: bool,
    script: Option<Entry>,
}

/// The script for it.
#[derive(Debug)]
struct Entry {
    id: ScriptId,
    script: Weak<Inner>,
    /// The same, once there is an instance.
    held: Option<Script>,
    announced: bool,
}

/// What is gone.
#[derive(Clone, Copy, Debug)]
enum Gone {
    Script(ModuleNumber, ScriptId),
    Module(ModuleNumber),
}

impl Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Script").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Entry {
    /// The script, if it lives.
    fn get(&self) -> Option<Script> {
        Some(Script { inner: self.script.upgrade()? })
    }
}

impl Scripts {
    /// Writes down that the store uses a module, and whether it has an instance; gives whether the use is new.
    pub(crate) fn note_use(&self, number: ModuleNumber, url: Option<&Arc<str>>, instance: bool) -> bool {
        let mut state = self.lock();
        let mut new = false;
        let used = state.modules.entry(number).or_insert_with(|| {
            new = true;
            Use { url: url.cloned(), instance, script: None }
        });
        if instance && !used.instance {
            used.instance = true;
            if let Some(entry) = &mut used.script {
                entry.held = entry.get();
            }
        }
        new
    }

    /// Is there a debugger?
    pub(crate) fn is_debugged(&self) -> bool {
        self.lock().debugger.is_some()
    }

    /// The modules that the store uses, and whether it has instances of them.
    pub(crate) fn used(&self) -> Vec<(ModuleNumber, bool)> {
        self.lock().modules.iter().map(|(&number, used)| (number, used.instance)).collect()
    }

    /// The script of a module, which the store uses.
    pub(crate) fn get_or_make(
        &self,
        registry: &Registry,
        record: &Arc<StoreRecord>,
        module: &Arc<NativeModule>,
    ) -> Option<Script> {
        self.clean();
        let registration = attachment::of(module).registration()?;
        let mut state = self.lock();
        let used = state.modules.get_mut(&registration.source.number())?;
        if let Some(script) = used.script.as_ref().and_then(Entry::get) {
            return Some(script);
        }
        let inner = Inner {
            id: ScriptId(registry.next_script()),
            url: used.url.clone(),
            source: Arc::clone(&registration.source),
            store: Arc::downgrade(record),
            module: Arc::clone(module),
        };
        let script = Script { inner: Arc::new(inner) };
        let held = used.instance.then(|| script.clone());
        let entry = Entry { id: script.id(), script: Arc::downgrade(&script.inner), held, announced: false };
        // Another thread is just dropping the old one.
        let old = used.script.replace(entry).filter(|old| old.announced);
        let debugger = state.debugger.clone();
        drop(state);
        if let (Some(old), Some(debugger)) = (old, debugger) {
            callback::call(|| debugger.script_removed(old.id));
        }
        self.announce(&script);
        Some(script)
    }

    /// Tells the debugger of a script, if it has not heard of it.
    fn announce(&self, script: &Script) {
        let mut state = self.lock();
        let Some(debugger) = state.debugger.clone() else { return };
        let used = state.modules.get_mut(&script.module_number());
        let entry = used.and_then(|used| used.script.as_mut()).filter(|entry| entry.id == script.id());
        let Some(entry) = entry.filter(|entry| !entry.announced) else { return };
        entry.announced = true;
        drop(state);
        callback::call(|| debugger.script_added(script));
    }

    /// What the log says of a module of the store.
    pub(crate) fn identity(&self, number: ModuleNumber) -> Option<Identity> {
        let state = self.lock();
        let used = state.modules.get(&number)?;
        let script = used.script.as_ref().filter(|entry| entry.script.strong_count() > 0).map(|entry| entry.id);
        Some(Identity { script, url: used.url.clone() })
    }

    /// Leaves a note for the store's thread, which is then to be woken; not if the store is dying.
    fn note(&self, gone: Gone) -> bool {
        let mut state = self.lock();
        if !state.closed {
            state.notes.push(gone);
        }
        !state.closed
    }

    /// A module that the store uses is gone.
    pub(crate) fn module_died(&self, number: ModuleNumber) {
        self.note(Gone::Module(number));
    }

    /// Forgets what is gone. On the store's thread.
    pub(crate) fn clean(&self) {
        let mut state = self.lock();
        let State { modules, debugger, notes, .. } = &mut *state;
        let mut removed = Vec::new();
        for gone in std::mem::take(notes) {
            match gone {
                Gone::Script(number, id) => {
                    let Some(used) = modules.get_mut(&number) else { continue };
                    if used.script.as_ref().is_some_and(|entry| entry.id == id) {
                        removed.extend(used.script.take());
                    }
                }
                Gone::Module(number) => removed.extend(modules.remove(&number).and_then(|used| used.script)),
            }
        }
        let debugger = debugger.clone();
        drop(state);
        if let Some(debugger) = debugger {
            for entry in removed.iter().filter(|entry| entry.announced) {
                callback::call(|| debugger.script_removed(entry.id));
            }
        }
    }

    /// Replaces the debugger. None of the scripts has been announced to the new one.
    fn replace_debugger(&self, debugger: Option<Arc<dyn DebuggerHook>>) {
        self.clean();
        let mut state = self.lock();
        let old = std::mem::replace(&mut state.debugger, debugger);
        for entry in state.modules.values_mut().filter_map(|used| used.script.as_mut()) {
            entry.announced = false;
        }
        drop(state);
        drop(old);
    }

    /// The store's scripts that live, oldest first.
    fn all(&self) -> Vec<Script> {
        let state = self.lock();
        let entries = state.modules.values().filter_map(|used| used.script.as_ref());
        let mut scripts: Vec<Script> = entries.filter_map(Entry::get).collect();
        drop(state);
        scripts.sort_by_key(Script::id);
        scripts
    }

    /// The store dies.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        let (modules, debugger) = (std::mem::take(&mut state.modules), state.debugger.take());
        state.notes = Vec::new();
        drop(state);
        let entries: Vec<Entry> = modules.into_values().filter_map(|used| used.script).collect();
        if let Some(debugger) = debugger {
            for entry in entries.iter().filter(|entry| entry.announced) {
                callback::call(|| debugger.script_removed(entry.id));
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engine {
    /// A store gets a module, which came from this URL, if that is known; gives the script that it has for it there. To be
    /// called with a store and a module of this engine.
    pub fn import_module(
        &self,
        store: &mut Store,
        module: &Arc<NativeModule>,
        url: Option<&Arc<str>>,
    ) -> Option<Script> {
        let registry = &self.service().registry;
        let record = registry.use_module(store, module, url, false);
        record.scripts.get_or_make(registry, &record, module)
    }

    /// The URL by which a store got a module first, if there was one.
    pub fn given_url(&self, store: &Store, module: &NativeModule) -> Option<Arc<str>> {
        registry::record_of(store)?.scripts.identity(attachment::of(module).number)?.url
    }

    /// The scripts of a store that live, oldest first.
    pub fn scripts(&self, store: &mut Store) -> Vec<Script> {
        let record = self.service().registry.record(store);
        record.scripts.clean();
        record.scripts.all()
    }

    /// Sets who is told of the scripts of a store, from now on and at once of those that are there: all that live, and one
    /// for each module that the store has an instance of.
    pub fn set_debugger(&self, store: &mut Store, debugger: Option<Arc<dyn DebuggerHook>>) {
        let registry = &self.service().registry;
        let record = registry.record(store);
        let attached = debugger.is_some();
        record.scripts.replace_debugger(debugger);
        if !attached {
            return;
        }
        for script in record.scripts.all() {
            record.scripts.announce(&script);
        }
        for (number, _) in record.scripts.used().into_iter().filter(|&(_, instance)| instance) {
            if let Some(module) = registry.natives(number).first() {
                record.scripts.get_or_make(registry, &record, module);
            }
        }
    }
}
