//! Every schedule: futures are polled, and tasks are run or lost, in every order in which an executor and a pool could.
//!
//! A schedule is a list of choices. It is run from the start in a world of its own; what could have been chosen at each step
//! gives the next schedule, until all have been tried. A future is polled at first and whenever it was woken, not more often:
//! so a future that is not woken when it should be is found waiting for nothing. Three futures are all polled before anything
//! else happens, as the schedules would be too many; of two, the first polls may come at any time.

use upshift::{Instance, Linker, Store, Strategy, StreamingCompilation};

use super::*;

type Work = Pin<Box<dyn Future<Output = upshift::Result<i32>>>>;

/// What a schedule may do beside polling and running tasks.
#[derive(Clone, Copy, Default)]
struct Mishaps {
    /// One task is dropped undone.
    loss: bool,
    /// One future is dropped.
    drop: bool,
    /// The engine is dropped.
    end: bool,
}

#[derive(Clone, Copy, Debug)]
enum Choice {
    Run(usize),
    Lose(usize),
    Poll(usize),
    Drop(usize),
    End,
}

struct World {
    engine: Option<Engine>,
    pool: Arc<ManualPool>,
    /// Each with its wakes, and how many of these it was polled for.
    futures: Vec<(Option<Work>, Arc<Wakes>, Option<usize>)>,
    results: Vec<Option<upshift::Result<i32>>>,
    mishaps: Mishaps,
}

impl World {
    fn choices(&self) -> Vec<Choice> {
        let fresh = self.futures.iter().position(|(future, _, polled)| future.is_some() && polled.is_none());
        if let Some(number) = fresh.filter(|_| self.futures.len() > 2) {
            return vec![Choice::Poll(number)];
        }
        let tasks = 0..self.pool.pending().len();
        let mut choices: Vec<Choice> = tasks.clone().map(Choice::Run).collect();
        for (number, (future, wakes, polled)) in self.futures.iter().enumerate() {
            if future.is_some() && *polled != Some(wakes.count()) {
                choices.push(Choice::Poll(number));
            }
        }
        if self.futures.iter().all(|(future, ..)| future.is_none()) {
            return choices;
        }
        if self.mishaps.loss {
            choices.extend(tasks.map(Choice::Lose));
        }
        if self.mishaps.drop {
            let left = self.futures.iter().enumerate().filter(|(_, (future, ..))| future.is_some());
            choices.extend(left.map(|(number, _)| Choice::Drop(number)));
        }
        if self.mishaps.end && self.engine.is_some() {
            choices.push(Choice::End);
        }
        choices
    }

    fn go(&mut self, choice: Choice) {
        match choice {
            Choice::Run(task) => assert!(self.pool.run(task)),
            Choice::Lose(task) => {
                self.mishaps.loss = false;
                assert!(self.pool.discard(task));
            }
            Choice::Drop(number) => {
                self.mishaps.drop = false;
                self.futures[number].0 = None;
            }
            Choice::End => self.engine = None,
            Choice::Poll(number) => {
                let (future, wakes, polled) = &mut self.futures[number];
                *polled = Some(wakes.count());
                let waker = Waker::from(Arc::clone(wakes));
                if let Some(work) = future
                    && let Poll::Ready(result) = work.as_mut().poll(&mut Context::from_waker(&waker))
                {
                    *future = None;
                    self.results[number] = Some(result);
                }
            }
        }
    }
}

/// Runs all schedules of the futures that `make` gives; `check` sees each world at its end. Gives how many there were.
fn every_schedule(
    config: impl Fn() -> Config,
    mishaps: Mishaps,
    make: impl Fn(&Engine) -> Vec<Work>,
    check: impl Fn(&World),
) -> usize {
    let mut schedule: Vec<usize> = Vec::new();
    for count in 1.. {
        let (engine, pool) = by_hand(&mut config());
        let futures: Vec<_> = make(&engine).into_iter().map(|work| (Some(work), Arc::default(), None)).collect();
        let results = futures.iter().map(|_| None).collect();
        let mut world = World { engine: Some(engine), pool, futures, results, mishaps };
        // How many choices there were at each step.
        let mut widths = Vec::new();
        let mut told = Vec::new();
        loop {
            let choices = world.choices();
            if choices.is_empty() {
                break;
            }
            let step = widths.len();
            if step == schedule.len() {
                schedule.push(0);
            }
            widths.push(choices.len());
            told.push(choices[schedule[step]]);
            world.go(choices[schedule[step]]);
        }
        assert!(world.futures.iter().all(|(future, ..)| future.is_none()), "waits for nothing: {told:?}");
        check(&world);
        // The last step at which something else could be chosen.
        let Some(last) = (0..widths.len()).rev().find(|&step| schedule[step] + 1 < widths[step]) else { return count };
        schedule.truncate(last + 1);
        schedule[last] += 1;
    }
    unreachable!("there is a last schedule")
}

/// Instantiates a module of a number, and calls it.
fn instantiate(engine: &Engine, module: &Module) -> Work {
    let (mut store, module) = (Store::new(engine, ()), module.clone());
    Box::pin(async move {
        let instance = Instance::new_async(&mut store, &module, &[]).await?;
        instance.get_typed_func::<(), i32>(&mut store, "f")?.call(&mut store, ())
    })
}

/// Compiles and instantiates a module of a number, and calls it.
fn from_bytes(engine: &Engine, bytes: Vec<u8>) -> Work {
    let (mut store, linker) = (Store::new(engine, ()), Linker::new(engine));
    Box::pin(async move {
        let (_, instance) = linker.instantiate_bytes_async(&mut store, bytes).await?;
        instance.get_typed_func::<(), i32>(&mut store, "f")?.call(&mut store, ())
    })
}

/// Ends a stream of bytes; gives how many there were.
fn stream(engine: &Engine, bytes: &[u8]) -> Work {
    let mut stream = StreamingCompilation::new(engine);
    bytes.chunks(20).for_each(|piece| stream.push(piece).unwrap());
    Box::pin(async move { Ok(stream.finish_async().await?.wire_bytes().len() as i32) })
}

fn compile(engine: &Engine, bytes: Vec<u8>) -> Work {
    let future = Module::compile_async(engine, bytes);
    Box::pin(async move { Ok(future.await?.wire_bytes().len() as i32) })
}

fn assert_nothing_left(world: &World) {
    let Some(engine) = &world.engine else { return };
    let now = engine.statistics();
    assert_eq!((now.modules, now.tasks), (0, 0));
    assert_eq!((now.cache.entries, now.cache.building, now.cache.streams), (0, 0, 0));
}

/// What every future that was not dropped came to.
fn results(world: &World) -> impl Iterator<Item = &upshift::Result<i32>> {
    world.results.iter().flatten()
}

/// An engine in which the image of a module's memory is due at the next instantiation.
fn due(engine: &Engine) -> Module {
    let module = Module::new(engine, wasm(7)).unwrap();
    Instance::new(Store::new(engine, ()), &module, &[]).unwrap();
    module
}

fn assert_seven(world: &World) {
    assert!(results(world).all(|result| *result.as_ref().unwrap() == 7));
    assert_nothing_left(world);
}

#[test]
fn instantiations_in_every_schedule() {
    for strategy in [Strategy::Lazy, Strategy::Eager] {
        let config = || Config::new().strategy(strategy).clone();
        let two = |engine: &Engine| vec![instantiate(engine, &due(engine)), from_bytes(engine, wasm(7))];
        let count = every_schedule(config, Mishaps::default(), two, assert_seven);
        assert!(count >= 20, "{count}");
    }
    let three = |engine: &Engine| {
        let module = due(engine);
        (0..3).map(|_| instantiate(engine, &module)).collect()
    };
    let count = every_schedule(Config::new, Mishaps::default(), three, assert_seven);
    assert!(count >= 6, "{count}");
}

#[test]
fn instantiations_in_every_schedule_with_mishaps() {
    let mishaps = Mishaps { loss: true, drop: true, end: false };
    let prepared = |engine: &Engine| {
        let module = due(engine);
        vec![instantiate(engine, &module), instantiate(engine, &module)]
    };
    every_schedule(Config::new, mishaps, prepared, assert_seven);
    let cold = |engine: &Engine| vec![from_bytes(engine, wasm(7)), from_bytes(engine, wasm(7))];
    every_schedule(Config::new, mishaps, cold, assert_seven);
}

fn assert_made(world: &World) {
    assert!(results(world).all(|result| *result.as_ref().unwrap() == wasm(7).len() as i32));
    assert_nothing_left(world);
}

#[test]
fn ends_of_streams_in_every_schedule() {
    for strategy in [Strategy::Lazy, Strategy::Eager] {
        let config = || Config::new().strategy(strategy).clone();
        let all = |engine: &Engine| vec![stream(engine, &wasm(7)), compile(engine, wasm(7)), stream(engine, &wasm(7))];
        let count = every_schedule(config, Mishaps::default(), all, assert_made);
        assert!(count >= 90, "{count}");
        let two = |engine: &Engine| vec![stream(engine, &wasm(7)), compile(engine, wasm(7))];
        let count = every_schedule(config, Mishaps::default(), two, assert_made);
        assert!(count >= 20, "{count}");
    }
}

#[test]
fn ends_of_streams_in_every_schedule_with_mishaps() {
    let mishaps = Mishaps { loss: true, drop: true, end: false };
    let mixed = |engine: &Engine| vec![stream(engine, &wasm(7)), compile(engine, wasm(7))];
    every_schedule(Config::new, mishaps, mixed, assert_made);
    let streams = |engine: &Engine| vec![stream(engine, &wasm(7)), stream(engine, &wasm(7))];
    every_schedule(Config::new, mishaps, streams, assert_made);
}

/// A fault is the same fault, whoever meets it first.
#[test]
fn ends_of_broken_streams_in_every_schedule() {
    let expected = Module::new(&Engine::default(), broken(7)).unwrap_err().to_string();
    let mishaps = Mishaps { loss: true, ..Mishaps::default() };
    let mixed = |engine: &Engine| vec![stream(engine, &broken(7)), compile(engine, broken(7))];
    every_schedule(Config::new, mishaps, mixed, |world| {
        assert!(results(world).all(|result| result.as_ref().unwrap_err().to_string() == expected));
        assert_nothing_left(world);
    });
}

#[test]
fn an_engine_ends_at_every_step() {
    let mishaps = Mishaps { end: true, ..Mishaps::default() };
    let mixed = |engine: &Engine| vec![stream(engine, &wasm(7)), compile(engine, wasm(7))];
    every_schedule(Config::new, mishaps, mixed, |world| {
        for result in results(world) {
            match result {
                Ok(len) => assert_eq!(*len, wasm(7).len() as i32),
                Err(error) => assert_eq!(error.to_string(), "the engine was dropped before the module was made"),
            }
        }
        assert_nothing_left(world);
    });
}
