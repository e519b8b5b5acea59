//! `Source`: the bytes that somebody wants a module of, which are copied only if a module is made of them.

use std::ops::Deref;

use crate::module::WireBytes;

/// Bytes of a module: the caller's, or shared ones.
#[derive(Clone, Debug)]
pub enum Source<'a> {
    /// The caller's, who keeps them.
    Borrowed(&'a [u8]),
    /// Shared ones.
    Owned(WireBytes),
}

impl Source<'_> {
    /// The bytes to be kept, which are a copy if they were the caller's.
    pub(crate) fn own(&mut self) -> &WireBytes {
        if let Source::Borrowed(bytes) = *self {
            *self = Source::Owned(bytes.into());
        }
        match self {
            Source::Owned(bytes) => bytes,
            Source::Borrowed(_) => unreachable!("they have just been made our own"),
        }
    }
}

impl Deref for Source<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Source::Borrowed(bytes) => bytes,
            Source::Owned(bytes) => bytes,
        }
    }
}

impl<'a> From<&'a [u8]> for Source<'a> {
    fn from(bytes: &'a [u8]) -> Source<'a> {
        Source::Borrowed(bytes)
    }
}

impl From<WireBytes> for Source<'_> {
    fn from(bytes: WireBytes) -> Self {
        Source::Owned(bytes)
    }
}

impl From<Vec<u8>> for Source<'_> {
    fn from(bytes: Vec<u8>) -> Self {
        Source::Owned(bytes.into())
    }
}
