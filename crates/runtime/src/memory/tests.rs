//! Memories start zero, grow, move with their contents, and never pass their maximum.

use super::*;

fn ty(min: u64, max: Option<u64>, page_size_log2: u8) -> MemoryType {
    MemoryType { index64: false, shared: false, min, max, page_size_log2 }
}

#[test]
fn a_checked_memory_keeps_its_contents_when_it_moves() {
    let policy = MemoryPolicy { guard_pages: false, ..MemoryPolicy::default() };
    let mut memory = Memory::new(ty(1, None, 16), &policy, &Arc::default(), None).unwrap();
    memory.bytes_mut()[65535] = 7;
    let mut last = memory.base();
    let mut moves = 0;
    for pages in 2..200u64 {
        let bytes = memory.grown_by(1).unwrap();
        assert!(memory.grow_to(bytes));
        assert_eq!(memory.pages(), pages);
        assert_eq!((memory.bytes()[65535], memory.bytes()[bytes - 1]), (7, 0));
        memory.bytes_mut()[bytes - 1] = 1;
        memory.bytes_mut()[bytes - 1] = 0;
        moves += usize::from(last != memory.base());
        last = memory.base();
    }
    assert!(moves < 20, "growth is amortised, not {moves} moves");
}

#[test]
fn styles_follow_the_policy_and_the_type() {
    let policy = MemoryPolicy::default();
    assert_eq!(Memory::new(ty(1, None, 16), &policy, &Arc::default(), None).unwrap().style(), MemoryStyle::Guarded);
    assert_eq!(Memory::new(ty(1, Some(2), 16), &policy, &Arc::default(), None).unwrap().style(), MemoryStyle::Checked);
    assert_eq!(Memory::new(ty(1, None, 0), &policy, &Arc::default(), None).unwrap().style(), MemoryStyle::Checked);
}

#[test]
fn limits_hold() {
    let policy = MemoryPolicy::default();
    assert!(Memory::new(ty(u64::MAX, None, 16), &policy, &Arc::default(), None).is_err());
    assert!(Memory::new(ty(65537, None, 16), &policy, &Arc::default(), None).is_err());
    let memory = Memory::new(ty(1, Some(3), 16), &policy, &Arc::default(), None).unwrap();
    assert_eq!(memory.grown_by(2), Some(3 << 16));
    assert_eq!(memory.grown_by(3), None);
    assert_eq!(memory.grown_by(u64::MAX), None);
    let odd = Memory::new(ty(3, Some(5000), 0), &policy, &Arc::default(), None).unwrap();
    assert_eq!((odd.len(), odd.grown_by(4997), odd.grown_by(4998)), (3, Some(5000), None));
}

#[test]
fn a_pooled_range_keeps_nothing_of_its_former_owner() {
    let (policy, pool) = (MemoryPolicy::default(), Arc::default());
    let mut first = Memory::new(ty(2, None, 16), &policy, &pool, None).unwrap();
    let base = first.base();
    assert!(first.grow_to(first.grown_by(3).unwrap()));
    first.bytes_mut().fill(0xaa);
    drop(first);
    let mut second = Memory::new(ty(2, None, 16), &policy, &pool, None).unwrap();
    assert_eq!(second.base(), base, "the range is used again");
    assert_eq!(second.len(), 2 << 16);
    assert!(second.bytes().iter().all(|&byte| byte == 0));
    assert!(second.grow_to(second.grown_by(3).unwrap()));
    assert!(second.bytes().iter().all(|&byte| byte == 0));
    assert_ne!(Memory::new(ty(2, None, 16), &policy, &pool, None).unwrap().base(), base, "not while it is used");
}
