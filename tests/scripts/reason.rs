//! Guesses why a directive failed, for new entries of the list.

use upshift_cli::wast::Failure;

/// Words in a message, and the reason that they hint at. The first that fits counts.
const HINTS: [(&[&str], &str); 5] = [
    (&["exception", "unsupported directive: assert_exception", "legacy"], "exception-handling is not supported yet"),
    (&["threads", "shared memor", "unsupported directive: thread"], "threads is not supported yet"),
    (
        &["gc proposal", "gc types", "garbage", "`gc`", "struct", "array", "i31", "anyref", "eqref"],
        "gc is not supported yet",
    ),
    (&["function references", "function-references"], "function-references is not supported yet"),
    (&["unsupported directive"], "not supported yet by the script runner"),
];

/// What the runner says of a directive that lacks something which an earlier directive should have made.
const CONSEQUENCES: [&str; 3] = ["no such instance", "no such module definition", "unknown import"];

/// A reason for each of the failures. A directive that lacks what an earlier one should have made failed for that one's
/// reason.
pub(super) fn of_all(failures: &[Failure]) -> Vec<String> {
    let mut reasons: Vec<String> = Vec::with_capacity(failures.len());
    for (at, failure) in failures.iter().enumerate() {
        let earlier = at > 0 && failures[at - 1].file == failure.file;
        let follows = earlier && CONSEQUENCES.iter().any(|words| failure.message.contains(words));
        reasons.push(if follows { reasons[at - 1].clone() } else { of(&failure.message) });
    }
    reasons
}

fn of(message: &str) -> String {
    let lower = message.to_lowercase();
    let hint = HINTS.iter().find(|(words, _)| words.iter().any(|word| lower.contains(word)));
    match hint {
        Some((_, reason)) => (*reason).to_string(),
        None => format!("TODO: {}", message.lines().next().unwrap_or_default()),
    }
}
