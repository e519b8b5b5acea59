//! The nearest start below is found, across words and at the borders.

use super::*;

#[test]
fn nearest_start() {
    let map = StartMap::new(1 << 20);
    assert_eq!(map.find(500), None);
    map.set(64);
    map.set(64 * 64 * 3);
    assert_eq!(map.find(63), None);
    assert_eq!(map.find(64), Some(64));
    assert_eq!(map.find(64 * 64 * 3 - 1), Some(64));
    assert_eq!(map.find((1 << 20) - 1), Some(64 * 64 * 3));
    map.clear(64 * 64 * 3);
    assert_eq!(map.find((1 << 20) - 1), Some(64));
    assert_eq!(map.find(usize::MAX / 2), None);
}
