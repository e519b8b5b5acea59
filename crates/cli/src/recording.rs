//! What a command keeps of the engine's events, and the files that it writes of them: `--trace` and `--timeline`.
//!
//! The files are made before the program runs, so that one that cannot be written is known at once, and filled after it
//! ended, in whatever way.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use upshift::{Config, Context, Error, Event, EventKind, EventListener, EventLog, FunctionInfo, Module, Result};

use crate::process::{self, Moment};
use crate::{timeline, trace};

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
}

/// Events kept; older ones are dropped. About 100 bytes each.
const CAPACITY: usize = 1 << 21;

/// What is recorded of a process.
#[derive(Debug)]
pub(crate) struct Recording {
    recorder: Option<Arc<Recorder>>,
    /// The thread that the program runs on, by its number in events.
    main_thread: u32,
    trace: Option<Destination>,
    timeline: Option<Destination>,
}

/// A file to write, and the option that asked for it.
#[derive(Debug)]
struct Destination {
    option: &'static str,
    path: PathBuf,
    file: File,
}

/// CPU time that the stages of making a module took, of all threads of the process.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Stages {
    /// Decoding.
    pub(crate) decode: Duration,
    /// Validation up front.
    pub(crate) validate: Duration,
    /// The same, in wall time.
    pub(crate) decode_wall: Duration,
    /// The same, in wall time.
    pub(crate) validate_wall: Duration,
}

/// Something that the command did, beside the engine's events.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Span {
    /// A name for traces.
    pub(crate) name: &'static str,
    pub(crate) start: Instant,
    pub(crate) end: Instant,
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

/// All that was recorded: what the writers are given.
pub(crate) struct Recorded<'a> {
    /// The events of the module, and of none in particular.
    pub(crate) events: &'a [Event],
    /// Older events that were dropped for want of room.
    pub(crate) lost: u64,
    pub(crate) spans: &'a [Span],
    /// The functions that the module defines; none when there is no module.
    pub(crate) functions: &'a [FunctionInfo<'a>],
    /// What the program is called.
    pub(crate) title: &'a str,
    /// The options of compilation, in words.
    pub(crate) options: &'a str,
    /// The process's start, to which all times are relative.
    pub(crate) zero: Instant,
    pub(crate) end: Instant,
    pub(crate) main_thread: u32,
    pub(crate) first_call: Option<Moment>,
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
            EventKind::Cache { .. }
            | EventKind::Module { .. }
            | EventKind::Compile { .. }
            | EventKind::TierUp { .. }
            | EventKind::Publish { .. }
            | EventKind::OsrEnter { .. }
            | EventKind::Flush { .. }
            | EventKind::CodeGc { .. } => {}
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
    pub(crate) fn start(options: &RecordingOptions, stages: bool) -> Result<Recording> {
        let RecordingOptions { trace, timeline } = options;
        if trace.is_some() && trace == timeline {
            return Err(Error::msg("--trace and --timeline write different things: give each its own file"));
        }
        let trace = trace.as_deref().map(|path| Destination::create("--trace", path)).transpose()?;
        let timeline = timeline.as_deref().map(|path| Destination::create("--timeline", path)).transpose()?;
        let log = (trace.is_some() || timeline.is_some()).then(|| EventLog::new(CAPACITY));
        let state = State { stages: Stages::default(), spans: Vec::new(), first_call: None };
        let recorder = (stages || log.is_some()).then(|| Arc::new(Recorder { log, state: Mutex::new(state) }));
        Ok(Recording { recorder, main_thread: upshift::thread_number(), trace, timeline })
    }

    /// Lets an engine of this configuration be listened to.
    pub(crate) fn listen(&self, config: &mut Config) {
        if let Some(recorder) = &self.recorder {
            let listener: Arc<dyn EventListener> = Arc::clone(recorder) as Arc<dyn EventListener>;
            config.event_listener(Some(listener));
        }
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

    /// Writes the files. Only the first call does; the events are gone then.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub(crate) fn write(&self, module: Option<&Module>, title: &str, options: &str) -> Result<()> {
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
            title,
            options,
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

impl Destination {
    fn create(option: &'static str, path: &Path) -> Result<Destination> {
        let file = File::create(path);
        let file = file.with_context(|| format!("{option} {}: cannot make the file", path.display()))?;
        Ok(Destination { option, path: path.to_path_buf(), file })
    }

    fn write(&self, what: impl FnOnce(&mut BufWriter<&File>) -> std::io::Result<()>) -> Result<()> {
        let mut out = BufWriter::new(&self.file);
        let written = what(&mut out).and_then(|()| out.flush());
        written.with_context(|| format!("{} {}: cannot write the file", self.option, self.path.display()))
    }
}

impl Recorded<'_> {
    /// The function of an index, if the module defines it.
    pub(crate) fn function(&self, index: u32) -> Option<&FunctionInfo<'_>> {
        let at = index.checked_sub(self.functions.first()?.index)?;
        self.functions.get(at as usize)
    }

    /// Microseconds from the process's start to an instant.
    pub(crate) fn microseconds(&self, at: Instant) -> f64 {
        at.saturating_duration_since(self.zero).as_secs_f64() * 1e6
    }
}

#[cfg(test)]
pub(crate) mod tests;
