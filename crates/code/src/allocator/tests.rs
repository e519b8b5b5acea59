//! Ranges never overlap, and everything given back can be had again as one piece.

use super::*;

#[test]
fn ranges_are_disjoint_aligned_and_merge_again() {
    let mut allocator = Allocator::new(1 << 16);
    let mut held: Vec<Range<usize>> = Vec::new();
    let mut state = 12345u64;
    for _ in 0..4000 {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let pick = (state >> 33) as usize;
        if pick.is_multiple_of(3) && !held.is_empty() {
            let range = held.swap_remove(pick % held.len());
            allocator.free(range);
        } else if let Some(range) = allocator.allocate(pick % 700) {
            assert_eq!(range.start % GRANULE, 0);
            assert!(held.iter().all(|other| range.end <= other.start || other.end <= range.start));
            held.push(range);
        }
        assert_eq!(allocator.used(), held.iter().map(Range::len).sum::<usize>());
    }
    for range in held.drain(..) {
        allocator.free(range);
    }
    assert_eq!(allocator.allocate(1 << 16), Some(0..1 << 16));
    assert_eq!(allocator.allocate(1), None);
}

#[test]
fn absurd_sizes_are_refused() {
    let mut allocator = Allocator::new(4096);
    assert_eq!(allocator.allocate(usize::MAX), None);
    assert_eq!(allocator.allocate(4097), None);
    assert!(Allocator::new(10).allocate(1).is_none());
}
