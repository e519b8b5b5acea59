//! How compiled code may reach a linear memory: what it may assume of the reservation behind it.

use wasm::types::MemoryType;

/// Bytes of address space that a guarded 32-bit memory reserves before its guard: all that an index can name.
pub const GUARDED_RESERVATION: u64 = 1 << 32;

/// Bytes of inaccessible guard behind a guarded memory's reservation; constant offsets up to this need no check.
pub const GUARD: u64 = 32 << 20;

/// What compiled code may assume of one memory.
///
/// Code compiled for [`MemoryStyle::Checked`] is right for every memory; code for [`MemoryStyle::Guarded`] only for a
/// memory that really has the reservation, which instantiation checks.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum MemoryStyle {
    /// The base never moves; `base .. base + GUARDED_RESERVATION + GUARD` is reserved and what lies past the current
    /// length faults. A 32-bit index with a static offset for which `offset + size <= GUARD` needs no check.
    Guarded,
    /// The base may move at `memory.grow`, and every access compares with the current length.
    Checked,
}

/// The embedder's wish for memories.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct MemoryPolicy {
    /// Use guard pages where the type allows it.
    pub guard_pages: bool,
    /// Memories whose declared maximum is at most this many bytes are reserved at that maximum and checked explicitly,
    /// so that many small instances fit an address space.
    pub small_maximum: u64,
}

impl Default for MemoryPolicy {
    fn default() -> Self {
        MemoryPolicy { guard_pages: true, small_maximum: 1 << 20 }
    }
}

impl MemoryPolicy {
    /// The style that code compiled under this policy assumes for a memory of type `ty`.
    pub fn style(&self, ty: &MemoryType) -> MemoryStyle {
        let small = ty.max_bytes().is_some_and(|max| max <= self.small_maximum);
        let page = ty.page_size_log2 == 16;
        if self.guard_pages && !ty.index64 && page && !small { MemoryStyle::Guarded } else { MemoryStyle::Checked }
    }
}
