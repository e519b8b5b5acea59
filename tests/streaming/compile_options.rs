//! Compile-time imports of a stream are checked as those of all bytes at once: the same text, kind and offset, wherever the
//! bytes are cut, and after every fault of the bytes themselves.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use upshift::{
    BuiltinSet, CompileError, CompileOptions, Config, Engine, Module, Result, Strategy, StreamingCompilation,
};

use super::{describe, uncached};

fn options() -> CompileOptions {
    let mut options = CompileOptions::new();
    options.builtins(BuiltinSet::JsString).string_constants(Some("'"));
    options
}

const LENGTH: &str = r#"(import "wasm:js-string" "length" (func (param externref) (result i32)))"#;
const WRONG: &str = r#"(import "wasm:js-string" "length" (func (param i32)))"#;
const WRONG_STRING: &str = r#"(import "'" "text" (global i32))"#;
const STRING: &str = r#"(import "'" "text" (global (ref extern)))"#;

/// Modules, and whether they are right with these options.
fn samples() -> Vec<(bool, Vec<u8>)> {
    let good = "(func (export \"f\") (result i32) (i32.const 1)) (memory 1) (data (i32.const 0) \"abc\")";
    let texts = [
        (true, format!("(module {LENGTH} {STRING} {good})")),
        (false, format!("(module {WRONG} {good})")),
        (false, format!("(module {STRING} {LENGTH} {WRONG_STRING} {WRONG} {good})")),
        // Without code nothing is known before the end.
        (false, format!("(module {WRONG_STRING})")),
        // What is wrong in the bytes comes first.
        (false, format!("(module {WRONG} (func) (func (result i32)))")),
        (false, format!("(module {WRONG} {good} (export \"f\" (func 1)))")),
    ];
    texts.into_iter().map(|(right, text)| (right, wat::parse_str(text).unwrap())).collect()
}

fn cut(engine: &Engine, bytes: &[u8], ends: &[usize]) -> StreamingCompilation {
    let mut stream = StreamingCompilation::new_with(engine, &options());
    let mut start = 0;
    for &end in ends.iter().chain([&bytes.len()]) {
        stream.push(&bytes[start..end]).unwrap();
        start = end;
    }
    stream
}

/// The end of a stream, waited for without an executor.
fn finish_async(stream: StreamingCompilation) -> Result<Module> {
    let mut module = pin!(stream.finish_async());
    loop {
        match module.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(module) => return module,
            Poll::Pending => std::thread::yield_now(),
        }
    }
}

#[test]
fn every_cut_gives_the_same_answer() {
    for strategy in [Strategy::Lazy, Strategy::Eager] {
        let engine = uncached(Config::new().strategy(strategy));
        for (number, (right, bytes)) in samples().into_iter().enumerate() {
            let whole = Module::from_binary_with(&engine, &bytes, &options());
            assert_eq!(whole.is_ok(), right, "{number}");
            let expected = describe(&whole);
            for at in 0..=bytes.len() {
                let stream = || cut(&engine, &bytes, &[at]);
                assert_eq!(describe(&stream().finish()), expected, "{number} cut at {at}");
                assert_eq!(describe(&finish_async(stream())), expected, "{number} cut at {at}, async");
            }
            let everywhere: Vec<usize> = (1..bytes.len()).collect();
            assert_eq!(describe(&cut(&engine, &bytes, &everywhere).finish()), expected, "{number} byte by byte");
        }
    }
}

#[test]
fn a_module_in_the_cache_is_another_with_other_options() {
    let engine = Engine::default();
    for (number, (right, bytes)) in samples().into_iter().enumerate() {
        // The stream finds a module of its prefix, and collects; only the options tell them apart.
        let plain = Module::from_binary(&engine, &bytes);
        let streamed = cut(&engine, &bytes, &[bytes.len() / 2]).finish();
        let expected = describe(&Module::from_binary_with(&engine, &bytes, &options()));
        assert_eq!(describe(&streamed), expected, "{number}");
        assert_eq!(streamed.is_ok(), right, "{number}");
        if let (Ok(plain), Ok(streamed)) = (&plain, &streamed) {
            assert_ne!(plain.number(), streamed.number());
        }
    }
}

#[test]
fn the_fault_has_its_place() {
    let engine = uncached(&mut Config::new());
    let bytes = wat::parse_str(format!("(module {WRONG} (func))")).unwrap();
    let error = cut(&engine, &bytes, &[5, 9]).finish().unwrap_err();
    let whole = Module::from_binary_with(&engine, &bytes, &options()).unwrap_err();
    let place =
        |error: &upshift::Error| error.downcast_ref::<CompileError>().map(|error| (error.kind(), error.offset()));
    assert_eq!((place(&error), error.to_string()), (place(&whole), whole.to_string()));
    assert!(place(&error).is_some() && error.to_string().contains("length"), "{error}");
}
