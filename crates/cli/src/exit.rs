//! Exit codes, and how errors are shown.

use std::error::Error as StdError;
use std::fmt::{self, Display};
use std::io::{self, Write as _};
use std::process::ExitCode;

use upshift::{Error, LinkError, Trap, UsageError, WasmBacktrace};
use wasi::I32Exit;

use crate::output::Printable;

/// Something was wrong with the input, or did not fit together.
pub(crate) const FAILURE: u8 = 1;
/// The program trapped. What a shell shows for a process that aborted.
pub(crate) const TRAP: u8 = 134;

/// Why a program did not end by itself in a good way.
#[derive(Debug)]
pub(crate) enum End {
    /// It ended itself with this code, by WASI's `proc_exit`.
    Exit(i32),
    /// It trapped, or a host function that it called failed.
    Trapped(Error),
    /// It could not be started.
    Failed(Error),
}

impl From<Error> for End {
    /// Tells errors of running code from errors before it ran.
    fn from(error: Error) -> End {
        if let Some(I32Exit(code)) = error.downcast_ref::<I32Exit>() {
            return End::Exit(*code);
        }
        if error.is::<Trap>() || error.is::<WasmBacktrace>() { End::Trapped(error) } else { End::Failed(error) }
    }
}

/// The process's exit code for an end, of which the error is shown.
pub(crate) fn of(end: &End) -> ExitCode {
    match end {
        // As `exit` of C: the system keeps the low byte.
        End::Exit(code) => ExitCode::from(code.to_le_bytes()[0]),
        End::Trapped(error) => {
            show(error);
            ExitCode::from(TRAP)
        }
        End::Failed(error) => report(error),
    }
}

/// Shows an error and gives the exit code of failures.
pub(crate) fn report(error: &Error) -> ExitCode {
    show(error);
    ExitCode::from(FAILURE)
}

/// A context of an error that is not part of what happened: what can be done about it. Shown on a line of its own.
#[derive(Debug)]
pub(crate) struct Note(pub(crate) String);

impl Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Shows an error: what happened, then each cause, then what may help, then where in the program.
fn show(error: &Error) {
    let backtrace = error.downcast_ref::<WasmBacktrace>().map(ToString::to_string);
    let own = error.downcast_ref::<Note>().map(|note| note.0.as_str());
    let mut texts: Vec<String> = error.chain().map(text_of).collect();
    texts.retain(|text| Some(text) != backtrace.as_ref() && Some(text.as_str()) != own);
    texts.dedup();
    complain(texts.join(": "));
    for note in error.chain().flat_map(notes_of).chain(own) {
        tell(format_args!("  note: {}", Printable(note)));
    }
    if let Some(backtrace) = backtrace.filter(|text| text.contains('\n')) {
        tell(Printable(&backtrace));
    }
}

/// What happened, without the notes that go to lines of their own.
fn text_of(error: &(dyn StdError + 'static)) -> String {
    let link = error.downcast_ref::<LinkError>().map(LinkError::message);
    let usage = error.downcast_ref::<UsageError>().map(UsageError::message);
    link.or(usage).map_or_else(|| error.to_string(), ToString::to_string)
}

fn notes_of<'e>(error: &'e (dyn StdError + 'static)) -> impl Iterator<Item = &'e str> {
    let link = error.downcast_ref::<LinkError>().map(LinkError::notes);
    let usage = error.downcast_ref::<UsageError>().map(UsageError::notes);
    link.into_iter().flatten().chain(usage.into_iter().flatten())
}

/// Says on standard error what is wrong.
pub(crate) fn complain(what: impl Display) {
    tell(format_args!("error: {}", Printable(&what.to_string())));
}

/// Writes a line to standard error. If that cannot be written there is nobody to tell; the exit code still says it.
fn tell(line: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}
