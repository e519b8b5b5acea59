//! Regions do not overlap, are kept, and come back as they were written.

use super::*;

fn function(index: u32) -> DefinedFuncIndex {
    DefinedFuncIndex(index)
}

/// A module of `count` functions with bodies of `len` bytes.
fn profile(count: usize, len: usize) -> Profile {
    let mut info = ModuleInfo::default();
    info.bodies = (0..count).map(|n| n * len..(n + 1) * len).collect();
    Profile::new(&info).unwrap()
}

fn table(sites: Vec<CallSite>, size: u32) -> ProfileTable {
    ProfileTable { size, fixups: Vec::new(), sites }
}

#[test]
fn regions_are_handed_out_once() {
    for len in [10, 100_000] {
        let profile = profile(4, len);
        let base = profile.base();
        let first = profile.place(function(2), &table(Vec::new(), 8), 100).unwrap();
        let second = profile.place(function(0), &table(Vec::new(), 16), 7).unwrap();
        assert_eq!((first, second), (0, 8));
        assert_eq!((profile.budget(function(2)), profile.budget(function(0))), (Some(100), Some(7)));
        profile.set_budget(function(2), -5);
        assert_eq!(profile.place(function(2), &table(Vec::new(), 8), 100).unwrap(), first);
        assert_eq!(profile.budget(function(2)), Some(-5));
        assert_eq!(profile.budget(function(1)), None);
        profile.set_budget(function(1), 1);
        assert_eq!((profile.used(), profile.base()), (24, base));
    }
}

#[test]
fn large_profiles_take_memory_as_they_grow() {
    let profile = profile(1000, 10_000);
    for index in 0..1000 {
        let place = profile.place(function(index), &table(Vec::new(), 4096), index as i32).unwrap();
        assert_eq!(place, index * 4096);
        // The whole region is accessible, and zero.
        assert_eq!(profile.word(place as usize + 4092).load(Ordering::Relaxed), 0);
        profile.word(place as usize + 4092).store(1, Ordering::Relaxed);
    }
    assert_eq!(profile.budget(function(999)), Some(999));
}

#[test]
fn a_profile_that_is_too_small_is_an_error() {
    for len in [10, 1000] {
        let profile = profile(1, len);
        assert!(profile.place(function(0), &table(Vec::new(), 1 << 20), 0).is_err());
        assert!(profile.place(function(0), &table(Vec::new(), u32::MAX - 7), 0).is_err());
    }
}

#[test]
fn sites_are_read_as_code_wrote_them() {
    let profile = profile(1, 400);
    let sites = vec![
        CallSite { wasm_offset: 10, place: 8, kind: SiteKind::Direct },
        CallSite { wasm_offset: 20, place: 16, kind: SiteKind::Indirect },
    ];
    let place = profile.place(function(0), &table(sites, 56), 0).unwrap() as usize;
    let write = |at: usize, value: u32| profile.word(place + at).store(value, Ordering::Relaxed);
    write(8, 3);
    for target in 0..4 {
        write(16 + target * 8, 100 + target as u32);
        write(16 + target * 8 + 4, target as u32);
    }
    write(16 + 32, 9);
    let mut seen = Vec::new();
    assert!(profile.each_site(function(0), |offset, counts| seen.push((offset, counts))));
    let indirect = SiteCounts::Indirect { targets: [(100, 0), (101, 1), (102, 2), (103, 3)], other: 9 };
    assert_eq!(seen, [(10, SiteCounts::Direct(3)), (20, indirect)]);
    assert_eq!(profile.site(function(0), 20), Some(indirect));
    assert_eq!(profile.site(function(0), 15), None);
    assert!(!profile.each_site(function(7), |_, _| {}));
}
