//! The watchdog: ends the process if an action takes longer than any should, and says what each thread is doing.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::process::{self, Command};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How long an action may take, on a machine that is busy with other things, under a sanitizer.
const PATIENCE: Duration = Duration::from_secs(100);

#[derive(Default)]
struct State {
    /// What each thread does now, and since when.
    doing: Vec<Option<(&'static str, Instant)>>,
    /// How often each action was done, and the time it took in all.
    done: BTreeMap<&'static str, (usize, Duration)>,
    over: bool,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    wake: Condvar,
}

/// Watches some threads.
pub struct Watchdog {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// An action that is watched as long as this lives.
pub struct Watched<'a> {
    watchdog: &'a Watchdog,
    thread: usize,
}

impl Watchdog {
    pub fn new(threads: usize, seed: u64) -> Watchdog {
        let shared = Arc::new(Shared::default());
        lock(&shared).doing = vec![None; threads];
        let watched = Arc::clone(&shared);
        let thread = thread::Builder::new().name("watchdog".into()).spawn(move || watch(&watched, seed));
        Watchdog { shared, thread: Some(thread.expect("a thread")) }
    }

    pub fn watch(&self, thread: usize, action: &'static str) -> Watched<'_> {
        lock(&self.shared).doing[thread] = Some((action, Instant::now()));
        Watched { watchdog: self, thread }
    }

    /// What was done so far.
    pub fn counts(&self) -> String {
        let state = lock(&self.shared);
        let total: usize = state.done.values().map(|&(count, _)| count).sum();
        let mut text = format!("{total} actions (");
        for (name, (count, time)) in &state.done {
            let _ = write!(text, "{name} {count} in {} ms, ", time.as_millis());
        }
        text.trim_end_matches(", ").to_owned() + ")"
    }
}

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        let mut state = lock(&self.watchdog.shared);
        if let Some((action, since)) = state.doing[self.thread].take() {
            let (count, time) = state.done.entry(action).or_default();
            *count += 1;
            *time += since.elapsed();
        }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        lock(&self.shared).over = true;
        self.shared.wake.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn lock(shared: &Shared) -> MutexGuard<'_, State> {
    shared.state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn watch(shared: &Shared, seed: u64) {
    let mut state = lock(shared);
    while !state.over {
        let slow = |doing: &Option<(_, Instant)>| doing.is_some_and(|(_, since)| since.elapsed() > PATIENCE);
        if state.doing.iter().any(slow) {
            give_up(&state, seed);
        }
        state = shared.wake.wait_timeout(state, Duration::from_millis(500)).unwrap_or_else(PoisonError::into_inner).0;
    }
}

fn give_up(state: &State, seed: u64) -> ! {
    eprintln!("soak: no progress; seeds from {seed}");
    for (thread, doing) in state.doing.iter().enumerate() {
        match doing {
            Some((action, since)) => eprintln!("  thread {thread}: {action} for {:?}", since.elapsed()),
            None => eprintln!("  thread {thread}: between actions, or at its end"),
        }
    }
    // A debugger knows more, if there is one.
    let pid = process::id().to_string();
    let _ = Command::new("gdb").args(["-p", &pid, "-batch", "-ex", "thread apply all backtrace 40"]).status();
    process::abort();
}
