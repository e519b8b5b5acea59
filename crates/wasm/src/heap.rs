//! What values take on the heap, for the accounting of memory: sizes of allocations as a common allocator makes them.
//!
//! A struct that owns allocations says what they take in a method `heap_bytes` beside its definition, without its own size,
//! which is whose it lies in. A test beside it pins its `size_of`, so that who adds a field is reminded of the method.
//!
//! Accepted: the figures are estimates. What the allocator keeps of what was freed, and the pages of large allocations that
//! nobody has touched, are not known here. `tests/resources/accounting.rs` compares the sum with what a process has.

use std::collections::HashMap;

#[cfg(test)]
mod tests;

/// Bytes in front of an allocation.
const HEADER: usize = 8;
/// Allocations are multiples of this...
const GRANULE: usize = 16;
/// ...and not smaller than this.
const LEAST: usize = 32;

/// What an allocation of so many bytes takes; nothing for 0.
pub fn block(bytes: usize) -> usize {
    if bytes == 0 { 0 } else { bytes.saturating_add(HEADER).next_multiple_of(GRANULE).max(LEAST) }
}

/// What a boxed slice (or text) takes, without what its items own.
pub fn slice<T>(items: &[T]) -> usize {
    block(size_of_val(items))
}

/// What a vector takes, without what its items own.
pub fn vec<T>(items: &Vec<T>) -> usize {
    block(items.capacity() * size_of::<T>())
}

/// What a value behind an `Arc` takes, without what it owns.
pub fn shared<T: ?Sized>(value: &T) -> usize {
    block(2 * size_of::<usize>() + size_of_val(value))
}

/// What a hash map takes, without what its entries own: seven of eight places are used at most, and each has a byte of its
/// own.
pub fn map<K, V, S>(map: &HashMap<K, V, S>) -> usize {
    if map.capacity() == 0 {
        return 0;
    }
    let places = (map.capacity() * 8 / 7).next_power_of_two();
    block(places * (size_of::<(K, V)>() + 1) + 16)
}

/// What a tree map of so many entries takes, without what they own: nodes have room for eleven, and are three quarters full.
pub fn tree<K, V>(entries: usize) -> usize {
    const ROOM: usize = 11;
    let nodes = entries.div_ceil(ROOM * 3 / 4);
    nodes * block(ROOM * size_of::<(K, V)>() + 2 * size_of::<usize>())
}
