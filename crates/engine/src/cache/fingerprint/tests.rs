//! Every byte counts.

use std::collections::HashSet;

use super::*;

#[test]
fn every_bit_and_the_length_count() {
    for len in [0, 1, 7, 8, 31, 32, 33, 64, 100] {
        let mut bytes = vec![0; len];
        let mut seen = HashSet::from([hash(&bytes), hash(&vec![0; len + 1])]);
        assert_eq!(seen.len(), 2, "{len} and one more zero");
        for bit in 0..len * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(seen.insert(hash(&bytes)), "bit {bit} of {len} bytes");
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
    }
}

#[test]
fn words_do_not_change_places() {
    let mut bytes: Vec<u8> = (0..64).collect();
    let before = hash(&bytes);
    for words in [[0, 8], [0, 16], [8, 24], [0, 32], [16, 48]] {
        for index in 0..8 {
            bytes.swap(words[0] + index, words[1] + index);
        }
        assert_ne!(hash(&bytes), before, "{words:?}");
        for index in 0..8 {
            bytes.swap(words[0] + index, words[1] + index);
        }
    }
}

#[test]
fn it_is_made_once_and_shared() {
    let one = Fingerprint::default();
    let (clone, other) = (one.clone(), Fingerprint::default());
    assert!(!one.is_known() && !one.differs(&other));
    one.make(b"1");
    clone.make(b"ignored, as it is known");
    assert!(clone.is_known() && !clone.differs(&one) && !one.differs(&other));
    other.make(b"2");
    assert!(one.differs(&other));
    let same = Fingerprint::default();
    same.make(b"1");
    assert!(!same.differs(&one));
}
