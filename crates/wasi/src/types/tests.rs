//! Byte layouts, by the offsets the specification gives.

use super::{Event, FdFlags, FdStat, FileStat, FileType, OFlags};
use crate::errno::Errno;
use crate::rights::Rights;

#[test]
fn fdstat_layout() {
    let flags = FdFlags::from_bits(0b1_0101).unwrap();
    let stat = FdStat { filetype: FileType::RegularFile, flags, base: Rights::FD_READ, inheriting: Rights::ALL };
    let bytes = stat.encode();
    assert_eq!((bytes[0], bytes[1], bytes[2], bytes[3]), (4, 0, 0b1_0101, 0));
    assert_eq!(bytes[8..16], 2_u64.to_le_bytes());
    assert_eq!(bytes[16..24], ((1_u64 << 30) - 1).to_le_bytes());
}

#[test]
fn filestat_layouts() {
    let stat =
        FileStat { dev: 1, ino: 2, filetype: FileType::SymbolicLink, nlink: 4, size: 5, atim: 6, mtim: 7, ctim: 8 };
    let bytes = stat.encode();
    let word = |i: usize| u64::from_le_bytes(bytes[8 * i..8 * i + 8].try_into().unwrap());
    let words: Vec<u64> = (0..8).map(word).collect();
    assert_eq!(words, [1, 2, 7, 4, 5, 6, 7, 8]);
    let old = stat.encode_unstable();
    assert_eq!((old[16], old[20], old[24], old[48]), (7, 4, 5, 8));
}

#[test]
fn event_layout() {
    let event = Event { userdata: 1, error: Some(Errno::Badf), kind: 2, nbytes: 3, hangup: true };
    let bytes = event.encode();
    assert_eq!((bytes[0], bytes[8], bytes[10], bytes[16], bytes[24]), (1, 8, 2, 3, 1));
}

#[test]
fn unknown_flags_are_refused() {
    assert_eq!(FdFlags::from_bits(32), Err(Errno::Inval));
    assert_eq!(OFlags::from_bits(0x1_0001), Err(Errno::Inval));
    assert!(OFlags::from_bits(15).is_ok());
}
