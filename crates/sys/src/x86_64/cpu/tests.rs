//! Tests of processor features.

use super::CpuFeatures;

#[test]
fn detection_is_stable_and_listed_in_order() {
    let features = CpuFeatures::detect();
    assert_eq!(features, CpuFeatures::detect());
    let set = features.list().filter(|&(_, present)| present).count();
    assert_eq!(features.bits().count_ones() as usize, set);
    assert_eq!(features.bits() & 1 == 1, features.ssse3);
    assert!(features.list().count() <= 64);
}
