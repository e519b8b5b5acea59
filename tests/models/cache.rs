//! The module cache: one builder at a time, nobody sleeps for ever, the first to finish wins, a death takes only its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use shuttle::sync::Mutex;
use shuttle::thread;

#[allow(dead_code, reason = "models use what they need")]
#[path = "../../crates/engine/src/cache/entries.rs"]
mod protocol;

use protocol::{Claimed, Entries, Found, Place, Published, Query, Seen};

/// A key: a prefix, and the rest, which may have been hashed.
#[derive(Clone, Debug)]
struct Key {
    prefix: u64,
    rest: u64,
    hashed: Arc<AtomicBool>,
}

impl Key {
    fn new(rest: u64) -> Key {
        Key { prefix: 1, rest, hashed: Arc::default() }
    }

    /// Two of the keys in use have the same.
    fn fingerprint(&self) -> Option<u64> {
        self.is_hashed().then_some(self.rest % 2)
    }
}

impl Query<Key> for Key {
    fn prefix(&self) -> u64 {
        self.prefix
    }

    fn quick(&self, key: &Key) -> Option<bool> {
        (self.fingerprint()? != key.fingerprint()?).then_some(false)
    }

    fn equals(&self, key: &Key) -> bool {
        // Keys are compared while others go on.
        thread::yield_now();
        self.rest == key.rest
    }

    fn is_hashed(&self) -> bool {
        self.hashed.load(Ordering::Relaxed)
    }

    fn hash(&self) {
        thread::yield_now();
        self.hashed.store(true, Ordering::Relaxed);
    }
}

type Cache = Arc<Entries<Key, Module>>;

/// A module, which leaves the cache when it dies.
struct Module {
    key: Key,
    cache: Cache,
    place: Mutex<Option<Place>>,
}

impl Drop for Module {
    fn drop(&mut self) {
        if let Some(place) = self.place.lock().unwrap().take() {
            self.cache.erase(place);
        }
    }
}

/// What is made in one run of a model.
#[derive(Default)]
struct World {
    /// Threads that are building, by the rest of the key.
    building: [AtomicUsize; 3],
    made: AtomicUsize,
    failed: AtomicUsize,
}

impl World {
    /// Makes a module, with others in between.
    fn make(&self, cache: &Cache, key: &Key) -> Arc<Module> {
        thread::yield_now();
        self.made.fetch_add(1, Ordering::Relaxed);
        Arc::new(Module { key: key.clone(), cache: Arc::clone(cache), place: Mutex::new(None) })
    }

    /// A builder's work: alone at its key.
    fn build(&self, cache: &Cache, key: &Key) -> Arc<Module> {
        let building = &self.building[key.rest as usize];
        assert_eq!(building.fetch_add(1, Ordering::Relaxed), 0, "two builders of one key");
        let module = self.make(cache, key);
        building.fetch_sub(1, Ordering::Relaxed);
        module
    }
}

fn published(published: Published<Module>) -> Arc<Module> {
    match published {
        Published::Ours(module, place) => {
            *module.place.lock().unwrap() = Some(place);
            module
        }
        Published::Theirs(module) => module,
    }
}

/// Gets a module as a synchronous compilation does; the first `failures` builders of the world fail.
fn get(world: &World, cache: &Cache, key: Key, failures: usize) -> Option<Arc<Module>> {
    let mut seen = Seen::default();
    loop {
        let place = match cache.look(&key, &mut seen) {
            Found::Ready(module) => return Some(module),
            Found::Building(place) => place,
            Found::Absent => match cache.claim(key.clone(), &mut seen) {
                Claimed::Ready(module) => return Some(module),
                Claimed::Building(place) => place,
                Claimed::Mine(claim) => {
                    let module = world.build(cache, &key);
                    if world.failed.fetch_add(1, Ordering::Relaxed) < failures {
                        return None;
                    }
                    return Some(published(claim.publish(module)));
                }
            },
        };
        cache.wait(place);
    }
}

/// Gets a module as an asynchronous compilation does: it never blocks, but is called back. The thread stands for the pool,
/// which runs the job again whenever it was called back.
fn get_async(world: &World, cache: &Cache, key: Key, failures: usize) -> Option<Arc<Module>> {
    let called = Arc::new((Mutex::new(false), shuttle::sync::Condvar::new()));
    let mut seen = Seen::default();
    loop {
        let place = match cache.claim(key.clone(), &mut seen) {
            Claimed::Ready(module) => return Some(module),
            Claimed::Mine(claim) => {
                let module = world.build(cache, &key);
                if world.failed.fetch_add(1, Ordering::Relaxed) < failures {
                    return None;
                }
                return Some(published(claim.publish(module)));
            }
            Claimed::Building(place) => place,
        };
        let waiter = Arc::clone(&called);
        let wake = move || {
            *waiter.0.lock().unwrap() = true;
            waiter.1.notify_all();
        };
        if cache.when_done(place, Box::new(wake)) {
            let mut woken = called.0.lock().unwrap();
            while !*woken {
                woken = called.1.wait(woken).unwrap();
            }
            *woken = false;
        }
    }
}

/// Gets a module as a stream does.
fn stream(world: &World, cache: &Cache, key: Key, ends: bool) -> Option<Arc<Module>> {
    let claim = cache.claim_prefix(key.prefix());
    thread::yield_now();
    if !ends {
        return None;
    }
    match claim {
        Some(claim) => {
            let module = world.make(cache, &key);
            Some(published(claim.publish(key, module)))
        }
        None => get(world, cache, key, 0),
    }
}

fn cache() -> Cache {
    Arc::new(Entries::new())
}

type Getter = fn(&World, &Cache) -> Option<Arc<Module>>;

/// Runs getters on threads of their own; gives the world and their modules.
fn together(cache: &Cache, getters: &[Getter]) -> (Arc<World>, Vec<Option<Arc<Module>>>) {
    let world = Arc::new(World::default());
    let threads: Vec<_> = getters
        .iter()
        .map(|&getter| {
            let (world, cache) = (Arc::clone(&world), Arc::clone(cache));
            thread::spawn(move || getter(&world, &cache))
        })
        .collect();
    let modules = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    (world, modules)
}

fn assert_all_same(modules: &[Option<Arc<Module>>]) {
    let mut there = modules.iter().flatten();
    let Some(first) = there.next() else { return };
    assert!(there.all(|module| Arc::ptr_eq(module, first)), "two modules of one key");
}

/// When all is dropped, nothing is left.
fn assert_empty(cache: &Cache) {
    assert_eq!(cache.len(), (0, 0, 0));
}

const KEY: u64 = 0;
const TWIN: u64 = 1;

#[test]
fn one_of_many_makes_the_module() {
    fn model() {
        let cache = cache();
        let sync: Getter = |world, cache| get(world, cache, Key::new(KEY), 0);
        let not: Getter = |world, cache| get_async(world, cache, Key::new(KEY), 0);
        let (world, modules) = together(&cache, &[sync, not, sync, not]);
        assert_all_same(&modules);
        assert_eq!(world.made.load(Ordering::Relaxed), 1);
        assert_eq!(cache.len(), (1, 0, 0));
        drop(modules);
        assert_empty(&cache);
    }
    super::check(model);
}

#[test]
fn every_schedule_of_two() {
    fn model() {
        let cache = cache();
        let (world, modules) = together(
            &cache,
            &[
                |world, cache| get(world, cache, Key::new(KEY), 1),
                |world, cache| get_async(world, cache, Key::new(KEY), 1),
            ],
        );
        // The failed one has nothing; the other has, whether it came before or after.
        assert_eq!(modules.iter().flatten().count(), 1);
        assert_eq!(world.made.load(Ordering::Relaxed), 2);
        drop(modules);
        assert_empty(&cache);
    }
    super::check_all(model);
}

#[test]
fn a_failed_builder_is_followed_by_one() {
    fn model() {
        let cache = cache();
        let sync: Getter = |world, cache| get(world, cache, Key::new(KEY), 2);
        let not: Getter = |world, cache| get_async(world, cache, Key::new(KEY), 2);
        let (world, modules) = together(&cache, &[sync, not, sync, not]);
        assert_eq!(modules.iter().flatten().count(), 2);
        assert_all_same(&modules);
        // Two failed, one after the other, and one made it for all who waited.
        assert_eq!(world.made.load(Ordering::Relaxed), 3);
        drop(modules);
        assert_empty(&cache);
    }
    super::check(model);
}

#[test]
fn the_first_to_finish_wins() {
    fn model() {
        let cache = cache();
        let (_, modules) = together(
            &cache,
            &[
                |world, cache| stream(world, cache, Key::new(KEY), true),
                |world, cache| get(world, cache, Key::new(KEY), 0),
                |world, cache| stream(world, cache, Key::new(KEY), true),
                |world, cache| get_async(world, cache, Key::new(KEY), 0),
            ],
        );
        assert!(modules.iter().all(Option::is_some));
        assert_all_same(&modules);
        assert_eq!(cache.len(), (1, 0, 0));
        drop(modules);
        assert_empty(&cache);
    }
    super::check(model);
}

#[test]
fn streams_with_one_prefix_have_their_own_tails() {
    fn model() {
        let cache = cache();
        let (_, modules) = together(
            &cache,
            &[
                |world, cache| stream(world, cache, Key::new(KEY), true),
                |world, cache| stream(world, cache, Key::new(TWIN), true),
                |world, cache| stream(world, cache, Key::new(2), true),
                |world, cache| stream(world, cache, Key::new(KEY), false),
            ],
        );
        let keys: Vec<_> = modules.iter().flatten().map(|module| module.key.rest).collect();
        assert_eq!(keys, [0, 1, 2]);
        assert_eq!(cache.len(), (3, 0, 0));
        drop(modules);
        assert_empty(&cache);
    }
    super::check(model);
}

#[test]
fn keys_that_look_alike_are_told_apart() {
    fn model() {
        let cache = cache();
        let (world, modules) = together(
            &cache,
            &[
                |world, cache| get(world, cache, Key::new(0), 0),
                |world, cache| get(world, cache, Key::new(1), 0),
                |world, cache| get_async(world, cache, Key::new(2), 0),
                |world, cache| get(world, cache, Key::new(2), 0),
                |world, cache| stream(world, cache, Key::new(1), true),
            ],
        );
        let keys: Vec<_> = modules.iter().flatten().map(|module| module.key.rest).collect();
        assert_eq!(keys, [0, 1, 2, 2, 1]);
        assert_eq!(cache.len(), (3, 0, 0));
        // A fresh request finds each.
        for module in modules.iter().flatten() {
            let again = get(&world, &cache, Key::new(module.key.rest), 0);
            assert!(Arc::ptr_eq(module, &again.unwrap()));
        }
        drop(modules);
        assert_empty(&cache);
    }
    super::check(model);
}

#[test]
fn a_death_races_a_lookup() {
    fn model() {
        let cache = cache();
        let drops: Getter = |world, cache| {
            for _ in 0..2 {
                let module = get(world, cache, Key::new(KEY), 0).unwrap();
                assert_eq!(module.key.rest, KEY);
                thread::yield_now();
                drop(module);
            }
            None
        };
        together(&cache, &[drops, drops, |world, cache| get_async(world, cache, Key::new(TWIN), 0)]);
        assert_empty(&cache);
        // What was there last is found, and so is what comes after a death.
        let world = World::default();
        let module = get(&world, &cache, Key::new(KEY), 0).unwrap();
        assert!(Arc::ptr_eq(&module, &get(&world, &cache, Key::new(KEY), 0).unwrap()));
        drop(module);
        assert_empty(&cache);
    }
    super::check(model);
}
