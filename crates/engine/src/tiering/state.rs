//! What is known of the functions of a module that have spent a budget, and what follows from it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use code::native_module::Flushed;
use runtime::hooks::HotLoop;
use wasm::heap;
use wasm::types::DefinedFuncIndex;

use crate::tuning;

#[cfg(test)]
mod tests;

/// How far a piece of optimized code is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Progress {
    /// Nobody has asked for it.
    #[default]
    Idle,
    /// Its job waits.
    Queued,
    /// Its job runs.
    Running,
    /// It is published.
    Ready,
    /// Its job was given up; there will be no other.
    Abandoned,
}

impl Progress {
    fn is_pending(self) -> bool {
        matches!(self, Progress::Queued | Progress::Running)
    }
}

/// A function that has spent a budget.
#[derive(Debug, Default)]
struct Function {
    /// How often it has done so.
    priority: u32,
    /// How often since the last job that was asked for.
    since: u32,
    ordinary: Progress,
    /// OSR entries by the loop's offset in the module.
    loops: BTreeMap<u32, Progress>,
    /// How often a call has gone on in one.
    entered: u32,
}

impl Function {
    fn progress(&mut self, osr: Option<u32>) -> &mut Progress {
        match osr {
            Some(offset) => self.loops.entry(offset).or_default(),
            None => &mut self.ordinary,
        }
    }

    fn is_pending(&self) -> bool {
        self.ordinary.is_pending() || self.loops.values().any(|progress| progress.is_pending())
    }

    /// Takes the next step towards a piece of optimized code, for which it takes `rounds` budgets.
    fn ask(&mut self, osr: Option<u32>, rounds: u32) -> Option<Wanted> {
        let (again, earned) = (self.priority.is_power_of_two(), self.since >= rounds);
        let progress = self.progress(osr);
        match progress {
            Progress::Idle if earned => {
                *progress = Progress::Queued;
                self.since = 0;
                Some(Wanted { osr, first: true })
            }
            Progress::Queued if again => Some(Wanted { osr, first: false }),
            Progress::Idle | Progress::Queued | Progress::Running | Progress::Ready | Progress::Abandoned => None,
        }
    }

    fn decision(&self, job: Option<Wanted>) -> Decision {
        let hopeless = self.ordinary == Progress::Abandoned
            && self.loops.values().all(|&progress| progress == Progress::Abandoned);
        let wait = if hopeless {
            Wait::ForGood
        } else if self.is_pending() {
            Wait::Short
        } else {
            Wait::Long
        };
        Decision { job, priority: self.priority, wait }
    }
}

/// A piece of optimized code that is to be made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Wanted {
    /// The loop, if it is an OSR entry.
    pub(super) osr: Option<u32>,
    /// It is asked for the first time; else its job waits, and is to move ahead.
    pub(super) first: bool,
}

/// When the function should ask again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Wait {
    /// After a whole budget.
    Long,
    /// Soon: something is about to be ready.
    Short,
    /// There is no hope for better code.
    ForGood,
}

/// What to do about a function that has spent its budget.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Decision {
    pub(super) job: Option<Wanted>,
    pub(super) priority: u32,
    wait: Wait,
}

impl Decision {
    /// The function's next budget, when `whole` is that of the configuration.
    pub(super) fn budget(&self, whole: i32) -> i32 {
        match self.wait {
            Wait::Long => whole,
            Wait::Short => tuning::pending_budget(whole),
            Wait::ForGood => i32::MAX,
        }
    }
}

/// How a job ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Finished {
    /// The code is published.
    Ready,
    /// It was given up, for good.
    Abandoned,
    /// It was never begun, or ended by a panic, and may be asked for again.
    Refused,
}

/// The tiering state of a module.
#[derive(Debug, Default)]
pub(crate) struct ModuleTiering {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    functions: HashMap<DefinedFuncIndex, Function>,
    /// The budgets that functions had at the last look for cold code.
    seen: HashMap<DefinedFuncIndex, i32>,
}

impl ModuleTiering {
    /// What it owns takes, in bytes.
    pub(crate) fn heap_bytes(&self) -> usize {
        let state = self.lock();
        let loops = state.functions.values().map(|function| heap::tree::<u32, Progress>(function.loops.len()));
        heap::map(&state.functions) + heap::map(&state.seen) + loops.sum::<usize>()
    }

    /// A function has spent its budget at its entry.
    pub(super) fn spent_at_entry(&self, function: DefinedFuncIndex, may_compile: bool, rounds: u32) -> Decision {
        let mut state = self.lock();
        let function = state.spent(function);
        let job = if may_compile { function.ask(None, rounds) } else { None };
        function.decision(job)
    }

    /// A function has spent its budget in a loop.
    pub(super) fn spent_in_loop(&self, hot: HotLoop, may_compile: bool, osr: bool, rounds: u32) -> Decision {
        let mut state = self.lock();
        let function = state.spent(hot.function);
        let job = if may_compile { wanted_in_loop(function, hot, osr, rounds) } else { None };
        function.decision(job)
    }

    /// A call has gone on in an OSR entry of the function.
    pub(super) fn entered(&self, function: DefinedFuncIndex) {
        let mut state = self.lock();
        let function = state.functions.entry(function).or_default();
        function.entered = function.entered.saturating_add(1);
    }

    /// Takes a job that waits. False if it does not wait, as somebody else has taken it.
    pub(super) fn begin(&self, function: DefinedFuncIndex, osr: Option<u32>) -> bool {
        let mut state = self.lock();
        let progress = state.functions.entry(function).or_default().progress(osr);
        let waits = *progress == Progress::Queued;
        if waits {
            *progress = Progress::Running;
        }
        waits
    }

    /// A job has ended.
    pub(super) fn finished(&self, function: DefinedFuncIndex, osr: Option<u32>, how: Finished) {
        let mut state = self.lock();
        let function = state.functions.entry(function).or_default();
        *function.progress(osr) = match how {
            Finished::Ready => Progress::Ready,
            Finished::Abandoned => Progress::Abandoned,
            Finished::Refused => Progress::Idle,
        };
        // What is too much for the ordinary code is too much for a variant of it, and the other way round.
        if how == Finished::Abandoned {
            function.ordinary =
                if function.ordinary == Progress::Idle { Progress::Abandoned } else { function.ordinary };
        }
    }

    /// Code was flushed: it may be asked for again.
    pub(crate) fn forget(&self, flushed: &Flushed) {
        let mut state = self.lock();
        for (function, _) in &flushed.functions {
            if let Some(function) = state.functions.get_mut(function)
                && function.ordinary == Progress::Ready
            {
                function.ordinary = Progress::Idle;
            }
        }
        for (function, offset) in &flushed.loops {
            if let Some(function) = state.functions.get_mut(function) {
                function.loops.remove(offset);
            }
        }
    }

    /// Looks at which functions have been entered since the last look.
    pub(crate) fn look(&self) -> Look<'_> {
        Look { state: self.lock() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn spent(&mut self, function: DefinedFuncIndex) -> &mut Function {
        let function = self.functions.entry(function).or_default();
        function.priority = function.priority.saturating_add(1);
        function.since = function.since.saturating_add(1);
        function
    }
}

/// What a function that has spent its budget in this loop should be given; see the head of `tiering`.
fn wanted_in_loop(function: &mut Function, hot: HotLoop, osr: bool, rounds: u32) -> Option<Wanted> {
    let few = hot.calls.is_none_or(|calls| calls <= tuning::FEW_CALLS);
    let room = function.loops.len() < tuning::OSR_ENTRIES || function.loops.contains_key(&hot.offset);
    let osr = osr && room;
    match function.ordinary {
        Progress::Idle if osr && few && function.entered < tuning::OSR_BEFORE_ORDINARY => {
            function.ask(Some(hot.offset), rounds)
        }
        Progress::Idle => function.ask(None, rounds),
        Progress::Ready if osr => function.ask(Some(hot.offset), rounds),
        Progress::Queued => function.ask(None, rounds),
        Progress::Running | Progress::Ready | Progress::Abandoned => None,
    }
}

/// One look for cold code.
pub(crate) struct Look<'a> {
    state: MutexGuard<'a, State>,
}

impl Look<'_> {
    /// Has the function been entered since the last look, and how much has it spent? `left` is its budget now, `spent` what
    /// it has spent of its present one.
    pub(crate) fn warmth(&mut self, function: DefinedFuncIndex, left: i32, spent: u64) -> (bool, u64) {
        let entered = self.state.seen.insert(function, left).is_some_and(|before| before != left);
        let whole = self.state.functions.get(&function).map_or(0, |function| u64::from(function.priority));
        (entered, spent.saturating_add(whole << 32))
    }
}
