//! The cache with real modules.

mod lookups;

use std::sync::Barrier;

use super::*;
use crate::compile::phases::{Cancel, Compilation};
use crate::config::Config;
use crate::engine::Engine;
use crate::module::{compile, compile_with};

/// A module with a custom section of these contents behind its code.
fn module(tail: &[u8]) -> Vec<u8> {
    let mut bytes = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x0a\x04\x01\x02\0\x0b".to_vec();
    bytes.extend([0, 2 + tail.len() as u8, 1, b'x']);
    bytes.extend_from_slice(tail);
    bytes
}

fn engine() -> Engine {
    Engine::new(Config::default()).unwrap()
}

fn statistics(engine: &Engine) -> CacheStatistics {
    engine.service().cache.statistics()
}

#[test]
fn equal_bytes_give_the_same_module() {
    let engine = engine();
    let bytes = module(b"1");
    let first = compile(&engine, &*bytes).unwrap();
    let second = compile(&engine, bytes.clone()).unwrap();
    let third = compile(&engine, first.wire_bytes().clone()).unwrap();
    assert!(Arc::ptr_eq(&first, &second) && Arc::ptr_eq(&first, &third));
    // The same prefix, other bytes of the same length, and of another.
    for tail in [&b"2"[..], b"22"] {
        let other = compile(&engine, module(tail)).unwrap();
        assert!(!Arc::ptr_eq(&first, &other));
    }
    let now = statistics(&engine);
    assert_eq!((now.hits, now.misses, now.entries), (2, 3, 1), "{now:?}");
}

#[test]
fn compile_time_imports_are_part_of_the_key() {
    let engine = engine();
    let mut imports = CompileTimeImports::new();
    imports.set_string_constants(Some("strings"));
    let plain = compile(&engine, module(b"")).unwrap();
    let other = compile_with(&engine, module(b""), imports.clone()).unwrap();
    let again = compile_with(&engine, module(b""), imports).unwrap();
    assert!(!Arc::ptr_eq(&plain, &other) && Arc::ptr_eq(&other, &again));
}

#[test]
fn a_dead_module_leaves_the_cache() {
    let engine = engine();
    for _ in 0..3 {
        let module = compile(&engine, module(b"")).unwrap();
        assert_eq!(statistics(&engine).entries, 1);
        drop(module);
        assert_eq!(statistics(&engine).entries, 0);
    }
    assert_eq!(statistics(&engine).misses, 3);
}

#[test]
fn without_a_cache_every_module_is_its_own() {
    let engine = Engine::new(Config { module_cache: false, ..Config::default() }).unwrap();
    let (one, two) = (compile(&engine, module(b"")).unwrap(), compile(&engine, module(b"")).unwrap());
    assert!(!Arc::ptr_eq(&one, &two));
    assert_eq!(statistics(&engine), CacheStatistics::default());
    assert!(engine.service().cache.claim_prefix(PrefixHash(1)).is_none());
}

#[test]
fn a_fault_is_everybodys_own() {
    let engine = engine();
    let bytes = &module(b"")[..22];
    let mut broken = bytes.to_vec();
    broken.extend([0x1a, 0x0b]);
    broken[19] = 5;
    broken[21] = 3;
    for _ in 0..2 {
        let first = compile(&engine, &*broken).unwrap_err().to_string();
        assert_eq!(first, compile(&engine, &*broken).unwrap_err().to_string());
    }
    let now = statistics(&engine);
    assert_eq!((now.building, now.entries), (0, 0));
    compile(&engine, &b"\0asm\x01\0\0\0\x01\xff"[..]).unwrap_err();
}

#[test]
fn the_first_to_finish_wins() {
    let engine = engine();
    let cache = Arc::clone(&engine.service().cache);
    let bytes = module(b"");
    let prefix = prefix_hash::of_module(&bytes).unwrap();
    // A stream that loses, and one that wins.
    let make = |engine: &Engine| {
        let compilation = Compilation::new(engine.service(), Cancel::default());
        compilation.run(&bytes.clone().into(), &CompileTimeImports::NONE).unwrap()
    };
    let stream = cache.claim_prefix(prefix).unwrap();
    assert!(cache.claim_prefix(prefix).is_none(), "another stream owns it");
    let first = compile(&engine, &*bytes).unwrap();
    let late = stream.publish(CompileTimeImports::NONE, make(&engine));
    assert!(Arc::ptr_eq(&first, &late));
    assert_eq!(statistics(&engine).conflicts, 1);
    assert!(cache.claim_prefix(prefix).is_none(), "there is such a module");
    drop((first, late));
    let stream = cache.claim_prefix(prefix).unwrap();
    let early = stream.publish(CompileTimeImports::NONE, make(&engine));
    assert!(Arc::ptr_eq(&early, &compile(&engine, &*bytes).unwrap()));
    drop(early);
    drop(cache.claim_prefix(prefix).unwrap());
    assert_eq!(statistics(&engine).streams, 0);
}

#[test]
fn many_threads_make_one_module() {
    let engine = engine();
    for round in 0..50u8 {
        let barrier = Barrier::new(4);
        let modules: Vec<_> = std::thread::scope(|scope| {
            let make = || {
                barrier.wait();
                compile(&engine, module(&[round])).unwrap()
            };
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(make)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(modules.iter().all(|module| Arc::ptr_eq(module, &modules[0])));
    }
    let now = statistics(&engine);
    assert_eq!((now.misses, now.hits, now.entries), (50, 150, 0));
}
