//! `wasi_unstable`: where its records differ.

use crate::guest::{CREAT, DATA, Guest, OUT, PATH};
use wasi::Perms;

fn guest() -> Guest {
    Guest::build("wasi_unstable", Perms::ReadWrite, |_, _| {})
}

#[test]
fn whence_has_another_order() {
    let mut g = guest();
    let fd = g.open("f", CREAT).unwrap();
    g.write(fd, b"0123456789").unwrap();
    assert_eq!(g.seek(fd, 4, 2), Ok(4));
    assert_eq!(g.seek(fd, 2, 0), Ok(6));
    assert_eq!(g.seek(fd, -1, 1), Ok(9));
    assert_eq!(g.seek(fd, 0, 3), Err(wasi::Errno::Inval.raw()));
}

#[test]
fn attributes_are_shorter() {
    let mut g = guest();
    g.file("f", b"12345");
    g.poke(OUT, &[0xaa; 64]);
    g.poke(PATH, b"f");
    g.call("path_filestat_get", &[3, 0, PATH, 1, OUT]).unwrap();
    assert_eq!(g.peek(OUT + 16, 1), [4]);
    assert_eq!((g.u32(OUT + 20), g.u64(OUT + 24)), (1, 5));
    assert_eq!(g.peek(OUT + 56, 8), [0xaa; 8]);
}

#[test]
fn clock_subscriptions_are_longer() {
    let mut g = guest();
    let mut subscription = [0; 56];
    subscription[0] = 9;
    subscription[24] = 1;
    subscription[32..40].copy_from_slice(&1_000_000_u64.to_le_bytes());
    g.poke(DATA, &subscription);
    g.call("poll_oneoff", &[DATA, DATA + 100, 1, OUT]).unwrap();
    assert_eq!((g.u32(OUT), g.u64(DATA + 100)), (1, 9));
}
