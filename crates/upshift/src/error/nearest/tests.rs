//! Distances against the plain definition, ties, and the bounds on the work.

use std::time::{Duration, Instant};

use super::{FARTHEST, LONGEST, MOST, nearest_name, within};

/// The definition, with the whole table.
fn plain(a: &[char], b: &[char]) -> usize {
    let mut table = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            if i == 0 || j == 0 {
                table[i][j] = i + j;
                continue;
            }
            let change = table[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut cell = change.min(table[i - 1][j] + 1).min(table[i][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                cell = cell.min(table[i - 2][j - 2] + 1);
            }
            table[i][j] = cell;
        }
    }
    table[a.len()][b.len()]
}

/// Words over few letters, so that many are near each other.
fn words() -> Vec<Vec<char>> {
    let mut state = 7u64;
    let mut next = |limit: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % limit
    };
    (0..120).map(|_| (0..next(9)).map(|_| char::from(b'a' + next(3) as u8)).collect()).collect()
}

#[test]
fn the_band_gives_the_distance() {
    let words = words();
    for a in &words {
        for b in &words {
            let distance = plain(a, b);
            for most in 0..=FARTHEST {
                assert_eq!(within(a, b, most), (distance <= most).then_some(distance), "{a:?} {b:?} {most}");
            }
        }
    }
}

#[test]
fn what_is_meant_is_found() {
    let names = ["memory", "memory_grow", "fd_write", "fd_read", "wasi_snapshot_preview1", "Malloc", "x", "init"];
    for (wanted, expected) in [
        ("memroy", Some("memory")),
        ("Memory", Some("memory")),
        ("memory-grow", Some("memory_grow")),
        ("memoryGrow", Some("memory_grow")),
        ("_fd_write", Some("fd_write")),
        ("fd_wrte", Some("fd_write")),
        ("wasi_snapshot_preview2", Some("wasi_snapshot_preview1")),
        ("wasi_snapshot_preview_1", Some("wasi_snapshot_preview1")),
        ("malloc", Some("Malloc")),
        ("int", Some("init")),
        ("y", None),
        ("free", None),
        ("memory", None),
        ("", None),
        ("___", None),
        ("something else", None),
    ] {
        assert_eq!(nearest_name(wanted, names), expected, "{wanted}");
    }
}

#[test]
fn the_order_of_candidates_does_not_matter() {
    let mut names = ["ab1", "ab2", "AB", "a_b", "abc", "b"];
    let expected = nearest_name("ab", names);
    assert_eq!(expected, Some("a_b"), "equal when folded, and nearer as written than in capitals");
    for _ in 0..names.len() {
        names.rotate_left(1);
        assert_eq!(nearest_name("ab", names), expected);
        assert_eq!(nearest_name("ab3", names), Some("ab1"), "of two that are as near, the first by name");
    }
}

#[test]
fn the_work_is_bounded() {
    let long = "n".repeat(1_000_000);
    let started = Instant::now();
    assert_eq!(nearest_name(&long, [&*format!("{}m", &long[1..])]), None, "too long to be compared");
    let capitals = long.to_uppercase();
    assert_eq!(nearest_name(&long, [&*capitals]), Some(&*capitals));
    assert_eq!(nearest_name("n", [&*long]), None);
    let edge = "e".repeat(LONGEST);
    assert_eq!(nearest_name(&edge, [&edge[1..]]), Some(&edge[1..]));
    // Names that pass every comparison but the last.
    let names: Vec<String> = (0..MOST).map(|n| format!("a_function_of_a_very_long_name_{:05}", n % 7)).collect();
    let wanted = "a_functino_of_a_vary_lnog_naem";
    nearest_name(wanted, names.iter().map(String::as_str).take(10_000));
    assert_eq!(nearest_name("nothing", names.iter().map(String::as_str).chain(["nothin"])), None, "too many");
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}
