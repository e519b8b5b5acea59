//! Readers, asynchronous streams and readers: what they give, and how they fail.

use std::io::{self, Read};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::executor::block_on;
use futures::io::AsyncRead;
use futures::stream;
use upshift::{CompileError, Engine, Error, Module};

use super::describe;
use super::samples::{large, small};

/// A reader that gives a few bytes at a time, is interrupted in between, and may fail at the end.
struct Slow<'a> {
    bytes: &'a [u8],
    step: usize,
    interrupted: bool,
    fails: bool,
}

impl<'a> Slow<'a> {
    fn new(bytes: &'a [u8], step: usize) -> Slow<'a> {
        Slow { bytes, step, interrupted: false, fails: false }
    }
}

impl Read for Slow<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.interrupted = !self.interrupted;
        if self.interrupted {
            return Err(io::ErrorKind::Interrupted.into());
        }
        if self.bytes.is_empty() && self.fails {
            return Err(io::Error::other("the line is dead"));
        }
        let len = self.step.min(room.len()).min(self.bytes.len());
        room[..len].copy_from_slice(&self.bytes[..len]);
        self.bytes = &self.bytes[len..];
        Ok(len)
    }
}

impl AsyncRead for Slow<'_> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>> {
        match self.read(room) {
            // Half of the interruptions are waits.
            Err(error) if error.kind() == io::ErrorKind::Interrupted && self.bytes.len() % 2 == 0 => {
                context.waker().wake_by_ref();
                Poll::Pending
            }
            result => Poll::Ready(result),
        }
    }
}

#[test]
fn readers_give_what_the_bytes_give() {
    let engine = Engine::default();
    for bytes in small() {
        let expected = describe(&Module::from_binary(&engine, &bytes));
        for step in [1, 7, 1000] {
            assert_eq!(describe(&Module::from_reader(&engine, Slow::new(&bytes, step))), expected);
            assert_eq!(describe(&block_on(Module::from_async_read(&engine, Slow::new(&bytes, step)))), expected);
            let pieces = stream::iter(bytes.chunks(step).map(Ok::<_, Error>));
            assert_eq!(describe(&block_on(Module::from_stream(&engine, pieces))), expected);
        }
    }
    let bytes = large();
    let module = Module::from_reader(&engine, &*bytes).unwrap();
    assert!(module.wire_bytes() == bytes);
    let again = block_on(Module::from_async_read(&engine, Slow::new(&bytes, 100_001))).unwrap();
    assert!(Module::same(&module, &again));
}

#[test]
fn text_is_read_as_text() {
    let engine = Engine::default();
    for text in
        ["(module (func (export \"f\")))", "", ";; nothing", "(module", "(func", "\0as", "\0", "\u{feff}(module)"]
    {
        let expected = describe(&Module::new(&engine, text));
        for step in [1, 3, 100] {
            assert_eq!(describe(&Module::from_reader(&engine, Slow::new(text.as_bytes(), step))), expected, "{text:?}");
        }
    }
    // Asynchronous ones are binary.
    let error = block_on(Module::from_async_read(&engine, "(module)".as_bytes())).unwrap_err();
    assert!(error.is::<CompileError>(), "{error:?}");
}

#[test]
fn errors_of_readers_are_passed_on() {
    let engine = Engine::default();
    let bytes = &small()[1];
    let dead = |bytes| Slow { fails: true, ..Slow::new(bytes, 10) };
    let expected = "cannot read the module: the line is dead";
    assert_eq!(format!("{:#}", Module::from_reader(&engine, dead(bytes)).unwrap_err()), expected);
    assert_eq!(format!("{:#}", Module::from_reader(&engine, dead(b"(module)")).unwrap_err()), expected);
    assert_eq!(format!("{:#}", block_on(Module::from_async_read(&engine, dead(bytes))).unwrap_err()), expected);
    let pieces = stream::iter([Ok(bytes.clone()), Err(io::Error::other("cut off"))]);
    let error = block_on(Module::from_stream(&engine, pieces)).unwrap_err();
    assert_eq!(error.downcast_ref::<io::Error>().unwrap().to_string(), "cut off");
    // What is known to be wrong is not read on.
    let broken = dead(b"\0asm\x02\0\0\0more");
    assert!(Module::from_reader(&engine, broken).unwrap_err().is::<CompileError>());
    assert_eq!(engine.statistics().modules, 0);
}

/// A reader that says that it has read more than there was room for.
struct Liar;

impl Read for Liar {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        Ok(room.len() + 1)
    }
}

#[test]
fn a_reader_that_lies_is_an_error() {
    let error = Module::from_reader(&Engine::default(), Liar).unwrap_err();
    assert!(format!("{error:#}").starts_with("cannot read the module: "), "{error:#}");
}

#[test]
fn files_are_read_the_same_way() {
    let engine = Engine::default();
    let path = std::env::temp_dir().join(format!("upshift-streaming-{}.wasm", std::process::id()));
    let bytes = small()[1].clone();
    std::fs::write(&path, &bytes).unwrap();
    let module = Module::from_file(&engine, &path).unwrap();
    assert_eq!(module.wire_bytes(), bytes);
    std::fs::write(&path, "(module (fun))").unwrap();
    let error = Module::from_file(&engine, &path).unwrap_err().to_string();
    assert!(error.contains(path.to_str().unwrap()), "{error}");
    std::fs::remove_file(&path).unwrap();
    let error = format!("{:#}", Module::from_file(&engine, &path).unwrap_err());
    assert!(error.starts_with(&format!("cannot read {}: ", path.display())), "{error}");
}
