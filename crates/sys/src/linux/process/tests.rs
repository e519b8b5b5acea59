//! Tests of process statistics.

use super::{heap_bytes, mapping_count, peak_resident_bytes, process_cpu_time, resident_bytes, thread_cpu_time};

#[test]
fn clocks_advance_with_work() {
    let (process, thread) = (process_cpu_time(), thread_cpu_time());
    let mut sum = 0_u64;
    for value in 0..3_000_000_u64 {
        sum = std::hint::black_box(sum.wrapping_add(value));
    }
    assert!(thread_cpu_time() > thread);
    assert!(process_cpu_time() > process);
}

#[test]
fn memory_is_counted() {
    let resident = resident_bytes().unwrap();
    assert!(resident > 100 << 10);
    assert!(peak_resident_bytes().unwrap() > 100 << 10);
    assert!(mapping_count().unwrap() > 5);
}

#[test]
#[cfg(target_env = "gnu")]
fn the_heap_grows_and_shrinks() {
    // Other tests run meanwhile, and take and give back theirs: less than half of this block.
    let before = heap_bytes();
    let block = std::hint::black_box(vec![1_u8; 100 << 20]);
    assert!(heap_bytes() > before + (50 << 20));
    drop(block);
    assert!(heap_bytes() < before + (50 << 20));
}
