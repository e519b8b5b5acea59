//! What looking a key up costs: how often keys are compared and hashed, however many are alike.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::cache::entries::{Claimed, Entries, Found, Published, Query, Seen};

/// A key that counts what is done with it.
#[derive(Clone, Debug)]
struct Key {
    number: usize,
    hash: usize,
    hashed: Arc<AtomicBool>,
    costs: Arc<Costs>,
}

#[derive(Debug, Default)]
struct Costs {
    compared: AtomicUsize,
    hashed: AtomicUsize,
}

impl Costs {
    /// Comparisons and hashes since the last time.
    fn take(&self) -> (usize, usize) {
        (self.compared.swap(0, Ordering::Relaxed), self.hashed.swap(0, Ordering::Relaxed))
    }
}

impl Query<Key> for Key {
    fn prefix(&self) -> u64 {
        7
    }

    fn quick(&self, key: &Key) -> Option<bool> {
        (self.is_hashed() && key.is_hashed() && self.hash != key.hash).then_some(false)
    }

    fn equals(&self, key: &Key) -> bool {
        self.costs.compared.fetch_add(1, Ordering::Relaxed);
        self.number == key.number
    }

    fn is_hashed(&self) -> bool {
        self.hashed.load(Ordering::Relaxed)
    }

    fn hash(&self) {
        if !self.hashed.swap(true, Ordering::Relaxed) {
            self.costs.hashed.fetch_add(1, Ordering::Relaxed);
        }
    }
}

struct World {
    entries: Entries<Key, usize>,
    costs: Arc<Costs>,
    modules: Vec<Arc<usize>>,
}

impl World {
    fn new() -> World {
        World { entries: Entries::new(), costs: Arc::default(), modules: Vec::new() }
    }

    /// Asks for a module as the cache does, and makes it if it is not there. Gives what that cost.
    fn ask(&mut self, number: usize, hash: usize) -> (usize, usize) {
        let key = Key { number, hash, hashed: Arc::default(), costs: Arc::clone(&self.costs) };
        let mut seen = Seen::default();
        match self.entries.look(&key, &mut seen) {
            Found::Ready(module) => assert_eq!(*module, number),
            Found::Building(_) => unreachable!("nobody builds"),
            Found::Absent => {
                let Claimed::Mine(claim) = self.entries.claim(key, &mut seen) else {
                    unreachable!("nobody else builds")
                };
                let Published::Ours(module, _) = claim.publish(Arc::new(number)) else {
                    unreachable!("nobody was faster")
                };
                self.modules.push(module);
            }
        }
        self.costs.take()
    }
}

#[test]
fn one_candidate_is_compared_once_and_not_hashed() {
    let mut world = World::new();
    assert_eq!(world.ask(0, 0), (0, 0));
    assert_eq!(world.ask(0, 0), (1, 0), "a hit");
    assert_eq!(world.ask(1, 1), (1, 0), "a miss, which was looked for and then claimed");
}

#[test]
fn many_candidates_cost_no_more_than_few() {
    let mut world = World::new();
    for number in 0..100 {
        let (compared, hashed) = world.ask(number, number);
        assert!(compared <= 1 && hashed <= 3, "{number}: {compared} comparisons, {hashed} hashes");
        if number > 2 {
            assert_eq!((compared, hashed), (0, 1), "{number}: only the new one is hashed");
        }
    }
    for number in 0..100 {
        let (compared, hashed) = world.ask(number, number);
        assert_eq!((compared, hashed), (1, 1), "{number} is found by its hash");
    }
    assert_eq!(world.modules.len(), 100);
}

#[test]
fn keys_that_collide_are_compared() {
    let mut world = World::new();
    for number in 0..10 {
        world.ask(number, 0);
    }
    for number in 0..10 {
        let (compared, _) = world.ask(number, 0);
        assert!((1..=10).contains(&compared), "{number}: {compared} comparisons");
    }
    assert_eq!(world.modules.len(), 10);
}
