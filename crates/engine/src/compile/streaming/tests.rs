//! Streams by a pool that is run by hand: every order of bytes and tasks must come to what all bytes at once come to.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use super::*;
use crate::config::Config;
use crate::module::compile;
use crate::pool::{ManualPool, Pool};

mod ending;

/// Bodies of about this many bytes, so that a share holds a few.
const BODY: usize = 8000;

/// Random numbers, the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        ((self.0 >> 33) % limit as u64) as usize
    }
}

fn leb(mut value: usize, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn section(id: u8, contents: &[u8], out: &mut Vec<u8>) {
    out.push(id);
    leb(contents.len(), out);
    out.extend_from_slice(contents);
}

/// A module of so many functions, of which those in `bad` are not valid, with a custom section of `tail` at its end.
fn module(functions: usize, bad: &[usize], tail: &[u8]) -> Vec<u8> {
    let mut out = b"\0asm\x01\0\0\0".to_vec();
    section(1, &[1, 0x60, 0, 0], &mut out);
    let mut types = Vec::new();
    leb(functions, &mut types);
    types.resize(types.len() + functions, 0);
    section(3, &types, &mut out);
    let mut code = Vec::new();
    leb(functions, &mut code);
    for index in 0..functions {
        // No locals, then `i32.const 1 drop` over and over.
        let mut body = vec![0];
        while body.len() < BODY {
            body.extend_from_slice(&[0x41, 1, 0x1a]);
        }
        if bad.contains(&index) {
            body.push(0x1a);
        }
        body.push(0x0b);
        leb(body.len(), &mut code);
        code.extend_from_slice(&body);
    }
    section(10, &code, &mut out);
    section(0, &[&[1, b'x'], tail].concat(), &mut out);
    out
}

fn engine_with(pool: &Arc<ManualPool>, config: Config) -> Engine {
    let pool: Arc<dyn Pool> = pool.clone();
    Engine::new(Config { pool: Some(pool), ..config }).unwrap()
}

fn manual(config: Config) -> (Arc<ManualPool>, Engine) {
    let pool = Arc::new(ManualPool::new(3));
    let engine = engine_with(&pool, config);
    (pool, engine)
}

fn start(engine: &Engine) -> StreamingJob {
    StreamingJob::new(engine, CompileTimeImports::NONE)
}

/// Streams all bytes in random pieces, while random tasks run or are lost.
fn stream(engine: &Engine, pool: &ManualPool, bytes: &[u8], random: &mut Random) -> StreamingJob {
    let mut job = start(engine);
    let mut rest = bytes;
    while !rest.is_empty() {
        let (piece, later) = rest.split_at((1 + random.below(60_000)).min(rest.len()));
        job.push(piece).unwrap();
        rest = later;
        for _ in 0..random.below(3) {
            let pending = pool.pending().len();
            match random.below(4) {
                _ if pending == 0 => {}
                0 => assert!(pool.discard(random.below(pending))),
                _ => assert!(pool.run(random.below(pending))),
            }
        }
    }
    job
}

/// What there is to say of a result.
fn summary(result: Result<Arc<NativeModule>, ModuleError>) -> Result<(usize, usize), String> {
    let module = result.map_err(|error| error.to_string())?;
    let compiled = (0..module.info().bodies.len())
        .filter(|&index| module.tier(wasm::types::DefinedFuncIndex::new(index)).is_some());
    Ok((module.wire_bytes().len(), compiled.count()))
}

#[test]
fn any_order_gives_what_the_bytes_at_once_give() {
    let mut random = Random(1);
    for strategy in [Strategy::Lazy, Strategy::Eager] {
        for bad in [&[][..], &[0], &[29], &[11, 12], &[25, 7, 19]] {
            let bytes = module(30, bad, b"tail");
            for cut in [bytes.len(), bytes.len() - 1, bytes.len() - 10, 200_000, 20] {
                let (pool, engine) = manual(Config { strategy, module_cache: false, ..Config::default() });
                let expected = summary(compile(&engine, &bytes[..cut]));
                for _ in 0..5 {
                    let job = stream(&engine, &pool, &bytes[..cut], &mut random);
                    assert_eq!(summary(job.finish()), expected);
                }
                if expected.is_ok() {
                    assert_eq!(expected, Ok((bytes.len(), if strategy == Strategy::Eager { 30 } else { 0 })));
                }
                pool.run_all();
            }
        }
    }
}

#[test]
fn bodies_are_worked_on_while_bytes_arrive() {
    let (pool, engine) = manual(Config { strategy: Strategy::Eager, ..Config::default() });
    let bytes = module(30, &[], b"");
    let mut job = start(&engine);
    job.push(&bytes[..bytes.len() / 2]).unwrap();
    assert_eq!(pool.pending().len(), 3, "one for each thread");
    assert_eq!(pool.pending()[0].label.to_string(), format!("stream m{}", job.number.0));
    pool.run_all();
    let Ok(Input { role: Role::Maker(maker), .. }) = &job.input else { panic!("no maker") };
    let joined = maker.bodies.as_ref().unwrap().join(true);
    assert_eq!(joined.valid as usize, joined.codes.len());
    assert!((13..=15).contains(&joined.valid), "{} bodies", joined.valid);
}

#[test]
fn little_code_bothers_no_thread() {
    let (pool, engine) = manual(Config::default());
    let bytes = module(3, &[1], b"");
    let mut job = start(&engine);
    bytes.chunks(100).for_each(|piece| job.push(piece).unwrap());
    assert!(pool.pending().is_empty());
    let error = job.finish().unwrap_err().to_string();
    assert!(error.starts_with("in function 1: "), "{error}");
}

#[test]
fn without_threads_the_pushing_thread_works() {
    let pool = Arc::new(ManualPool::new(0));
    for threads in [0, 1] {
        let engine = engine_with(&pool, Config { threads, strategy: Strategy::Eager, ..Config::default() });
        let bytes = module(30, &[], b"");
        let mut job = start(&engine);
        bytes.chunks(50_000).for_each(|piece| job.push(piece).unwrap());
        let Ok(Input { role: Role::Maker(maker), .. }) = &job.input else { panic!("no maker") };
        assert_eq!(maker.bodies.as_ref().unwrap().join(true).valid, 30);
        assert_eq!(summary(job.finish()), Ok((bytes.len(), 30)));
    }
}

#[test]
fn lazy_validation_looks_at_no_body() {
    for strategy in [Strategy::Lazy, Strategy::Eager] {
        let (pool, engine) = manual(Config { lazy_validation: true, strategy, ..Config::default() });
        let bytes = module(30, &[11], b"");
        let job = stream(&engine, &pool, &bytes, &mut Random(3));
        assert_eq!(pool.pending().len(), 0);
        let compiled = if strategy == Strategy::Eager { 29 } else { 0 };
        assert_eq!(summary(job.finish()), Ok((bytes.len(), compiled)));
        // A fault of the structure comes after that of a body before it, all the same.
        let cut = &bytes[..bytes.len() - 3];
        let job = stream(&engine, &pool, cut, &mut Random(4));
        assert_eq!(summary(job.finish()), summary(compile(&engine, cut)));
    }
}

#[test]
fn a_fault_is_latched_and_told_at_the_end() {
    let (pool, engine) = manual(Config::default());
    let mut bytes = module(30, &[], b"");
    let len = bytes.len();
    bytes.extend_from_slice(&[0x20, 0]);
    let mut job = start(&engine);
    job.push(&bytes).unwrap();
    assert!(job.has_failed());
    job.push(&[0; 1000]).unwrap();
    assert_eq!(job.bytes().len(), bytes.len(), "what does not matter is dropped");
    assert_eq!(job.finish().unwrap_err().to_string(), format!("malformed section id: 32 (at offset {len:#x})"));
    pool.run_all();
    // Nothing at all, and a section that is longer than modules may be.
    assert_eq!(summary(start(&engine).finish()), summary(compile(&engine, &b""[..])));
    let huge = b"\0asm\x01\0\0\0\x0a\xff\xff\xff\xff\x0f";
    let mut job = start(&engine);
    huge.iter().for_each(|&byte| job.push(&[byte]).unwrap());
    assert!(job.has_failed());
    assert_eq!(summary(job.finish()), summary(compile(&engine, &huge[..])));
}

/// Whether there is a module with the same prefix, or a stream of one, must not matter to a stream that is at fault.
#[test]
fn a_fault_ends_a_stream_that_is_only_collected() {
    let (_pool, engine) = manual(Config::default());
    let bytes = module(30, &[], b"");
    let kept = compile(&engine, &*bytes).unwrap();
    let unknown_section = [&bytes[..], &[0x20, 0]].concat();
    let mut bad_body_size = bytes.clone();
    let second_body = bytes.windows(3).position(|at| at == [0x0b, 0xc3, 0x3e]).unwrap() + 1;
    bad_body_size[second_body..second_body + 5].fill(0xff);
    let two_faults = [module(30, &[3], b""), vec![0x20, 0]].concat();
    for bad in [unknown_section, bad_body_size, two_faults] {
        let run = |engine: &Engine| {
            let mut job = start(engine);
            let mut pieces = bad.chunks(10_000).chain(std::iter::repeat(&[0; 10_000][..])).take(100);
            while !job.has_failed() {
                job.push(pieces.next().expect("it ends at the fault")).unwrap();
            }
            (job.bytes().len(), summary(job.finish()))
        };
        let (cached, alone) = (run(&engine), run(&manual(Config::default()).1));
        assert_eq!(cached, alone);
        assert!(cached.1.is_err());
    }
    drop(kept);
}

#[test]
fn more_bytes_than_a_module_may_have() {
    let limits = Limits { module_size: 300_000, ..Limits::default() };
    for claim_is_taken in [false, true] {
        let (_pool, engine) = manual(Config { limits, ..Config::default() });
        let bytes = [module(30, &[], b""), vec![0; 100_000]].concat();
        let mut first = start(&engine);
        first.push(&bytes[..if claim_is_taken { 1000 } else { 0 }]).unwrap();
        let mut job = start(&engine);
        bytes.chunks(70_000).for_each(|piece| job.push(piece).unwrap());
        assert!(job.has_failed() && job.bytes().len() <= 300_010);
        assert_eq!(summary(job.finish()), summary(compile(&engine, bytes)));
    }
}

/// Streams that own a prefix now.
fn claims(engine: &Engine) -> usize {
    engine.service().cache.statistics().streams
}

#[test]
fn aborting_gives_everything_back() {
    let bytes = module(30, &[], b"tail");
    for strategy in [Strategy::Lazy, Strategy::Eager] {
        let (pool, engine) = manual(Config { strategy, ..Config::default() });
        let mut random = Random(9);
        for len in (0..bytes.len()).step_by(9_999).chain([bytes.len()]) {
            let mut job = stream(&engine, &pool, &bytes[..len], &mut random);
            assert_eq!(claims(&engine), usize::from(len >= 9_999));
            let bodies = match &job.input {
                Ok(Input { role: Role::Maker(maker), .. }) => maker.bodies.as_ref().map(Arc::downgrade),
                _ => None,
            };
            if random.below(2) == 0 {
                job.abort()
            } else {
                job.give_up(ModuleError::Cancelled)
            }
            assert_eq!(claims(&engine), 0);
            assert!(bodies.is_none_or(|bodies| bodies.strong_count() == 0), "something keeps the bodies");
            // Tasks that come late do nothing.
            pool.run_all();
        }
        assert_eq!(engine.statistics().modules, 0);
    }
}

#[test]
fn aborting_waits_for_threads_that_are_at_it() {
    let engine = Engine::new(Config { threads: 4, strategy: Strategy::Eager, ..Config::default() }).unwrap();
    let bytes = module(60, &[], b"");
    for len in (1..bytes.len()).step_by(20_011) {
        let mut job = start(&engine);
        job.push(&bytes[..len]).unwrap();
        job.abort();
        assert_eq!(claims(&engine), 0);
    }
}

#[test]
fn an_engine_that_is_gone_is_an_error() {
    let bytes = module(30, &[], b"");
    let (pool, engine) = manual(Config::default());
    let (mut pushed, mut idle, mut failed) = (start(&engine), start(&engine), start(&engine));
    pushed.push(&bytes[..100_000]).unwrap();
    failed.push(b"what").unwrap();
    drop(engine);
    pool.run_all();
    let gone = ModuleError::EngineDropped.to_string();
    assert_eq!(pushed.push(&bytes[100_000..]).unwrap_err().to_string(), gone);
    assert_eq!(pushed.push(b"more").unwrap_err().to_string(), gone, "latched");
    assert!(pushed.room(1).is_err() && pushed.has_failed());
    assert_eq!(idle.push(&bytes).unwrap_err().to_string(), gone);
    for job in [pushed, idle, failed] {
        assert_eq!(job.finish().unwrap_err().to_string(), gone);
    }
}

#[test]
fn streams_with_equal_beginnings_and_different_ends() {
    let tails: [&[u8]; 3] = [b"one", b"two", b"six"];
    let all = tails.map(|tail| module(30, &[], tail));
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let (pool, engine) = manual(Config::default());
        let mut jobs: Vec<_> = all.iter().map(|_| Some(start(&engine))).collect();
        let half = all[0].len() / 2;
        for (job, bytes) in jobs.iter_mut().flatten().zip(&all) {
            job.push(&bytes[..half]).unwrap();
        }
        assert_eq!(claims(&engine), 1, "the first stream owns the prefix");
        pool.run_all();
        for (job, bytes) in jobs.iter_mut().flatten().zip(&all) {
            job.push(&bytes[half..]).unwrap();
        }
        let mut modules: Vec<_> = order.iter().map(|&at| (at, jobs[at].take().unwrap().finish().unwrap())).collect();
        modules.sort_by_key(|(at, _)| *at);
        for ((_, module), bytes) in modules.iter().zip(&all) {
            assert_eq!(**module.wire_bytes(), **bytes);
            assert!(Arc::ptr_eq(module, &compile(&engine, &**bytes).unwrap()), "in the cache");
        }
        assert_eq!(claims(&engine), 0);
    }
}

#[test]
fn streams_of_the_same_module_share_it() {
    let (pool, engine) = manual(Config::default());
    let bytes = module(30, &[], b"");
    let mut jobs = [start(&engine), start(&engine), start(&engine)];
    for piece in bytes.chunks(70_000) {
        jobs.iter_mut().for_each(|job| job.push(piece).unwrap());
        pool.run_next();
    }
    let [first, second, third] = jobs;
    // The owner comes in the middle: the one before it has made the module.
    let made = second.finish().unwrap();
    let (owners, last) = (first.finish().unwrap(), third.finish().unwrap());
    assert!(Arc::ptr_eq(&made, &owners) && Arc::ptr_eq(&made, &last));
    assert_eq!(engine.statistics().modules, 1);
}

#[test]
fn a_stream_and_a_call_race() {
    let (pool, engine) = manual(Config::default());
    let bytes = module(30, &[], b"");
    // The call comes while the stream is under way: it does not wait for the stream, and wins.
    let mut job = start(&engine);
    job.push(&bytes[..150_000]).unwrap();
    let called = compile(&engine, &*bytes).unwrap();
    job.push(&bytes[150_000..]).unwrap();
    assert!(Arc::ptr_eq(&called, &job.finish().unwrap()));
    // Now there is a module with the prefix: a stream only collects.
    let mut job = start(&engine);
    job.push(&bytes).unwrap();
    assert_eq!(claims(&engine), 0);
    assert!(Arc::ptr_eq(&called, &job.finish().unwrap()));
    drop(called);
    assert_eq!(engine.statistics().modules, 0);
    // The stream wins.
    let streamed = stream(&engine, &pool, &bytes, &mut Random(5)).finish().unwrap();
    assert!(Arc::ptr_eq(&streamed, &compile(&engine, bytes).unwrap()));
}

#[test]
fn a_failed_stream_leaves_its_prefix_to_others() {
    let (_pool, engine) = manual(Config::default());
    let good = module(30, &[], b"");
    let bad = { module(30, &[], b"")[..good.len() - 1].to_vec() };
    let mut job = start(&engine);
    job.push(&bad).unwrap();
    assert_eq!(claims(&engine), 1);
    job.finish().unwrap_err();
    assert_eq!(claims(&engine), 0);
    let mut job = start(&engine);
    job.push(&good).unwrap();
    assert_eq!(claims(&engine), 1);
    job.finish().unwrap();
}

#[test]
fn a_module_without_code_works() {
    let (_pool, engine) = manual(Config::default());
    let mut bytes = b"\0asm\x01\0\0\0".to_vec();
    section(5, &[1, 0, 1], &mut bytes);
    section(11, &[1, 0, 0x41, 0, 0x0b, 2, b'h', b'i'], &mut bytes);
    for _ in 0..2 {
        let mut job = start(&engine);
        bytes.iter().for_each(|&byte| job.push(&[byte]).unwrap());
        let module = job.finish().unwrap();
        assert_eq!((module.info().memories.len(), module.info().data.len()), (1, 1));
        assert!(Arc::ptr_eq(&module, &compile(&engine, &*bytes).unwrap()));
    }
}

/// Counts how often it is woken.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn poll(finishing: &mut Finishing, count: &Arc<Count>) -> Poll<Result<Arc<NativeModule>, ModuleError>> {
    Pin::new(finishing).poll(&mut Context::from_waker(&Waker::from(Arc::clone(count))))
}

#[test]
fn finishing_later_is_done_by_the_pool_and_wakes() {
    let (pool, engine) = manual(Config::default());
    let bytes = module(30, &[], b"");
    let job = stream(&engine, &pool, &bytes, &mut Random(6));
    pool.run_all();
    let (mut finishing, count) = (job.finish_later(), Arc::<Count>::default());
    assert!(poll(&mut finishing, &count).is_pending());
    assert_eq!(pool.pending().last().unwrap().label.name, "finish stream");
    pool.run_all();
    assert_eq!(count.0.load(Ordering::Relaxed), 1);
    let Poll::Ready(module) = poll(&mut finishing, &count) else { panic!("not ready") };
    assert!(Arc::ptr_eq(&module.unwrap(), &compile(&engine, &*bytes).unwrap()));
    assert!(matches!(poll(&mut finishing, &count), Poll::Ready(Err(_))), "it has been taken");
}

#[test]
fn finishing_later_does_not_depend_on_the_task() {
    let bytes = module(30, &[], b"");
    let count = Arc::<Count>::default();
    // The pool loses the task, before and after a poll.
    for polled in [false, true] {
        let (pool, engine) = manual(Config::default());
        let mut finishing = stream(&engine, &pool, &bytes, &mut Random(7)).finish_later();
        assert!(!polled || poll(&mut finishing, &count).is_pending());
        while pool.discard(0) {}
        let Poll::Ready(Ok(_)) = poll(&mut finishing, &count) else { panic!("not ready") };
    }
    assert_eq!(count.0.load(Ordering::Relaxed), 1, "who had polled is told");
    // There is no thread.
    let engine = engine_with(&Arc::new(ManualPool::new(0)), Config::default());
    let mut job = start(&engine);
    job.push(&bytes).unwrap();
    let Poll::Ready(Ok(_)) = poll(&mut job.finish_later(), &count) else { panic!("not ready") };
    // The engine goes.
    let (pool, engine) = manual(Config::default());
    let mut finishing = stream(&engine, &pool, &bytes, &mut Random(8)).finish_later();
    assert!(poll(&mut finishing, &count).is_pending());
    drop(engine);
    assert_eq!(count.0.load(Ordering::Relaxed), 2);
    let Poll::Ready(Err(ModuleError::EngineDropped)) = poll(&mut finishing, &count) else { panic!("not ready") };
}

#[test]
fn a_future_that_is_dropped_aborts() {
    let (pool, engine) = manual(Config::default());
    let bytes = module(30, &[], b"");
    let finishing = stream(&engine, &pool, &bytes, &mut Random(10)).finish_later();
    assert_eq!(claims(&engine), 1);
    drop(finishing);
    assert_eq!(claims(&engine), 0);
    pool.run_all();
    assert_eq!(engine.statistics().modules, 0);
}
