//! Timelines: what an engine tells of a scenario, as text, compared with a file under `timelines/`.
//!
//! 1. A scenario runs with a [`Timeline`] as its engine's listener.
//! 2. Every event is a line (`EventKind`'s `Display`): `m1: publish baseline f3`. Modules and stores are numbered from 1 in
//!    the order in which the timeline meets them; what is of neither has no number. [`Timeline::note`] adds lines of the
//!    test's own.
//! 3. [`Timeline::compare`] compares the text with `timelines/NAME.txt` and shows the differences. With `UPSHIFT_BLESS=1` it
//!    writes the file instead; look at what git says of it then.
//!
//! How a scenario does the same every time: tier-up is synchronous, or tasks are run by hand (`ManualPool`); and where
//! several threads are needed, the test directs them. An [`Actor`] is a thread that works only in its turn: it begins when it
//! is given one, stops inside the listener at the line that its turn was to go to ([`Actor::to`]) or before the line after
//! it ([`Actor::past`]), and its lines bear its name. So lines come in the order of the turns, however slow a thread is, and
//! no two threads are ever between the same two lines unless the test says so. What a thread does without telling, such as to
//! run Wasm in a loop, may happen at any time, as in life.
//!
//! Where tasks or turns could come in other orders, the same test runs them all and asserts what must hold in each; the file
//! shows one.

mod actors;
mod code_gc;
mod compiles;
mod diff;
mod ending;
mod scenarios;
mod streams;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::thread::ThreadId;
use std::{env, fs};

use upshift::{Config, Event, EventListener, ModuleNumber, StoreNumber};

use actors::{Actor, Turn};

/// What was told so far.
#[derive(Debug, Default)]
pub struct Timeline {
    state: Mutex<State>,
    /// A turn was given, or has come to its end.
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    text: String,
    /// In the order in which they were met.
    modules: Vec<ModuleNumber>,
    stores: Vec<StoreNumber>,
    actors: HashMap<ThreadId, Turn>,
    /// The test has failed: nobody waits for a turn any more.
    is_over: bool,
}

impl Timeline {
    /// A timeline that hears of all that an engine of this configuration does.
    pub fn listen(config: &mut Config) -> Arc<Timeline> {
        let timeline = Arc::new(Timeline::default());
        config.event_listener(Some(Arc::clone(&timeline) as Arc<dyn EventListener>));
        timeline
    }

    /// Adds a line: what the test does next.
    pub fn note(&self, what: &str) {
        self.tell(|_| format!("-- {what}"));
    }

    /// Compares what was told with the file of this name, or writes it.
    ///
    /// # Panics
    /// When they differ.
    #[track_caller]
    pub fn compare(&self, name: &str) {
        let text = self.state.lock().unwrap().text.clone();
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("timelines").join(format!("{name}.txt"));
        if env::var_os("UPSHIFT_BLESS").is_some_and(|value| value == "1") {
            fs::write(&path, &text).unwrap();
            return;
        }
        let golden = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            golden == text,
            "tests/timelines/{name}.txt is not what happened (-: the file, +: now; UPSHIFT_BLESS=1 writes it):\n{}",
            diff::lines(&golden, &text)
        );
    }

    /// How many lines there are with this text.
    pub fn count(&self, text: &str) -> usize {
        self.state.lock().unwrap().text.lines().filter(|line| line.contains(text)).count()
    }
}

impl EventListener for Timeline {
    fn event(&self, event: &Event) {
        self.tell(|state| {
            let module = event.module.map(|module| format!("m{}: ", place(&mut state.modules, module)));
            let store = event.store.map(|store| format!("s{}: ", place(&mut state.stores, store)));
            format!("{}{}{}", module.unwrap_or_default(), store.unwrap_or_default(), event.kind)
        });
    }
}

/// The place of something among those that were met, from 1.
fn place<T: PartialEq>(known: &mut Vec<T>, new: T) -> usize {
    let place = known.iter().position(|known| *known == new);
    1 + place.unwrap_or_else(|| {
        known.push(new);
        known.len() - 1
    })
}
