//! `ContextMemory`: where an instance context lies.
//!
//! Usually that is an allocation like any other. The context of an instance of many function references ends in pages that
//! are mapped from an image (see [`crate::references`]), so that instances share what none of them changes.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::io;
use std::ptr::NonNull;

use sys::image::MemoryImage;
use sys::reserve::Reservation;
use wasm::heap;

/// The memory of an instance context: zeroed but for what is mapped, 16-aligned, at the same address until dropped.
#[derive(Debug)]
pub(crate) struct ContextMemory {
    start: NonNull<u8>,
    size: usize,
    owner: Owner,
}

#[derive(Debug)]
enum Owner {
    Allocation(Layout),
    Mapping {
        _reservation: Reservation,
        /// Bytes in front of the image.
        own: usize,
    },
}

impl ContextMemory {
    /// All of it zero.
    pub(crate) fn new(size: usize) -> ContextMemory {
        let layout = Layout::from_size_align(size.max(16), 16).expect("the module's limits keep contexts below 2^31");
        // SAFETY: the layout is not empty.
        let start = NonNull::new(unsafe { alloc_zeroed(layout) });
        let start = start.unwrap_or_else(|| handle_alloc_error(layout));
        ContextMemory { start, size: layout.size(), owner: Owner::Allocation(layout) }
    }

    /// So many zeros, then a copy of the image, whose pages are shared until they are written to.
    ///
    /// # Errors
    /// When the number is not one of whole pages; what the system says: no address space, or too many mappings.
    pub(crate) fn with_image(own: usize, image: &MemoryImage) -> io::Result<ContextMemory> {
        let size = own.checked_add(image.len()).ok_or(io::ErrorKind::OutOfMemory)?;
        let reservation = Reservation::new(size)?;
        reservation.commit(0, own)?;
        reservation.map_image(own, image, 0..image.len())?;
        let start = NonNull::new(reservation.as_ptr()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(ContextMemory { start, size, owner: Owner::Mapping { _reservation: reservation, own } })
    }

    /// The field of type `T` at `offset`.
    pub(crate) fn at<T>(&self, offset: u32) -> *mut T {
        assert!(offset as usize + size_of::<T>() <= self.size, "instance layout and context disagree");
        // SAFETY: just checked to lie in the memory.
        unsafe { self.start.as_ptr().add(offset as usize).cast() }
    }

    /// What it takes, in bytes, without what is shared.
    pub(crate) fn bytes(&self) -> usize {
        match &self.owner {
            Owner::Allocation(layout) => heap::block(layout.size()),
            Owner::Mapping { own, .. } => *own,
        }
    }

    pub(crate) fn as_ptr(&self) -> *mut u8 {
        self.start.as_ptr()
    }
}

impl Drop for ContextMemory {
    fn drop(&mut self) {
        if let Owner::Allocation(layout) = self.owner {
            // SAFETY: allocated in `new` with this layout.
            unsafe { dealloc(self.start.as_ptr(), layout) };
        }
    }
}
