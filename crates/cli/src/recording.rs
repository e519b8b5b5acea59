//! What a command keeps of the engine's events, and the files that it writes of them and of its metrics: `--trace`,
//! `--timeline` and `--metrics`.
//!
//! 1. [`Recording::start`] makes the files, before anything else is done.
//! 2. The engine that [`Recording::engine`] makes is listened to; [`Recording::module`] says which module it is all about.
//! 3. [`Recording::write`] fills the files, with what is known by then. Whoever runs a program calls it however the program
//!    ended, or could not begin; and so does a signal that ends the process (`interruption`). The first call writes, others
//!    wait for it.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use upshift::{
    Config, Context, Engine, Error, Event, EventKind, EventListener, EventLog, FunctionInfo, Module, Result,
};

use crate::destination::Destination;
use crate::metrics::Metrics;
use crate::process::{self, Moment};
use crate::recorded::{Progress, Recorded, Span, Stages};
use crate::{exit, interruption, log, timeline, trace};

#[cfg(test)]
mod tests;

/// Which files to write of what the engine did.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Looking inside")]
pub(crate) struct RecordingOptions {
    /// Write what the engine did when, as JSON for ui.perfetto.dev or chrome://tracing.
    #[arg(long, value_name = "FILE")]
    pub(crate) trace: Option<PathBuf>,

    /// Write a page for a web browser: which function ran in which tier when, and what it cost.
    #[arg(long, value_name = "FILE.html")]
    pub(crate) timeline: Option<PathBuf>,

    /// Tell on standard error what the engine does while it does it.
    #[arg(long, value_enum, value_name = "LEVEL", env = "UPSHIFT_LOG", hide_env_values = true)]
    pub(crate) log: Option<log::Level>,

    /// Write what the engine counted and measured when all is over: a table to standard error for `-`, JSON if the name
    /// ends in .json, else the text format of Prometheus.
    #[arg(long, value_name = "FILE")]
    pub(crate) metrics: Option<PathBuf>,
}

/// Events kept; older ones are dropped. About 100 bytes each.
const CAPACITY: usize = 1 << 21;

/// What is recorded of a process.
#[derive(Debug)]
pub(crate) struct Recording {
    recorder: Option<Arc<Recorder>>,
    about: About,
    /// What has been made so far; nothing once it is written.
    subject: Mutex<Subject>,
    /// Held by whoever writes; whether that is done.
    written: Mutex<bool>,
    /// The thread that the program runs on, by its number in events.
    main_thread: u32,
    trace: Option<Destination>,
    timeline: Option<Destination>,
    metrics: Option<Metrics>,
}

/// What is recorded, in words.
#[derive(Clone, Debug, Default)]
pub(crate) struct About {
    /// What the program is called.
    pub(crate) title: String,
    /// The options of compilation.
    pub(crate) options: String,
}

/// What is recorded.
#[derive(Debug, Default)]
struct Subject {
    engine: Option<Engine>,
    /// With the moment when it was there.
    module: Option<(Module, Moment)>,
}

/// The listener.
#[derive(Debug)]
struct Recorder {
    log: Option<EventLog>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    stages: Stages,
    spans: Vec<Span>,
    first_call: Option<Moment>,
}

impl EventListener for Recorder {
    fn event(&self, event: &Event) {
        let wall = event.end.saturating_duration_since(event.start);
        match event.kind {
            EventKind::Decode { cpu, .. } => {
                let stages = &mut self.lock().stages;
                stages.decode += cpu;
                stages.decode_wall += wall;
            }
            EventKind::Validate { cpu, .. } => {
                let stages = &mut self.lock().stages;
                stages.validate += cpu;
                stages.validate_wall += wall;
            }
            _ => {}
        }
        if let Some(log) = &self.log {
            log.event(event);
        }
    }
}

impl Recorder {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Recording {
    /// Makes the files. If there are any, or if `stages` are asked for, the engine is listened to.
    ///
    /// # Errors
    /// When a file cannot be made, or both are the same.
    pub(crate) fn start(options: &RecordingOptions, stages: bool, about: About) -> Result<Arc<Recording>> {
        let RecordingOptions { trace, timeline, log, metrics } = options;
        if let Some(level) = log {
            level.start();
        }
        let mut files: Vec<&PathBuf> = [trace, timeline, metrics].into_iter().flatten().collect();
        files.sort();
        if files.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(Error::msg("--trace, --timeline and --metrics write different things: give each its own file"));
        }
        let wanted = !files.is_empty();
        let trace = trace.as_deref().map(|path| Destination::create("--trace", path)).transpose()?;
        let timeline = timeline.as_deref().map(|path| Destination::create("--timeline", path)).transpose()?;
        let metrics = metrics.as_deref().map(Metrics::create).transpose()?;
        let log = (trace.is_some() || timeline.is_some()).then(|| EventLog::new(CAPACITY));
        let state = State { stages: Stages::default(), spans: Vec::new(), first_call: None };
        let recorder = (stages || log.is_some()).then(|| Arc::new(Recorder { log, state: Mutex::new(state) }));
        let main_thread = upshift::thread_number();
        let (subject, written) = (Mutex::default(), Mutex::default());
        let recording =
            Arc::new(Recording { recorder, about, subject, written, main_thread, trace, timeline, metrics });
        if wanted {
            recording.write_before_a_signal().context("cannot listen for signals")?;
        }
        Ok(recording)
    }

    fn write_before_a_signal(self: &Arc<Recording>) -> std::io::Result<()> {
        let recording = Arc::downgrade(self);
        interruption::say_before_it(move || {
            let written = recording.upgrade().map_or(Ok(()), |recording| recording.write());
            if let Err(error) = written {
                exit::report(&error);
            }
        })
    }

    /// Makes the engine of this configuration, and listens to it.
    ///
    /// # Errors
    /// Those of making an engine.
    pub(crate) fn engine(&self, mut config: Config) -> Result<Engine> {
        if let Some(recorder) = &self.recorder {
            let listener: Arc<dyn EventListener> = Arc::clone(recorder) as Arc<dyn EventListener>;
            config.event_listener(Some(listener));
        }
        let engine = Engine::new(&config)?;
        self.subject().engine = Some(engine.clone());
        Ok(engine)
    }

    /// The module is there that it is all about.
    pub(crate) fn module(&self, module: &Module) {
        self.subject().module = Some((module.clone(), Moment::now()));
    }

    /// Is there an engine?
    pub(crate) fn has_engine(&self) -> bool {
        self.subject().engine.is_some()
    }

    /// The module, if there is one and nothing is written yet, and when the run got to what.
    pub(crate) fn progress(&self) -> Option<(Module, Progress)> {
        let (module, ready) = self.subject().module.clone()?;
        Some((module, Progress { stages: self.stages(), ready, first_call: self.first_call_at() }))
    }

    fn subject(&self) -> MutexGuard<'_, Subject> {
        self.subject.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something, and keeps when.
    pub(crate) fn span<R>(&self, name: &'static str, what: impl FnOnce() -> R) -> R {
        let Some(recorder) = &self.recorder else { return what() };
        let start = Instant::now();
        let result = what();
        recorder.lock().spans.push(Span { name, start, end: Instant::now() });
        result
    }

    /// The program is about to be called for the first time.
    pub(crate) fn first_call(&self) {
        if let Some(recorder) = &self.recorder {
            recorder.lock().first_call.get_or_insert_with(Moment::now);
        }
    }

    /// When the program was called for the first time, if it was.
    pub(crate) fn first_call_at(&self) -> Option<Moment> {
        self.recorder.as_ref()?.lock().first_call
    }

    /// What the stages of making a module took; zero unless they were asked for.
    pub(crate) fn stages(&self) -> Stages {
        self.recorder.as_ref().map_or(Stages::default(), |recorder| recorder.lock().stages)
    }

    /// Writes the files, with what is known now. Only the first call does; others wait until it has.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub(crate) fn write(&self) -> Result<()> {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::replace(&mut *written, true) {
            return Ok(());
        }
        let Subject { engine, module } = std::mem::take(&mut *self.subject());
        let metrics = match (&self.metrics, &engine) {
            (Some(metrics), Some(engine)) => metrics.write(engine),
            _ => Ok(()),
        };
        metrics.and(self.write_events(module.as_ref().map(|(module, _)| module)))
    }

    fn write_events(&self, module: Option<&Module>) -> Result<()> {
        let Some((recorder, log)) = self.recorder.as_deref().and_then(|all| Some((all, all.log.as_ref()?))) else {
            return Ok(());
        };
        let end = Instant::now();
        let lost = log.lost();
        let mut events = log.take();
        let number = module.map(Module::number);
        events.retain(|event| event.module.is_none() || number.is_none() || event.module == number);
        let functions: Vec<FunctionInfo<'_>> = module.map_or(Vec::new(), |module| module.functions().collect());
        let (spans, first_call) = {
            let state = recorder.lock();
            (state.spans.clone(), state.first_call)
        };
        let recorded = Recorded {
            events: &events,
            lost,
            spans: &spans,
            functions: &functions,
            title: &self.about.title,
            options: &self.about.options,
            zero: process::started(),
            end,
            main_thread: self.main_thread,
            first_call,
        };
        if let Some(trace) = &self.trace {
            trace.write(|out| trace::write(out, &recorded))?;
        }
        if let Some(timeline) = &self.timeline {
            timeline.write(|out| timeline::write(out, &recorded))?;
        }
        Ok(())
    }
}
