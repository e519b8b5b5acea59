//! What a process has of what it should give back: for tests that nothing is left, or grows.

use std::fs;

use sys::process::{heap_bytes, mapping_count, resident_bytes};

/// What the process has.
#[derive(Clone, Copy, Debug)]
pub struct Held {
    /// Bytes that the allocator has given out.
    pub heap: u64,
    /// Bytes of memory that are there.
    pub resident: u64,
    pub mappings: usize,
    pub files: usize,
    pub threads: usize,
}

impl Held {
    pub fn now() -> Held {
        let count = |path: &str| fs::read_dir(path).expect("/proc").count();
        Held {
            heap: heap_bytes(),
            resident: resident_bytes().expect("/proc"),
            mappings: mapping_count().expect("/proc"),
            files: count("/proc/self/fd"),
            threads: count("/proc/self/task"),
        }
    }
}
