//! Lazy stubs: for each function number one piece of code that loads the number and jumps to the lazy trampoline. They
//! do not depend on the module (the trampoline finds it through the instance context), so an engine has one set.

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sys::stub::{LAZY_STUB_LEN, lazy_stub_bytes};

use crate::space::{CodeSpace, SpaceError};

/// Stubs made at a time: 64 KiB of code.
const CHUNK: usize = 4096;

/// Bytes in front of a chunk's stubs, with the cell that holds the trampoline's address.
const CELL: usize = 64;

/// The lazy stubs of an engine, made in chunks as larger modules come.
#[derive(Debug)]
pub struct LazyStubs {
    space: Arc<CodeSpace>,
    trampoline: usize,
    chunks: Mutex<Vec<Range<usize>>>,
}

impl LazyStubs {
    /// Stubs that jump to `trampoline` with the function number in the scratch register.
    pub fn new(space: Arc<CodeSpace>, trampoline: *const u8) -> LazyStubs {
        LazyStubs { space, trampoline: trampoline as usize, chunks: Mutex::default() }
    }

    /// Makes the stubs of all function numbers below `count` that are not there yet.
    ///
    /// # Errors
    /// When the code memory is full.
    pub fn make(&self, count: usize) -> Result<(), SpaceError> {
        self.made(count).map(drop)
    }

    /// Calls `each` with the address of the stub of every function number below `count`, in order.
    ///
    /// # Errors
    /// When the code memory is full.
    pub fn for_each(&self, count: usize, mut each: impl FnMut(*const u8)) -> Result<(), SpaceError> {
        let chunks = self.made(count)?;
        for number in 0..count {
            let start = self.space.base() + chunks[number / CHUNK].start + CELL;
            each((start + number % CHUNK * LAZY_STUB_LEN) as *const u8);
        }
        Ok(())
    }

    fn made(&self, count: usize) -> Result<MutexGuard<'_, Vec<Range<usize>>>, SpaceError> {
        let mut chunks = self.chunks.lock().unwrap_or_else(PoisonError::into_inner);
        while chunks.len() * CHUNK < count {
            let chunk = self.make_chunk(chunks.len() * CHUNK)?;
            chunks.push(chunk);
        }
        Ok(chunks)
    }

    /// The stub of a function number for which [`LazyStubs::for_each`] was called.
    ///
    /// # Panics
    /// When it was not.
    pub(crate) fn get(&self, number: usize) -> *const u8 {
        let chunks = self.chunks.lock().unwrap_or_else(PoisonError::into_inner);
        let start = self.space.base() + chunks[number / CHUNK].start + CELL;
        (start + number % CHUNK * LAZY_STUB_LEN) as *const u8
    }

    fn make_chunk(&self, first: usize) -> Result<Range<usize>, SpaceError> {
        let range = self.space.allocate(CELL + CHUNK * LAZY_STUB_LEN)?;
        let cell = self.space.base() + range.start;
        let mut bytes = vec![0; CELL];
        bytes[..8].copy_from_slice(&self.trampoline.to_ne_bytes());
        for place in 0..CHUNK {
            let address = cell + CELL + place * LAZY_STUB_LEN;
            let stub = lazy_stub_bytes((first + place) as u32, address, cell);
            bytes.extend_from_slice(&stub.expect("a chunk is far smaller than the reach of its stubs"));
        }
        let written = self.space.write(range.start, &bytes);
        match written {
            Ok(()) => Ok(range),
            Err(error) => {
                self.space.release(range);
                Err(error)
            }
        }
    }
}

impl Drop for LazyStubs {
    fn drop(&mut self) {
        for chunk in self.chunks.get_mut().unwrap_or_else(PoisonError::into_inner).drain(..) {
            self.space.release(chunk);
        }
    }
}
