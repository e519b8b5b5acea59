//! The protocol of the module cache: who makes a module, who waits for it, who takes what another has made.
//!
//! 1. [`Entries::look`] finds the entry of a key: a finished module, or somebody who is *building* it, or nothing.
//! 2. Who finds nothing [claims](Entries::claim) the key, and is its only builder until it [publishes](Claim::publish) a
//!    module or drops the claim, having failed. A claim is held only while a thread is at the work, never by a task that
//!    waits for its turn. So waiting for a builder is waiting for a thread that runs.
//! 3. Who finds a builder waits, by [`Entries::wait`] or by a callback ([`Entries::when_done`]), and then looks again. If
//!    the builder failed, all who waited look again; one of them gets the claim, and the others wait for that one.
//! 4. A stream does not know its key before its last byte, and may never get there. It owns a *prefix* instead
//!    ([`Entries::claim_prefix`]), unless there is any entry with that prefix, which is probably the same module. Nobody
//!    ever waits for a stream. When it is done it publishes like a builder.
//! 5. So two may make the same module. The first to publish wins: its module becomes the entry's, whoever waits gets it,
//!    and the other takes the winner's module and drops its own.
//! 6. An entry holds its module weakly. The module's death [erases](Entries::erase) the entry; who looks between the two
//!    takes the entry's place. An entry never changes its number, and a new one has another, so a death erases nothing
//!    that came after it.
//!
//! Keys are whole modules, and there may be many that differ in their last bytes only. So [`Entries::locate`] compares one
//! key with one entry's, without the lock, and when it is left with several entries it has them, and the key, *hashed*
//! instead, each once in its life. Then at most one is left, but for chance. What a request has compared it notes in its
//! [`Seen`], so that it compares nothing twice, as `look` and `claim` would. One entry that equals the key costs one
//! comparison and no hash. Each look goes through the entries of its prefix, at some nanoseconds an entry.
//!
//! Invariant: no two entries have equal keys. Invariant: while the lock is held no key is compared or dropped, no module is
//! dropped, and no callback is called.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Weak};

use crate::foreign;
use crate::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// What an entry is looked up by.
pub(crate) trait Query<K> {
    /// What equal keys have in common; cheap to compare.
    fn prefix(&self) -> u64;
    /// Can it be equal to `key`, as far as that can be said at once? `None` if they have to be compared. If both are
    /// hashed, that is by chance for keys that differ.
    fn quick(&self, key: &K) -> Option<bool>;
    /// Is it equal to `key`?
    fn equals(&self, key: &K) -> bool;
    /// Has it, or a clone of it, been [hashed](Query::hash)?
    fn is_hashed(&self) -> bool;
    /// Reads all of it, once in the life of it and its clones, so that `quick` can tell it from others.
    fn hash(&self);
}

/// Entries whose keys are not that of a request, as far as it has found out. They stay so: no place is used twice.
#[derive(Debug, Default)]
pub(crate) struct Seen(Vec<Place>);

/// Called when a builder is done, however it went. Must not look into the cache itself. One that panics harms nobody else.
pub(crate) type Waiter = Box<dyn FnOnce() + Send>;

/// The place of an entry: its prefix, and its number among all entries ever.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Place {
    prefix: u64,
    number: u64,
}

/// What there is for a key.
#[derive(Debug)]
pub(crate) enum Found<M> {
    /// A finished module.
    Ready(Arc<M>),
    /// Somebody is making it.
    Building(Place),
    /// Nothing.
    Absent,
}

/// What [`Entries::claim`] gives.
pub(crate) enum Claimed<'cache, K: Query<K> + Clone, M> {
    /// The caller is the builder.
    Mine(Claim<'cache, K, M>),
    /// Somebody was faster: a finished module.
    Ready(Arc<M>),
    /// Somebody was faster and is making it.
    Building(Place),
}

/// A module that is in the cache.
pub(crate) enum Published<M> {
    /// The one that was published, at this place, to be [erased](Entries::erase) when it dies.
    Ours(Arc<M>, Place),
    /// Another, which came first.
    Theirs(Arc<M>),
}

/// Which entries a key may be that of.
enum Candidates<K> {
    /// None.
    None,
    /// It is that of this one.
    Equal(Place),
    /// It has to be compared with this one's.
    Compare(Place, K),
    /// Several. It has to be hashed, and these as well.
    Hash(Vec<K>),
}

/// All entries.
pub(crate) struct Entries<K, M> {
    state: Mutex<State<K, M>>,
    /// Signalled when a builder is done.
    done: Condvar,
}

struct State<K, M> {
    made: u64,
    entries: BTreeMap<Place, Entry<K, M>>,
    /// Prefixes that streams own.
    streams: HashSet<u64>,
}

struct Entry<K, M> {
    key: K,
    slot: Slot<M>,
}

enum Slot<M> {
    /// Someone holds the claim; these want to know when that ends.
    Building(Vec<Waiter>),
    /// Finished; dead if its erasure is under way.
    Ready(Weak<M>),
}

impl<K: Query<K> + Clone, M> Entries<K, M> {
    pub(crate) fn new() -> Entries<K, M> {
        let state = State { made: 0, entries: BTreeMap::new(), streams: HashSet::new() };
        Entries { state: Mutex::new(state), done: Condvar::new() }
    }

    /// What there is for a key.
    pub(crate) fn look(&self, query: &impl Query<K>, seen: &mut Seen) -> Found<M> {
        let (state, place) = self.locate(query, seen);
        place.map_or(Found::Absent, |place| state.found(place))
    }

    /// Makes the caller the builder of a key, unless somebody was faster.
    pub(crate) fn claim(&self, key: K, seen: &mut Seen) -> Claimed<'_, K, M> {
        let (mut state, known) = self.locate(&key, seen);
        match known.map_or(Found::Absent, |place| state.found(place)) {
            Found::Ready(module) => Claimed::Ready(module),
            Found::Building(place) => Claimed::Building(place),
            Found::Absent => {
                let dead = known.and_then(|place| state.entries.remove(&place));
                let place = state.insert(key.clone(), Slot::Building(Vec::new()));
                drop(state);
                drop(dead);
                Claimed::Mine(Claim { entries: self, key, place, open: true })
            }
        }
    }

    /// Waits until the builder at this place is done. Then look again.
    pub(crate) fn wait(&self, place: Place) {
        let mut state = self.lock();
        while state.is_building(place) {
            state = self.done.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Has `waiter` called once the builder at this place is done. False if it is done already: then look again.
    pub(crate) fn when_done(&self, place: Place, waiter: Waiter) -> bool {
        let mut state = self.lock();
        if let Some(Entry { slot: Slot::Building(waiters), .. }) = state.entries.get_mut(&place) {
            waiters.push(waiter);
            return true;
        }
        drop(state);
        drop(waiter);
        false
    }

    /// Makes the caller the owner of a prefix, unless there is an entry with it or another owner.
    pub(crate) fn claim_prefix(self: &Arc<Self>, prefix: u64) -> Option<PrefixClaim<K, M>> {
        let mut state = self.lock();
        if state.any(prefix) || !state.streams.insert(prefix) {
            return None;
        }
        Some(PrefixClaim { entries: Arc::clone(self), prefix })
    }

    /// The module at this place has died.
    pub(crate) fn erase(&self, place: Place) {
        let entry = self.lock().entries.remove(&place);
        drop(entry);
    }

    /// Finished entries, builders, and prefixes that streams own.
    pub(crate) fn len(&self) -> (usize, usize, usize) {
        let state = self.lock();
        let building = state.entries.values().filter(|entry| matches!(entry.slot, Slot::Building(_))).count();
        (state.entries.len() - building, building, state.streams.len())
    }

    /// Publishes a module that has no entry, as far as is known.
    fn install(&self, key: K, module: Arc<M>) -> Published<M> {
        let (mut state, known) = self.locate(&key, &mut Seen::default());
        if let Some(Found::Ready(winner)) = known.map(|place| state.found(place)) {
            drop(state);
            return Published::Theirs(winner);
        }
        // Dead, or a builder that is slower than we.
        let old = known.and_then(|place| state.entries.remove(&place));
        let place = state.insert(key, Slot::Ready(Arc::downgrade(&module)));
        drop(state);
        self.tell(old);
        Published::Ours(module, place)
    }

    /// Tells who waited for an entry that its builder is done.
    fn tell(&self, old: Option<Entry<K, M>>) {
        let Some(Entry { key, slot }) = old else { return };
        drop(key);
        if let Slot::Building(waiters) = slot {
            self.done.notify_all();
            call_all(waiters);
        }
    }

    /// The place of the entry with this key, if there is one, with the lock under which that is so.
    fn locate(&self, query: &impl Query<K>, seen: &mut Seen) -> (MutexGuard<'_, State<K, M>>, Option<Place>) {
        loop {
            let state = self.lock();
            let (place, key) = match state.candidates(query, seen) {
                Candidates::None => return (state, None),
                Candidates::Equal(place) => return (state, Some(place)),
                Candidates::Compare(place, key) => (place, key),
                Candidates::Hash(keys) => {
                    drop(state);
                    query.hash();
                    keys.iter().for_each(K::hash);
                    continue;
                }
            };
            drop(state);
            let equal = query.equals(&key);
            drop(key);
            if !equal {
                seen.0.push(place);
                continue;
            }
            let state = self.lock();
            if state.entries.contains_key(&place) {
                return (state, Some(place));
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<K, M>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Calls those who waited, each whatever becomes of the others.
fn call_all(waiters: Vec<Waiter>) {
    for waiter in waiters {
        foreign::call(waiter);
    }
}

impl<K, M> State<K, M> {
    fn of_prefix(&self, prefix: u64) -> impl Iterator<Item = (&Place, &Entry<K, M>)> {
        self.entries.range(Place { prefix, number: 0 }..=Place { prefix, number: u64::MAX })
    }

    /// Is there an entry with this prefix that is not dead?
    fn any(&self, prefix: u64) -> bool {
        self.of_prefix(prefix).any(|(_, entry)| match &entry.slot {
            Slot::Building(_) => true,
            Slot::Ready(module) => module.strong_count() > 0,
        })
    }

    fn found(&self, place: Place) -> Found<M> {
        match self.entries.get(&place).map(|entry| &entry.slot) {
            Some(Slot::Building(_)) => Found::Building(place),
            Some(Slot::Ready(module)) => module.upgrade().map_or(Found::Absent, Found::Ready),
            None => Found::Absent,
        }
    }

    fn is_building(&self, place: Place) -> bool {
        matches!(self.entries.get(&place), Some(Entry { slot: Slot::Building(_), .. }))
    }
}

impl<K: Query<K> + Clone, M> State<K, M> {
    /// The entries that may have this key, those apart that a request has seen.
    fn candidates(&self, query: &impl Query<K>, seen: &Seen) -> Candidates<K> {
        let mut open = Vec::new();
        for (&place, Entry { key, .. }) in self.of_prefix(query.prefix()) {
            match query.quick(key) {
                Some(true) => return Candidates::Equal(place),
                None if !seen.0.contains(&place) => open.push((place, key)),
                Some(false) | None => {}
            }
        }
        match &*open {
            [] => Candidates::None,
            &[(place, key)] => Candidates::Compare(place, key.clone()),
            &[(place, first), ..] => {
                let fresh: Vec<K> =
                    open.iter().filter(|(_, key)| !key.is_hashed()).map(|&(_, key)| key.clone()).collect();
                match fresh.is_empty() && query.is_hashed() {
                    true => Candidates::Compare(place, first.clone()),
                    false => Candidates::Hash(fresh),
                }
            }
        }
    }

    fn insert(&mut self, key: K, slot: Slot<M>) -> Place {
        let place = Place { prefix: key.prefix(), number: self.made };
        self.made += 1;
        self.entries.insert(place, Entry { key, slot });
        place
    }
}

/// The right, and the duty, to make the module of a key. Dropping it says that this failed.
pub(crate) struct Claim<'cache, K: Query<K> + Clone, M> {
    entries: &'cache Entries<K, M>,
    key: K,
    place: Place,
    open: bool,
}

impl<K: Query<K> + Clone, M> Claim<'_, K, M> {
    /// Puts the module into the cache, unless a stream that made the same was faster.
    pub(crate) fn publish(mut self, module: Arc<M>) -> Published<M> {
        self.open = false;
        let mut state = self.entries.lock();
        let Some(entry) = state.entries.get_mut(&self.place) else {
            drop(state);
            return self.entries.install(self.key.clone(), module);
        };
        let slot = std::mem::replace(&mut entry.slot, Slot::Ready(Arc::downgrade(&module)));
        drop(state);
        self.entries.done.notify_all();
        if let Slot::Building(waiters) = slot {
            call_all(waiters);
        }
        Published::Ours(module, self.place)
    }
}

impl<K: Query<K> + Clone, M> Drop for Claim<'_, K, M> {
    fn drop(&mut self) {
        if self.open {
            let entry = self.entries.lock().entries.remove(&self.place);
            self.entries.tell(entry);
        }
    }
}

/// The right to make the module that starts with a prefix, for a stream. Dropping it says that the stream ended without one.
pub(crate) struct PrefixClaim<K: Query<K> + Clone, M> {
    entries: Arc<Entries<K, M>>,
    prefix: u64,
}

impl<K: Query<K> + Clone, M> PrefixClaim<K, M> {
    /// Puts the module into the cache, unless somebody who made the same was faster.
    pub(crate) fn publish(self, key: K, module: Arc<M>) -> Published<M> {
        debug_assert_eq!(key.prefix(), self.prefix, "a stream's module has another prefix than the stream");
        self.entries.install(key, module)
    }
}

impl<K: Query<K> + Clone, M> Drop for PrefixClaim<K, M> {
    fn drop(&mut self) {
        self.entries.lock().streams.remove(&self.prefix);
    }
}
