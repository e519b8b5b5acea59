//! Modules from asynchronous streams and readers, by the traits of the `futures` crates. The adapters bring no executor.

use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::pin::pin;

use futures_core::Stream;
use futures_io::AsyncRead;

use super::StreamingCompilation;
use crate::compile_options::CompileOptions;
use crate::engine::Engine;
use crate::error::{Error, Result, messages};
use crate::module::Module;

impl Module {
    /// Makes a module in the binary format from a stream of pieces, such as the body of an HTTP response, while it arrives.
    /// After a fault of its [structure](StreamingCompilation::has_failed) no more of it is asked for. Dropping the future
    /// ends the compilation.
    ///
    /// # Errors
    /// The stream's own, and as for [`Module::from_binary`].
    ///
    /// ```
    /// # fn main() -> upshift::Result<()> {
    /// use upshift::{Engine, Module};
    ///
    /// let engine = Engine::default();
    /// let pieces = [b"\0asm".to_vec(), b"\x01\0\0\0".to_vec()];
    /// let body = futures::stream::iter(pieces.map(Ok::<_, std::io::Error>));
    /// let module = futures::executor::block_on(Module::from_stream(&engine, body))?;
    /// assert_eq!(module.imports().len(), 0);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn from_stream<S, B, E>(engine: &Engine, stream: S) -> Result<Module>
    where
        S: Stream<Item = Result<B, E>>,
        B: AsRef<[u8]>,
        E: Into<Error>,
    {
        Module::from_stream_with(engine, stream, &CompileOptions::new()).await
    }

    /// The same, with options.
    ///
    /// # Errors
    /// The stream's own, and as for [`Module::from_binary_with`].
    pub async fn from_stream_with<S, B, E>(engine: &Engine, stream: S, options: &CompileOptions) -> Result<Module>
    where
        S: Stream<Item = Result<B, E>>,
        B: AsRef<[u8]>,
        E: Into<Error>,
    {
        let mut compilation = StreamingCompilation::new_with(engine, options);
        let mut stream = pin!(stream);
        while !compilation.has_failed() {
            let Some(piece) = poll_fn(|context| stream.as_mut().poll_next(context)).await else { break };
            compilation.push(piece.map_err(Into::into)?.as_ref())?;
        }
        compilation.finish_async().await
    }

    /// Makes a module in the binary format from what an asynchronous reader gives, while it arrives. After a fault of its
    /// [structure](StreamingCompilation::has_failed) no more is read. Dropping the future ends the compilation.
    ///
    /// # Errors
    /// When reading fails, and as for [`Module::from_binary`].
    ///
    /// ```
    /// # fn main() -> upshift::Result<()> {
    /// use upshift::{Engine, Module};
    ///
    /// let engine = Engine::default();
    /// let reader = futures::io::Cursor::new(b"\0asm\x01\0\0\0");
    /// let module = futures::executor::block_on(Module::from_async_read(&engine, reader))?;
    /// assert_eq!(module.imports().len(), 0);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn from_async_read(engine: &Engine, reader: impl AsyncRead) -> Result<Module> {
        Module::from_async_read_with(engine, reader, &CompileOptions::new()).await
    }

    /// The same, with options.
    ///
    /// # Errors
    /// When reading fails, and as for [`Module::from_binary_with`].
    pub async fn from_async_read_with(
        engine: &Engine,
        reader: impl AsyncRead,
        options: &CompileOptions,
    ) -> Result<Module> {
        let mut compilation = StreamingCompilation::new_with(engine, options);
        let mut reader = pin!(reader);
        let cannot_read = |error: io::Error| Error::new(error).context(messages::runtime::read_file("the module"));
        while !compilation.has_failed() {
            let room = compilation.room()?;
            match poll_fn(|context| reader.as_mut().poll_read(context, room)).await {
                Ok(0) => break,
                Ok(len) if len <= room.len() => compilation.filled(len)?,
                // It says that it has read more than was asked for.
                Ok(_) => return Err(cannot_read(ErrorKind::InvalidData.into())),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(cannot_read(error)),
            }
        }
        compilation.finish_async().await
    }
}
