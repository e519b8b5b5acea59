//! The protocol of collections: who asks, who answers, who frees, and when. It knows neither code nor stores, only that
//! something may be dead, that participants must be asked, and that what nobody reports is freed.
//!
//! 1. [`Collections::request`] begins a collection, or, as there is only one at a time, remembers that one is wanted: however
//!    many ask during a collection, exactly one follows it. The result is the number of the collection that will do.
//! 2. Who began it takes note of the candidates ([`World::snapshot`]), then asks every participant ([`World::ask`]), which
//!    gives the number of reports that there will be. They come from any thread, some of them before it has returned; until
//!    then the collection is not complete.
//! 3. [`Collections::report`] adds to what is alive. Who brings the last report, or the asker if it was in before, has the
//!    candidates freed that are not alive ([`World::free`]).
//! 4. Then the collection ends. If one was remembered, the same thread begins it in the same moment, so that no other can
//!    come between, and goes on at 2.
//!
//! A report that belongs to a collection which is over is ignored: one was given up when it turned out, after some had been
//! asked, that not all could be.
//!
//! Invariant: only what was a candidate before the first participant was asked is freed, and only after all have reported.
//! Invariant: no lock is held while `World` is called.
//! Accepted: one thread may do several collections in a row, if others go on asking for them while it does.

use std::collections::HashSet;
use std::time::Duration;

use crate::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// The number of a collection; later ones have higher numbers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Number(u64);

impl Number {
    /// Counted from 1.
    pub(crate) fn get(self) -> u64 {
        self.0
    }

    fn next(self) -> Number {
        Number(self.0 + 1)
    }
}

/// What a collection is about.
pub(crate) trait World {
    /// What may be dead, as it was when the collection began.
    type Candidates;

    /// What may be dead now: nobody comes to it any more who is not at it already.
    fn snapshot(&self, number: Number) -> Self::Candidates;

    /// Asks everybody who may be at a candidate, and gives the number of reports, those included that came already. None if
    /// somebody cannot be asked; what is reported then means nothing.
    fn ask(&self, number: Number) -> Option<usize>;

    /// All have been asked, and so many reports are still to come. They may come at any moment.
    fn waiting(&self, number: Number, reports: usize) {
        let _ = (number, reports);
    }

    /// One more collection is wanted than the one of this number, which is under way, or has ended just now.
    fn remembered(&self, number: Number) {
        let _ = number;
    }

    /// Frees the candidates that are not alive. Must not panic.
    fn free(&self, candidates: Self::Candidates, live: &HashSet<usize>);
}

/// The collections of an engine.
#[derive(Debug)]
pub(crate) struct Collections<C> {
    state: Mutex<State<C>>,
    /// A collection has ended.
    ended: Condvar,
}

#[derive(Debug)]
struct State<C> {
    stage: Stage<C>,
    /// The newest that was begun.
    begun: Number,
    /// The newest that has ended.
    ended: Number,
    /// One more is wanted after this one.
    remembered: bool,
    statistics: Statistics,
}

/// How far the one collection is.
#[derive(Debug)]
enum Stage<C> {
    /// There is none.
    Idle,
    /// Reports are awaited.
    Gathering(Gathering<C>),
    /// The last report is in.
    Freeing,
}

#[derive(Debug)]
struct Gathering<C> {
    /// The candidates, and how many report; not known until all have been asked.
    asked: Option<(C, usize)>,
    /// How many have reported.
    reports: usize,
    /// What they reported.
    live: HashSet<usize>,
}

/// What has happened so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Statistics {
    /// Collections that have freed what they could.
    pub(crate) completed: u64,
    /// Requests that found one under way.
    pub(crate) remembered: u64,
    /// Reports.
    pub(crate) reports: u64,
}

/// What there is to do when all participants have been asked.
enum Asked<C> {
    /// To free.
    Complete(Complete<C>),
    /// To wait for so many reports.
    Waiting(usize),
    /// Nothing: not all could be asked.
    GivenUp,
}

/// A collection all of whose reports are in.
struct Complete<C> {
    candidates: C,
    live: HashSet<usize>,
}

impl<C> Default for Collections<C> {
    fn default() -> Collections<C> {
        let state = State {
            stage: Stage::Idle,
            begun: Number(0),
            ended: Number(0),
            remembered: false,
            statistics: Statistics::default(),
        };
        Collections { state: Mutex::new(state), ended: Condvar::new() }
    }
}

impl<C> Collections<C> {
    /// Wants a collection that begins now or later. If none is under way it is begun, and is over when this returns unless
    /// somebody has still to report. Gives the number of the one that will do.
    pub(crate) fn request(&self, world: &impl World<Candidates = C>) -> Number {
        let mut state = self.lock();
        if !matches!(state.stage, Stage::Idle) {
            state.remembered = true;
            state.statistics.remembered += 1;
            let number = state.begun;
            drop(state);
            world.remembered(number);
            return number.next();
        }
        let number = state.begin();
        drop(state);
        self.drive(world, number);
        number
    }

    /// A participant reports what it holds.
    pub(crate) fn report(&self, world: &impl World<Candidates = C>, number: Number, live: &HashSet<usize>) {
        let mut state = self.lock();
        if state.begun != number {
            return;
        }
        let Stage::Gathering(gathering) = &mut state.stage else { return };
        gathering.live.extend(live);
        gathering.reports += 1;
        state.statistics.reports += 1;
        let complete = state.completed();
        drop(state);
        if let Some(complete) = complete
            && let Some(next) = self.finish(world, complete)
        {
            self.drive(world, next);
        }
    }

    /// Waits until the collection of this number, or a later one, has ended; at most so long. Gives whether it has.
    pub(crate) fn wait(&self, number: Number, bound: Duration) -> bool {
        let state = self.lock();
        let waited = self.ended.wait_timeout_while(state, bound, |state| state.ended < number);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.ended >= number
    }

    /// The collection that is under way, if one is.
    pub(crate) fn under_way(&self) -> Option<Number> {
        let state = self.lock();
        (!matches!(state.stage, Stage::Idle)).then_some(state.begun)
    }

    /// What has happened so far.
    pub(crate) fn statistics(&self) -> Statistics {
        self.lock().statistics
    }

    /// Does what the thread that begins a collection has to do; and if nobody is to report, the rest as well, and the
    /// collections that were remembered meanwhile.
    fn drive(&self, world: &impl World<Candidates = C>, number: Number) {
        let mut next = Some(number);
        while let Some(number) = next {
            let candidates = world.snapshot(number);
            let asked = world.ask(number);
            next = match self.asked(number, candidates, asked) {
                Asked::Complete(complete) => self.finish(world, complete),
                Asked::Waiting(reports) => {
                    world.waiting(number, reports);
                    None
                }
                Asked::GivenUp => None,
            };
        }
    }

    /// All participants have been asked.
    fn asked(&self, number: Number, candidates: C, asked: Option<usize>) -> Asked<C> {
        let mut state = self.lock();
        debug_assert_eq!(state.begun, number, "there is one at a time");
        let Some(asked) = asked else {
            // What was remembered would come to the same.
            state.remembered = false;
            state.end();
            self.ended.notify_all();
            return Asked::GivenUp;
        };
        let mut reports = 0;
        if let Stage::Gathering(gathering) = &mut state.stage {
            gathering.asked = Some((candidates, asked));
            reports = gathering.reports;
        }
        state.completed().map_or(Asked::Waiting(asked.saturating_sub(reports)), Asked::Complete)
    }

    /// Frees, ends, and begins what was remembered: its number.
    fn finish(&self, world: &impl World<Candidates = C>, complete: Complete<C>) -> Option<Number> {
        world.free(complete.candidates, &complete.live);
        let mut state = self.lock();
        state.statistics.completed += 1;
        state.end();
        let next = std::mem::take(&mut state.remembered).then(|| state.begin());
        self.ended.notify_all();
        next
    }

    fn lock(&self) -> MutexGuard<'_, State<C>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<C> State<C> {
    fn begin(&mut self) -> Number {
        self.begun = self.begun.next();
        self.stage = Stage::Gathering(Gathering { asked: None, reports: 0, live: HashSet::new() });
        self.begun
    }

    /// If all have been asked and have reported: what is to be freed now.
    fn completed(&mut self) -> Option<Complete<C>> {
        let Stage::Gathering(gathering) = &mut self.stage else { return None };
        if gathering.asked.as_ref().is_none_or(|&(_, asked)| gathering.reports < asked) {
            return None;
        }
        let (candidates, _) = gathering.asked.take()?;
        let live = std::mem::take(&mut gathering.live);
        self.stage = Stage::Freeing;
        Some(Complete { candidates, live })
    }

    fn end(&mut self) {
        self.stage = Stage::Idle;
        self.ended = self.begun;
    }
}
