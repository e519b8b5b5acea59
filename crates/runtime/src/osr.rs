//! On-stack replacement, the runtime's part: the copy of a baseline frame's image, out of which optimized code starts in
//! the middle of a loop. See `abi::frame`.

use abi::layout::StoreContext;
use wasm::heap;

/// A buffer for one frame image, used again and again: an OSR entry has read it before it does anything else.
#[derive(Debug, Default)]
pub(crate) struct OsrImage {
    /// In units that keep vectors aligned.
    buffer: Vec<u128>,
}

impl OsrImage {
    /// What the buffer takes, in bytes.
    pub(crate) fn heap_bytes(&self) -> usize {
        heap::vec(&self.buffer)
    }

    /// Takes a copy of `size` bytes from `start` and tells compiled code where it is.
    ///
    /// # Safety
    /// The bytes are readable; `context` is that of the store that owns `self`.
    pub(crate) unsafe fn take(&mut self, context: *mut StoreContext, start: *const u8, size: usize) {
        let units = size.div_ceil(size_of::<u128>());
        if self.buffer.len() < units {
            self.buffer.resize(units, 0);
        }
        let image: *mut u8 = self.buffer.as_mut_ptr().cast();
        // SAFETY: the source is readable, as the caller promises; the buffer has at least `size` bytes and is not on the
        // stack, where the source is.
        unsafe {
            std::ptr::copy_nonoverlapping(start, image, size);
            (*context).osr_image = image;
        }
    }
}
