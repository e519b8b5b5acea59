//! Each waker once, none lost, and not without bound.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Wake;

use super::*;

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A waker, and how often it was woken.
fn counted() -> (Waker, Arc<Count>) {
    let count = Arc::new(Count::default());
    (Waker::from(Arc::clone(&count)), count)
}

fn woken(counts: &[Arc<Count>]) -> Vec<usize> {
    counts.iter().map(|count| count.0.load(Ordering::Relaxed)).collect()
}

#[test]
fn all_are_woken_once() {
    let mut wakers = Wakers::default();
    let (all, counts): (Vec<_>, Vec<_>) = (0..4).map(|_| counted()).unzip();
    wakers.add(all[0].clone()).settle();
    wakers.add(all[1].clone()).settle();
    assert!(matches!(wakers.add(all[0].clone()), Extra::Drop(_)), "known already");
    assert!(wakers.place(1, all[2].clone()).is_none());
    assert!(wakers.place(2, all[3].clone()).is_none());
    assert!(wakers.place(1, all[2].clone()).is_some());
    assert!(wakers.leave(2).is_some() && wakers.leave(2).is_none());
    wakers.take().wake();
    assert_eq!(woken(&counts), [1, 1, 1, 0]);
    wakers.take().wake();
    assert_eq!(woken(&counts), [1, 1, 1, 0]);
}

#[test]
fn more_than_are_kept_are_woken_early() {
    let mut wakers = Wakers::default();
    let (all, counts): (Vec<_>, Vec<_>) = (0..MOST + 10).map(|_| counted()).unzip();
    for waker in &all {
        wakers.add(waker.clone()).settle();
    }
    let sum = || woken(&counts).iter().sum::<usize>();
    assert_eq!((wakers.others.len(), sum()), (MOST, 10));
    wakers.take().wake();
    assert!(woken(&counts).iter().all(|&wakes| wakes == 1));
}

#[test]
fn a_waker_that_panics_harms_no_other() {
    struct Panics;
    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            panic!("as it should");
        }
    }
    let mut wakers = Wakers::default();
    let (other, count) = counted();
    wakers.add(Waker::from(Arc::new(Panics))).settle();
    wakers.add(other).settle();
    wakers.take().wake();
    assert_eq!(count.0.load(Ordering::Relaxed), 1);
}
