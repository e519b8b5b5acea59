//! The module cache: the same bytes, compiled again while the first module lives, give the first module.
//!
//! `cache::entries` tells the protocol. Here is what it is used with: a module's key is its prefix hash, the proposals that
//! are on, the compile-time imports and all its bytes. Bytes at the same address are known to be equal; others are compared
//! if all the rest is equal, so a hit costs a comparison and copies nothing. Only among several modules that agree in all
//! the rest are bytes hashed ([`Fingerprint`]).
//!
//! A module whose sections are malformed has no prefix hash and is not looked up: it will not decode.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use code::native_module::NativeModule;
use wasm::compile_imports::CompileTimeImports;
use wasm::decode::prefix_hash::{self, PrefixHash};
use wasm::features::Features;

use crate::attachment;
use crate::callback;
use crate::compile::source::Source;
use crate::module::WireBytes;

mod entries;
mod fingerprint;
#[cfg(test)]
mod tests;

use entries::{Claim, Claimed, Entries, Found, Place, PrefixClaim, Published, Query, Seen, Waiter};
use fingerprint::Fingerprint;

/// The module cache of an engine.
pub(crate) struct ModuleCache {
    /// None if the configuration does without.
    entries: Option<Arc<Entries<Key, NativeModule>>>,
    features: Features,
    counts: Counts,
}

#[derive(Debug, Default)]
struct Counts {
    hits: AtomicU64,
    misses: AtomicU64,
    waits: AtomicU64,
    conflicts: AtomicU64,
}

/// What a module cache has done so far, and has now.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CacheStatistics {
    /// Modules that were there when they were asked for.
    pub hits: u64,
    /// Modules that had to be made.
    pub misses: u64,
    /// Requests that waited, or are waiting, for a module that was being made.
    pub waits: u64,
    /// Modules that were made and dropped, as another request had made the same meanwhile.
    pub conflicts: u64,
    /// Finished modules that are in the cache.
    pub entries: usize,
    /// Modules that are being made for the cache.
    pub building: usize,
    /// Streams that will give the cache a module.
    pub streams: usize,
}

/// What makes two modules the same.
#[derive(Clone)]
struct Key {
    prefix: PrefixHash,
    features: Features,
    imports: CompileTimeImports,
    bytes: WireBytes,
    fingerprint: Fingerprint,
}

impl Query<Key> for Key {
    fn prefix(&self) -> u64 {
        self.prefix.0
    }

    fn quick(&self, key: &Key) -> Option<bool> {
        self.view().quick(key)
    }

    fn equals(&self, key: &Key) -> bool {
        self.view().equals(key)
    }

    fn is_hashed(&self) -> bool {
        self.fingerprint.is_known()
    }

    fn hash(&self) {
        self.fingerprint.make(&self.bytes);
    }
}

impl Key {
    fn view(&self) -> View<'_> {
        let Key { prefix, features, imports, bytes, fingerprint } = self;
        View { prefix: *prefix, features, imports, bytes, fingerprint }
    }
}

/// A key whose bytes are still the caller's.
struct View<'a> {
    prefix: PrefixHash,
    features: &'a Features,
    imports: &'a CompileTimeImports,
    bytes: &'a [u8],
    fingerprint: &'a Fingerprint,
}

impl Query<Key> for View<'_> {
    fn prefix(&self) -> u64 {
        self.prefix.0
    }

    fn quick(&self, key: &Key) -> Option<bool> {
        if self.bytes.len() != key.bytes.len() || self.features != &key.features || self.imports != &key.imports {
            return Some(false);
        }
        if std::ptr::eq(self.bytes, &*key.bytes) {
            return Some(true);
        }
        self.fingerprint.differs(&key.fingerprint).then_some(false)
    }

    fn equals(&self, key: &Key) -> bool {
        self.quick(key).unwrap_or_else(|| *self.bytes == *key.bytes)
    }

    fn is_hashed(&self) -> bool {
        self.fingerprint.is_known()
    }

    fn hash(&self) {
        self.fingerprint.make(self.bytes);
    }
}

/// A module to be looked up: its bytes, what its compilation answers of its imports, and what was found out of it.
pub(crate) struct Wanted<'a> {
    source: Source<'a>,
    imports: CompileTimeImports,
    prefix: Option<PrefixHash>,
    fingerprint: Fingerprint,
    seen: Seen,
}

impl<'a> Wanted<'a> {
    pub(crate) fn new(source: Source<'a>, imports: CompileTimeImports) -> Wanted<'a> {
        let prefix = prefix_hash::of_module(&source);
        Wanted { source, imports, prefix, fingerprint: Fingerprint::default(), seen: Seen::default() }
    }
}

/// What to do about a wanted module.
pub(crate) enum Step<'cache> {
    /// Take this one.
    Ready(Arc<NativeModule>),
    /// Somebody is making it: [wait](ModuleCache::wait), or be [told](ModuleCache::when_done), and ask again.
    Building(Place),
    /// Make it.
    Make(Maker<'cache>),
}

/// The right, and the duty, to make a module. Dropping it says that this failed.
pub(crate) struct Maker<'cache> {
    cache: &'cache ModuleCache,
    /// None if the module is for nobody else.
    claim: Option<Claim<'cache, Key, NativeModule>>,
    bytes: WireBytes,
    imports: CompileTimeImports,
}

impl Maker<'_> {
    /// The bytes to make it from.
    pub(crate) fn bytes(&self) -> &WireBytes {
        &self.bytes
    }

    /// Does the cache get the module, and who wants it wait?
    pub(crate) fn is_for_the_cache(&self) -> bool {
        self.claim.is_some()
    }

    /// What its compilation answers of its imports.
    pub(crate) fn imports(&self) -> &CompileTimeImports {
        &self.imports
    }

    /// Puts the module into the cache. Gives the module to be used, which may be another one.
    pub(crate) fn publish(self, module: Arc<NativeModule>) -> Arc<NativeModule> {
        match self.claim {
            Some(claim) => self.cache.published(claim.publish(module)),
            None => module,
        }
    }
}

/// The right of a stream to make the module with its prefix. Dropping it says that the stream ended without one.
pub struct StreamClaim {
    cache: Arc<ModuleCache>,
    prefix: PrefixHash,
    claim: PrefixClaim<Key, NativeModule>,
}

impl fmt::Debug for StreamClaim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamClaim").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

impl StreamClaim {
    /// Puts the stream's module into the cache. Gives the module to be used, which is another one if somebody else has made
    /// the same meanwhile.
    pub(crate) fn publish(self, imports: CompileTimeImports, module: Arc<NativeModule>) -> Arc<NativeModule> {
        let StreamClaim { cache, prefix, claim } = self;
        let (bytes, fingerprint) = (module.wire_bytes().clone(), Fingerprint::default());
        let key = Key { prefix, features: cache.features, imports, bytes, fingerprint };
        cache.published(claim.publish(key, module))
    }
}

/// A module's place in the cache, which it leaves when it dies.
pub(crate) struct Cached {
    entries: Arc<Entries<Key, NativeModule>>,
    place: Place,
}

impl fmt::Debug for Cached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cached").field("place", &self.place).finish_non_exhaustive()
    }
}

impl Drop for Cached {
    fn drop(&mut self) {
        self.entries.erase(self.place);
    }
}

impl fmt::Debug for ModuleCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModuleCache").field("statistics", &self.statistics()).finish_non_exhaustive()
    }
}

impl ModuleCache {
    /// An empty cache of modules with these proposals, or one that never has anything.
    pub(crate) fn new(enabled: bool, features: Features) -> ModuleCache {
        let entries = enabled.then(|| Arc::new(Entries::new()));
        ModuleCache { entries, features, counts: Counts::default() }
    }

    /// What to do about a module now. Copies its bytes if it has to be made. Who asks within a callback is never told to wait
    /// (`crate::callback`).
    pub(crate) fn step(&self, wanted: &mut Wanted<'_>) -> Step<'_> {
        let (Some(entries), Some(prefix)) = (&self.entries, wanted.prefix) else {
            return self.aside(wanted);
        };
        let Wanted { source, imports, fingerprint, seen, .. } = wanted;
        let view = View { prefix, features: &self.features, imports, bytes: source, fingerprint };
        match entries.look(&view, seen) {
            Found::Ready(module) => return self.hit(module),
            Found::Building(_) if callback::is_within() => return self.aside(wanted),
            Found::Building(place) => return Step::Building(place),
            Found::Absent => {}
        }
        let (bytes, imports) = (source.own().clone(), imports.clone());
        let (features, fingerprint) = (self.features, fingerprint.clone());
        let key = Key { prefix, features, imports: imports.clone(), bytes: bytes.clone(), fingerprint };
        match entries.claim(key, seen) {
            Claimed::Ready(module) => self.hit(module),
            Claimed::Building(_) if callback::is_within() => self.aside(wanted),
            Claimed::Building(place) => Step::Building(place),
            Claimed::Mine(claim) => {
                self.counts.misses.fetch_add(1, Ordering::Relaxed);
                Step::Make(Maker { cache: self, claim: Some(claim), bytes, imports })
            }
        }
    }

    /// The module is to be made, for nobody else.
    fn aside(&self, wanted: &mut Wanted<'_>) -> Step<'_> {
        let (bytes, imports) = (wanted.source.own().clone(), wanted.imports.clone());
        Step::Make(Maker { cache: self, claim: None, bytes, imports })
    }

    fn hit(&self, module: Arc<NativeModule>) -> Step<'_> {
        self.counts.hits.fetch_add(1, Ordering::Relaxed);
        Step::Ready(module)
    }

    /// Waits until the module at this place is made or given up. Not for threads of the pool.
    pub(crate) fn wait(&self, place: Place) {
        if let Some(entries) = &self.entries {
            self.counts.waits.fetch_add(1, Ordering::Relaxed);
            entries.wait(place);
        }
    }

    /// Has `waiter` called when the module at this place is made or given up. False if that is so already.
    pub(crate) fn when_done(&self, place: Place, waiter: Waiter) -> bool {
        let waits = self.entries.as_ref().is_some_and(|entries| entries.when_done(place, waiter));
        self.counts.waits.fetch_add(u64::from(waits), Ordering::Relaxed);
        waits
    }

    /// Lets a stream make the module with its prefix, unless there is one, or one is being made: then it is probably the
    /// same, and the stream is better collected and looked up as a whole. None without a cache, too.
    pub(crate) fn claim_prefix(self: &Arc<Self>, prefix: PrefixHash) -> Option<StreamClaim> {
        let claim = self.entries.as_ref()?.claim_prefix(prefix.0)?;
        self.counts.misses.fetch_add(1, Ordering::Relaxed);
        Some(StreamClaim { cache: Arc::clone(self), prefix, claim })
    }

    pub(crate) fn statistics(&self) -> CacheStatistics {
        let (entries, building, streams) = self.entries.as_ref().map_or((0, 0, 0), |entries| entries.len());
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let Counts { hits, misses, waits, conflicts } = &self.counts;
        CacheStatistics {
            hits: read(hits),
            misses: read(misses),
            waits: read(waits),
            conflicts: read(conflicts),
            entries,
            building,
            streams,
        }
    }

    fn published(&self, published: Published<NativeModule>) -> Arc<NativeModule> {
        match published {
            Published::Ours(module, place) => {
                if let Some(entries) = &self.entries {
                    attachment::of(&module).enter_cache(Cached { entries: Arc::clone(entries), place });
                }
                module
            }
            Published::Theirs(winner) => {
                self.counts.conflicts.fetch_add(1, Ordering::Relaxed);
                winner
            }
        }
    }
}
