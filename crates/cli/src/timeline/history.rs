//! What became of each function: the phases that it went through, and what they cost, made of the engine's events.

use std::collections::HashMap;
use std::time::Duration;

use upshift::{Event, EventKind, Outcome, Tier};

use crate::recorded::Recorded;

/// What the calls of a function ran in, for some time.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Phase {
    /// It had no code.
    None,
    /// Baseline code.
    Baseline,
    /// Baseline code, while a job for the optimizing tier waited.
    Queued,
    /// Baseline code, while the optimizing tier compiled it.
    Compiling,
    /// Calls that begin run baseline code, and one that was in a loop went on in an OSR entry.
    Osr,
    /// Optimized code.
    Optimizing,
    /// It had code, and lost it to the ceiling.
    Flushed,
}

impl Phase {
    /// All, in the order of their numbers in the page.
    pub(super) const ALL: [Phase; 7] =
        [Phase::None, Phase::Baseline, Phase::Queued, Phase::Compiling, Phase::Osr, Phase::Optimizing, Phase::Flushed];

    /// Its number in the page.
    pub(super) fn number(self) -> usize {
        Phase::ALL.iter().position(|&phase| phase == self).unwrap_or(0)
    }

    /// How a person calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Phase::None => "no code",
            Phase::Baseline => "baseline",
            Phase::Queued => "baseline, queued",
            Phase::Compiling => "baseline, being optimized",
            Phase::Osr => "optimizing (OSR)",
            Phase::Optimizing => "optimizing",
            Phase::Flushed => "flushed",
        }
    }
}

/// What a tier made of a function.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Made {
    /// Bytes of machine code, of the last time.
    pub(super) code_bytes: usize,
    /// CPU time of all times.
    pub(super) cpu: Duration,
}

/// What became of a function.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct History {
    /// When each phase began, in microseconds from the process's start.
    pub(super) phases: Vec<(u64, Phase)>,
    pub(super) baseline: Made,
    pub(super) optimizing: Made,
    /// OSR entries; their bytes added up.
    pub(super) osr: Made,
    /// How often a job for the optimizing tier was asked for.
    pub(super) tier_ups: u32,
    /// How often a running call went on in an OSR entry.
    pub(super) osr_entered: u32,
    /// How often it lost its code to the ceiling.
    pub(super) flushes: u32,
    /// Jobs given up for their budget, or failed.
    pub(super) abandoned: u32,
    /// From its first code to when it first asked for the optimizing tier, in microseconds: the shorter, the hotter.
    pub(super) warm_up: Option<u64>,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct State {
    tier: Option<Tier>,
    had_code: bool,
    queued: bool,
    compiling: bool,
    in_osr: bool,
}

/// One thing that happened to a function.
#[derive(Clone, Copy, Debug)]
enum Change {
    Publish(Tier),
    TierUp,
    OptimizeStart,
    OptimizeEnd,
    OsrEnter,
    Flush,
}

impl State {
    fn phase(self) -> Phase {
        match self.tier {
            None if self.had_code => Phase::Flushed,
            None => Phase::None,
            Some(Tier::Optimizing) => Phase::Optimizing,
            Some(Tier::Baseline) if self.in_osr => Phase::Osr,
            Some(Tier::Baseline) if self.compiling => Phase::Compiling,
            Some(Tier::Baseline) if self.queued => Phase::Queued,
            Some(Tier::Baseline) => Phase::Baseline,
        }
    }

    fn change(&mut self, change: Change) {
        match change {
            Change::Publish(tier) => {
                (self.tier, self.had_code) = (Some(tier), true);
                if tier == Tier::Optimizing {
                    (self.queued, self.in_osr) = (false, false);
                }
            }
            Change::TierUp => self.queued = true,
            Change::OptimizeStart => self.compiling = true,
            Change::OptimizeEnd => (self.compiling, self.queued) = (false, false),
            Change::OsrEnter => self.in_osr = true,
            Change::Flush => *self = State { had_code: self.had_code, ..State::default() },
        }
    }
}

impl History {
    fn change(&mut self, at: u64, change: Change) {
        if matches!(change, Change::TierUp) && self.warm_up.is_none() {
            let first = self.phases.first().map_or(at, |&(first, _)| first);
            self.warm_up = Some(at.saturating_sub(first));
        }
        let before = self.state.phase();
        self.state.change(change);
        let phase = self.state.phase();
        if phase != before {
            // Of several changes in one microsecond only the last is to be seen.
            self.phases.pop_if(|(last, _)| *last == at);
            if self.phases.last().is_none_or(|&(_, last)| last != phase) {
                self.phases.push((at, phase));
            }
        }
    }

    /// What it runs in at the end.
    pub(super) fn last(&self) -> Phase {
        self.phases.last().map_or(Phase::None, |&(_, phase)| phase)
    }

    /// Bytes of all its machine code.
    pub(super) fn code_bytes(&self) -> usize {
        self.baseline.code_bytes + self.optimizing.code_bytes + self.osr.code_bytes
    }

    fn count(&mut self, kind: &EventKind) {
        match *kind {
            EventKind::Compile { tier, osr, cpu, outcome, .. } => {
                let made = match (tier, osr) {
                    (_, Some(_)) => &mut self.osr,
                    (Tier::Baseline, None) => &mut self.baseline,
                    (Tier::Optimizing, None) => &mut self.optimizing,
                };
                made.cpu += cpu;
                match outcome {
                    Outcome::Done { code_bytes } if osr.is_some() => made.code_bytes += code_bytes,
                    Outcome::Done { code_bytes } => made.code_bytes = code_bytes,
                    Outcome::Invalid | Outcome::OverBudget | Outcome::Failed => self.abandoned += 1,
                }
            }
            EventKind::TierUp { .. } => self.tier_ups += 1,
            EventKind::OsrEnter { .. } => self.osr_entered += 1,
            EventKind::Flush { .. } => self.flushes += 1,
            _ => {}
        }
    }

    /// The phases as far as they can be told apart when a run until `end` is drawn: of those that begin in the same
    /// thousandth of it, the last. A function that is flushed again and again has very many.
    pub(super) fn visible_phases(&self, end: u64) -> Vec<(u64, Phase)> {
        if self.phases.len() <= MANY {
            return self.phases.clone();
        }
        let part = |at: u64| u128::from(at) * MANY as u128 / u128::from(end.max(1));
        let mut visible: Vec<(u64, Phase)> = Vec::with_capacity(MANY);
        for &(at, phase) in &self.phases {
            visible.pop_if(|(last, _)| part(*last) == part(at));
            visible.push((at, phase));
        }
        visible
    }
}

/// Phases of a function that are worth drawing.
const MANY: usize = 1000;

/// The histories of all functions to which something happened, by index.
pub(super) fn histories(recorded: &Recorded<'_>) -> HashMap<u32, History> {
    let mut histories: HashMap<u32, History> = HashMap::new();
    let mut changes: Vec<(u64, u32, Change)> = Vec::new();
    for event in recorded.events {
        let Some(function) = event.kind.function() else { continue };
        histories.entry(function).or_default().count(&event.kind);
        let mut add = |at, change| changes.push((microseconds(recorded, at), function, change));
        changes_of(event, &mut add);
    }
    // Stable: what is reported in order stays so.
    changes.sort_by_key(|&(at, _, _)| at);
    for (at, function, change) in changes {
        histories.entry(function).or_default().change(at, change);
    }
    histories
}

fn changes_of(event: &Event, add: &mut impl FnMut(std::time::Instant, Change)) {
    match event.kind {
        EventKind::Compile { tier: Tier::Optimizing, .. } => {
            add(event.start, Change::OptimizeStart);
            add(event.end, Change::OptimizeEnd);
        }
        EventKind::Publish { tier, osr: None, .. } => add(event.end, Change::Publish(tier)),
        EventKind::TierUp { .. } => add(event.end, Change::TierUp),
        EventKind::OsrEnter { .. } => add(event.end, Change::OsrEnter),
        EventKind::Flush { .. } => add(event.end, Change::Flush),
        _ => {}
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative, and 580,000 years fit")]
pub(super) fn microseconds(recorded: &Recorded<'_>, at: std::time::Instant) -> u64 {
    recorded.microseconds(at) as u64
}

#[cfg(test)]
mod tests;
