//! `WireBytes`: the bytes of a module in the binary format, shared by all that need them and never copied.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use sys::append::Filled;

#[cfg(test)]
mod tests;

/// A stream's bytes are copied if they are no more than this: a process may have 65,530 mappings, and so many small modules
/// should not be what takes them.
const SMALL: usize = 16 << 10;

/// The bytes of a module. A handle; they stay where they are, unchanged, until the last one is dropped.
#[derive(Clone)]
pub struct WireBytes {
    source: Source,
}

#[derive(Clone)]
enum Source {
    /// A copy of bytes that were there at once.
    Whole(Arc<[u8]>),
    /// Bytes that were given away.
    Given(Arc<Vec<u8>>),
    /// Bytes that came in pieces, where they came.
    Streamed(Filled),
}

impl WireBytes {
    /// Are both handles to the same bytes in memory? Then their contents need not be compared.
    pub fn same(&self, other: &WireBytes) -> bool {
        match (&self.source, &other.source) {
            (Source::Whole(this), Source::Whole(other)) => Arc::ptr_eq(this, other),
            (Source::Given(this), Source::Given(other)) => Arc::ptr_eq(this, other),
            (Source::Streamed(this), Source::Streamed(other)) => this.same(other),
            (Source::Whole(_) | Source::Given(_) | Source::Streamed(_), _) => false,
        }
    }
}

impl Deref for WireBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.source {
            Source::Whole(bytes) => bytes,
            Source::Given(bytes) => bytes,
            Source::Streamed(bytes) => bytes,
        }
    }
}

impl From<&[u8]> for WireBytes {
    fn from(bytes: &[u8]) -> WireBytes {
        WireBytes { source: Source::Whole(bytes.into()) }
    }
}

impl From<Vec<u8>> for WireBytes {
    /// Keeps the vector as it is, unless much of its room is unused.
    fn from(mut bytes: Vec<u8>) -> WireBytes {
        if bytes.capacity() - bytes.len() > bytes.len() / 8 {
            bytes.shrink_to_fit();
        }
        WireBytes { source: Source::Given(Arc::new(bytes)) }
    }
}

impl From<Filled> for WireBytes {
    fn from(bytes: Filled) -> WireBytes {
        if bytes.len() <= SMALL {
            return WireBytes::from(&*bytes);
        }
        WireBytes { source: Source::Streamed(bytes) }
    }
}

impl fmt::Debug for WireBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WireBytes({} bytes)", self.len())
    }
}
