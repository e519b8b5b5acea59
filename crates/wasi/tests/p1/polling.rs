//! `poll_oneoff`: clocks, files, pipes, streams.

use crate::guest::{CREAT, DATA, END, FD_READ, Guest, OUT, Outcome, refused};
use std::io::Write as _;
use std::time::{Duration, Instant};
use wasi::{Clock, DeterministicClock};

/// Where subscriptions lie; events go to [`DATA`].
const SUBSCRIPTIONS: i64 = 0x8000;

#[derive(Debug, PartialEq, Eq)]
struct Event {
    userdata: u64,
    error: u16,
    kind: u8,
    nbytes: u64,
    flags: u16,
}

fn clock(userdata: u64, id: u32, timeout: u64, flags: u16) -> [u8; 48] {
    let mut bytes = [0; 48];
    bytes[..8].copy_from_slice(&userdata.to_le_bytes());
    bytes[16..20].copy_from_slice(&id.to_le_bytes());
    bytes[24..32].copy_from_slice(&timeout.to_le_bytes());
    bytes[40..42].copy_from_slice(&flags.to_le_bytes());
    bytes
}

fn ready(userdata: u64, kind: u8, fd: i64) -> [u8; 48] {
    let mut bytes = [0; 48];
    bytes[..8].copy_from_slice(&userdata.to_le_bytes());
    bytes[8] = kind;
    bytes[16..20].copy_from_slice(&(fd as u32).to_le_bytes());
    bytes
}

fn poll(g: &mut Guest, subscriptions: &[[u8; 48]]) -> Outcome<Vec<Event>> {
    g.poke(SUBSCRIPTIONS, &subscriptions.concat());
    let count = subscriptions.len() as i64;
    g.call("poll_oneoff", &[SUBSCRIPTIONS, DATA, count, OUT])?;
    let happened = i64::from(g.u32(OUT));
    Ok((0..happened)
        .map(|i| {
            let bytes = g.peek(DATA + 32 * i, 32);
            Event {
                userdata: u64::from_le_bytes(bytes[..8].try_into().unwrap()),
                error: u16::from_le_bytes(bytes[8..10].try_into().unwrap()),
                kind: bytes[10],
                nbytes: u64::from_le_bytes(bytes[16..24].try_into().unwrap()),
                flags: u16::from_le_bytes(bytes[24..26].try_into().unwrap()),
            }
        })
        .collect())
}

#[test]
fn refuses_nonsense() {
    let mut g = Guest::new();
    refused!(g.call("poll_oneoff", &[SUBSCRIPTIONS, DATA, 0, OUT]), Inval);
    refused!(poll(&mut g, &[ready(1, 3, 0)]), Inval);
    refused!(poll(&mut g, &[clock(1, 9, 0, 0)]), Inval);
    refused!(poll(&mut g, &[clock(1, 0, 0, 2)]), Inval);
    refused!(g.call("poll_oneoff", &[END - 47, DATA, 1, OUT]), Fault);
    refused!(g.call("poll_oneoff", &[SUBSCRIPTIONS, END - 31, 1, OUT]), Fault);
    refused!(g.call("poll_oneoff", &[SUBSCRIPTIONS, DATA, 0x1000_0000, OUT]), Fault);
}

#[test]
fn the_first_clock_wins() {
    let mut g = Guest::new();
    let start = Instant::now();
    let second = 1_000_000_000;
    let events = poll(&mut g, &[clock(1, 1, 60 * second, 0), clock(2, 1, second / 100, 0)]).unwrap();
    let passed = start.elapsed();
    assert!(passed >= Duration::from_millis(10) && passed < Duration::from_secs(30));
    assert_eq!(events, [Event { userdata: 2, error: 0, kind: 0, nbytes: 0, flags: 0 }]);
}

#[test]
fn absolute_times() {
    let mut g = Guest::new();
    g.call("clock_time_get", &[0, 0, OUT]).unwrap();
    let now = g.u64(OUT);
    let start = Instant::now();
    assert_eq!(poll(&mut g, &[clock(1, 0, now + 20_000_000, 1)]).unwrap().len(), 1);
    assert!(start.elapsed() >= Duration::from_millis(15));
    // What is past is ready at once.
    assert_eq!(poll(&mut g, &[clock(1, 0, 1, 1), clock(2, 1, 0, 0)]).unwrap().len(), 2);
}

#[test]
fn clocks_of_processor_time_cannot_be_waited_for() {
    let mut g = Guest::new();
    let events = poll(&mut g, &[clock(7, 2, 1, 0)]).unwrap();
    assert_eq!((events[0].userdata, events[0].error), (7, wasi::Errno::NotSup.raw()));
}

#[test]
fn files_are_always_ready() {
    let mut g = Guest::new();
    let fd = g.open("f", CREAT).unwrap();
    g.write(fd, b"12345").unwrap();
    g.seek(fd, 2, 0).unwrap();
    let events = poll(&mut g, &[ready(1, 1, fd), clock(2, 1, 60_000_000_000, 0), ready(3, 2, fd)]).unwrap();
    assert_eq!(
        events,
        [
            Event { userdata: 1, error: 0, kind: 1, nbytes: 3, flags: 0 },
            Event { userdata: 3, error: 0, kind: 2, nbytes: 0, flags: 0 },
        ]
    );
}

#[test]
fn bad_descriptors_are_events() {
    let mut g = Guest::new();
    g.file("f", b"");
    let fd = g.open_at(3, 0, "f", 0, [FD_READ, 0], 0).unwrap();
    let events = poll(&mut g, &[ready(1, 1, 99), ready(2, 2, fd), clock(3, 1, 60_000_000_000, 0)]).unwrap();
    let errors: Vec<_> = events.iter().map(|e| (e.userdata, e.kind, e.error)).collect();
    let (badf, not_capable) = (wasi::Errno::Badf.raw(), wasi::Errno::NotCapable.raw());
    assert_eq!(errors, [(1, 1, badf), (2, 2, not_capable)]);
}

#[test]
fn pipes() {
    let (reader, mut writer) = std::io::pipe().unwrap();
    let mut g = Guest::with(|builder, _| {
        builder.stdin_file(reader);
    });
    let both = [ready(1, 1, 0), clock(2, 1, 10_000_000, 0)];
    assert_eq!(poll(&mut g, &both).unwrap()[0].userdata, 2);
    writer.write_all(b"abc").unwrap();
    let event = Event { userdata: 1, error: 0, kind: 1, nbytes: 3, flags: 0 };
    assert_eq!(poll(&mut g, &both), Ok(vec![event]));
    assert_eq!(g.read(0, 9), Ok(b"abc".to_vec()));
    drop(writer);
    let event = Event { userdata: 1, error: 0, kind: 1, nbytes: 0, flags: 1 };
    assert_eq!(poll(&mut g, &both), Ok(vec![event]));
}

#[test]
fn streams_in_memory_are_ready() {
    let mut g = Guest::new();
    let events = poll(&mut g, &[ready(1, 1, 0), ready(2, 2, 1), ready(3, 2, 0)]).unwrap();
    let errors: Vec<_> = events.iter().map(|e| (e.userdata, e.error)).collect();
    assert_eq!(errors, [(1, 0), (2, 0), (3, wasi::Errno::Badf.raw())]);
}

#[test]
fn a_deterministic_clock_does_not_wait() {
    let mut g = Guest::with(|builder, _| {
        builder.clock(Clock::Deterministic(DeterministicClock::new(5_000, 10)));
    });
    let start = Instant::now();
    let hour = 3_600_000_000_000;
    assert_eq!(poll(&mut g, &[clock(1, 1, hour, 0)]).unwrap().len(), 1);
    assert!(start.elapsed() < Duration::from_secs(60));
    g.call("clock_time_get", &[0, 0, OUT]).unwrap();
    assert_eq!(g.u64(OUT), 5_000 + hour);
    g.call("clock_time_get", &[1, 0, OUT]).unwrap();
    assert_eq!(g.u64(OUT), hour + 10);
}
