//! Modules from readers.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::StreamingCompilation;
use crate::compile_options::CompileOptions;
use crate::engine::Engine;
use crate::error::{Error, Result, messages};
use crate::module::Module;

/// Bytes that are asked for at a time.
pub(super) const PIECE: usize = 256 << 10;

/// What a module in the binary format begins with.
const MAGIC: &[u8] = b"\0asm";

/// Most bytes of text that are read.
const MODULE_LIMIT: u64 = 1 << 30;

/// What a reader had.
enum Taken {
    /// A module in the binary format, or the beginning of one that is not valid.
    Binary(Box<StreamingCompilation>),
    /// Something else.
    Other(Vec<u8>),
}

impl Module {
    /// Makes a module from what a reader gives, in the binary or the text format. A binary one is decoded, validated and
    /// compiled [while it is read](StreamingCompilation), and is not read on after a fault of its
    /// [structure](StreamingCompilation::has_failed); with a fault within a function it is read to its end.
    ///
    /// # Errors
    /// When reading fails, and as for [`Module::new`].
    ///
    /// ```
    /// use upshift::{Engine, Module};
    ///
    /// # fn main() -> upshift::Result<()> {
    /// let engine = Engine::default();
    /// let text = r#"(module (memory (export "memory") 1))"#;
    /// let from_text = Module::from_reader(&engine, text.as_bytes())?;
    /// let from_binary = Module::from_reader(&engine, from_text.wire_bytes())?;
    /// assert!(from_binary.get_export("memory").is_some());
    /// # Ok(())
    /// # }
    /// ```
    pub fn from_reader(engine: &Engine, reader: impl Read) -> Result<Module> {
        Module::from_reader_with(engine, reader, &CompileOptions::new())
    }

    /// The same, with options.
    ///
    /// # Errors
    /// When reading fails, and as for [`Module::new_with`].
    pub fn from_reader_with(engine: &Engine, reader: impl Read, options: &CompileOptions) -> Result<Module> {
        let cannot_read = |error| Error::new(error).context(messages::runtime::read_file("the module"));
        Taken::all(engine, options, reader, cannot_read)?.module(engine, options, None)
    }

    /// Makes a module from a file in the binary or the text format, as [`Module::from_reader`] does. Its
    /// [URL](Module::with_source_url) is the file's.
    ///
    /// # Errors
    /// When the file cannot be read, and as for [`Module::new`].
    pub fn from_file(engine: &Engine, file: impl AsRef<Path>) -> Result<Module> {
        Module::from_file_with(engine, file, &CompileOptions::new())
    }

    /// The same, with options.
    ///
    /// # Errors
    /// When the file cannot be read, and as for [`Module::new_with`].
    pub fn from_file_with(engine: &Engine, file: impl AsRef<Path>, options: &CompileOptions) -> Result<Module> {
        let path = file.as_ref();
        let cannot_read = |error| Error::new(error).context(messages::runtime::read_file(path.display()));
        let file = File::open(path).map_err(cannot_read)?;
        let taken = Taken::all(engine, options, file, cannot_read)?;
        let module = taken.module(engine, options, Some(path))?;
        Ok(match file_url(path) {
            Some(url) => module.with_source_url(&url),
            None => module,
        })
    }
}

impl Taken {
    fn all(
        engine: &Engine,
        options: &CompileOptions,
        mut reader: impl Read,
        explain: impl Fn(io::Error) -> Error,
    ) -> Result<Taken> {
        let mut stream = StreamingCompilation::new_with(engine, options);
        while !stream.has_failed() {
            let room = stream.room()?;
            match reader.read(room) {
                Ok(0) => break,
                Ok(len) if len <= room.len() => stream.filled(len)?,
                // It says that it has read more than was asked for.
                Ok(_) => return Err(explain(io::ErrorKind::InvalidData.into())),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(explain(error)),
            }
        }
        let bytes = stream.job.bytes();
        if bytes.starts_with(MAGIC) {
            return Ok(Taken::Binary(Box::new(stream)));
        }
        let mut bytes = bytes.to_vec();
        if !bytes.contains(&0) {
            // Text, which has to be there in whole. As long as the longest module and a byte, so that too much is noticed.
            reader.take(MODULE_LIMIT + 1).read_to_end(&mut bytes).map_err(explain)?;
        }
        Ok(Taken::Other(bytes))
    }

    fn module(self, engine: &Engine, options: &CompileOptions, path: Option<&Path>) -> Result<Module> {
        match self {
            Taken::Binary(stream) => stream.finish(),
            Taken::Other(bytes) => {
                let binary = wat::parse_bytes(&bytes).map_err(|mut error| {
                    path.iter().for_each(|path| error.set_path(path));
                    error
                })?;
                Module::from_binary_with(engine, &binary, options)
            }
        }
    }
}

impl StreamingCompilation {
    /// Room for a piece, to be filled.
    pub(super) fn room(&mut self) -> Result<&mut [u8]> {
        let room = self.job.room(PIECE).map_err(Error::from_module)?;
        let len = room.len().min(PIECE);
        Ok(&mut room[..len])
    }

    /// So much of the room has been filled.
    pub(super) fn filled(&mut self, len: usize) -> Result<()> {
        self.job.filled(len).map_err(Error::from_module)
    }
}

/// The URL of a file. None if its path cannot be told.
fn file_url(file: &Path) -> Option<String> {
    let path = std::path::absolute(file).ok()?;
    let mut url = String::from("file://");
    for &byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' | b'+' | b'@' | b',' => {
                url.push(char::from(byte));
            }
            _ => url.push_str(&format!("%{byte:02X}")),
        }
    }
    Some(url)
}
