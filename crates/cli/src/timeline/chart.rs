//! The small charts on top of the page: functions per tier, and bytes of machine code, over time.

use std::fmt::{self, Write as _};

/// A line of a chart: a name, a class for its colour and dashes, and where it changes: time, and value from then on.
pub(super) struct Series<'a> {
    pub(super) name: &'a str,
    pub(super) class: &'a str,
    pub(super) steps: &'a [(u64, u64)],
}

/// A chart of step lines over a time in microseconds, as SVG. The text belongs to the page, not to the program.
pub(super) struct Chart<'a> {
    /// What it shows, in words; also for those who do not see it.
    pub(super) title: &'a str,
    pub(super) end: u64,
    pub(super) series: &'a [Series<'a>],
    pub(super) show: fn(u64) -> String,
}

/// Size of the plot, in SVG's own units, and what is left of it for labels.
const WIDTH: f64 = 520.0;
const HEIGHT: f64 = 110.0;
const LEFT: f64 = 8.0;
const RIGHT: f64 = 200.0;
const TOP: f64 = 22.0;
const BOTTOM: f64 = 22.0;
/// Between the labels of two lines, at least.
const LINE: f64 = 15.0;
/// Points of a line; more cannot be told apart.
const POINTS: u64 = 400;

impl fmt::Display for Chart<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let top = self.series.iter().flat_map(|series| series.steps.iter().map(|&(_, value)| value)).max();
        let top = top.unwrap_or(0).max(1);
        let (width, height) = (LEFT + WIDTH + RIGHT, TOP + HEIGHT + BOTTOM);
        let ends: Vec<String> = self
            .series
            .iter()
            .map(|series| format!("{} {} at the end", series.name, (self.show)(last(series.steps))))
            .collect();
        write!(
            f,
            "<svg viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{}: {}\"><text x=\"{LEFT}\" y=\"13\" \
             class=\"title\">{}</text>",
            self.title,
            ends.join(", "),
            self.title
        )?;
        let (right, bottom) = (LEFT + WIDTH, TOP + HEIGHT);
        write!(f, "<path class=\"axis\" d=\"M{LEFT} {TOP}V{bottom}H{right}\"/>")?;
        let below = bottom + 15.0;
        write!(f, "<text x=\"{LEFT}\" y=\"{below}\">0</text>")?;
        write!(f, "<text x=\"{right}\" y=\"{below}\" text-anchor=\"end\">{}</text>", show_time(self.end))?;
        let mut labels: Vec<(f64, String, &str)> = Vec::new();
        for series in self.series {
            write!(f, "<path class=\"line {}\" d=\"{}\"/>", series.class, path(series.steps, self.end, top))?;
            let text = format!("{} {}", (self.show)(last(series.steps)), series.name);
            labels.push((y(last(series.steps), top), text, series.class));
        }
        labels.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut free = TOP;
        for (at, text, class) in labels {
            let at = at.max(free);
            free = at + LINE;
            write!(f, "<text class=\"{class}\" x=\"{}\" y=\"{:.1}\">{text}</text>", right + 6.0, at + 4.0)?;
        }
        f.write_str("</svg>")
    }
}

fn last(steps: &[(u64, u64)]) -> u64 {
    steps.last().map_or(0, |&(_, value)| value)
}

#[allow(clippy::cast_precision_loss, reason = "drawn")]
fn y(value: u64, top: u64) -> f64 {
    TOP + HEIGHT - HEIGHT * value as f64 / top as f64
}

#[allow(clippy::cast_precision_loss, reason = "drawn")]
fn path(steps: &[(u64, u64)], end: u64, top: u64) -> String {
    let mut path = format!("M{LEFT} {:.1}", y(0, top));
    let (mut next, mut drawn) = (0, 0);
    for point in 1..=POINTS {
        let until = u64::try_from(u128::from(end) * u128::from(point) / u128::from(POINTS)).unwrap_or(end);
        let before = next;
        next += steps[next..].partition_point(|&(at, _)| at <= until);
        if next > before && (steps[next - 1].1 != drawn) {
            drawn = steps[next - 1].1;
            let x = LEFT + WIDTH * (point - 1) as f64 / POINTS as f64;
            let _ = write!(path, "H{x:.1}V{:.1}", y(drawn, top));
        }
    }
    let _ = write!(path, "H{}", LEFT + WIDTH);
    path
}

/// Microseconds for people.
#[allow(clippy::cast_precision_loss, reason = "shown with three digits")]
pub(super) fn show_time(microseconds: u64) -> String {
    crate::quantity::show_seconds(microseconds as f64 / 1e6)
}

#[cfg(test)]
mod tests;
