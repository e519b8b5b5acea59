//! The lanes above the functions: what happened to the module as a whole, and to code memory, when: how the module was made
//! or found, what was waited for, and the collections of code.

use std::time::Instant;

use serde_json::{Value, json};
use upshift::{CacheOutcome, CompileMethod, Event, EventKind};

use super::history::microseconds;
use crate::quantity::{show_bytes, show_seconds};
use crate::recorded::Recorded;

#[cfg(test)]
mod tests;

/// How a piece of a lane is drawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Look {
    /// A module made from bytes that were all there.
    Made,
    /// A module made while its bytes arrived.
    Streamed,
    /// A module found in the cache.
    Cached,
    /// Something that failed.
    Failed,
    /// Sections decoded.
    Decoded,
    /// Bodies validated.
    Validated,
    /// An instance made.
    Instantiated,
    /// Somebody waited for another who made the same module.
    Waited,
    /// A collection that freed code.
    Freed,
    /// A collection that found nothing to free.
    FreedNothing,
}

impl Look {
    /// All, in the order of their numbers in the page.
    pub(super) const ALL: [Look; 10] = [
        Look::Made,
        Look::Streamed,
        Look::Cached,
        Look::Failed,
        Look::Decoded,
        Look::Validated,
        Look::Instantiated,
        Look::Waited,
        Look::Freed,
        Look::FreedNothing,
    ];

    /// Its number in the page.
    fn number(self) -> usize {
        Look::ALL.iter().position(|&look| look == self).unwrap_or(0)
    }

    /// How a person calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Look::Made => "module made",
            Look::Streamed => "module made while it arrived",
            Look::Cached => "module from the cache",
            Look::Failed => "failed",
            Look::Decoded => "decoding",
            Look::Validated => "validation",
            Look::Instantiated => "instance made",
            Look::Waited => "waiting for another thread's module",
            Look::Freed => "code collection",
            Look::FreedNothing => "code collection that freed nothing",
        }
    }
}

/// The lanes, from top to bottom.
const LANES: [&str; 6] = ["module", "decoding", "validation", "cache waits", "instances", "code GC"];
/// Pieces of a lane that are worth drawing.
const MANY: usize = 1000;

/// A piece of a lane, in microseconds from the process's start, with what there is to say of it.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Piece {
    lane: usize,
    start: u64,
    end: u64,
    look: Look,
    text: String,
}

/// The lanes that have something, as the page's script wants them: each its name and its pieces, a piece being start, end,
/// number of its look, and text.
pub(super) fn lanes(recorded: &Recorded<'_>) -> Value {
    let end = microseconds(recorded, recorded.end);
    let all: Vec<Piece> = recorded.events.iter().filter_map(|event| piece(recorded, event)).collect();
    let lane = |(number, name): (usize, &&str)| {
        let mut own: Vec<Piece> = all.iter().filter(|piece| piece.lane == number).cloned().collect();
        own.sort_by_key(|piece| (piece.start, piece.end));
        let pieces = thin(own, end);
        let shown: Vec<Value> =
            pieces.iter().map(|piece| json!([piece.start, piece.end, piece.look.number(), piece.text])).collect();
        (!shown.is_empty()).then(|| json!({ "name": name, "pieces": shown }))
    };
    LANES.iter().enumerate().filter_map(lane).collect()
}

fn piece(recorded: &Recorded<'_>, event: &Event) -> Option<Piece> {
    let took = |end: Instant| show_seconds(end.saturating_duration_since(event.start).as_secs_f64());
    let mut until = event.end;
    let (lane, look, text) = match event.kind {
        EventKind::Module { method, cached, success, bytes, functions, finish, .. } => {
            let look = match (success, cached, method) {
                (false, ..) => Look::Failed,
                (true, true, _) => Look::Cached,
                (true, false, CompileMethod::Streaming) => Look::Streamed,
                (true, false, CompileMethod::Sync | CompileMethod::Async) => Look::Made,
            };
            let finish = finish.map(|finish| format!(", {} after the last byte", show_seconds(finish.as_secs_f64())));
            let of = format!("{} of {functions} functions", show_bytes(bytes as u64));
            (0, look, format!("{}, {of}{}", method.name(), finish.unwrap_or_default()))
        }
        EventKind::Decode { bytes, success, .. } => {
            (1, if success { Look::Decoded } else { Look::Failed }, show_bytes(bytes as u64))
        }
        EventKind::Validate { bytes, threads, .. } => {
            (2, Look::Validated, format!("{} by {threads} threads", show_bytes(bytes as u64)))
        }
        EventKind::Cache { outcome: CacheOutcome::Wait } => {
            until = end_of_wait(recorded, event);
            (3, Look::Waited, format!("thread {}", event.thread))
        }
        EventKind::Instantiate { imported_functions, success } => {
            let look = if success { Look::Instantiated } else { Look::Failed };
            (4, look, format!("{imported_functions} imported functions"))
        }
        EventKind::CodeGc { candidate_bytes, freed, freed_bytes, freed_percent, .. } => {
            let (bytes, candidates) = (show_bytes(freed_bytes as u64), show_bytes(candidate_bytes as u64));
            let look = if freed > 0 { Look::Freed } else { Look::FreedNothing };
            (5, look, format!("{bytes} freed of {candidates} out of use, {freed_percent} % of all code"))
        }
        _ => return None,
    };
    let text = format!("{}: {text}, {}", look.name(), took(until));
    Some(Piece { lane, start: microseconds(recorded, event.start), end: microseconds(recorded, until), look, text })
}

/// When somebody who waits gets the module: at the end of the first event that tells of one on that thread. (A task waits
/// on no thread; the first module there is a guess.)
fn end_of_wait(recorded: &Recorded<'_>, wait: &Event) -> Instant {
    let made = |event: &&Event| matches!(event.kind, EventKind::Module { .. }) && event.end >= wait.end;
    let mut ends = recorded.events.iter().filter(made);
    ends.find(|event| event.thread == wait.thread).map_or(wait.end, |event| event.end)
}

/// The pieces as far as they can be told apart: of those that begin in the same thousandth of the run one, with how many
/// they are.
fn thin(pieces: Vec<Piece>, end: u64) -> Vec<Piece> {
    if pieces.len() <= MANY {
        return pieces;
    }
    let part = |at: u64| u128::from(at) * MANY as u128 / u128::from(end.max(1));
    let mut thinned: Vec<(Piece, usize)> = Vec::with_capacity(MANY);
    for piece in pieces {
        match thinned.last_mut().filter(|(last, _)| part(last.start) == part(piece.start)) {
            Some((last, count)) => {
                *count += 1;
                *last = Piece { start: last.start, end: last.end.max(piece.end), ..piece };
            }
            None => thinned.push((piece, 1)),
        }
    }
    let shown = |(piece, count): (Piece, usize)| match count {
        1 => piece,
        _ => Piece { text: format!("{count} here; the last: {}", piece.text), ..piece },
    };
    thinned.into_iter().map(shown).collect()
}
