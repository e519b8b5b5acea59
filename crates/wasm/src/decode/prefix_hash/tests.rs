//! The same hash from sections and from whole modules; another one for every change before the code.

use super::*;

/// A module with these sections.
fn module(sections: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = b"\0asm\x01\0\0\0".to_vec();
    for (id, contents) in sections {
        bytes.push(*id);
        let mut size = contents.len();
        loop {
            let more = size > 0x7f;
            bytes.push((size & 0x7f) as u8 | if more { 0x80 } else { 0 });
            size >>= 7;
            if !more {
                break;
            }
        }
        bytes.extend_from_slice(contents);
    }
    bytes
}

fn bytes(len: usize) -> Vec<u8> {
    (0..len).map(|n| (n * 37 + n / 256) as u8).collect()
}

#[test]
fn every_byte_before_the_code_counts() {
    for len in [0, 1, 7, 8, 9, 31, 32, 33, 100, 1000] {
        let sections = vec![(1, bytes(len)), (0, bytes(5)), (10, bytes(50)), (11, bytes(9))];
        let hash = of_module(&module(&sections)).unwrap();
        for place in 0..len {
            let mut changed = sections.clone();
            changed[0].1[place] ^= 0x40;
            assert_ne!(of_module(&module(&changed)).unwrap(), hash, "byte {place} of {len}");
        }
        let mut longer = sections.clone();
        longer[0].1.push(0);
        assert_ne!(of_module(&module(&longer)).unwrap(), hash);
        let mut other = sections;
        other[0].0 = 2;
        assert_ne!(of_module(&module(&other)).unwrap(), hash);
    }
}

#[test]
fn of_the_code_the_size_counts_and_nothing_behind_it() {
    let sections = vec![(1, bytes(40)), (10, bytes(50)), (11, bytes(9))];
    let hash = of_module(&module(&sections)).unwrap();
    let mut changed = sections.clone();
    changed[1].1[20] ^= 1;
    changed[2].1.push(7);
    assert_eq!(of_module(&module(&changed)).unwrap(), hash);
    changed[1].1.push(0);
    assert_ne!(of_module(&module(&changed)).unwrap(), hash);
    // A module that is cut off in its code has a hash; one that is cut off before has none.
    let whole = module(&sections);
    assert_eq!(of_module(&whole[..whole.len() - 30]).unwrap(), hash);
    assert_eq!(of_module(&whole[..30]), None);
    assert_eq!(of_module(&whole[..5]), None);
}

#[test]
fn sections_one_by_one_give_the_same() {
    let sections = [(0, bytes(3)), (1, bytes(200)), (3, bytes(0)), (10, bytes(300))];
    let mut hasher = PrefixHasher::default();
    for (id, contents) in &sections[..3] {
        hasher.section(*id, contents);
    }
    assert_eq!(of_module(&module(&sections[..3])), Some(hasher.clone().end()));
    assert_eq!(of_module(&module(&sections)), Some(hasher.code(300)));
}

#[test]
fn sections_cannot_be_moved_into_each_other() {
    let one = module(&[(0, bytes(64))]);
    let two = module(&[(0, bytes(32)), (0, bytes(64)[32..].to_vec())]);
    assert_ne!(of_module(&one), of_module(&two));
}
