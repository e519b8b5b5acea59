//! The bodies of a module that is still arriving: validated, and compiled if that is wanted, by whoever has time.
//!
//! 1. The thread that gets the bytes [adds](Bodies::add) the bodies that are complete, and submits tasks to the pool for
//!    them ([`Bodies::submit`]), no more than there is work for.
//! 2. A task [works](Bodies::work): takes a *share*, a run of bodies, judges or compiles it, and takes the next, until none
//!    is left. A run that was found valid becomes a share to be compiled; validation goes first.
//! 3. When no byte will come any more, [`Bodies::join`] works too, until all is done. It waits only for shares that other
//!    threads are in the middle of, never for a task that has not begun: tasks that come late find nothing to do.
//! 4. [`Bodies::stop`] instead, when nobody wants the module. What runs ends with the function that it is at, and is not
//!    waited for, as one function may take seconds to compile: until then it keeps what it needs of the bytes. (The engine's
//!    barrier waits for it.)
//!
//! Who comes first does not matter: what is found is the smallest index that was not found valid, and what is wrong there
//! is said by the caller, who validates it once more.
//!
//! Accepted race: a task that has just found nothing to do is still counted when more work is added, so that one task less
//! may be submitted than there is work for. The next addition, or `join`, makes up for it.
//!
//! Invariant: the lock is not held while a body is validated or compiled, or code dropped.

use std::collections::VecDeque;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Weak};
use std::time::Duration;

use code::native_module::NewCode;
use sys::append::Readable;
use tracing::Span;
use wasm::decode::stream::Head;
use wasm::types::DefinedFuncIndex;
use wasm::validate::Scratch;

use super::early::EarlyCompiler;
use crate::compile::phases::Cancel;
use crate::events::Events;
use crate::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use crate::tuning;

#[cfg(test)]
mod tests;

/// The bodies of one stream.
pub(super) struct Bodies {
    state: Mutex<State>,
    /// Signalled when a share is done.
    done: Condvar,
    /// Set when nobody wants the result any more.
    cancel: Cancel,
    /// Compiles what is valid, if that is wanted.
    compiler: Option<EarlyCompiler>,
    /// Whose listener wants to know what validation takes.
    events: Events,
    /// The validation, as `tracing` knows it.
    validating: Span,
}

impl fmt::Debug for Bodies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bodies").field("complete", &self.lock().places.len()).finish_non_exhaustive()
    }
}

/// What all shares need.
#[derive(Clone)]
pub(super) struct Source {
    pub(super) head: Arc<Head>,
    pub(super) bytes: Readable,
}

struct State {
    /// Gone when the work is over, so that nobody who comes late keeps anything.
    source: Option<Source>,
    /// The bodies that are complete.
    places: Vec<Range<usize>>,
    /// How many of them have been given out to be validated.
    given: usize,
    /// Bytes of the others.
    waiting: usize,
    /// The first body that was not found valid; those behind it do not matter.
    first_bad: usize,
    /// Whether what is valid is compiled.
    compiling: bool,
    /// Runs that were found valid and are to be compiled.
    valid: VecDeque<Range<usize>>,
    codes: Vec<NewCode>,
    /// Shares that threads are at.
    active: usize,
    /// Processor time that validation took.
    cpu: Duration,
    /// Tasks that were submitted and have not ended.
    tasks: usize,
}

/// What is to be done with a share.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Step {
    Validate,
    Compile,
}

/// A run of bodies that one thread is at.
struct Share<'bodies> {
    bodies: &'bodies Bodies,
    step: Step,
    run: Range<usize>,
    places: Vec<Range<usize>>,
    /// Given back before the share is counted as done.
    source: Option<Source>,
    outcome: Outcome,
    /// Processor time of its thread before, if it is to be validated.
    before: Duration,
}

/// What became of a share.
enum Outcome {
    /// Its thread did not get to its end: what was not found valid is not valid.
    Unknown,
    /// All bodies are valid.
    Valid,
    /// This one is not.
    Bad(usize),
    Compiled(Vec<NewCode>),
}

/// What is known when all work is done.
pub(super) struct Joined {
    /// How many bodies, from the first on, are valid. The next one, if there is one, is probably not.
    pub(super) valid: u32,
    /// The code that was made.
    pub(super) codes: Vec<NewCode>,
    /// Processor time that validation took, if somebody wants to know.
    pub(super) cpu: Duration,
}

impl Joined {
    /// Nobody has worked.
    pub(super) const NOTHING: Joined = Joined { valid: 0, codes: Vec::new(), cpu: Duration::ZERO };
}

/// How a task counts as submitted until it ends, run or not.
struct Slot(Weak<Bodies>);

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(bodies) = self.0.upgrade() {
            bodies.lock().tasks -= 1;
        }
    }
}

impl Bodies {
    pub(super) fn new(
        source: Source,
        cancel: Cancel,
        events: Events,
        validating: Span,
        compiler: Option<EarlyCompiler>,
    ) -> Arc<Bodies> {
        let state = State {
            source: Some(source),
            places: Vec::new(),
            given: 0,
            waiting: 0,
            first_bad: usize::MAX,
            compiling: compiler.is_some(),
            valid: VecDeque::new(),
            codes: Vec::new(),
            active: 0,
            cpu: Duration::ZERO,
            tasks: 0,
        };
        let (state, done) = (Mutex::new(state), Condvar::new());
        Arc::new(Bodies { state, done, cancel, compiler, events, validating })
    }

    /// Adds bodies that are complete, the next ones in order.
    pub(super) fn add(&self, places: &[Range<usize>]) {
        let mut state = self.lock();
        state.waiting += places.iter().map(ExactSizeIterator::len).sum::<usize>();
        state.places.extend_from_slice(places);
    }

    /// Submits as many tasks as there is work for, to at most `threads` threads. `spawn` says whether the pool took one.
    /// False if there is enough work for a task, and no task to do it.
    pub(super) fn submit(
        self: &Arc<Bodies>,
        threads: usize,
        mut spawn: impl FnMut(Box<dyn FnOnce() + Send>) -> bool,
    ) -> bool {
        // Each thread is asked once: a pool that drops what it takes would have none left to count, however many it took.
        for _ in 0..threads {
            {
                let mut state = self.lock();
                if state.tasks >= state.shares().min(threads) {
                    break;
                }
                state.tasks += 1;
            }
            let slot = Slot(Arc::downgrade(self));
            let task = move || {
                if let Some(bodies) = slot.0.upgrade() {
                    bodies.work();
                }
            };
            if !spawn(Box::new(task)) {
                break;
            }
        }
        let state = self.lock();
        state.tasks > 0 || state.shares() == 0
    }

    /// Does shares on this thread until none is left to take.
    pub(super) fn work(&self) {
        let mut scratch = Scratch::default();
        while let Some(mut share) = self.take() {
            share.before = self.events.thread_time();
            share.outcome = share.run(&mut scratch);
        }
    }

    /// Does what is left and waits for what runs; without `compile`, what has not been compiled stays so. Nothing can be
    /// added any more.
    pub(super) fn join(&self, compile: bool) -> Joined {
        if !compile {
            self.lock().stop_compiling();
        }
        loop {
            self.work();
            let mut state = self.lock();
            while state.active > 0 && !state.has_work() {
                state = self.done.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            if !state.has_work() {
                state.source = None;
                let codes = std::mem::take(&mut state.codes);
                let valid = state.first_bad.min(state.places.len());
                return Joined { valid: u32::try_from(valid).unwrap_or(0), codes, cpu: state.cpu };
            }
        }
    }

    /// Ends all work: nothing begins any more, and what others are in the middle of is dropped when they are done.
    pub(super) fn stop(&self) {
        self.cancel.cancel();
        let mut state = self.lock();
        state.stop_compiling();
        let dropped = (state.source.take(), std::mem::take(&mut state.codes));
        drop(state);
        drop(dropped);
    }

    fn take(&self) -> Option<Share<'_>> {
        let mut state = self.lock();
        let source = state.source.clone()?;
        let (step, run) = match state.next_run() {
            Some(run) => (Step::Validate, run),
            None => (Step::Compile, state.valid.pop_front()?),
        };
        state.active += 1;
        let places = state.places[run.clone()].to_vec();
        Some(Share {
            bodies: self,
            step,
            run,
            places,
            source: Some(source),
            outcome: Outcome::Unknown,
            before: Duration::ZERO,
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn has_work(&self) -> bool {
        self.source.is_some() && (self.has_unjudged() || !self.valid.is_empty())
    }

    /// How many shares there are to take, not counting the last if it is small: that one can wait for more.
    fn shares(&self) -> usize {
        let unjudged = if self.has_unjudged() { self.waiting / tuning::STREAM_SHARE } else { 0 };
        unjudged + self.valid.len()
    }

    /// Is there a body that has not been given out, and that matters?
    fn has_unjudged(&self) -> bool {
        self.given < self.places.len().min(self.first_bad)
    }

    /// The next bodies to be validated.
    fn next_run(&mut self) -> Option<Range<usize>> {
        if !self.has_unjudged() {
            return None;
        }
        let (first, mut bytes) = (self.given, 0);
        while bytes < tuning::STREAM_SHARE && self.has_unjudged() {
            bytes += self.places[self.given].len();
            self.given += 1;
        }
        self.waiting -= bytes;
        Some(first..self.given)
    }

    fn stop_compiling(&mut self) {
        self.compiling = false;
        self.valid.clear();
    }
}

impl Share<'_> {
    /// Does what is to be done.
    fn run(&self, scratch: &mut Scratch) -> Outcome {
        let Some(Source { head, bytes }) = &self.source else { return Outcome::Unknown };
        let bytes = bytes.bytes();
        let _entered = (self.step == Step::Validate).then(|| self.bodies.validating.enter());
        let mut codes = Vec::new();
        for (index, place) in self.run.clone().zip(&self.places) {
            if self.bodies.cancel.is_cancelled() {
                return Outcome::Unknown;
            }
            let function = DefinedFuncIndex::new(index);
            match (self.step, &self.bodies.compiler) {
                (Step::Validate, _) => {
                    if !head.is_valid(bytes, function, place.clone(), scratch) {
                        return Outcome::Bad(index);
                    }
                }
                // What cannot be compiled now is tried again, and worded, when the module is made.
                (Step::Compile, Some(compiler)) => codes.extend(compiler.compile(head, bytes, function, place.clone())),
                (Step::Compile, None) => {}
            }
        }
        match self.step {
            Step::Validate => Outcome::Valid,
            Step::Compile => Outcome::Compiled(codes),
        }
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        self.source = None;
        let mut dropped = Vec::new();
        let taken = self.bodies.events.thread_time().saturating_sub(self.before);
        let mut state = self.bodies.lock();
        match std::mem::replace(&mut self.outcome, Outcome::Unknown) {
            Outcome::Valid if state.compiling => state.valid.push_back(self.run.clone()),
            Outcome::Valid => {}
            Outcome::Compiled(mut codes) => state.codes.append(&mut codes),
            Outcome::Unknown if self.step == Step::Compile => {}
            Outcome::Unknown => state.first_bad = state.first_bad.min(self.run.start),
            Outcome::Bad(index) => state.first_bad = state.first_bad.min(index),
        }
        if state.first_bad < usize::MAX || state.source.is_none() {
            // There will be no module.
            state.stop_compiling();
            dropped = std::mem::take(&mut state.codes);
        }
        if self.step == Step::Validate {
            state.cpu += taken;
        }
        state.active -= 1;
        drop(state);
        self.bodies.done.notify_all();
        drop(dropped);
    }
}
