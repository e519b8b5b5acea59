//! `UsageError`: the API was called in a way that it does not allow.

use std::fmt;

use super::messages::UsageErrorKind;

/// A mistake of the program that uses this crate. It changes nothing.
///
/// ```
/// use upshift::{Engine, Global, GlobalType, Mutability, Store, UsageError, UsageErrorKind, Val, ValType};
///
/// let mut store = Store::new(&Engine::default(), ());
/// let global = Global::new(&mut store, GlobalType::new(ValType::I32, Mutability::Const), Val::I32(1)).unwrap();
/// let error = global.set(&mut store, Val::I32(2)).unwrap_err();
/// assert_eq!(error.downcast_ref::<UsageError>().unwrap().kind(), UsageErrorKind::ImmutableGlobal);
/// ```
#[derive(Clone, Debug)]
pub struct UsageError {
    kind: UsageErrorKind,
    text: String,
    notes: Vec<String>,
}

impl UsageError {
    pub(super) fn new(kind: UsageErrorKind, text: String) -> UsageError {
        UsageError { kind, text, notes: Vec::new() }
    }

    /// The same, with more to say behind it.
    #[must_use]
    pub(crate) fn with_note(mut self, note: Option<String>) -> UsageError {
        self.notes.extend(note);
        self
    }

    /// What kind of mistake it is.
    pub fn kind(&self) -> UsageErrorKind {
        self.kind
    }

    /// What is wrong, without the notes.
    pub fn message(&self) -> &str {
        &self.text
    }

    /// What may help, such as the nearest name that exists.
    pub fn notes(&self) -> impl ExactSizeIterator<Item = &str> {
        self.notes.iter().map(String::as_str)
    }
}

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        self.notes.iter().try_for_each(|note| write!(f, "; {note}"))
    }
}

impl std::error::Error for UsageError {}
