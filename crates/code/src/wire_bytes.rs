//! `WireBytes`: the bytes of a module in the binary format, shared by all that need them and never copied.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// The bytes of a module. A handle; they stay where they are, unchanged, until the last one is dropped.
#[derive(Clone)]
pub struct WireBytes {
    source: Arc<[u8]>,
}

impl WireBytes {
    /// Are both handles to the same bytes in memory? Then their contents need not be compared.
    pub fn same(&self, other: &WireBytes) -> bool {
        Arc::ptr_eq(&self.source, &other.source)
    }
}

impl Deref for WireBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.source
    }
}

impl From<&[u8]> for WireBytes {
    fn from(bytes: &[u8]) -> WireBytes {
        WireBytes { source: bytes.into() }
    }
}

impl From<Vec<u8>> for WireBytes {
    fn from(bytes: Vec<u8>) -> WireBytes {
        WireBytes { source: bytes.into() }
    }
}

impl fmt::Debug for WireBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WireBytes({} bytes)", self.len())
    }
}
