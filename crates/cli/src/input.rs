//! Reading modules: binary or text, from files or standard input.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use upshift::{Context, Engine, Error, Module, Result, nearest_name};
use wast::Wat;
use wast::lexer::Lexer;
use wast::parser::{self, ParseBuffer};

use crate::exit::Note;
use crate::progress::Progress;
use crate::quantity::show_bytes;

#[cfg(test)]
mod tests;

/// Files of a directory that are looked at for a near name.
const MOST_FILES: usize = 10_000;

/// What a module in the binary format begins with.
const MAGIC: &[u8] = b"\0asm";

/// Most bytes of a module in the text format: as many as one in the binary format may have.
const MOST_TEXT: usize = 1 << 30;

/// Bytes of text that are read at a time.
const PIECE: u64 = 1 << 20;

/// A module that is there to be read.
pub(crate) enum Input {
    /// In the binary format; none of it has been read but its first bytes, which are read again.
    Binary {
        /// All of it.
        reader: Box<dyn Read>,
        /// Bytes of it, where that is known.
        len: Option<u64>,
    },
    /// Converted from text.
    Converted(Vec<u8>),
}

/// Looks at what a file begins with; text is read, and converted to the binary format.
///
/// # Errors
/// When it cannot be read, or the text is not a module; the message shows where.
pub(crate) fn open(file: &OsStr) -> Result<Input> {
    let cannot_read = || format!("cannot read {}", name(file));
    let (mut reader, len) = source(file).map_err(|error| cannot_open(file, error))?;
    let mut first = Vec::new();
    reader.by_ref().take(MAGIC.len() as u64).read_to_end(&mut first).with_context(cannot_read)?;
    if first == MAGIC {
        return Ok(Input::Binary { reader: Box::new(MAGIC.chain(reader)), len });
    }
    if first.is_empty() {
        return Err(Error::msg(format!("{} is empty", name(file))));
    }
    let text = read_text(first, reader, file)?.ok_or_else(|| {
        let text = format!("{} is not a WebAssembly module: it begins with neither `\\0asm` nor text", name(file));
        Error::msg(text)
    })?;
    let binary = encode(&text).map_err(|mut error| {
        error.set_path(Path::new(&name(file)));
        Error::msg(error.to_string())
    })?;
    Ok(Input::Converted(binary))
}

/// Reads what begins with `first` to its end. None if it is no text, which is noticed where it shows: not every file ends.
///
/// # Errors
/// When it cannot be read, or is longer than any module.
fn read_text(first: Vec<u8>, mut reader: impl Read, file: &OsStr) -> Result<Option<String>> {
    let (mut bytes, mut looked_at) = (first, 0);
    while !bytes[looked_at..].contains(&0) {
        looked_at = bytes.len();
        if looked_at > MOST_TEXT {
            return Err(Error::msg(format!("{} has more than {} of text", name(file), show_bytes(MOST_TEXT as u64))));
        }
        let read = reader.by_ref().take(PIECE).read_to_end(&mut bytes);
        if read.with_context(|| format!("cannot read {}", name(file)))? == 0 {
            return Ok(String::from_utf8(bytes).ok());
        }
    }
    Ok(None)
}

/// A file, or standard input, and the bytes of it, where that is known.
fn source(file: &OsStr) -> io::Result<(Box<dyn Read>, Option<u64>)> {
    if file == "-" {
        return Ok((Box::new(io::stdin().lock()), None));
    }
    let file = File::open(file)?;
    let len = file.metadata().ok().filter(|metadata| metadata.is_file() && metadata.len() > 0);
    Ok((Box::new(file), len.map(|metadata| metadata.len())))
}

/// Makes a module of a file or of standard input: while it is read, if it is binary, with a line that says how far that is if
/// it takes long.
///
/// # Errors
/// When it cannot be read, or is not valid; the message names the file.
pub(crate) fn compile(engine: &Engine, file: &OsStr) -> Result<Module> {
    let progress = Progress::start(&name(file));
    open(file)?.compile(engine, &progress).map_err(|error| in_file(file, &error))
}

/// What is wrong with the module in a file.
pub(crate) fn in_file(file: &OsStr, error: &Error) -> Error {
    Error::msg(format!("{}: {error:#}", name(file)))
}

impl Input {
    /// Makes a module of it: while it is read, if it is binary.
    ///
    /// # Errors
    /// When it cannot be read, or is not valid.
    pub(crate) fn compile(self, engine: &Engine, progress: &Progress) -> Result<Module> {
        match self {
            Input::Binary { reader, len } => Module::from_reader(engine, progress.of(reader, len)),
            Input::Converted(binary) => Module::from_binary(engine, &binary),
        }
    }
}

/// Why a file cannot be opened, and which one may have been meant.
fn cannot_open(file: &OsStr, error: io::Error) -> Error {
    let near = if error.kind() == ErrorKind::NotFound { near_file(Path::new(file)) } else { None };
    let error = Error::new(error).context(format!("cannot read {}", name(file)));
    match near {
        Some(near) => error.context(Note(format!("did you mean `{near}`?"))),
        None => error,
    }
}

/// A file in the same directory whose name is near.
fn near_file(path: &Path) -> Option<String> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let entries = fs::read_dir(directory.unwrap_or(Path::new("."))).ok()?;
    let names = entries.flatten().take(MOST_FILES).filter_map(|entry| entry.file_name().into_string().ok());
    let names: Vec<String> = names.collect();
    let near = nearest_name(path.file_name()?.to_str()?, names.iter().map(String::as_str))?;
    Some(directory.map_or(near.to_string(), |directory| directory.join(near).display().to_string()))
}

/// A module in the binary format, converted from text if need be.
///
/// # Errors
/// When it cannot be read, or the text is not a module; the message shows where.
pub(crate) fn module(file: &OsStr) -> Result<Vec<u8>> {
    match open(file)? {
        Input::Converted(binary) => Ok(binary),
        Input::Binary { mut reader, len } => {
            let mut bytes = Vec::with_capacity(len.and_then(|len| usize::try_from(len).ok()).unwrap_or(0));
            reader.read_to_end(&mut bytes).with_context(|| format!("cannot read {}", name(file)))?;
            Ok(bytes)
        }
    }
}

/// The binary format of a module in the text format.
///
/// # Errors
/// The first place where the text is wrong.
pub(crate) fn encode(text: &str) -> Result<Vec<u8>, wast::Error> {
    let encode = || {
        let mut lexer = Lexer::new(text);
        lexer.allow_confusing_unicode(true);
        let buffer = ParseBuffer::new_with_lexer(lexer)?;
        parser::parse::<Wat<'_>>(&buffer)?.encode()
    };
    encode().map_err(|mut error: wast::Error| {
        error.set_text(text);
        error
    })
}

/// How a file is called in messages.
pub(crate) fn name(file: &OsStr) -> String {
    if file == "-" { "standard input".to_string() } else { file.to_string_lossy().into_owned() }
}
