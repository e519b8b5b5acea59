//! Each element once, in order, and none after a termination.

use std::sync::atomic::Ordering;

use super::*;
use crate::requests::{POLL, REPORT};
use crate::testing::store;

/// The pieces of `len` in pieces of 10. The store is terminated in the piece with this number.
fn pieces(len: usize, order: Order, terminated_in: Option<usize>) -> (Vec<(usize, usize)>, bool) {
    let (mut store, _) = store();
    let context = store.context();
    let mut seen = Vec::new();
    // SAFETY: the store is pinned and used by nobody else; no Wasm of it runs, whose frames somebody could walk.
    let outcome = unsafe {
        in_pieces(context, (len, 10), order, |range| {
            assert!(len <= 10 || (*context).in_wasm.load(Ordering::Relaxed) == 0, "others can answer meanwhile");
            if terminated_in == Some(seen.len()) {
                (*context).interrupt.fetch_or(TERMINATE, Ordering::Relaxed);
            }
            seen.push((range.start, range.end));
        })
    };
    assert!(matches!(outcome, Ok(()) | Err(TrapReason::Interrupt)));
    (seen, outcome.is_ok())
}

#[test]
fn all_is_done_in_order() {
    assert_eq!(pieces(0, Order::Up, None), (vec![(0, 0)], true));
    assert_eq!(pieces(10, Order::Down, None), (vec![(0, 10)], true));
    assert_eq!(pieces(11, Order::Up, None), (vec![(0, 10), (10, 11)], true));
    assert_eq!(pieces(25, Order::Up, None), (vec![(0, 10), (10, 20), (20, 25)], true));
    assert_eq!(pieces(25, Order::Down, None), (vec![(15, 25), (5, 15), (0, 5)], true));
}

#[test]
fn a_termination_is_seen_before_the_next_piece() {
    assert_eq!(pieces(50, Order::Up, Some(1)), (vec![(0, 10), (10, 20)], false));
    assert_eq!(pieces(50, Order::Down, Some(0)), (vec![(40, 50)], false));
    // What is done is done.
    assert_eq!(pieces(20, Order::Up, Some(1)), (vec![(0, 10), (10, 20)], true));
    assert_eq!(pieces(10, Order::Up, Some(0)), (vec![(0, 10)], true));
}

#[test]
fn other_requests_do_not_end_it() {
    let (mut store, _) = store();
    let context = store.context();
    let mut done = 0;
    // SAFETY: as above.
    let outcome = unsafe {
        in_pieces(context, (30, 10), Order::Up, |range| {
            (*context).interrupt.fetch_or(POLL, Ordering::Relaxed);
            done += range.len();
        })
    };
    assert!(outcome.is_ok());
    assert_eq!((done, store.context.interrupt.load(Ordering::Relaxed) & REPORT), (30, 0));
}
