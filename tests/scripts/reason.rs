//! Guesses why a directive failed, for new entries of the list.

use upshift_cli::wast::Failure;

/// Words in a message, and the reason that they hint at. The first that fits counts.
const HINTS: [(&[&str], &str); 5] = [
    (&["exception", "unsupported directive: assert_exception", "legacy"], "exception-handling is not supported yet"),
    (&["threads", "shared memor", "unsupported directive: thread"], "threads is not supported yet"),
    (&["gc proposal", "gc types", "garbage", "`gc`", "struct", "array", "i31", "anyref", "eqref"], "gc is not supported yet"),
    (&["function references", "function-references"], "function-references is not supported yet"),
    (&["unsupported directive"], "not supported yet by the script runner"),
];

/// A reason for each of the failures. A directive that found no instance failed for the reason of its module.
pub(super) fn of_all(failures: &[Failure]) -> Vec<String> {
    let mut reasons: Vec<String> = Vec::with_capacity(failures.len());
    for (at, failure) in failures.iter().enumerate() {
        let follows = at > 0 && failures[at - 1].file == failure.file && failure.message.contains("no such instance");
        let reason = if follows { reasons[at - 1].clone() } else { of(&failure.message) };
        reasons.push(reason);
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
