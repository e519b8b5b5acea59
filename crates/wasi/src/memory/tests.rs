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
    assert_eq!(memory.read_u32(8), Ok(1));
    assert_eq!(memory.read_u32(13), Err(Errno::Fault));
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
    let lengths: Vec<usize> = memory.io_slices_mut(0, 5).unwrap().iter().map(|slice| slice.len()).collect();
    assert_eq!(lengths, [4, 8, 2, 52]);
    for (i, slice) in memory.io_slices_mut(0, 5).unwrap().iter_mut().enumerate() {
        slice.fill(i as u8 + 1);
    }
    assert_eq!((bytes[200], bytes[100], bytes[108], bytes[204], bytes[255]), (1, 2, 3, 4, 4));
}

#[test]
fn overlapping_buffers_end_the_list() {
    let mut bytes = with_list(&[(100, 8), (120, 8), (107, 2), (140, 8)]);
    let mut memory = GuestMemory::new(&mut bytes);
    assert_eq!(memory.io_slices_mut(0, 4).unwrap().len(), 2);
    assert_eq!(memory.io_slices(0, 4).unwrap().len(), 4);
}

#[test]
fn lists_are_checked() {
    let mut bytes = with_list(&[(0, 257)]);
    let memory = GuestMemory::new(&mut bytes);
    assert_eq!(memory.io_slices(0, 1).err(), Some(Errno::Fault));
    assert_eq!(memory.io_slices(0, u32::MAX).err(), Some(Errno::Fault));
    assert_eq!(memory.io_slices(252, 1).err(), Some(Errno::Fault));
    assert_eq!(memory.io_slices(256, 0).map(|list| list.len()), Ok(0));
}
