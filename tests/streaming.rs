//! Streaming compilation: however the bytes come, the module, or the error, is that of all bytes at once.
//!
//! How tasks of the pool and bytes may come before and after each other is tested in the engine, with a pool run by hand.

mod adapters;
mod compile_options;
mod life;
mod samples;
mod slicing;

use std::hash::{DefaultHasher, Hash, Hasher};

use upshift::{CompileError, Config, Engine, Module, Result, StreamingCompilation};

/// An engine in which every module is made anew.
fn uncached(config: &mut Config) -> Engine {
    Engine::new(config.module_cache(false)).unwrap()
}

/// All that can be seen of a module without running it; or what is wrong.
fn describe(result: &Result<Module>) -> String {
    let module = match result {
        Ok(module) => module,
        Err(error) => {
            let kind = error.downcast_ref::<CompileError>().map(|error| (error.kind(), error.offset()));
            return format!("{error:#}; {kind:?}");
        }
    };
    let mut text = format!("{:?} {} bytes\n", module.name(), module.wire_bytes().len());
    module.imports().for_each(|import| text += &format!("{} {} {}\n", import.module(), import.name(), import.ty()));
    module.exports().for_each(|export| text += &format!("{} {}\n", export.name(), export.ty()));
    let mut functions = DefaultHasher::new();
    module
        .functions()
        .for_each(|function| (function.index, function.name, function.offset, function.len).hash(&mut functions));
    text + &format!("{} functions: {:x}\n", module.functions().len(), functions.finish())
}

/// Fails unless both are the same module, or the same error.
fn assert_same(streamed: &Result<Module>, expected: &(String, Vec<u8>), what: &str) {
    // Large ones are not worth printing whole.
    let text = describe(streamed);
    let differ = text.lines().zip(expected.0.lines()).find(|(one, other)| one != other);
    assert!(text == expected.0, "{what}: {differ:?}");
    if let Ok(module) = streamed {
        assert!(module.wire_bytes() == expected.1, "{what}: other wire bytes");
    }
}

/// What all bytes at once give.
fn whole(engine: &Engine, bytes: &[u8]) -> (String, Vec<u8>) {
    (describe(&Module::from_binary(engine, bytes)), bytes.to_vec())
}

/// What pieces that end at `cuts` give.
fn cut(engine: &Engine, bytes: &[u8], cuts: &[usize]) -> Result<Module> {
    let mut stream = StreamingCompilation::new(engine);
    let mut start = 0;
    for &end in cuts.iter().chain([&bytes.len()]) {
        stream.push(&bytes[start..end]).unwrap();
        start = end;
    }
    stream.finish()
}
