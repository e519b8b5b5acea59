//! Reading modules: binary or text, from files or standard input.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use upshift::{Context, Error, Result, nearest_name};
use wast::Wat;
use wast::lexer::Lexer;
use wast::parser::{self, ParseBuffer};

use crate::exit::Note;

/// Files of a directory that are looked at for a near name.
const MOST_FILES: usize = 10_000;

/// The bytes of a file, or of standard input for `-`.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn read(file: &OsStr) -> Result<Vec<u8>> {
    if file == "-" {
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes).context("cannot read standard input")?;
        return Ok(bytes);
    }
    fs::read(file).map_err(|error| {
        let is_missing = error.kind() == ErrorKind::NotFound;
        let error = Error::new(error).context(format!("cannot read {}", name(file)));
        let near = if is_missing { near_file(Path::new(file)) } else { None };
        match near {
            Some(near) => error.context(Note(format!("did you mean `{near}`?"))),
            None => error,
        }
    })
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
    let bytes = read(file)?;
    if bytes.is_empty() {
        return Err(Error::msg(format!("{} is empty", name(file))));
    }
    if bytes.starts_with(b"\0asm") {
        return Ok(bytes);
    }
    let text = String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'));
    let text = text.ok_or_else(|| {
        let text = format!("{} is not a WebAssembly module: it begins with neither `\\0asm` nor text", name(file));
        Error::msg(text)
    })?;
    encode(&text).map_err(|mut error| {
        error.set_path(Path::new(&name(file)));
        Error::msg(error.to_string())
    })
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
