//! Pools of embedders that are worse than useless: whatever they do with tasks, every module is made, and nobody hangs.

use std::sync::atomic::AtomicBool;
use std::sync::mpsc::RecvTimeoutError;
use std::thread;
use std::time::Duration;

use upshift::{Instance, Pool, Store, Strategy, StreamingCompilation, Task};

use super::*;

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(120);

/// What a pool does with a task.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum With {
    Refuse,
    Drop,
    Run,
    /// Panics, every other time only after it has run it.
    Panic,
    /// Keeps it for ever.
    Keep,
}

#[derive(Debug)]
struct Bad {
    with: With,
    threads: usize,
    turn: AtomicBool,
    kept: Mutex<Vec<Task>>,
}

impl Pool for Bad {
    fn threads(&self) -> usize {
        self.threads
    }

    fn spawn(&self, task: Task) -> Result<(), Task> {
        match self.with {
            With::Refuse => return Err(task),
            With::Drop => drop(task),
            With::Run => task.run(),
            With::Keep => self.kept.lock().unwrap().push(task),
            With::Panic => {
                if self.turn.fetch_xor(true, Ordering::Relaxed) {
                    task.run();
                }
                panic!("a test of panics");
            }
        }
        Ok(())
    }
}

/// How a module is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Way {
    Sync,
    Async,
    Stream,
    StreamAsync,
}

/// Makes a module and runs it until it is hot.
fn make(engine: &Engine, bytes: &[u8], way: Way) -> i32 {
    let stream = || {
        let mut stream = StreamingCompilation::new(engine);
        bytes.chunks(10_000).for_each(|piece| stream.push(piece).unwrap());
        stream
    };
    let module = match way {
        Way::Sync => Module::new(engine, bytes).unwrap(),
        Way::Async => Module::compile_async(engine, bytes).wait().unwrap(),
        Way::Stream => stream().finish().unwrap(),
        Way::StreamAsync => futures::executor::block_on(stream().finish_async()).unwrap(),
    };
    let mut store = Store::new(engine, ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let next = instance.get_typed_func::<i32, i32>(&mut store, "next").unwrap();
    (0..1000).fold(0, |value, _| next.call(&mut store, value).unwrap())
}

#[test]
fn every_module_is_made_with_any_pool() {
    // Enough code for all threads to be asked, in few functions.
    let filler = format!("(func {})", "(drop (i32.const 1))".repeat(200)).repeat(200);
    let next = r#"(func (export "next") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))"#;
    let bytes = Arc::new(wat::parse_str(format!("(module {next} {filler})")).unwrap());
    for with in [With::Refuse, With::Drop, With::Run, With::Panic, With::Keep] {
        for threads in [3, usize::MAX] {
            for strategy in [Strategy::Lazy, Strategy::Eager, Strategy::Hybrid] {
                for way in [Way::Sync, Way::Async, Way::Stream, Way::StreamAsync] {
                    // Who waits for a task that is never run or dropped waits for ever, as is documented.
                    let endless = with == With::Keep && matches!(way, Way::Async | Way::StreamAsync);
                    if endless {
                        continue;
                    }
                    let pool = Bad { with, threads, turn: AtomicBool::default(), kept: Mutex::default() };
                    let (done, is_done) = channel();
                    let bytes = Arc::clone(&bytes);
                    let mut config = Config::new();
                    config.pool(Arc::new(pool)).strategy(strategy).tiering_budget(100);
                    thread::spawn(move || done.send(make(&Engine::new(&config).unwrap(), &bytes, way)));
                    match is_done.recv_timeout(LONG) {
                        Ok(value) => assert_eq!(value, 1000),
                        Err(RecvTimeoutError::Timeout) => panic!("{with:?} {threads} {strategy:?} {way:?} hangs"),
                        Err(RecvTimeoutError::Disconnected) => panic!("{with:?} {threads} {strategy:?} {way:?} panics"),
                    }
                }
            }
        }
    }
}
