//! Wire bytes of every origin.

use sys::append::AppendBuffer;

use super::{SMALL, WireBytes};

fn streamed(len: usize) -> (WireBytes, *const u8) {
    let mut buffer = AppendBuffer::new(1 << 20).expect("address space");
    buffer.append(&vec![7; len]).expect("memory");
    let filled = buffer.finish();
    let place = filled.as_ptr();
    (WireBytes::from(filled), place)
}

#[test]
fn handles_are_the_same_if_the_memory_is() {
    let (large, _) = streamed(SMALL + 1);
    let copy = WireBytes::from(&*large);
    assert!(large.same(&large.clone()) && copy.same(&copy.clone()));
    assert!(!large.same(&copy) && !copy.same(&large) && !large.same(&streamed(SMALL + 1).0));
    assert_eq!(*large, *copy);
}

#[test]
fn only_small_streams_are_copied() {
    let (large, place) = streamed(SMALL + 1);
    assert_eq!(large.as_ptr(), place);
    let (small, place) = streamed(SMALL);
    assert_ne!(small.as_ptr(), place);
    assert_eq!(*small, [7; SMALL]);
    assert!(WireBytes::from(vec![]).is_empty());
}
