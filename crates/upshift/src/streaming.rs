//! `StreamingCompilation`: a module that is decoded, validated and compiled while its bytes arrive; and modules from readers
//! and streams.

use std::fmt;
use std::future::Future;

use engine::compile::streaming::StreamingJob;

use crate::compile_options::CompileOptions;
use crate::engine::{Engine, EngineWeak};
use crate::error::{Error, Result};
use crate::module::Module;

#[cfg(feature = "futures")]
mod futures;
mod reader;

/// A module in the binary format that arrives in pieces.
///
/// Functions are validated as they come, on the threads of the engine, and compiled too if the engine's
/// [strategy](crate::Config::strategy) is not to compile them when they are called. So when the last byte comes, little is
/// left to do. The bytes are kept where they are put: the module needs no other copy.
///
/// However the bytes are cut, the module is the same as that of all bytes at once, and so is the error, if there is one. It
/// is given at the end. Dropping a compilation ends it and frees all that it holds.
///
/// ```
/// use upshift::{Engine, StreamingCompilation};
///
/// # fn main() -> upshift::Result<()> {
/// let engine = Engine::default();
/// let bytes = wat::parse_str(r#"(module (func (export "answer") (result i32) (i32.const 42)))"#)?;
/// let mut stream = StreamingCompilation::new(&engine);
/// for piece in bytes.chunks(7) {
///     stream.push(piece)?;
/// }
/// let module = stream.finish()?;
/// assert!(module.get_export("answer").is_some());
/// assert_eq!(module.wire_bytes(), bytes);
/// # Ok(())
/// # }
/// ```
pub struct StreamingCompilation {
    engine: EngineWeak,
    job: StreamingJob,
}

impl fmt::Debug for StreamingCompilation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (len, failed) = (self.job.bytes().len(), self.has_failed());
        f.debug_struct("StreamingCompilation").field("bytes", &len).field("failed", &failed).finish_non_exhaustive()
    }
}

impl StreamingCompilation {
    /// A compilation that has no byte yet. It does not keep the engine: when that is dropped, it fails.
    pub fn new(engine: &Engine) -> StreamingCompilation {
        StreamingCompilation::new_with(engine, &CompileOptions::new())
    }

    /// The same, of a module some of whose imports are answered when it is compiled.
    pub fn new_with(engine: &Engine, options: &CompileOptions) -> StreamingCompilation {
        let job = StreamingJob::new(&engine.inner, options.imports.clone());
        StreamingCompilation { engine: engine.weak(), job }
    }

    /// Takes the next bytes. A fault in them is no error here: it is kept for [`finish`](StreamingCompilation::finish), and
    /// what comes after it is dropped.
    ///
    /// # Errors
    /// When there is no memory for the bytes, or no engine any more. So will all later calls be.
    pub fn push(&mut self, bytes: &[u8]) -> Result<()> {
        self.job.push(bytes).map_err(Error::from_module)
    }

    /// Is it known already that there will be no module? Then there is no use in more bytes. It is so from the first fault
    /// of the module's structure on: of its header, a section, or the place of a function in the code section. What is wrong
    /// within a function is said by [`finish`](StreamingCompilation::finish) alone. Either depends on the bytes only, not on
    /// what the engine has in its cache.
    ///
    /// ```
    /// use upshift::{Engine, StreamingCompilation};
    ///
    /// # fn main() -> upshift::Result<()> {
    /// let engine = Engine::default();
    /// let mut stream = StreamingCompilation::new(&engine);
    /// stream.push(b"<!DOCTYPE html>")?;
    /// assert!(stream.has_failed());
    /// assert!(stream.finish().unwrap_err().to_string().contains("magic header not detected"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn has_failed(&self) -> bool {
        self.job.has_failed()
    }

    /// All bytes have come: makes the module.
    ///
    /// # Errors
    /// As for [`Module::from_binary`] with all bytes; and those of [`push`](StreamingCompilation::push).
    pub fn finish(self) -> Result<Module> {
        // Held meanwhile, so that the module that comes of it has an engine.
        let engine = self.engine.upgrade();
        let native = self.job.finish().map_err(Error::from_module)?;
        let engine = engine.ok_or_else(|| Error::from_module(engine::error::ModuleError::EngineDropped))?;
        Ok(Module::from_native(&engine, native))
    }

    /// The same without waiting: the work is done by the engine's threads, or by whoever polls if there are none. Any
    /// executor will do. Dropping the future ends the compilation.
    ///
    /// # Errors
    /// As for [`finish`](StreamingCompilation::finish).
    ///
    /// ```
    /// use std::future::Future;
    /// use std::pin::pin;
    /// use std::task::{Context, Poll, Waker};
    /// use upshift::{Engine, StreamingCompilation};
    ///
    /// # fn main() -> upshift::Result<()> {
    /// let engine = Engine::default();
    /// let mut stream = StreamingCompilation::new(&engine);
    /// stream.push(b"\0asm\x01\0\0\0")?;
    /// let mut module = pin!(stream.finish_async());
    /// let module = loop {
    ///     // An executor would wait to be woken.
    ///     match module.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
    ///         Poll::Ready(module) => break module?,
    ///         Poll::Pending => std::thread::yield_now(),
    ///     }
    /// };
    /// assert_eq!(module.exports().len(), 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn finish_async(self) -> impl Future<Output = Result<Module>> + Send + 'static {
        let StreamingCompilation { engine, job } = self;
        let native = job.finish_later();
        async move {
            let native = native.await.map_err(Error::from_module)?;
            let engine = engine.upgrade();
            let engine = engine.ok_or_else(|| Error::from_module(engine::error::ModuleError::EngineDropped))?;
            Ok(Module::from_native(&engine, native))
        }
    }

    /// Ends the compilation, and frees all that it holds. Dropping it does the same.
    pub fn abort(self) {
        self.job.abort();
    }
}

const _: () = {
    const fn shared_by_threads<T: Send + Sync>() {}
    shared_by_threads::<StreamingCompilation>();
};
