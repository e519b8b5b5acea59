//! The log of code: who wants to know which machine code there is, and where, hears of it; profilers above all.
//!
//! A log belongs to a store, and its listener is called on the store's thread; the engine has one besides, whose listeners
//! are called on a thread that made code, as a rule the one that made this.
//!
//! 1. Code was published: `Registry::code_created` asks one counter whether any log is on. If so, the engine's log and those
//!    of the stores that use the module get an entry, under the log's lock; the first one wakes the store.
//! 2. [`Log::deliver`] takes what waits and calls the listener, entry by entry, without the lock; each entry is dropped
//!    right after, and with it the handle that kept the code. One thread at a time delivers, so the order is kept.
//! 3. A log is turned on later ([`Log::set`]), or its store starts to use another module: it gets all code of its modules,
//!    retired code too, and all stubs.
//! 4. Code is freed, or its module dies: the logs that know of it get an entry that says so.
//!
//! Exactly once: a log keeps what it was told of (`told`), by address, with a weak handle, which is what identity means
//! here: the address may be used again, the handle's never as long as it is held. Code that is published while the log is
//! being turned on is seen by the publisher's look at the counter, by step 3, or by both. If entries about the freeing get
//! lost to a race, the next code at that address brings one.
//!
//! Accepted: code that waits in a log stays in memory until it is delivered or the store dies. A store that is never
//! polled keeps its log growing by all code that its modules get.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::fmt::Debug;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use abi::tier::Tier;
use code::code::{Code, CodeKind};
use runtime::store::Store;

use crate::callback;
use crate::engine::Engine;
use crate::events::ModuleNumber;
use crate::registry::Registry;
use crate::scripts::ScriptId;
use crate::source::ModuleSource;
use crate::sync::{Mutex, MutexGuard, PoisonError};

mod files;
pub mod jitdump;
pub mod perf_map;
#[cfg(test)]
mod tests;

/// Who is told of machine code. What panics in it goes no further.
///
/// It may use the engine, and stores that are not in use: make modules and instances, call Wasm, drop and free code. It is told
/// of the code that leads to as well, afterwards; so modules that it makes are compiled when they are called, whatever the
/// strategy. It is called while code is made, by the thread that makes it and by those of the pool; so a module that is
/// just being made is not waited for: who asks for the same bytes gets a module of its own. It must not wait for other
/// threads that use the engine.
pub trait CodeListener: Send + Sync + Debug {
    /// There is code. It stays where it is until [`CodeListener::code_freed`].
    fn code_created(&self, code: &CreatedCode<'_>);

    /// Code that this listener was told of is no more, or will be in a moment.
    ///
    /// `address` is that of its first byte; other code may come to lie there afterwards.
    fn code_freed(&self, address: usize) {
        let _ = address;
    }
}

/// Machine code that there is now.
#[derive(Debug)]
pub struct CreatedCode<'a> {
    code: &'a Code,
    source: Option<&'a ModuleSource>,
    identity: Option<Identity>,
}

/// What a store knows of a module.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub(crate) script: Option<ScriptId>,
    /// Where the store, or one of the engine's, had it from, if that was said.
    pub(crate) url: Option<Arc<str>>,
}

impl CreatedCode<'_> {
    /// What it is called: the name of its function, or `wasm-function[INDEX]`; for stubs `wasm-entry-stub` and
    /// `wasm-exit-stub`.
    pub fn name(&self) -> Cow<'_, str> {
        match (self.code.kind(), self.function(), self.source) {
            (CodeKind::EntryStub, ..) => Cow::Borrowed("wasm-entry-stub"),
            (CodeKind::ExitStub, ..) => Cow::Borrowed("wasm-exit-stub"),
            (CodeKind::Function { .. }, Some(index), Some(source)) => source.function_name(index),
            (CodeKind::Function { function, .. }, ..) => Cow::Owned(format!("wasm-function[defined {}]", function.0)),
        }
    }

    /// The module; none for stubs, which belong to no module.
    pub fn module(&self) -> Option<ModuleNumber> {
        self.source.map(ModuleSource::number)
    }

    /// The script that the store has for the module, if it has one.
    pub fn script(&self) -> Option<ScriptId> {
        self.identity.as_ref()?.script
    }

    /// The index of its function, where imported functions come first; none for stubs.
    pub fn function(&self) -> Option<u32> {
        match self.code.kind() {
            CodeKind::Function { function, .. } => Some(self.source?.func_index(*function).0),
            CodeKind::EntryStub | CodeKind::ExitStub => None,
        }
    }

    /// The tier that made it; none for stubs.
    pub fn tier(&self) -> Option<Tier> {
        match self.code.kind() {
            CodeKind::Function { tier, .. } => Some(*tier),
            CodeKind::EntryStub | CodeKind::ExitStub => None,
        }
    }

    /// The offset in the module of the loop that it starts in, if it is an OSR entry.
    pub fn osr(&self) -> Option<u32> {
        match self.code.kind() {
            CodeKind::Function { osr, .. } => *osr,
            CodeKind::EntryStub | CodeKind::ExitStub => None,
        }
    }

    /// Address of its first byte.
    pub fn address(&self) -> usize {
        self.code.entry() as usize
    }

    /// The machine code.
    pub fn bytes(&self) -> &[u8] {
        self.code.bytes()
    }

    /// Where the module is from: the URL that the store was given, for the engine's listeners the first one that any of the
    /// stores was given; else the module's; none for stubs.
    pub fn source_url(&self) -> Option<&str> {
        let given = self.identity.as_ref().and_then(|identity| identity.url.as_ref());
        Some(given.unwrap_or(self.source?.url()))
    }

    /// Starts of runs of machine code that belong to one Wasm instruction: offset in [`CreatedCode::bytes`], and offset of
    /// the instruction in the module (none for prologues and the like). By ascending first offset; a run ends where the
    /// next begins. Where calls were inlined the instruction may be another function's.
    pub fn positions(&self) -> impl Iterator<Item = (u32, Option<u32>)> + '_ {
        self.code.positions().iter().map(|position| {
            let wasm_offset = position.wasm_offset;
            // `u32::MAX` is the offset of code that belongs to no instruction; no module is so large.
            (position.code_offset, (wasm_offset != u32::MAX).then_some(wasm_offset))
        })
    }
}

/// What a store's, or the engine's, listeners have been told and are to be told.
#[derive(Debug, Default)]
pub(crate) struct Log {
    /// Has the state a listener?
    on: AtomicBool,
    state: Mutex<State>,
}

/// The part under the lock.
#[derive(Debug, Default)]
pub(crate) struct State {
    listeners: Vec<Arc<dyn CodeListener>>,
    told: HashMap<usize, Told>,
    waiting: VecDeque<Entry>,
    /// A thread is delivering, and will look again before it stops.
    delivering: bool,
}

/// Code that the log has had an entry of.
#[derive(Debug)]
struct Told {
    code: Weak<Code>,
    module: Option<ModuleNumber>,
}

/// Something to be told.
#[derive(Debug)]
enum Entry {
    Created { code: Arc<Code>, source: Option<Arc<ModuleSource>> },
    Freed { address: usize },
}

impl Log {
    /// Is there a listener?
    pub(crate) fn is_on(&self) -> bool {
        self.on.load(Ordering::Acquire)
    }

    /// Sets the listeners, who have been told nothing. What comes back is to be dropped outside all locks.
    #[must_use]
    pub(crate) fn set(&self, listeners: Vec<Arc<dyn CodeListener>>) -> State {
        let mut state = self.lock();
        self.on.store(!listeners.is_empty(), Ordering::Release);
        let delivering = state.delivering;
        std::mem::replace(&mut *state, State { listeners, delivering, ..State::default() })
    }

    /// Enters code, unless the log has had it. Gives whether something waits now.
    pub(crate) fn created(&self, code: &Arc<Code>, source: Option<&Arc<ModuleSource>>) -> bool {
        let mut state = self.lock();
        if state.listeners.is_empty() {
            return false;
        }
        let address = code.entry() as usize;
        let told = Told { code: Arc::downgrade(code), module: source.map(|source| source.number()) };
        if let Some(old) = state.told.insert(address, told) {
            if std::ptr::eq(old.code.as_ptr(), Arc::as_ptr(code)) {
                return false;
            }
            state.waiting.push_back(Entry::Freed { address });
        }
        state.waiting.push_back(Entry::Created { code: Arc::clone(code), source: source.cloned() });
        true
    }

    /// Enters that code is freed, as far as the log knows of it. Gives whether something waits now.
    pub(crate) fn freed(&self, garbage: &[Arc<Code>]) -> bool {
        let mut state = self.lock();
        for code in garbage {
            let address = code.entry() as usize;
            let known = state.told.get(&address);
            if known.is_some_and(|told| std::ptr::eq(told.code.as_ptr(), Arc::as_ptr(code))) {
                state.told.remove(&address);
                state.waiting.push_back(Entry::Freed { address });
            }
        }
        !state.waiting.is_empty()
    }

    /// Enters that all code of a module is freed. Gives whether something waits now.
    pub(crate) fn module_freed(&self, number: ModuleNumber) -> bool {
        let mut state = self.lock();
        let State { told, waiting, .. } = &mut *state;
        let mut gone: Vec<usize> = told.extract_if(|_, told| told.module == Some(number)).map(|(at, _)| at).collect();
        gone.sort_unstable();
        waiting.extend(gone.into_iter().map(|address| Entry::Freed { address }));
        !waiting.is_empty()
    }

    /// Tells the listeners what waits, unless another thread is at it. `identify` says what a store knows of a module.
    pub(crate) fn deliver(&self, identify: impl Fn(ModuleNumber) -> Option<Identity>) {
        let mut state = self.lock();
        if state.delivering {
            return;
        }
        state.delivering = true;
        while !state.waiting.is_empty() {
            let batch = std::mem::take(&mut state.waiting);
            let listeners = state.listeners.clone();
            drop(state);
            for entry in batch {
                for listener in &listeners {
                    entry.tell(&**listener, &identify);
                }
            }
            drop(listeners);
            state = self.lock();
        }
        state.delivering = false;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    fn tell(&self, listener: &dyn CodeListener, identify: impl Fn(ModuleNumber) -> Option<Identity>) {
        match self {
            Entry::Created { code, source } => {
                let source = source.as_deref();
                let identity = source.and_then(|source| identify(source.number()));
                callback::call(|| listener.code_created(&CreatedCode { code, source, identity }));
            }
            Entry::Freed { address } => callback::call(|| listener.code_freed(*address)),
        }
    }
}

impl Engine {
    /// Sets who is told, on a store's thread, of the code of the modules that the store uses, and of stubs: of what there
    /// is now at the store's next poll, then of all that is made. It replaces another one.
    pub fn set_code_listener(&self, store: &mut Store, listener: Option<Arc<dyn CodeListener>>) {
        let registry = &self.service().registry;
        let record = registry.record(store);
        let on = listener.is_some();
        let old = record.log.set(listener.into_iter().collect());
        drop(old);
        if !on {
            registry.log_off(&record);
            return;
        }
        registry.log_on(Some(&record));
        for stub in self.service().stubs.all() {
            record.log.created(&stub, None);
        }
        for (number, _) in record.scripts.used() {
            registry.log_module(&record, number);
        }
        record.wake();
    }
}

/// Turns the engine's own log on, before there is code.
pub(crate) fn turn_on(registry: &Registry, listeners: Vec<Arc<dyn CodeListener>>) {
    if !listeners.is_empty() {
        drop(registry.log.set(listeners));
        registry.log_on(None);
    }
}
