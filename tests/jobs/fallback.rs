//! Without anybody to do the work in the background, who asks does it.

use upshift::{Pool, Task, ThreadPool};

use super::*;

#[derive(Debug)]
enum Useless {
    Refuses,
    Drops,
    HasNoThreads,
}

impl Pool for Useless {
    fn threads(&self) -> usize {
        if matches!(self, Useless::HasNoThreads) { 0 } else { 2 }
    }

    fn spawn(&self, task: Task) -> Result<(), Task> {
        match self {
            Useless::Refuses => Err(task),
            Useless::Drops => {
                drop(task);
                Ok(())
            }
            Useless::HasNoThreads => unreachable!("it has no threads"),
        }
    }
}

#[test]
fn who_polls_makes_the_module() {
    let mut engines: Vec<Engine> = [Useless::Refuses, Useless::Drops, Useless::HasNoThreads]
        .map(|pool| Engine::new(Config::new().pool(Arc::new(pool))).unwrap())
        .into();
    engines.push(by_hand(Config::new().async_compilation(false)).0);
    for engine in engines {
        let mut future = Module::compile_async(&engine, wasm(1));
        assert_eq!(engine.statistics().modules, 0);
        let module = now(&mut future).unwrap();
        let large = Module::new(&engine, format!("(module {})", "(func (drop (i32.const 1)))".repeat(30_000))).unwrap();
        large.compile_all().unwrap();
        assert!(Module::same(&module, &Module::compile_async(&engine, wasm(1)).wait().unwrap()));
        assert!(now(&mut Module::compile_async(&engine, broken(1))).is_err());
    }
}

#[test]
fn a_pool_that_loses_a_task_wakes_who_waits() {
    let (engine, pool) = by_hand(&mut Config::new());
    let mut future = Module::compile_async(&engine, wasm(1));
    let wakes: Arc<Wakes> = Arc::default();
    assert!(poll(&mut future, &wakes).is_pending());
    pool.discard(0);
    assert_eq!(wakes.count(), 1);
    assert_eq!(now(&mut future).unwrap().exports().len(), 1);
}

#[test]
fn one_pool_serves_many_engines() {
    let pool: Arc<ThreadPool> = Arc::new(ThreadPool::new(2));
    let engines: Vec<_> = (0..4).map(|_| Engine::new(Config::new().pool(pool.clone())).unwrap()).collect();
    let futures: Vec<_> = engines.iter().map(|engine| Module::compile_async(engine, wasm(1))).collect();
    let modules: Vec<_> = futures.into_iter().map(|future| future.wait().unwrap()).collect();
    assert!(!Module::same(&modules[0], &modules[1]));
    drop((modules, engines));
    assert_eq!(Arc::strong_count(&pool), 1);
}
