//! Timelines: what an engine tells of a scenario, as text, compared with a file under `timelines/`.
//!
//! 1. A scenario runs with a [`Timeline`] as its engine's listener, in a way that does the same every time: with
//!    `sync_tier_up`, or with a pool that the test pumps by hand.
//! 2. Every event is a line (`EventKind`'s `Display`): `m1: publish baseline f3`. Modules are numbered from 1 in the order in
//!    which the timeline meets them; what is of no module has no number. [`Timeline::note`] adds lines of the test's own.
//! 3. [`Timeline::compare`] compares the text with `timelines/NAME.txt` and shows the differences. With `UPSHIFT_BLESS=1` it
//!    writes the file instead; look at what git says of it then.

mod diff;
mod scenarios;

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::{env, fs};

use upshift::{Config, Event, EventListener, ModuleNumber};

/// What was told so far.
#[derive(Debug, Default)]
pub struct Timeline {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    text: String,
    /// In the order in which they were met.
    modules: Vec<ModuleNumber>,
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
        self.state.lock().unwrap().text += &format!("-- {what}\n");
    }

    /// Compares what was told with the file of this name, or writes it.
    ///
    /// # Panics
    /// When they differ.
    #[track_caller]
    pub fn compare(&self, name: &str) {
        let text = &self.state.lock().unwrap().text;
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("timelines").join(format!("{name}.txt"));
        if env::var_os("UPSHIFT_BLESS").is_some_and(|value| value == "1") {
            fs::write(&path, text).unwrap();
            return;
        }
        let golden = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            golden == *text,
            "tests/timelines/{name}.txt is not what happened (-: the file, +: now; UPSHIFT_BLESS=1 writes it):\n{}",
            diff::lines(&golden, text)
        );
    }
}

impl EventListener for Timeline {
    fn event(&self, event: &Event) {
        let mut state = self.state.lock().unwrap();
        if let Some(module) = event.module {
            let known = state.modules.iter().position(|&known| known == module);
            let place = known.unwrap_or_else(|| {
                state.modules.push(module);
                state.modules.len() - 1
            });
            state.text += &format!("m{}: ", place + 1);
        }
        state.text += &format!("{}\n", event.kind);
    }
}
