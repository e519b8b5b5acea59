//! `Difference`: in what a given type falls short of the declared one, as data; whoever shows it has the words.

use wasm::types::words::Words;
use wasm::types::{FuncType, GlobalType, Limits64, MemoryType, TableType, ValType};

/// The first difference between what was expected and what was given. Types are in words already.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Difference {
    /// Something else altogether: a memory, say, instead of a function.
    Kind,
    /// Another number of parameters.
    ParamCount(Pair<usize>),
    /// A parameter of another type; positions count from 0.
    Param(usize, Pair<String>),
    /// Another number of results.
    ResultCount(Pair<usize>),
    /// A result of another type.
    Result(usize, Pair<String>),
    /// Function types that look alike, but are not declared as subtypes of one another.
    Declaration,
    /// Table elements of another type.
    Element(Pair<String>),
    /// Indices or addresses of another width, in bits.
    Width(Pair<u32>),
    /// Too small, in pages or elements.
    Minimum(Pair<u64>),
    /// A maximum that is too large, or none at all.
    Maximum(Pair<Option<u64>>),
    /// A memory that is shared where it should not be, or not where it should.
    Shared(Pair<bool>),
    /// Pages of another size, in bytes.
    PageSize(Pair<u64>),
    /// A global that can be written where it should not be, or not where it should.
    Mutability(Pair<bool>),
    /// A global of another type.
    Content(Pair<String>),
}

/// What was expected, and what was given.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pair<T> {
    /// What was expected.
    pub expected: T,
    /// What was given.
    pub given: T,
}

impl<T: PartialEq> Pair<T> {
    fn of(expected: T, given: T) -> Pair<T> {
        Pair { expected, given }
    }

    /// The pair, if it is a difference.
    fn differing(expected: T, given: T) -> Option<Pair<T>> {
        (expected != given).then_some(Pair { expected, given })
    }
}

/// The first difference between two function types with canonical indices.
pub fn of_functions(words: &Words<'_>, expected: &FuncType, given: &FuncType) -> Difference {
    let first = |expected: &[ValType], given: &[ValType]| {
        let position = expected.iter().zip(given).position(|(expected, given)| expected != given)?;
        Some((position, Pair::of(words.val_type(expected[position]), words.val_type(given[position]))))
    };
    if let Some(counts) = Pair::differing(expected.params().len(), given.params().len()) {
        return Difference::ParamCount(counts);
    }
    if let Some((position, types)) = first(expected.params(), given.params()) {
        return Difference::Param(position, types);
    }
    if let Some(counts) = Pair::differing(expected.results().len(), given.results().len()) {
        return Difference::ResultCount(counts);
    }
    match first(expected.results(), given.results()) {
        Some((position, types)) => Difference::Result(position, types),
        None => Difference::Declaration,
    }
}

/// What keeps a table from being given where another is declared; `given.min` is its size now. Both element types have
/// canonical indices.
pub(crate) fn of_tables(words: &Words<'_>, expected: &TableType, given: &TableType) -> Option<Difference> {
    if let Some(elements) = Pair::differing(expected.element, given.element) {
        let show = |element| words.val_type(ValType::Ref(element));
        return Some(Difference::Element(Pair::of(show(elements.expected), show(elements.given))));
    }
    of_widths(expected.index64, given.index64).or_else(|| of_limits(expected.limits(), given.limits()))
}

/// What keeps a memory from being given where another is declared; `given.min` is its size now.
pub(crate) fn of_memories(expected: &MemoryType, given: &MemoryType) -> Option<Difference> {
    let shared = || Pair::differing(expected.shared, given.shared).map(Difference::Shared);
    let page_size = || Pair::differing(expected.page_size(), given.page_size()).map(Difference::PageSize);
    of_widths(expected.index64, given.index64)
        .or_else(shared)
        .or_else(page_size)
        .or_else(|| of_limits(expected.limits(), given.limits()))
}

/// What keeps a global from being given where another is declared. `matches` says whether a value of the given type is
/// one of the declared type, which is enough where nobody writes.
pub(crate) fn of_globals(
    words: &Words<'_>,
    expected: &GlobalType,
    given: &GlobalType,
    matches: impl FnOnce() -> bool,
) -> Option<Difference> {
    if let Some(mutability) = Pair::differing(expected.mutable, given.mutable) {
        return Some(Difference::Mutability(mutability));
    }
    if expected.content == given.content || !expected.mutable && matches() {
        return None;
    }
    Some(Difference::Content(Pair::of(words.val_type(expected.content), words.val_type(given.content))))
}

fn of_widths(expected: bool, given: bool) -> Option<Difference> {
    let bits = |wide: bool| if wide { 64 } else { 32 };
    Pair::differing(bits(expected), bits(given)).map(Difference::Width)
}

fn of_limits(expected: Limits64, given: Limits64) -> Option<Difference> {
    if given.matches(&expected) {
        None
    } else if given.min < expected.min {
        Some(Difference::Minimum(Pair::of(expected.min, given.min)))
    } else {
        Some(Difference::Maximum(Pair::of(expected.max, given.max)))
    }
}
