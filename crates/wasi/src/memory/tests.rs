//! Checks of guest pointers, and of the cutting of memory into buffers.

use super::GuestMemory;
use crate::errno::Errno;

#[test]
fn ranges_end_where_memory_ends() {
    let mut bytes = [0; 16];
    let mut memory = GuestMemory::new(&mut bytes);
    assert_eq!(memory.slice(0, 16).map(<[u8]>::len), Ok(16));
    assert_eq!(memory.slice(16, 0).map(<[u8]>::len), Ok(0));
    assert_eq!(memory.slice(17, 0), Err(Errno::Fault));
    assert_eq!(memory.slice(1, 16), Err(Errno::Fault));
    assert_eq!(memory.slice(u32::MAX, u32::MAX), Err(Errno::Fault));
    assert_eq!(memory.write_u64(9, 1), Err(Errno::Fault));
    assert_eq!(memory.write_u64(8, 1), Ok(()));
    assert_eq!(memory.slice(8, 8), Ok(&1_u64.to_le_bytes()[..]));
}

#[test]
fn strings_are_utf8() {
    let mut bytes = *b"ab\xc3\xbc\xff";
    let memory = GuestMemory::new(&mut bytes);
    assert_eq!(memory.str(0, 4), Ok("abü"));
    assert_eq!(memory.str(0, 3), Err(Errno::Ilseq));
    assert_eq!(memory.str(4, 1), Err(Errno::Ilseq));
    assert_eq!(memory.str(4, 2), Err(Errno::Fault));
}

/// Memory whose first bytes are a list of buffers.
fn with_list(list: &[(u32, u32)]) -> Vec<u8> {
    let mut bytes: Vec<u8> = list.iter().flat_map(|(at, len)| [at.to_le_bytes(), len.to_le_bytes()].concat()).collect();
    bytes.resize(256, 0);
    bytes
}

#[test]
fn buffers_come_in_the_guests_order() {
    let mut bytes = with_list(&[(200, 4), (100, 8), (0, 0), (108, 2), (204, 52)]);
    let mut memory = GuestMemory::new(&mut bytes);
    let lengths = memory.scatter(0, 5, |list| Ok(list.iter().map(|slice| slice.len()).collect::<Vec<_>>()));
    assert_eq!(lengths, Ok(vec![4, 8, 2, 52]));
    let filled = memory.scatter(0, 5, |list| {
        for (i, slice) in list.iter_mut().enumerate() {
            slice.fill(i as u8 + 1);
        }
        Ok(())
    });
    assert_eq!(filled, Ok(()));
    assert_eq!((bytes[200], bytes[100], bytes[108], bytes[204], bytes[255]), (1, 2, 3, 4, 4));
}

#[test]
fn overlapping_buffers_end_the_list() {
    let mut bytes = with_list(&[(100, 8), (120, 8), (107, 2), (140, 8)]);
    let mut memory = GuestMemory::new(&mut bytes);
    assert_eq!(memory.scatter(0, 4, |list| Ok(list.len())), Ok(2));
    assert_eq!(memory.gather(0, 4, |list| Ok(list.len())), Ok(4));
}

#[test]
fn lists_are_checked() {
    let mut bytes = with_list(&[(0, 257)]);
    let memory = GuestMemory::new(&mut bytes);
    assert_eq!(memory.gather(0, 1, |list| Ok(list.len())), Err(Errno::Fault));
    assert_eq!(memory.gather(0, u32::MAX, |list| Ok(list.len())), Err(Errno::Fault));
    assert_eq!(memory.gather(252, 1, |list| Ok(list.len())), Err(Errno::Fault));
    assert_eq!(memory.gather(256, 0, |list| Ok(list.len())), Ok(0));
}

#[test]
fn short_and_long_lists_are_alike() {
    for count in 1..8_u32 {
        let list: Vec<(u32, u32)> = (0..count).map(|i| (255 - 3 * i, 1)).collect();
        let mut bytes = with_list(&list);
        let mut memory = GuestMemory::new(&mut bytes);
        let filled = memory.scatter(0, count, |list| {
            for (i, slice) in list.iter_mut().enumerate() {
                slice[0] = i as u8;
            }
            Ok(list.len())
        });
        assert_eq!(filled, Ok(count as usize));
        let gathered = memory.gather(0, count, |list| Ok(list.iter().map(|slice| slice[0]).collect()));
        assert_eq!(gathered, Ok((0..count as u8).collect::<Vec<_>>()));
    }
    // Two buffers that overlap, and two of which one is empty.
    let mut bytes = with_list(&[(100, 8), (104, 8)]);
    assert_eq!(GuestMemory::new(&mut bytes).scatter(0, 2, |list| Ok(list.len())), Ok(1));
    let mut bytes = with_list(&[(100, 8), (104, 0)]);
    let total = GuestMemory::new(&mut bytes).scatter(0, 2, |list| Ok(list.iter().map(|b| b.len()).sum::<usize>()));
    assert_eq!(total, Ok(8));
}
