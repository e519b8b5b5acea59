//! Tests of append buffers: bytes that stay while more come, limits, threads that read meanwhile, and what is given back.

use std::io::ErrorKind;
use std::thread;

use rustix::process::{Resource, Rlimit, setrlimit};

use super::AppendBuffer;
use crate::linux::child::in_child;
use crate::pages::page_size;
use crate::process::mapping_count;

/// The byte at `index` of the bytes that these tests append.
fn byte(index: usize) -> u8 {
    (index * 31 % 251) as u8
}

fn pattern(start: usize, len: usize) -> Vec<u8> {
    (start..start + len).map(byte).collect()
}

#[test]
fn pieces_of_any_size_come_one_after_the_other() {
    let mut buffer = AppendBuffer::new(1 << 20).unwrap();
    let mut len = 0;
    for size in [0, 1, 2, page_size() - 3, page_size(), 0, 100_000, 65_536, 1] {
        buffer.append(&pattern(len, size)).unwrap();
        len += size;
        assert_eq!(buffer.bytes(), pattern(0, len));
    }
    let filled = buffer.finish();
    assert_eq!(*filled, pattern(0, len));
}

#[test]
fn what_was_lent_stays_where_it_is() {
    let mut buffer = AppendBuffer::new(32 << 20).unwrap();
    buffer.append(&pattern(0, 10)).unwrap();
    let readable = buffer.readable();
    let early = readable.bytes();
    while buffer.bytes().len() < 20 << 20 {
        let at = buffer.bytes().len();
        buffer.append(&pattern(at, 1 << 20)).unwrap();
    }
    assert_eq!(early, pattern(0, 10));
    assert_eq!(early.as_ptr(), readable.bytes().as_ptr());
    let filled = buffer.finish();
    assert_eq!(early.as_ptr(), filled.as_ptr());
    assert!(filled.same(&filled.clone()));
    assert_eq!(readable.bytes().len(), filled.len());
}

#[test]
fn spare_room_is_filled_and_published() {
    let mut buffer = AppendBuffer::new(10).unwrap();
    let room = buffer.spare(4).unwrap();
    assert_eq!(room.len(), 10, "the limit, not the page");
    room[..3].copy_from_slice(b"abc");
    assert_eq!(buffer.bytes(), b"");
    buffer.advance(2);
    assert_eq!(buffer.bytes(), b"ab");
    buffer.append(b"d").unwrap();
    assert_eq!(buffer.bytes(), b"abd");
}

#[test]
#[should_panic(expected = "more bytes than there was room for")]
fn more_than_the_room_cannot_be_published() {
    let mut buffer = AppendBuffer::new(10).unwrap();
    buffer.spare(1).unwrap();
    buffer.advance(11);
}

#[test]
fn the_limit_holds_and_nothing_is_lost_at_it() {
    let mut buffer = AppendBuffer::new(5).unwrap();
    assert_eq!(buffer.limit(), 5);
    buffer.append(b"abc").unwrap();
    assert_eq!(buffer.append(b"def").unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(buffer.spare(usize::MAX).unwrap_err().kind(), ErrorKind::InvalidInput);
    buffer.append(b"de").unwrap();
    assert_eq!(buffer.append(b"f").unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(buffer.spare(0).unwrap().len(), 0);
    assert_eq!(*buffer.finish(), *b"abcde");
    let mut none = AppendBuffer::new(0).unwrap();
    assert!(none.append(b"a").is_err());
    assert_eq!(*none.finish(), *b"");
    assert!(AppendBuffer::new(usize::MAX).is_err());
}

#[test]
fn threads_read_while_it_grows() {
    const LEN: usize = 3 << 20;
    let mut buffer = AppendBuffer::new(LEN).unwrap();
    thread::scope(|scope| {
        for _ in 0..3 {
            let readable = buffer.readable();
            scope.spawn(move || {
                let mut checked = 0;
                while checked < LEN {
                    let bytes = readable.bytes();
                    let wrong = bytes[checked..].iter().zip(checked..).find(|&(&found, index)| found != byte(index));
                    assert_eq!(wrong, None);
                    checked = bytes.len();
                    thread::yield_now();
                }
            });
        }
        for start in (0..LEN).step_by(4099) {
            buffer.append(&pattern(start, 4099.min(LEN - start))).unwrap();
        }
    });
}

#[test]
fn what_is_not_needed_is_given_back() {
    in_child("linux::append::tests::what_is_not_needed_is_given_back", || {
        // Room for three, if each gives the rest back.
        setrlimit(Resource::As, Rlimit { current: Some(4 << 30), maximum: Some(4 << 30) }).unwrap();
        let filled: Vec<_> = (0..50)
            .map(|_| {
                let mut buffer = AppendBuffer::new(1 << 30).unwrap();
                buffer.append(b"some").unwrap();
                buffer.finish()
            })
            .collect();
        assert!(filled.iter().all(|bytes| **bytes == *b"some"));
        let before = mapping_count().unwrap();
        for _ in 0..100 {
            let mut buffer = AppendBuffer::new(1 << 30).unwrap();
            buffer.append(&[1; 100_000]).unwrap();
            let readable = buffer.readable();
            drop(buffer.finish());
            assert_eq!(readable.bytes().len(), 100_000);
        }
        assert!(mapping_count().unwrap() <= before + 2);
    });
}

#[test]
fn a_refusal_of_the_system_is_an_error() {
    in_child("linux::append::tests::a_refusal_of_the_system_is_an_error", || {
        setrlimit(Resource::As, Rlimit { current: Some(1 << 30), maximum: Some(1 << 30) }).unwrap();
        assert_eq!(AppendBuffer::new(2 << 30).unwrap_err().kind(), ErrorKind::OutOfMemory);
        let mut buffer = AppendBuffer::new(256 << 20).unwrap();
        buffer.append(b"abc").unwrap();
        // What is made writable counts as data.
        setrlimit(Resource::Data, Rlimit { current: Some(16 << 20), maximum: Some(16 << 20) }).unwrap();
        assert_eq!(buffer.spare(128 << 20).unwrap_err().kind(), ErrorKind::OutOfMemory);
        assert_eq!(buffer.bytes(), b"abc");
    });
}
