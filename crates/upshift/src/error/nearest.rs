//! The nearest name that exists: what somebody meant who wrote another one.
//!
//! 1. Names are *folded*: letter case, and the signs that separate words (`_`, `-`, `.`, `:`, spaces), do not count.
//!    Names that are equal so are near whatever their length.
//! 2. The distance of two folded names is the number of characters to insert, remove, change, or swap with their
//!    neighbour (Damerau and Levenshtein, each pair of neighbours swapped at most once). A third of the name, rounded
//!    down, may differ, and at most three characters.
//! 3. Of names at the same distance, the one whose letters as written differ least, then the first in order of text.
//!    So the answer does not depend on the order of the candidates.
//!
//! The work is bounded. A name longer than [`LONGEST`] is only compared for being equal when folded, and a pair of
//! names only looks at a band of seven cells a row, after a comparison of lengths and of which characters occur, which
//! most candidates do not pass. Among more than [`MOST`] candidates nothing is looked for.

/// Characters of the longest name that is compared letter by letter.
const LONGEST: usize = 128;
/// Most candidates.
const MOST: usize = 100_000;
/// Most characters that may differ.
const FARTHEST: usize = 3;

#[cfg(test)]
mod tests;

/// The candidate that is nearest to `wanted`, if one is near enough to be what was meant. `wanted` itself is not.
///
/// It is what messages about imports and exports suggest; embedders may want the same for names of their own.
///
/// ```
/// use upshift::nearest_name;
///
/// let names = ["fd_read", "fd_write", "proc_exit"];
/// assert_eq!(nearest_name("fd_wirte", names), Some("fd_write"));
/// assert_eq!(nearest_name("procExit", names), Some("proc_exit"));
/// assert_eq!(nearest_name("clock_time_get", names), None);
/// ```
pub fn nearest_name<'a>(wanted: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let target = Folded::new(wanted)?;
    let mut best: Option<(usize, usize, &'a str)> = None;
    for (count, name) in candidates.into_iter().enumerate() {
        if count >= MOST {
            return None;
        }
        if name == wanted {
            continue;
        }
        let most = best.map_or(target.most(), |(distance, ..)| distance);
        let Some(distance) = target.distance(name, most) else { continue };
        let found = (distance, raw_difference(wanted, name), name);
        if best.is_none_or(|best| found < best) {
            best = Some(found);
        }
    }
    best.map(|(.., name)| name)
}

/// A folded name.
struct Folded {
    chars: Vec<char>,
    /// A bit for each character that occurs, by its low bits.
    occurring: u64,
}

impl Folded {
    /// None for a name without letters.
    fn new(name: &str) -> Option<Folded> {
        let chars: Vec<char> = fold(name).collect();
        let occurring = occurring(chars.iter().copied());
        (!chars.is_empty()).then_some(Folded { chars, occurring })
    }

    /// As many characters as may differ.
    fn most(&self) -> usize {
        (self.chars.len() / 3).min(FARTHEST)
    }

    /// The distance to another name, if it is at most `most`.
    fn distance(&self, name: &str, most: usize) -> Option<usize> {
        // A character has at most four bytes; signs that do not count make up a small part of a name.
        if name.len() > 4 * (self.chars.len() + most) {
            return None;
        }
        if self.chars.len() > LONGEST {
            return fold(name).eq(self.chars.iter().copied()).then_some(0);
        }
        let other: Vec<char> = fold(name).take(self.chars.len() + most + 1).collect();
        if self.chars.len().abs_diff(other.len()) > most {
            return None;
        }
        // A change of one character takes away one kind of character and brings one.
        let different = (self.occurring ^ occurring(other.iter().copied())).count_ones() as usize;
        if different > 2 * most {
            return None;
        }
        within(&self.chars, &other, most)
    }
}

fn fold(name: &str) -> impl Iterator<Item = char> + '_ {
    name.chars().filter(|c| !matches!(c, '_' | '-' | '.' | ':' | ' ')).flat_map(char::to_lowercase)
}

fn occurring(chars: impl Iterator<Item = char>) -> u64 {
    chars.fold(0, |bits, c| bits | 1 << (u32::from(c) & 63))
}

/// How many characters as written are not the same from the start, nor from the end.
fn raw_difference(a: &str, b: &str) -> usize {
    let same = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a.as_bytes()[same..], &b.as_bytes()[same..]);
    let same = a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count();
    a.len().max(b.len()) - same
}

/// The distance, if it is at most `most`. Of each row of the table only the cells that are at most that far from the
/// diagonal are made.
fn within(a: &[char], b: &[char], most: usize) -> Option<usize> {
    let far = most + 1;
    // Rows of the table: before the one before, the one before, this one. Cell `j` is about the first `j` characters.
    let (mut earlier, mut before, mut row) = (vec![far; b.len() + 1], vec![far; b.len() + 1], vec![far; b.len() + 1]);
    for (j, cell) in before.iter_mut().enumerate().take(far) {
        *cell = j;
    }
    for i in 1..=a.len() {
        let (first, last) = (i.saturating_sub(most), (i + most).min(b.len()));
        row.fill(far);
        for j in first..=last {
            if j == 0 {
                row[0] = i.min(far);
                continue;
            }
            let change = before[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut cell = change.min(before[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                cell = cell.min(earlier[j - 2] + 1);
            }
            row[j] = cell.min(far);
        }
        (earlier, before, row) = (before, row, earlier);
    }
    let distance = before[b.len()];
    (distance <= most).then_some(distance)
}
