//! The registry of an engine: its modules, which store uses which of them, and who is told when one of them dies.
//!
//! 1. A module is entered when it is made ([`Registry::add`]), weakly, and gets a [`Registration`]. A variant of its code
//!    shares the registration and counts as the same module.
//! 2. A store *uses* a module from its first instance or import there. As long as nobody wants to know, nothing is
//!    written down: the store's instances say it all, and most stores never cost more. With the first import, listener,
//!    debugger or URL a store gets its [`StoreRecord`], which begins with the modules of its instances.
//!    From then on each use is entered ([`Registry::use_module`]); a second time nothing is done. Both sides write it down,
//!    the record first. Then the store's log is given the code that the module has, and its debugger the script.
//! 3. A module dies when its last handle goes, on any thread, in a listener or a task as well: `Registration::drop` takes it
//!    out, and without the lock tells its users' logs that the code is gone. What the store itself knows of it is forgotten
//!    on the store's own thread, by a task ([`StoreRecord::wake`]), or with the store.
//! 4. A script dies when its last handle goes, on any thread; the store's weak handle and the debugger's script go on the
//!    store's thread, as above. It holds its module, so it dies before it; the store may be gone by then.
//! 5. A store dies on the thread that drops it: its tasks are dropped unrun; then `Membership::drop` takes it from the
//!    users of its modules, closes its log (events that wait are dropped, and what they hold) and its scripts (the debugger
//!    hears that they are removed); then instances go, and with them modules that nobody else holds.
//! 6. The engine's part goes with the last of service, modules and stores: each holds the registry. Modules may survive
//!    the engine's last handle (a script holds one); stores do not. Debug builds check that nothing is left.
//!
//! Mid-compile: a job holds its module; what it makes for a module that nobody else holds dies with the job. Mid-GC: a
//! collection holds the modules that it looks at, so one may die on its thread, at step 3. Mid-log: events that wait hold
//! code and names, not modules.
//!
//! Invariant: a module of an instance in a store with a record is used by the store.
//! Invariant: a store is among the users of a module only while both live; so a record is reached through the registry only
//! while its store lives, or is at step 5 on another thread, when its log and scripts refuse what comes.
//! Invariant: no lock of this file, or of `log` and `scripts`, is held while a listener is called or a handle dropped that
//! may be the last.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use code::code::Code;
use code::native_module::NativeModule;
use runtime::foreground::Foreground;
use runtime::ids::StoreId;
use runtime::store::Store;

use crate::attachment;
use crate::events::{EventKind, Events, ModuleNumber, quietly};
use crate::log::{Identity, Log};
use crate::scripts::Scripts;
use crate::source::ModuleSource;
use crate::sync::{Mutex, MutexGuard, PoisonError};

#[cfg(test)]
mod tests;

/// The modules of an engine and the stores that use them.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    state: Mutex<State>,
    /// Logs that are on: those of stores, and the engine's.
    logging: AtomicUsize,
    /// The log of the engine as a whole, whose listeners hear of code on the thread that made it.
    pub(crate) log: Log,
    scripts: AtomicU64,
    events: Events,
}

#[derive(Debug, Default)]
struct State {
    modules: BTreeMap<ModuleNumber, Entry>,
    /// Records that stores have.
    stores: usize,
    /// Those whose log is on.
    logging: BTreeMap<StoreId, Arc<StoreRecord>>,
}

/// A module that lives.
#[derive(Debug)]
struct Entry {
    registration: Weak<Registration>,
    /// The module, then the variants of its code.
    natives: Vec<Weak<NativeModule>>,
    users: BTreeMap<StoreId, Arc<StoreRecord>>,
}

/// A module's place in the registry. Owned by the module and its variants; the last one to go leaves the registry.
#[derive(Debug)]
pub(crate) struct Registration {
    registry: Arc<Registry>,
    pub(crate) source: Arc<ModuleSource>,
}

/// What an engine knows of a store that somebody wants to know something about.
#[derive(Debug)]
pub(crate) struct StoreRecord {
    pub(crate) id: StoreId,
    foreground: Foreground,
    /// Is a task on its way that will look at log and scripts?
    woken: AtomicBool,
    pub(crate) log: Log,
    pub(crate) scripts: Scripts,
}

/// A store's place in the registry; the attachment of the store.
#[derive(Debug)]
struct Membership {
    registry: Arc<Registry>,
    record: Arc<StoreRecord>,
}

impl Registry {
    /// An empty registry that tells of its modules' deaths.
    pub(crate) fn new(events: Events) -> Registry {
        let mut registry = Registry::default();
        registry.events = events;
        registry
    }

    /// Enters a module, which has an attachment but no registration yet.
    pub(crate) fn add(self: &Arc<Self>, module: &Arc<NativeModule>) {
        let attachment = attachment::of(module);
        let number = attachment.number;
        let mut state = self.lock();
        let registration = match state.modules.get_mut(&number) {
            Some(entry) => {
                entry.natives.push(Arc::downgrade(module));
                entry.registration.upgrade()
            }
            None => None,
        };
        let registration = registration.unwrap_or_else(|| {
            let source = ModuleSource::new(number, Arc::clone(module.info()), module.wire_bytes().clone());
            let registration = Arc::new(Registration { registry: Arc::clone(self), source: Arc::new(source) });
            let natives = vec![Arc::downgrade(module)];
            let entry = Entry { registration: Arc::downgrade(&registration), natives, users: BTreeMap::new() };
            state.modules.insert(number, entry);
            registration
        });
        drop(state);
        attachment.set_registration(registration);
    }

    /// The modules that live now, variants apart.
    pub(crate) fn modules(&self) -> Vec<Arc<NativeModule>> {
        let state = self.lock();
        state.modules.values().flat_map(|entry| &entry.natives).filter_map(Weak::upgrade).collect()
    }

    /// A module that lives and its variants.
    pub(crate) fn natives(&self, number: ModuleNumber) -> Vec<Arc<NativeModule>> {
        let state = self.lock();
        state.modules.get(&number).into_iter().flat_map(|entry| &entry.natives).filter_map(Weak::upgrade).collect()
    }

    /// Stores with a record that use a module.
    #[cfg(test)]
    pub(crate) fn users(&self, number: ModuleNumber) -> usize {
        self.lock().modules.get(&number).map_or(0, |entry| entry.users.len())
    }

    /// What is known of a store, on whose thread this is.
    pub(crate) fn record(self: &Arc<Self>, store: &mut Store) -> Arc<StoreRecord> {
        if let Some(record) = record_of(store) {
            return Arc::clone(record);
        }
        let record = Arc::new(StoreRecord {
            id: store.id(),
            foreground: store.foreground().clone(),
            woken: AtomicBool::new(false),
            log: Log::default(),
            scripts: Scripts::default(),
        });
        self.lock().stores += 1;
        store.set_attachment(Box::new(Membership { registry: Arc::clone(self), record: Arc::clone(&record) }));
        for module in store.modules() {
            self.enter_use(&record, attachment::of(module).number, None, true);
        }
        record
    }

    /// A store uses a module from now on, which came from this URL, if that is known. `instance`: it has an instance of
    /// it, which keeps the module.
    pub(crate) fn use_module(
        self: &Arc<Self>,
        store: &mut Store,
        module: &Arc<NativeModule>,
        url: Option<&Arc<str>>,
        instance: bool,
    ) -> Arc<StoreRecord> {
        let record = self.record(store);
        let number = attachment::of(module).number;
        if self.enter_use(&record, number, url, instance) && record.log.is_on() {
            self.log_module(&record, number);
        }
        if instance && record.scripts.is_debugged() {
            record.scripts.get_or_make(self, &record, module);
        }
        record
    }

    /// Writes down on both sides that a store uses a module, and gives whether that is new.
    fn enter_use(
        &self,
        record: &Arc<StoreRecord>,
        number: ModuleNumber,
        url: Option<&Arc<str>>,
        instance: bool,
    ) -> bool {
        let new = record.scripts.note_use(number, url, instance);
        if new && let Some(entry) = self.lock().modules.get_mut(&number) {
            entry.users.insert(record.id, Arc::clone(record));
        }
        new
    }

    /// Gives a store's log all code of a module.
    pub(crate) fn log_module(&self, record: &Arc<StoreRecord>, number: ModuleNumber) {
        for native in self.natives(number) {
            let source = attachment::of(&native).registration().map(|registration| &registration.source);
            for code in native.all_code() {
                record.log.created(&code, source);
            }
        }
        record.wake();
    }

    /// Is any log on? Asked after code was published: a log that is turned on later finds that code in its module.
    pub(crate) fn is_logging(&self) -> bool {
        self.logging.load(Ordering::Acquire) > 0
    }

    /// A log was turned on: the engine's, or that of a store. To be followed by a look at the code that is there.
    pub(crate) fn log_on(&self, record: Option<&Arc<StoreRecord>>) {
        match record {
            Some(record) => {
                if self.lock().logging.insert(record.id, Arc::clone(record)).is_none() {
                    self.logging.fetch_add(1, Ordering::AcqRel);
                }
            }
            None => {
                self.logging.fetch_add(1, Ordering::AcqRel);
            }
        }
    }

    /// The log of a store was turned off.
    pub(crate) fn log_off(&self, record: &StoreRecord) {
        let removed = self.lock().logging.remove(&record.id);
        if removed.is_some() {
            self.logging.fetch_sub(1, Ordering::AcqRel);
        }
    }

    /// Tells the logs of those who use its module of code that was published just now.
    pub(crate) fn code_created(&self, module: &Arc<NativeModule>, code: &Arc<Code>) {
        // The loser of a race, or flushed and freed since.
        if !self.is_logging() || !module.owns(code) {
            return;
        }
        let attachment = attachment::of(module);
        let source = attachment.registration().map(|registration| &registration.source);
        for record in self.logging_users(attachment.number) {
            if record.log.created(code, source) {
                record.wake();
            }
        }
        if self.log.created(code, source) {
            self.log.deliver(|number| self.identity(number));
        }
        if !module.owns(code) {
            // Freed in between, when the logs did not know of it yet, perhaps.
            self.code_freed(std::slice::from_ref(code));
        }
    }

    /// Tells all logs of a stub.
    pub(crate) fn stub_created(&self, stub: &Arc<Code>) {
        if !self.is_logging() {
            return;
        }
        for record in self.logging_stores() {
            if record.log.created(stub, None) {
                record.wake();
            }
        }
        if self.log.created(stub, None) {
            self.log.deliver(|_| None);
        }
    }

    /// Tells the logs that know of it that code is about to be freed. Nothing leads to it, and its module has given it up.
    pub(crate) fn code_freed(&self, garbage: &[Arc<Code>]) {
        if !self.is_logging() {
            return;
        }
        for record in self.logging_stores() {
            if record.log.freed(garbage) {
                record.wake();
            }
        }
        if self.log.freed(garbage) {
            self.log.deliver(|_| None);
        }
    }

    /// What the engine's own log says of a module: the URL of the oldest of the stores that were given one. Who listens to
    /// the engine listens to all its stores.
    fn identity(&self, number: ModuleNumber) -> Option<Identity> {
        let users: Vec<_> = self.lock().modules.get(&number)?.users.values().map(Arc::clone).collect();
        let url = users.iter().find_map(|record| record.scripts.identity(number)?.url)?;
        Some(Identity { script: None, url: Some(url) })
    }

    /// The number of the next script.
    pub(crate) fn next_script(&self) -> u64 {
        self.scripts.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn logging_users(&self, number: ModuleNumber) -> Vec<Arc<StoreRecord>> {
        let state = self.lock();
        let users = state.modules.get(&number).into_iter().flat_map(|entry| entry.users.values());
        users.filter(|record| record.log.is_on()).map(Arc::clone).collect()
    }

    fn logging_stores(&self) -> Vec<Arc<StoreRecord>> {
        self.lock().logging.values().map(Arc::clone).collect()
    }

    fn remove_module(&self, number: ModuleNumber) {
        let entry = self.lock().modules.remove(&number);
        for record in entry.iter().flat_map(|entry| entry.users.values()) {
            record.log.module_freed(number);
            record.scripts.module_died(number);
            record.wake();
        }
        if self.log.module_freed(number) {
            self.log.deliver(|_| None);
        }
        quietly(|| self.events.mark(Some(number), EventKind::ModuleDropped));
    }

    fn remove_store(&self, record: &Arc<StoreRecord>) {
        let used = record.scripts.used();
        let mut state = self.lock();
        for (number, _) in used {
            if let Some(entry) = state.modules.get_mut(&number) {
                // The store holds the record, so this is not the last handle.
                entry.users.remove(&record.id);
            }
        }
        state.stores -= 1;
        drop(state);
        self.log_off(record);
        drop(record.log.set(Vec::new()));
        record.scripts.close();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is known of a store, if anything is.
pub(crate) fn record_of(store: &Store) -> Option<&Arc<StoreRecord>> {
    Some(&store.attachment()?.downcast_ref::<Membership>()?.record)
}

impl StoreRecord {
    /// Has log and scripts looked at on the store's thread, soon.
    pub(crate) fn wake(self: &Arc<Self>) {
        if self.woken.swap(true, Ordering::AcqRel) {
            return;
        }
        let record = Arc::downgrade(self);
        let task = move |_: *mut Store| {
            if let Some(record) = record.upgrade() {
                record.look();
            }
            Ok(())
        };
        // If the store is gone, so is who would be told.
        drop(self.foreground.post_internal(Box::new(task)));
    }

    /// Does what waits for the store's thread, which this is.
    fn look(&self) {
        // First, so that what comes from now on wakes again.
        self.woken.store(false, Ordering::Release);
        self.scripts.clean();
        self.log.deliver(|number| self.scripts.identity(number));
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.registry.remove_module(self.source.number());
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.registry.remove_store(&self.record);
    }
}

#[cfg(debug_assertions)]
impl Drop for Registry {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        if !std::thread::panicking() {
            assert!(state.modules.is_empty(), "an engine has gone, and left modules behind: {:?}", state.modules);
            assert!(state.stores == 0 && state.logging.is_empty(), "an engine has gone, and left stores behind");
        }
    }
}
