//! Shares of bodies: given out once each, in any number of hands.

use wasm::decode::stream::StreamDecoder;
use wasm::features::Features;
use wasm::limits::Limits;

use super::*;

/// A module of functions of 20,000 bytes, of which some are not valid, all arrived; and nobody at work.
fn arrived(bad: &[usize]) -> (Arc<Bodies>, usize) {
    let count = 20;
    let mut bytes = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03".to_vec();
    bytes.extend([count as u8 + 1, count as u8]);
    bytes.resize(bytes.len() + count, 0);
    let body = |index: usize| {
        let mut body = vec![0x01; 20_000];
        (body[0], body[19_999]) = (0, 0x0b);
        // `drop` has nothing to drop.
        body[1] = if bad.contains(&index) { 0x1a } else { 0x01 };
        // 20,000 in LEB128.
        [&[0xa0, 0x9c, 0x01][..], &body].concat()
    };
    let code = [vec![count as u8], (0..count).flat_map(body).collect()].concat();
    // Its length, 400,061, in LEB128.
    bytes.extend([0x0a, 0xbd, 0xb5, 0x18]);
    assert_eq!(code.len(), 400_061);
    bytes.extend(code);
    let mut buffer = sys::append::AppendBuffer::new(1 << 20).unwrap();
    buffer.append(&bytes).unwrap();
    let mut decoder = StreamDecoder::new(&Features::default(), &Limits::default());
    decoder.advance(buffer.bytes());
    let head = Arc::clone(decoder.head().unwrap());
    let source = Source { head, bytes: buffer.readable() };
    let bodies = Bodies::new(source, Cancel::default(), Events::default(), Span::none(), None);
    bodies.add(decoder.bodies());
    (bodies, decoder.bodies().len())
}

#[test]
fn shares_cover_every_body_once() {
    let (bodies, count) = arrived(&[]);
    let mut next = 0;
    while let Some(share) = bodies.take() {
        assert_eq!((share.run.start, share.run.len()), (next, share.places.len()));
        assert!(share.places.iter().map(ExactSizeIterator::len).sum::<usize>() >= tuning::STREAM_SHARE);
        next = share.run.end;
        std::mem::forget(share);
    }
    assert_eq!((next, count), (20, 20));
}

#[test]
fn the_first_that_is_bad_is_found_in_any_order() {
    for bad in [&[][..], &[0], &[19], &[5, 6], &[13, 2, 7]] {
        let (bodies, count) = arrived(bad);
        // All shares are out before any is done; then they are done from the last to the first.
        let mut shares = Vec::new();
        shares.extend(std::iter::from_fn(|| bodies.take()));
        while let Some(mut share) = shares.pop() {
            share.outcome = share.run(&mut Scratch::default());
        }
        let first = bad.iter().min().copied().unwrap_or(count);
        assert_eq!(bodies.join(true).valid as usize, first);
        let (bodies, _) = arrived(bad);
        std::thread::scope(|scope| (0..3).for_each(|_| drop(scope.spawn(|| bodies.work()))));
        assert_eq!(bodies.join(true).valid as usize, first);
    }
}

#[test]
fn a_share_that_nobody_ends_counts_as_bad() {
    let (bodies, _) = arrived(&[]);
    let first = bodies.take().unwrap().run.clone();
    // As if its thread had panicked.
    let second = bodies.take();
    drop(second);
    assert_eq!(first, 0..2);
    assert_eq!(bodies.join(true).valid, 0);
}

#[test]
fn tasks_are_as_many_as_there_is_work_for() {
    let (bodies, _) = arrived(&[]);
    let mut tasks = Vec::new();
    assert!(bodies.submit(4, |task| {
        tasks.push(task);
        true
    }));
    assert_eq!(tasks.len(), 4);
    // Those that are lost are counted as such.
    tasks.truncate(1);
    assert!(bodies.submit(2, |task| {
        tasks.push(task);
        true
    }));
    assert_eq!(tasks.len(), 2);
    tasks.pop().unwrap()();
    tasks.pop().unwrap()();
    assert!(bodies.submit(4, |_| panic!("there is nothing left to do")));
    assert_eq!(bodies.join(true).valid, 20);
    let (bodies, _) = arrived(&[]);
    assert!(!bodies.submit(4, |_| false), "nobody does it");
}

#[test]
fn tasks_that_are_dropped_at_once_are_no_help() {
    let (bodies, _) = arrived(&[]);
    let mut asked = 0;
    let dropped = bodies.submit(4, |task| {
        drop(task);
        asked += 1;
        assert!(asked <= 4, "a pool that drops everything is asked for ever");
        true
    });
    assert!(!dropped, "nobody does it");
    assert!(!bodies.submit(0, |_| unreachable!("there is no thread")));
    // A pool that runs tasks at once has done all of it.
    assert!(bodies.submit(4, |task| {
        task();
        true
    }));
    let state = bodies.lock();
    assert_eq!((state.given, state.tasks), (20, 0));
}

#[test]
fn what_is_stopped_is_over() {
    let (bodies, _) = arrived(&[]);
    let (mut running, more) = (bodies.take().unwrap(), bodies.take().unwrap());
    drop(more);
    // Nobody waits for the share that runs; it keeps what it needs, and ends at the next body.
    let (stopped, has_stopped) = std::sync::mpsc::channel();
    let same = Arc::clone(&bodies);
    std::thread::spawn(move || {
        same.stop();
        stopped.send(()).unwrap();
    });
    has_stopped.recv_timeout(Duration::from_secs(20)).expect("it waits for what runs");
    running.outcome = running.run(&mut Scratch::default());
    assert!(matches!(running.outcome, Outcome::Unknown));
    running.outcome = Outcome::Compiled(Vec::new());
    drop(running);
    let state = bodies.lock();
    assert!(state.codes.is_empty() && state.active == 0);
    drop(state);
    assert!(bodies.take().is_none());
    assert!(bodies.lock().source.is_none());
}
