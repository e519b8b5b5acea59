//! `--timeline`: one page, with nothing from elsewhere, that shows which function ran in which tier when.
//!
//! The page is a frame (`page.css`, `page.js`), a summary that is made here, and the functions as data, which the script
//! draws as text: nothing of the program ever is HTML. In what is made here, [`Escaped`] spells out what would be; in the
//! data, [`InScript`] spells out what could end the script's element.

mod chart;
mod history;
mod lanes;

use std::collections::HashMap;
use std::fmt::{self, Write as _};
use std::io::{self, Write};

use serde_json::{Value, json};
use upshift::{EventKind, FunctionInfo, Outcome, Tier};

use crate::quantity::show_bytes;
use crate::recorded::Recorded;
use chart::{Chart, Series, show_time};
use history::{History, Phase, histories, microseconds};
use lanes::{Look, lanes};

const STYLE: &str = include_str!("timeline/page.css");
const SCRIPT: &str = include_str!("timeline/page.js");
/// What the page may do: nothing but what is in it.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:";
/// Characters of a function's name that are kept.
const NAME: usize = 300;

/// Writes the page.
///
/// # Errors
/// When `out` does not take it.
pub(crate) fn write(out: &mut impl Write, recorded: &Recorded<'_>) -> io::Result<()> {
    let histories = histories(recorded);
    let title = Escaped(recorded.title);
    write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}: tiers over time</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<header>\n\
         <h1>{title}</h1>\n<p class=\"dim\">Which function ran in which tier when. Upshift {}, <code>{}</code>.</p>\n",
        env!("CARGO_PKG_VERSION"),
        Escaped(recorded.options),
    )?;
    writeln!(out, "{}{}</header>", facts(recorded, &histories), charts(recorded, &histories))?;
    out.write_all(BODY.as_bytes())?;
    out.write_all(b"<script type=\"application/json\" id=\"data\">")?;
    write_data(&mut InScript(&mut *out), recorded, &histories)?;
    write!(out, "</script>\n<script>\n{SCRIPT}</script>\n</body>\n</html>\n")
}

const BODY: &str = "\
<main>
<form id=\"controls\" role=\"search\">
<label>Search <input id=\"search\" type=\"search\" placeholder=\"name or index\" autocomplete=\"off\"></label>
<label>Show <select id=\"only\"><option value=\"ran\">functions with code</option><option value=\"hot\">functions that got \
hot</option><option value=\"all\">all functions</option></select></label>
<label>Time axis <select id=\"axis\"><option value=\"0 1\">the whole run</option><option value=\"0 0.1\">its first \
tenth</option><option value=\"0 0.01\">its first hundredth</option><option value=\"0.9 1\">its last tenth</option>\
<option value=\"log\">logarithmic</option></select></label>
<output id=\"count\"></output>
</form>
<section id=\"lanes\" aria-label=\"The module and its code\"></section>
<ul id=\"looks\" class=\"legend\" aria-label=\"Colours of the lanes\"></ul>
<ul id=\"legend\" class=\"legend\" aria-label=\"Colours of the bars\"></ul>
<table id=\"functions\"><caption class=\"dim\">Hottest first: those that asked for the optimizing tier, the sooner after \
their first code the hotter; then the others by machine code. A head sorts by its column.</caption>
<thead></thead><tbody></tbody></table>
<p><button type=\"button\" id=\"more\" hidden>Show more</button></p>
<noscript><p>The table of functions needs JavaScript; nothing is loaded from anywhere.</p></noscript>
</main>
";

/// The numbers on top.
fn facts(recorded: &Recorded<'_>, histories: &HashMap<u32, History>) -> String {
    let ended = |phase: Phase| histories.values().filter(|history| history.last() == phase).count();
    let sum = |of: fn(&History) -> usize| show_bytes(histories.values().map(of).sum::<usize>() as u64);
    let count = |of: fn(&History) -> u32| histories.values().map(of).map(u64::from).sum::<u64>().to_string();
    let in_baseline = ended(Phase::Baseline) + ended(Phase::Queued) + ended(Phase::Compiling) + ended(Phase::Osr);
    let wasm: usize = recorded.functions.iter().map(|function| function.len).sum();
    let mut facts = vec![
        ("time in all", show_time(microseconds(recorded, recorded.end))),
        (
            "time to the first call",
            recorded.first_call.map_or("not called".to_string(), |moment| {
                let time = |time: std::time::Duration| crate::quantity::show_seconds(time.as_secs_f64());
                format!("{} ({} CPU)", time(moment.wall), time(moment.cpu))
            }),
        ),
        ("functions", format!("{} ({} of Wasm)", recorded.functions.len(), show_bytes(wasm as u64))),
        ("never compiled", recorded.functions.len().saturating_sub(histories.len()).to_string()),
        ("in the baseline tier at the end", in_baseline.to_string()),
        ("in the optimizing tier at the end", ended(Phase::Optimizing).to_string()),
        ("baseline machine code", sum(|history| history.baseline.code_bytes)),
        ("optimized machine code", sum(|history| history.optimizing.code_bytes)),
        ("machine code of OSR entries", sum(|history| history.osr.code_bytes)),
        ("asked for the optimizing tier", count(|history| history.tier_ups)),
        ("loops continued in optimized code", count(|history| history.osr_entered)),
        ("still queued at the end", ended(Phase::Queued).to_string()),
        ("compilations given up", count(|history| history.abandoned)),
        ("times flushed", count(|history| history.flushes)),
        ("code collected", collected(recorded)),
    ];
    if recorded.lost > 0 {
        facts.push(("events lost, the oldest ones", recorded.lost.to_string()));
    }
    let mut html = String::from("<dl>\n");
    for (name, value) in facts {
        let _ = writeln!(html, "<div><dt>{}</dt><dd>{}</dd></div>", Escaped(name), Escaped(&value));
    }
    html + "</dl>\n"
}

/// What code collections freed.
fn collected(recorded: &Recorded<'_>) -> String {
    let freed = recorded.events.iter().filter_map(|event| match event.kind {
        EventKind::CodeGc { freed_bytes, .. } => Some(freed_bytes as u64),
        _ => None,
    });
    let (times, bytes) = freed.fold((0, 0), |(times, bytes), freed| (times + 1, bytes + freed));
    format!("{} in {times} collections", show_bytes(bytes))
}

fn charts(recorded: &Recorded<'_>, histories: &HashMap<u32, History>) -> String {
    let end = microseconds(recorded, recorded.end);
    let functions = |inside: fn(Phase) -> bool| {
        let mut changes: Vec<(u64, i64)> = Vec::new();
        for history in histories.values() {
            let mut was = false;
            for &(at, phase) in &history.phases {
                if inside(phase) != was {
                    was = !was;
                    changes.push((at, if was { 1 } else { -1 }));
                }
            }
        }
        accumulate(changes)
    };
    let bytes = |of: Tier| {
        let made = recorded.events.iter().filter_map(|event| match event.kind {
            EventKind::Compile { tier, outcome: Outcome::Done { code_bytes }, .. } if tier == of => {
                Some((microseconds(recorded, event.end), i64::try_from(code_bytes).unwrap_or(i64::MAX)))
            }
            _ => None,
        });
        accumulate(made.collect())
    };
    let baseline = functions(|phase| matches!(phase, Phase::Baseline | Phase::Queued | Phase::Compiling | Phase::Osr));
    let optimizing = functions(|phase| phase == Phase::Optimizing);
    let (baseline_bytes, optimizing_bytes) = (bytes(Tier::Baseline), bytes(Tier::Optimizing));
    let chart = |title, baseline: &[(u64, u64)], optimizing: &[(u64, u64)], show| {
        let series = [
            Series { name: "baseline", class: "p1", steps: baseline },
            Series { name: "optimizing", class: "p5", steps: optimizing },
        ];
        Chart { title, end, series: &series, show }.to_string()
    };
    let functions = chart("Functions per tier", &baseline, &optimizing, |count| count.to_string());
    let bytes = chart("Machine code made, in all", &baseline_bytes, &optimizing_bytes, show_bytes);
    format!("<div class=\"charts\">{functions}{bytes}</div>\n")
}

/// Changes in any order to values over time.
fn accumulate(mut changes: Vec<(u64, i64)>) -> Vec<(u64, u64)> {
    changes.sort_unstable();
    let mut value: i64 = 0;
    let mut steps: Vec<(u64, u64)> = Vec::new();
    for (at, change) in changes {
        value = value.saturating_add(change);
        steps.pop_if(|(last, _)| *last == at);
        steps.push((at, u64::try_from(value).unwrap_or(0)));
    }
    steps
}

/// The lanes, and the functions, hottest first. Each is a list: index, name, bytes of Wasm; and if anything happened to it, bytes of
/// machine code (baseline, optimizing, OSR), CPU microseconds (the same), tier-ups, OSR entries taken, jobs given up, and
/// its phases: when each began, in microseconds, and its number in `phases`, alternating.
fn write_data(out: &mut impl Write, recorded: &Recorded<'_>, histories: &HashMap<u32, History>) -> io::Result<()> {
    let phases: Vec<&str> = Phase::ALL.iter().map(|phase| phase.name()).collect();
    let end = microseconds(recorded, recorded.end);
    let looks: Vec<&str> = Look::ALL.iter().map(|look| look.name()).collect();
    write!(out, "{{\"end\":{end},\"phases\":{},\"looks\":{},", json!(phases), json!(looks))?;
    write!(out, "\"lanes\":{},\"functions\":[", lanes(recorded))?;
    let mut functions: Vec<(&FunctionInfo<'_>, Option<&History>)> =
        recorded.functions.iter().map(|function| (function, histories.get(&function.index))).collect();
    functions.sort_by_key(|(function, history)| {
        let warm_up = history.and_then(|history| history.warm_up).unwrap_or(u64::MAX);
        let code = history.map_or(0, |history| history.code_bytes());
        (warm_up, std::cmp::Reverse((code, function.len)), function.index)
    });
    for (at, (function, history)) in functions.into_iter().enumerate() {
        out.write_all(if at == 0 { b"\n" } else { b",\n" })?;
        serde_json::to_writer(&mut *out, &row(function, history, end)).map_err(io::Error::from)?;
    }
    out.write_all(b"\n]}")
}

fn row(function: &FunctionInfo<'_>, history: Option<&History>, end: u64) -> Value {
    let name = function.name.map(shorten);
    let Some(history) = history else { return json!([function.index, name, function.len]) };
    let History { baseline, optimizing, osr, tier_ups, osr_entered, abandoned, .. } = history;
    let phases = history.visible_phases(end);
    let phases: Vec<u64> = phases.into_iter().flat_map(|(at, phase)| [at, phase.number() as u64]).collect();
    let cpu = [baseline, optimizing, osr].map(|made| u64::try_from(made.cpu.as_micros()).unwrap_or(u64::MAX));
    json!([
        function.index,
        name,
        function.len,
        baseline.code_bytes,
        optimizing.code_bytes,
        osr.code_bytes,
        cpu[0],
        cpu[1],
        cpu[2],
        tier_ups,
        osr_entered,
        abandoned,
        phases,
    ])
}

fn shorten(name: &str) -> String {
    match name.char_indices().nth(NAME) {
        Some((end, _)) => format!("{}...", &name[..end]),
        None => name.to_string(),
    }
}

/// A text as it is written in HTML, between tags or in a quoted attribute.
struct Escaped<'text>(&'text str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|character| match character {
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '&' => f.write_str("&amp;"),
            '"' => f.write_str("&quot;"),
            '\'' => f.write_str("&#39;"),
            _ if character.is_control() && character != '\n' => write!(f, "\u{fffd}"),
            _ => f.write_char(character),
        })
    }
}

/// Writes JSON so that it can be in a script's element: what HTML would look at is only ever in strings, where it can be
/// written as a number.
struct InScript<W>(W);

impl<W: Write> Write for InScript<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        for piece in bytes.split_inclusive(|byte| is_special(*byte)) {
            match piece.split_last() {
                Some((&last, rest)) if is_special(last) => {
                    self.0.write_all(rest)?;
                    write!(self.0, "\\u{last:04x}")?;
                }
                _ => self.0.write_all(piece)?,
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn is_special(byte: u8) -> bool {
    matches!(byte, b'<' | b'>' | b'&')
}

#[cfg(test)]
mod tests;
