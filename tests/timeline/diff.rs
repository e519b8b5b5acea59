//! Two texts, line by line, as a unified diff.

/// Lines shown around a difference.
const CONTEXT: usize = 3;

/// The differences of two texts: lines of `old` alone begin with `-`, of `new` alone with `+`, of both with a space. Lines
/// far from any difference are left out.
pub fn lines(old: &str, new: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let steps = steps(&old, &new);
    let mut shown = vec![false; steps.len()];
    for (at, (sign, _)) in steps.iter().enumerate() {
        if *sign != ' ' {
            let end = (at + CONTEXT + 1).min(steps.len());
            shown[at.saturating_sub(CONTEXT)..end].fill(true);
        }
    }
    let mut text = String::new();
    for (at, (sign, line)) in steps.iter().enumerate() {
        if shown[at] {
            text += &format!("{sign}{line}\n");
        } else if at > 0 && shown[at - 1] {
            text += "...\n";
        }
    }
    text
}

/// The shortest way from one to the other, by their longest common subsequence.
fn steps<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<(char, &'a str)> {
    // common[i][j]: lines in common of old[i..] and new[j..].
    let mut common = vec![vec![0u32; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i][j] =
                if old[i] == new[j] { common[i + 1][j + 1] + 1 } else { common[i + 1][j].max(common[i][j + 1]) };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut steps = Vec::new();
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            steps.push((' ', old[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == new.len() || (i < old.len() && common[i + 1][j] >= common[i][j + 1]) {
            steps.push(('-', old[i]));
            i += 1;
        } else {
            steps.push(('+', new[j]));
            j += 1;
        }
    }
    steps
}

#[test]
fn differences_are_shown_with_what_is_around_them() {
    let old = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
    assert_eq!(lines(old, old), "");
    let new = old.replace("5\n", "five\n5a\n");
    assert_eq!(lines(old, &new), " 2\n 3\n 4\n-5\n+five\n+5a\n 6\n 7\n 8\n...\n");
    assert_eq!(lines("", "a\n"), "+a\n");
    assert_eq!(lines("a\nb\n", "b\n"), "-a\n b\n");
}
