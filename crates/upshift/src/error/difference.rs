//! The difference between two types in words.

use runtime::difference::{Difference, Pair};

use super::messages::phrases;

/// What differs first, unless the two types in words say it already.
pub(crate) fn in_words(difference: &Difference) -> Option<String> {
    Some(match difference {
        Difference::ParamCount(Pair { expected, given }) => phrases::param_count(expected, given),
        Difference::Param(position, Pair { expected, given }) => phrases::param(position + 1, expected, given),
        Difference::ResultCount(Pair { expected, given }) => phrases::result_count(expected, given),
        Difference::Result(position, Pair { expected, given }) => phrases::result(position + 1, expected, given),
        Difference::Declaration => phrases::declaration(),
        Difference::Element(Pair { expected, given }) => phrases::element(expected, given),
        Difference::Width(Pair { expected, given }) => phrases::width(expected, given),
        Difference::Minimum(Pair { expected, given }) => phrases::minimum(expected, given),
        Difference::Maximum(Pair { expected: Some(expected), given: Some(given) }) => phrases::maximum(expected, given),
        Difference::Maximum(Pair { expected: Some(expected), given: None }) => phrases::no_maximum(expected),
        Difference::Shared(Pair { expected: true, .. }) => phrases::expected_shared(),
        Difference::Shared(_) => phrases::expected_unshared(),
        Difference::PageSize(Pair { expected, given }) => phrases::page_size(expected, given),
        Difference::Mutability(Pair { expected: true, .. }) => phrases::expected_mutable(),
        Difference::Mutability(_) => phrases::expected_immutable(),
        Difference::Content(Pair { expected, given }) => phrases::content(expected, given),
        // Where nothing is expected of the maximum, it cannot differ; other crates may add kinds.
        _ => return None,
    })
}
