//! Charts of nothing, of much, and with labels that would lie on each other.

use super::*;

#[test]
fn a_chart_draws_steps_and_says_the_ends() {
    let steps = [(10, 1), (500, 7)];
    let series = [
        Series { name: "baseline", class: "p1", steps: &steps },
        Series { name: "optimizing", class: "p5", steps: &[] },
    ];
    let svg = Chart { title: "Functions", end: 1000, series: &series, show: |count| count.to_string() }.to_string();
    assert!(svg.contains("aria-label=\"Functions: baseline 7 at the end, optimizing 0 at the end\""));
    assert_eq!(svg.matches("<path class=\"line").count(), 2);
    assert!(svg.starts_with("<svg") && svg.ends_with("</svg>"));
}

#[test]
fn a_line_is_short_however_many_steps_there_are() {
    let steps: Vec<(u64, u64)> = (0..100_000).map(|at| (at, at)).collect();
    let path = path(&steps, 100_000, 100_000);
    assert!(path.len() < 20_000, "{}", path.len());
    assert!(path.contains(&format!("V{:.1}", y(99_999, 100_000))));
}

#[test]
fn labels_keep_apart() {
    let steps = [(0, 5)];
    let series = [Series { name: "a", class: "p1", steps: &steps }, Series { name: "b", class: "p5", steps: &steps }];
    let svg = Chart { title: "t", end: 1, series: &series, show: |count| count.to_string() }.to_string();
    let ys: Vec<f64> = svg
        .split("<text class=\"p")
        .skip(1)
        .map(|text| text.split("y=\"").nth(1).unwrap().split('"').next().unwrap().parse().unwrap())
        .collect();
    assert!((ys[0] - ys[1]).abs() >= LINE - 0.1);
}
