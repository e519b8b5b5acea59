//! Streams at the module cache: who owns a prefix, who collects, and who is done first.

use std::sync::Arc;

use upshift::{Engine, Instance, Module, Store, StreamingCompilation};

use super::compiles::{compile, engine};
use crate::jobs::{assert_one, names, now, orders, wasm};

/// The number of bytes with which a stream knows its prefix.
fn code_start(bytes: &[u8]) -> usize {
    let owns = |len: &usize| {
        let engine = Engine::default();
        let stream = start(&engine, &bytes[..*len]);
        let streams = engine.statistics().cache.streams;
        stream.abort();
        streams == 1
    };
    (0..bytes.len()).find(owns).unwrap()
}

fn start(engine: &Engine, bytes: &[u8]) -> StreamingCompilation {
    let mut stream = StreamingCompilation::new(engine);
    stream.push(bytes).unwrap();
    stream
}

fn call(engine: &Engine, module: &Module) -> i32 {
    let mut store = Store::new(engine, ());
    let instance = Instance::new(&mut store, module, &[]).unwrap();
    instance.get_typed_func::<(), i32>(&mut store, "f").unwrap().call(&mut store, ()).unwrap()
}

/// Neither waits for the other, and whoever is done first wins.
#[test]
fn a_stream_races_a_compilation() {
    let (timeline, engine, _pool) = engine();
    let bytes = wasm(1);
    let (head, tail) = bytes.split_at(code_start(&bytes));

    timeline.note("a stream owns its prefix; a compiles the same bytes; the stream is done first");
    let mut stream = start(&engine, head);
    let a = compile(&timeline, "a", &engine, wasm(1));
    a.to("decode");
    stream.push(tail).unwrap();
    let streamed = stream.finish().unwrap();
    timeline.note("a comes too late");
    assert_one(&[streamed, a.end().unwrap()]);

    timeline.note("the same, and a is done first");
    let mut stream = start(&engine, head);
    let a = compile(&timeline, "a", &engine, wasm(1)).end().unwrap();
    timeline.note("the stream comes too late");
    stream.push(tail).unwrap();
    assert_one(&[stream.finish().unwrap(), a]);

    timeline.note("a stream begins while a compiles");
    let a = compile(&timeline, "a", &engine, wasm(1));
    a.to("decode");
    let mut stream = start(&engine, head);
    stream.push(tail).unwrap();
    let end = timeline.actor("stream", move || stream.finish().unwrap());
    end.past("cache wait");
    let a = a.end().unwrap();
    assert_one(&[end.end(), a]);

    timeline.note("a stream owns its prefix and is aborted; a does not care");
    let stream = start(&engine, head);
    let a = compile(&timeline, "a", &engine, wasm(1));
    a.to("decode");
    stream.abort();
    drop(a.end().unwrap());

    let cache = engine.statistics().cache;
    assert_eq!((cache.conflicts, cache.waits, cache.entries, cache.building, cache.streams), (2, 1, 0, 0, 0));
    timeline.compare("stream_and_compile");
}

/// The compilation begins and is done after every number of bytes of the stream.
#[test]
fn a_stream_races_a_compilation_at_every_byte() {
    let bytes = wasm(1);
    let knows = code_start(&bytes);
    for begin in 0..=bytes.len() {
        for end in begin..=bytes.len() + 1 {
            let (timeline, engine, _pool) = engine();
            let mut stream = start(&engine, &bytes[..begin]);
            let a = compile(&timeline, "a", &engine, wasm(1));
            a.to("decode");
            stream.push(&bytes[begin..end.min(bytes.len())]).unwrap();
            let owns = begin >= knows;
            let modules = if end <= bytes.len() {
                let module = a.end().unwrap();
                stream.push(&bytes[end..]).unwrap();
                [module, stream.finish().unwrap()]
            } else if owns {
                let module = stream.finish().unwrap();
                [module, a.end().unwrap()]
            } else {
                // It collects, and finds a at work.
                let finish = timeline.actor("stream", move || stream.finish().unwrap());
                finish.past("cache wait");
                let module = a.end().unwrap();
                [module, finish.end()]
            };
            assert_one(&modules);
            let cache = engine.statistics().cache;
            let expected = if owns { (2, 1, 0) } else { (1, 0, 1) };
            assert_eq!((cache.misses, cache.conflicts, cache.hits), expected, "{begin} {end}");
            assert_eq!((cache.entries, cache.building, cache.streams, engine.statistics().modules), (1, 0, 0, 1));
        }
    }
}

/// Three modules that differ from the first body on: one stream owns what they have in common, and the others are made of
/// all their bytes. They are finished by tasks, in every order.
#[test]
fn three_streams_with_one_prefix() {
    let modules = [1, 2, 3].map(wasm);
    let place = code_start(&modules[0]);
    orders(3, |order| {
        let (timeline, engine, pool) = engine();
        assert!(modules.iter().all(|bytes| bytes[..place] == modules[0][..place]));
        let mut streams = modules.each_ref().map(|_| StreamingCompilation::new(&engine));
        let pieces = [0..place - 4, place - 4..place, place..place + 3, place + 3..modules[0].len()];
        for (nth, piece) in pieces.into_iter().enumerate() {
            timeline.note(&format!("piece {} for each of three streams", nth + 1));
            for (stream, bytes) in streams.iter_mut().zip(&modules) {
                stream.push(&bytes[piece.clone()]).unwrap();
            }
        }
        let cache = engine.statistics().cache;
        assert_eq!((cache.streams, cache.building, cache.misses), (1, 0, 1));
        timeline.note("all have come");
        let mut futures = streams.map(|stream| Box::pin(stream.finish_async()));
        assert_eq!(names(&pool), ["finish stream", "compile", "compile"]);
        for (nth, &place) in order.iter().enumerate() {
            timeline.note(&format!("the task of stream {}", place + 1));
            let gone = order[..nth].iter().filter(|&&before| before < place).count();
            assert!(pool.run(place - gone));
        }
        let made = futures.each_mut().map(|future| now(future).unwrap());
        let cache = engine.statistics().cache;
        assert_eq!((cache.streams, cache.misses, cache.conflicts, cache.entries), (0, 3, 0, 3));
        timeline.note("a stream of the third's bytes");
        assert_one(&[start(&engine, &modules[2]).finish().unwrap(), made[2].clone()]);
        timeline.note("call each");
        assert_eq!(made.each_ref().map(|module| call(&engine, module)), [1, 2, 3]);
        drop((made, futures));
        timeline.note("a stream owns the prefix and is aborted, so that the next one owns it");
        start(&engine, &modules[0][..place]).abort();
        drop(start(&engine, &modules[1]).finish().unwrap());
        let cache = engine.statistics().cache;
        assert_eq!((cache.streams, cache.entries, timeline.count("stream owns its prefix")), (0, 0, 3));
        if order == [0, 1, 2] {
            timeline.compare("three_streams");
        }
    });
}

/// The owner of the prefix ends before the others, at every stage: they do not depend on it.
#[test]
fn an_owner_of_a_prefix_may_go_at_any_moment() {
    let modules = [1, 2].map(wasm);
    let place = code_start(&modules[0]);
    for at in place..=modules[0].len() {
        let (_timeline, engine, pool) = engine();
        let owner = start(&engine, &modules[0][..at]);
        let mut other = start(&engine, &modules[1][..at]);
        match at % 3 {
            0 => owner.abort(),
            1 => drop(owner.finish_async()),
            _ => {
                let future = owner.finish_async();
                pool.run_all();
                drop(future);
            }
        }
        assert_eq!(engine.statistics().cache.streams, 0);
        other.push(&modules[1][at..]).unwrap();
        let other = other.finish().unwrap();
        assert_eq!(call(&engine, &other), 2);
        assert_one(&[other, Module::new(&engine, &modules[1]).unwrap()]);
    }
}

/// What an aborted stream leaves: nothing, whoever else holds the engine.
#[test]
fn an_engine_goes_under_a_stream() {
    let (timeline, engine, _pool) = engine();
    let bytes = wasm(1);
    let stream = start(&engine, &bytes[..code_start(&bytes)]);
    drop(engine);
    assert_eq!(timeline.count("engine dropped: tasks dropped 0, waited for 0"), 1);
    drop(stream);
    assert_eq!((timeline.count("stream aborted"), Arc::strong_count(&timeline)), (0, 1));
}
