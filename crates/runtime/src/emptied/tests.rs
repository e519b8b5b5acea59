//! Segments in every state.

use super::*;

#[test]
fn nothing_is_empty_at_first() {
    let emptied = Emptied::default();
    assert!((0..200).all(|position| !emptied.contains(position, true) && !emptied.contains(position, false)));
    assert_eq!(emptied.heap_bytes(), 0);
}

#[test]
fn active_segments_are_empty_after_their_turn_and_passive_ones_when_dropped() {
    let mut emptied = Emptied::default();
    emptied.apply(100);
    assert_eq!([99, 100].map(|position| emptied.contains(position, false)), [true, false]);
    assert!((0..200).all(|position| !emptied.contains(position, true)));
    assert_eq!(emptied.heap_bytes(), 0, "a number is all that is kept");
    assert!(emptied.drop(64) > 0);
    assert_eq!([63, 64, 65].map(|position| emptied.contains(position, true)), [false, true, false]);
    assert_eq!(emptied.drop(64), 0);
}

#[test]
fn an_active_segment_can_be_dropped_before_its_turn() {
    let mut emptied = Emptied::default();
    emptied.drop(130);
    assert!(emptied.contains(130, false));
    assert!(!emptied.contains(129, false) && !emptied.contains(131, false) && !emptied.contains(2, false));
}
