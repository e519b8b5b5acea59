//! Reading modules: binary or text, from files or standard input.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read};
use std::path::Path;

use upshift::{Context, Error, Result};

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
    fs::read(file).with_context(|| format!("cannot read {}", name(file)))
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
    let binary = match wat::parse_bytes(&bytes) {
        Ok(binary) => binary.into_owned(),
        Err(mut error) => {
            error.set_path(Path::new(&name(file)));
            return Err(Error::msg(not_a_module(file, &bytes).unwrap_or_else(|| error.to_string())));
        }
    };
    Ok(binary)
}

/// What a file is, if it is neither format by a wide margin: the text parser's complaint would not help.
fn not_a_module(file: &OsStr, bytes: &[u8]) -> Option<String> {
    let name = name(file);
    if bytes.iter().take(64).any(|&byte| byte == 0) {
        return Some(format!("{name} is not a WebAssembly module: it begins with neither `\\0asm` nor text"));
    }
    None
}

/// How a file is called in messages.
pub(crate) fn name(file: &OsStr) -> String {
    if file == "-" { "standard input".to_string() } else { file.to_string_lossy().into_owned() }
}
