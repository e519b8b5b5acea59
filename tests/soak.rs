//! The soak: eight threads do at random whatever an embedder may do, for a while, and then nothing must be left.
//!
//! 1. A run is a number of *rounds*. In a round each thread does actions of the table in [`actors`], one after another,
//!    picked by random numbers from a seed that is printed; what they make lies on the shelves of the [`World`], from where
//!    any thread takes it: so engines, modules, stores and handles go from thread to thread, and die in any order.
//! 2. Results of calls are checked by the [`programs`] themselves, which know what they compute.
//! 3. A [`watchdog`] sees to it that every action ends.
//! 4. After a round the threads end, the world is emptied, and the [`ledger`] compares: no engine lives; memory, mappings,
//!    files and threads are back to where they were after the first rounds.
//!
//! An ordinary run takes [`ORDINARY`] seconds in a process of its own; `UPSHIFT_SOAK=600 cargo test -p upshift-tests soak`
//! takes 600, in this process, and says how it goes. `UPSHIFT_SOAK_SEED` starts another sequence of random numbers, and
//! `UPSHIFT_SOAK_WITHOUT=collect,flush` leaves out actors, which helps to find out who does harm.

mod actors;
mod futures;
mod ledger;
mod listeners;
mod programs;
mod watchdog;
mod world;

use std::env;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::child;
use crate::random::Random;

use actors::{Actor, Worker};
use ledger::Ledger;
use watchdog::Watchdog;
use world::World;

/// Seconds that an ordinary run takes.
const ORDINARY: u64 = 30;

/// Rounds of a run, whatever it takes: more than one in each half, so that halves can be compared.
const ROUNDS: u32 = 12;

const THREADS: usize = 8;

#[test]
fn nothing_is_left_of_a_busy_time() {
    match env::var("UPSHIFT_SOAK") {
        Ok(seconds) => run(seconds.parse().expect("UPSHIFT_SOAK is a number of seconds")),
        Err(_) => child::within("soak::nothing_is_left_of_a_busy_time", || run(ORDINARY)),
    }
}

fn run(seconds: u64) {
    let seed = env::var("UPSHIFT_SOAK_SEED").map_or(1, |seed| seed.parse().expect("UPSHIFT_SOAK_SEED is a number"));
    let without = env::var("UPSHIFT_SOAK_WITHOUT").unwrap_or_default();
    let actors = actors::all_but(&without.split(',').collect::<Vec<_>>());
    let mut ledger = Ledger::default();
    for round in 0..ROUNDS {
        let end = Instant::now() + Duration::from_secs(seconds) / ROUNDS;
        let seed = seed + u64::from(round) * THREADS as u64;
        let world = Arc::new(World::default());
        let done = busy(&world, &actors, seed, end);
        let mut random = Random::new(seed);
        world.clear(&mut random);
        let living = world.living();
        drop(world);
        println!("round {round}, seeds from {seed}: {done}");
        ledger.close_round(round, living);
    }
    ledger.close();
}

/// One round. Says how often each actor acted.
fn busy(world: &Arc<World>, actors: &[Actor], seed: u64, end: Instant) -> String {
    let watchdog = Watchdog::new(THREADS, seed);
    thread::scope(|scope| {
        for number in 0..THREADS {
            let watchdog = &watchdog;
            let work = move || {
                let mut worker = Worker::new(Arc::clone(world), Random::new(seed + number as u64));
                while Instant::now() < end {
                    let actor = worker.pick(actors);
                    let _watched = watchdog.watch(number, actor.name);
                    (actor.act)(&mut worker);
                }
            };
            thread::Builder::new().name(format!("soak-{number}")).spawn_scoped(scope, work).expect("a thread");
        }
    });
    watchdog.counts()
}
