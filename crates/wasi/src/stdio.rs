//! Standard streams that are not the host's: in memory, empty, or supplied by the embedder.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Something a guest can read from as its standard input.
pub trait InputStream: Send {
    /// Reads up to `buf.len()` bytes and returns how many; 0 means the end.
    ///
    /// # Errors
    /// Whatever the stream meets; the guest sees the nearest `errno`.
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize>;
}

/// Something a guest can write to as its standard output or standard error.
pub trait OutputStream: Send {
    /// Takes up to `buf.len()` bytes and returns how many it took.
    ///
    /// # Errors
    /// Whatever the stream meets; the guest sees the nearest `errno`.
    fn write(&mut self, buf: &[u8]) -> io::Result<usize>;
}

/// An input that holds its bytes in memory.
#[derive(Clone, Debug, Default)]
pub struct MemoryInput {
    bytes: Arc<[u8]>,
    position: usize,
}

impl MemoryInput {
    /// An input that gives `bytes` and then ends.
    pub fn new(bytes: impl Into<Vec<u8>>) -> MemoryInput {
        MemoryInput { bytes: bytes.into().into(), position: 0 }
    }
}

impl InputStream for MemoryInput {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let rest = self.bytes.get(self.position..).unwrap_or(&[]);
        let count = rest.len().min(buf.len());
        buf[..count].copy_from_slice(&rest[..count]);
        self.position += count;
        Ok(count)
    }
}

/// An output that keeps what is written to it. Clones share the bytes, so that the embedder can
/// hold one and give the guest another.
#[derive(Clone, Debug)]
pub struct MemoryOutput {
    bytes: Arc<Mutex<Vec<u8>>>,
    capacity: usize,
}

impl MemoryOutput {
    /// An output without a limit.
    pub fn new() -> MemoryOutput {
        MemoryOutput::with_capacity(usize::MAX)
    }

    /// An output that holds at most `capacity` bytes; a write past that is `nospc` to the guest.
    pub fn with_capacity(capacity: usize) -> MemoryOutput {
        MemoryOutput { bytes: Arc::default(), capacity }
    }

    /// A copy of everything written so far.
    pub fn contents(&self) -> Vec<u8> {
        self.lock().clone()
    }

    /// Takes everything written so far and leaves the output empty.
    pub fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.lock())
    }

    /// The bytes are whole after any panic elsewhere, so a poisoned lock is no reason to stop.
    fn lock(&self) -> MutexGuard<'_, Vec<u8>> {
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryOutput {
    fn default() -> MemoryOutput {
        MemoryOutput::new()
    }
}

impl OutputStream for MemoryOutput {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let mut bytes = self.lock();
        let room = self.capacity.saturating_sub(bytes.len());
        let count = room.min(buf.len());
        if count == 0 && !buf.is_empty() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        bytes.extend_from_slice(&buf[..count]);
        Ok(count)
    }
}

/// The input of a guest that was given none: at its end from the start.
#[derive(Clone, Copy, Debug, Default)]
pub struct EmptyInput;

impl InputStream for EmptyInput {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Ok(0)
    }
}

/// The output of a guest that was given none: takes everything and keeps nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct SinkOutput;

impl OutputStream for SinkOutput {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        Ok(buf.len())
    }
}
