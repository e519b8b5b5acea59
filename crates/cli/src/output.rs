//! Standard output, which may be closed at any time by a reader that has seen enough, such as `head`.

use std::fmt::{self, Display, Write as _};
use std::io::{self, ErrorKind, Write};

use upshift::{Context, Result};

/// Writes a text. That nobody reads it any more is no error.
///
/// # Errors
/// When it cannot be written, for example because the disk is full.
pub(crate) fn print(text: impl Display) -> Result<()> {
    ignore_closed(write!(io::stdout().lock(), "{text}"))
}

/// Writes a text and ends the line.
///
/// # Errors
/// As for [`print`].
pub(crate) fn print_line(text: impl Display) -> Result<()> {
    ignore_closed(writeln!(io::stdout().lock(), "{text}"))
}

/// Writes a report to standard error. Where that cannot be written there is nobody to tell; the program's own exit code
/// counts.
pub(crate) fn report(text: impl Display) {
    let _ = write!(io::stderr().lock(), "{text}");
}

/// A text that may come from a module: control characters but line ends are spelt out, so that no name in it can steer the
/// terminal, or turn around the text that follows it.
pub(crate) struct Printable<'text>(pub(crate) &'text str);

impl Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|character| match character {
            '\n' | '\t' => f.write_char(character),
            _ if character.is_control() || turns(character) => write!(f, "{}", character.escape_default()),
            _ => f.write_char(character),
        })
    }
}

/// Does the character end a line, or change the direction of writing? Source: Unicode Standard Annex 9, table 4.
fn turns(character: char) -> bool {
    matches!(character, '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Turns "nobody reads this" into success.
///
/// # Errors
/// Any other error, in words.
pub(crate) fn ignore_closed(written: io::Result<()>) -> Result<()> {
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other.context("cannot write to standard output"),
    }
}
