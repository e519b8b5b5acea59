//! Ctrl-C, and being told to end or that the terminal is gone: last words first, and then the process ends as it would have,
//! by the signal.
//!
//! 1. The signals' handlers do nothing but tell a thread that waits for it.
//! 2. The thread says the last words. It is an ordinary thread, so they may take locks and write files; the program runs on
//!    meanwhile.
//! 3. Then it has the signal do what it does by default. A second signal does so at once, if the words take too long.
//!
//! A signal that the process was started to ignore, as by `nohup`, stays ignored.

use std::os::raw::c_int;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::{fs, io, thread};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::{flag, low_level};

/// Has the last words said before a signal ends the process.
///
/// # Errors
/// When the system takes no handlers, or has no thread.
pub(crate) fn say_before_it(last_words: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let signals: Vec<c_int> = [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|&one| !is_ignored(&status, one)).collect();
    let second = Arc::new(AtomicBool::new(false));
    for &signal in &signals {
        // In this order: the first signal finds the flag unset, and sets it.
        flag::register_conditional_default(signal, Arc::clone(&second))?;
        flag::register(signal, Arc::clone(&second))?;
    }
    let mut signals = Signals::new(signals)?;
    let wait = move || {
        if let Some(signal) = signals.forever().next() {
            last_words();
            // It cannot fail for these signals; if it did, the next one would end the process.
            let _ = low_level::emulate_default_handler(signal);
        }
    };
    thread::Builder::new().name("last words".into()).spawn(wait)?;
    Ok(())
}

/// Does the process ignore a signal, by its `/proc/self/status`?
fn is_ignored(status: &str, signal: c_int) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask >> (signal - 1) & 1 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_signals_are_read_from_the_mask() {
        let status = "Name:\tx\nSigIgn:\t0000000000001001\nSigCgt:\t0000000000000002\n";
        assert!(is_ignored(status, SIGHUP) && !is_ignored(status, SIGINT) && !is_ignored(status, SIGTERM));
        assert!(!is_ignored("", SIGHUP));
    }
}
