//! How streams begin, end, and meet others.

use std::thread;

use upshift::{Config, Engine, Module, Strategy, StreamingCompilation};

use super::samples::{large, small};
use super::{cut, describe, uncached};

#[test]
fn nothing_at_all_is_an_error() {
    let engine = Engine::default();
    let nothing = StreamingCompilation::new(&engine).finish();
    assert_eq!(describe(&nothing), describe(&Module::from_binary(&engine, b"")));
}

#[test]
fn what_comes_after_a_fault_is_taken_and_dropped() {
    let engine = Engine::default();
    let mut stream = StreamingCompilation::new(&engine);
    stream.push(b"\0asm\x02\0\0\0").unwrap();
    assert!(stream.has_failed());
    for _ in 0..1000 {
        stream.push(&[0; 1 << 20]).unwrap();
    }
    assert!(format!("{stream:?}").contains("bytes: 8"), "{stream:?}");
    assert_eq!(describe(&stream.finish()), describe(&Module::from_binary(&engine, b"\0asm\x02\0\0\0")));
}

#[test]
fn a_section_longer_than_modules_may_be_fails_at_once() {
    let engine = Engine::default();
    let bytes = b"\0asm\x01\0\0\0\x00\xff\xff\xff\xff\x0f";
    let mut stream = StreamingCompilation::new(&engine);
    bytes.iter().for_each(|&byte| stream.push(&[byte]).unwrap());
    assert!(stream.has_failed());
    assert_eq!(describe(&stream.finish()), describe(&Module::from_binary(&engine, bytes)));
}

#[test]
fn a_stream_does_not_keep_its_engine() {
    let bytes = &small()[1];
    let engine = Engine::default();
    let mut stream = StreamingCompilation::new(&engine);
    stream.push(&bytes[..20]).unwrap();
    drop(engine);
    let gone = "the engine was dropped before the module was made";
    assert_eq!(stream.push(&bytes[20..]).unwrap_err().to_string(), gone);
    assert_eq!(stream.finish().unwrap_err().to_string(), gone);
}

#[test]
fn streams_end_at_any_state_and_leave_nothing() {
    let bytes = large();
    let engine = Engine::default();
    for len in (0..bytes.len()).step_by(700_001) {
        let mut stream = StreamingCompilation::new(&engine);
        stream.push(&bytes[..len]).unwrap();
        match len % 3 {
            0 => stream.abort(),
            1 => drop(stream),
            _ => drop(stream.finish_async()),
        }
    }
    assert_eq!((engine.statistics().modules, engine.code_bytes()), (0, 0));
    assert_eq!(engine.statistics().cache.streams, 0);
}

#[test]
fn streams_and_calls_at_once_give_one_module() {
    let bytes = large();
    for _ in 0..5 {
        let engine = Engine::new(Config::new().threads(4)).unwrap();
        let modules: Vec<Module> = thread::scope(|scope| {
            let streams = (0..3).map(|number| {
                let (engine, bytes) = (&engine, &bytes);
                scope.spawn(move || cut(engine, bytes, &[number * 1_000_000, 9_000_000]).unwrap())
            });
            let calls = (0..2).map(|_| scope.spawn(|| Module::from_binary(&engine, &bytes).unwrap()));
            let threads: Vec<_> = streams.chain(calls).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(modules.iter().all(|module| Module::same(module, &modules[0])));
        assert_eq!(engine.statistics().modules, 1);
    }
}

#[test]
fn many_streams_at_once() {
    let engine = uncached(&mut Config::new());
    let modules = small();
    thread::scope(|scope| {
        for start in 0..4 {
            let (engine, modules) = (&engine, &modules);
            scope.spawn(move || {
                for round in 0..50 {
                    let bytes = &modules[(start * 5 + round) % modules.len()];
                    let expected = describe(&Module::from_binary(engine, bytes));
                    let mut streams: Vec<_> = (0..8).map(|_| StreamingCompilation::new(engine)).collect();
                    for piece in bytes.chunks(1 + round) {
                        streams.iter_mut().for_each(|stream| stream.push(piece).unwrap());
                    }
                    for stream in streams {
                        assert_eq!(describe(&stream.finish()), expected);
                    }
                }
            });
        }
    });
}

/// Threads of the pool are at a stream's functions when the engine goes, or have not come to them yet.
#[test]
fn an_engine_goes_with_a_stream_open() {
    let bytes = large();
    for (strategy, len) in
        [(Strategy::Lazy, bytes.len() - 1), (Strategy::Lazy, bytes.len() / 2), (Strategy::Eager, 300_000)]
    {
        for late in [false, true] {
            let engine = Engine::new(Config::new().threads(3).strategy(strategy)).unwrap();
            let weak = engine.weak();
            let mut streams: Vec<_> = (0..2).map(|_| StreamingCompilation::new(&engine)).collect();
            for piece in bytes[..len].chunks(100_000) {
                streams.iter_mut().for_each(|stream| stream.push(piece).unwrap());
            }
            if late {
                thread::yield_now();
            }
            drop(engine);
            assert!(weak.upgrade().is_none());
            let gone = "the engine was dropped before the module was made";
            for mut stream in streams {
                assert_eq!(stream.push(&bytes[len..]).unwrap_err().to_string(), gone);
                assert_eq!(stream.finish().unwrap_err().to_string(), gone);
            }
        }
    }
}
