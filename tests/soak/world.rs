//! The world of a round: shelves from which threads take what others have put there.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use upshift::{Engine, EngineWeak, Instance, ManualPool, Module, Store, StoreHandle};

use super::futures::Coming;
use super::programs::Program;
use crate::random::Random;

/// An engine, and what must be known of how it was configured.
#[derive(Clone)]
pub struct Site {
    pub engine: Engine,
    pub lazy_validation: bool,
    pub fuel: bool,
    /// The engine's pool, if somebody must run what waits there.
    pub pool: Option<Arc<ManualPool>>,
}

/// A module, where it belongs, and what it is.
#[derive(Clone)]
pub struct Loaded {
    pub module: Module,
    pub program: Program,
    pub site: Site,
}

/// The data of a store.
pub struct Guest {
    pub random: Random,
    pub pardon: Pardon,
    /// How often a memory was to be filled.
    pub fills: usize,
}

/// How often somebody has asked for the end of what a store runs: calls may then fail by that.
#[derive(Clone, Default)]
pub struct Pardon(Arc<AtomicUsize>);

impl Pardon {
    pub fn ask(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    pub fn asked(&self) -> bool {
        self.0.load(Ordering::SeqCst) > 0
    }
}

/// A store with the instances in it.
pub struct Tenant {
    pub store: Store<Guest>,
    pub site: Site,
    pub instances: Vec<(Program, Instance)>,
}

/// What other threads know of a store.
#[derive(Clone)]
pub struct Contact {
    pub handle: StoreHandle<Guest>,
    pub pardon: Pardon,
    pub program: Program,
    pub instance: Instance,
}

/// Some things of a kind, in no order.
pub struct Shelf<T> {
    room: usize,
    things: Mutex<Vec<T>>,
}

impl<T> Shelf<T> {
    fn new(room: usize) -> Shelf<T> {
        Shelf { room, things: Mutex::default() }
    }

    /// Puts a thing there; if there is no room, another one goes for it.
    pub fn put(&self, thing: T, random: &mut Random) {
        let mut things = self.lock();
        things.push(thing);
        let surplus = (things.len() > self.room).then(|| random.below(things.len())).map(|n| things.swap_remove(n));
        drop(things);
        drop(surplus);
    }

    pub fn take(&self, random: &mut Random) -> Option<T> {
        let mut things = self.lock();
        let place = (!things.is_empty()).then(|| random.below(things.len()))?;
        Some(things.swap_remove(place))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<T>> {
        self.things.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Clone> Shelf<T> {
    pub fn copy(&self, random: &mut Random) -> Option<T> {
        let things = self.lock();
        (!things.is_empty()).then(|| things[random.below(things.len())].clone())
    }
}

/// What there is in a round.
pub struct World {
    pub sites: Shelf<Site>,
    pub modules: Shelf<Loaded>,
    pub tenants: Shelf<Tenant>,
    pub contacts: Shelf<Contact>,
    pub coming: Shelf<Coming>,
    /// All engines that have been.
    engines: Mutex<Vec<EngineWeak>>,
    /// For what must be unlike anything before.
    fresh: AtomicUsize,
}

impl Default for World {
    fn default() -> World {
        World {
            sites: Shelf::new(3),
            modules: Shelf::new(16),
            tenants: Shelf::new(24),
            contacts: Shelf::new(32),
            coming: Shelf::new(12),
            engines: Mutex::default(),
            fresh: AtomicUsize::new(1000),
        }
    }
}

impl World {
    pub fn remember(&self, engine: &Engine) {
        self.engines.lock().unwrap_or_else(PoisonError::into_inner).push(engine.weak());
    }

    /// A number that nobody has had in this round.
    pub fn fresh(&self) -> usize {
        self.fresh.fetch_add(1, Ordering::Relaxed)
    }

    /// Drops everything, in a random order.
    pub fn clear(&self, random: &mut Random) {
        let mut order = [0, 1, 2, 3, 4];
        (1..order.len()).for_each(|place| order.swap(place, random.below(place + 1)));
        for shelf in order {
            match shelf {
                0 => while self.sites.take(random).is_some() {},
                1 => while self.modules.take(random).is_some() {},
                2 => while self.tenants.take(random).is_some() {},
                3 => while self.coming.take(random).is_some() {},
                _ => while self.contacts.take(random).is_some() {},
            }
        }
    }

    /// Engines that still live.
    pub fn living(&self) -> usize {
        let engines = self.engines.lock().unwrap_or_else(PoisonError::into_inner);
        engines.iter().filter(|engine| engine.upgrade().is_some()).count()
    }
}
