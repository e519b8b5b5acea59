//! A line on standard error that says how far the reading and compiling of a module is, when it takes more than a second and
//! somebody is looking.
//!
//! A thread draws it, so that it moves on while a read or a compiler takes its time. There is none unless standard error is
//! a terminal. The line is wiped away at the end, before the program, or an error, writes anything.

use std::io::{self, IsTerminal, Read, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use upshift::Module;

use crate::quantity::show_bytes;

#[cfg(test)]
mod tests;

/// Nothing is shown before.
const DELAY: Duration = Duration::from_secs(1);
/// Between two drawings.
const STEP: Duration = Duration::from_millis(100);
/// Characters of the bar.
const BAR: usize = 24;
/// Characters of the name that are shown.
const NAME: usize = 24;

/// The line, until it is dropped.
pub(crate) struct Progress {
    drawn: Option<Drawn>,
}

struct Drawn {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    stage: Mutex<Stage>,
    /// Signalled at the end.
    end: Condvar,
}

/// What is going on.
#[derive(Clone, Debug)]
enum Stage {
    Reading {
        read: u64,
        len: Option<u64>,
    },
    /// All functions of a module are being compiled.
    Compiling(Module),
    End,
}

/// A reader whose bytes are counted.
struct Counted<'progress, R> {
    reader: R,
    progress: &'progress Progress,
}

impl Progress {
    /// Begins to watch the reading of a file of this name.
    pub(crate) fn start(name: &str) -> Progress {
        if io::stderr().is_terminal() { Progress::draw(name, DELAY, io::stderr()) } else { Progress::none() }
    }

    /// A line that is never drawn.
    pub(crate) fn none() -> Progress {
        Progress { drawn: None }
    }

    fn draw(name: &str, delay: Duration, out: impl Write + Send + 'static) -> Progress {
        let stage = Mutex::new(Stage::Reading { read: 0, len: None });
        let shared = Arc::new(Shared { stage, end: Condvar::new() });
        let (drawing, name) = (Arc::clone(&shared), shorten(name));
        let thread = std::thread::Builder::new().name("progress".into());
        // Without a thread there is no line.
        let thread = thread.spawn(move || drawing.draw(&name, delay, out)).ok();
        Progress { drawn: Some(Drawn { shared, thread }) }
    }

    /// Counts what is read.
    pub(crate) fn of<'progress>(&'progress self, reader: impl Read + 'progress, len: Option<u64>) -> impl Read {
        self.set(|stage| *stage = Stage::Reading { read: 0, len });
        Counted { reader, progress: self }
    }

    /// All has been read, and the module's functions are compiled now.
    pub(crate) fn compiling(&self, module: &Module) {
        self.set(|stage| *stage = Stage::Compiling(module.clone()));
    }

    fn set(&self, change: impl FnOnce(&mut Stage)) {
        if let Some(drawn) = &self.drawn {
            change(&mut drawn.shared.lock());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        let Some(drawn) = &mut self.drawn else { return };
        let old = std::mem::replace(&mut *drawn.shared.lock(), Stage::End);
        drop(old);
        drawn.shared.end.notify_all();
        if let Some(thread) = drawn.thread.take() {
            // A thread that panicked has said so.
            let _ = thread.join();
        }
    }
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let len = self.reader.read(room)?;
        self.progress.set(|stage| {
            if let Stage::Reading { read, .. } = stage {
                *read += len as u64;
            }
        });
        Ok(len)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The thread: draws now and then until the end, if that does not come within `delay`.
    fn draw(&self, name: &str, delay: Duration, mut out: impl Write) {
        let started = Instant::now();
        let (mut wait, mut shown) = (delay, false);
        loop {
            let stage = self.lock();
            let going_on = |stage: &mut Stage| !matches!(stage, Stage::End);
            let (stage, _) = self.end.wait_timeout_while(stage, wait, going_on).unwrap_or_else(PoisonError::into_inner);
            let now = stage.clone();
            drop(stage);
            let Some(text) = line(name, &now, started.elapsed()) else { break };
            // Back to the start of the line, which is wiped behind the text; a terminal that is gone is no reason to stop.
            let _ = write!(out, "\r{text}\x1b[K").and_then(|()| out.flush());
            (wait, shown) = (STEP, true);
        }
        if shown {
            let _ = write!(out, "\r\x1b[K").and_then(|()| out.flush());
        }
    }
}

/// The text of the line; none at the end.
fn line(name: &str, stage: &Stage, elapsed: Duration) -> Option<String> {
    match stage {
        Stage::Reading { read, len } => {
            let rate = format!("{}/s", show_bytes(rate(*read, elapsed)));
            let bytes = show_bytes(*read);
            Some(match len {
                Some(len) => format!("{name} {} reading {bytes} of {}, {rate}", bar(*read, *len), show_bytes(*len)),
                None => format!("{name} reading {bytes}, {rate}"),
            })
        }
        Stage::Compiling(module) => {
            let statistics = module.statistics();
            let (done, all) = (statistics.compiled as u64, statistics.functions as u64);
            Some(format!("{name} {} compiling {done} of {all} functions", bar(done, all)))
        }
        Stage::End => None,
    }
}

/// Bytes a second.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "for people")]
fn rate(bytes: u64, elapsed: Duration) -> u64 {
    (bytes as f64 / elapsed.as_secs_f64().max(1e-3)) as u64
}

/// How much of `all` is done, as a picture.
fn bar(done: u64, all: u64) -> String {
    let full = done.min(all).saturating_mul(BAR as u64).checked_div(all).unwrap_or(0);
    let full = usize::try_from(full).unwrap_or(BAR);
    format!("[{}{}]", "#".repeat(full), "-".repeat(BAR - full))
}

/// The end of a path, short enough for a line.
fn shorten(name: &str) -> String {
    let name: Vec<char> = name.rsplit('/').next().unwrap_or(name).chars().filter(|char| !char.is_control()).collect();
    if name.len() <= NAME {
        return name.into_iter().collect();
    }
    name[..NAME - 3].iter().chain(&['.'; 3]).collect()
}
