//! Every item is done exactly once, whoever does it.

use super::*;

#[test]
fn every_item_is_done_once() {
    for threads in [1, 2, 5] {
        let pool = WorkerPool::new(threads);
        for len in [0, 1, 2, 1000] {
            let counts: Arc<Vec<AtomicUsize>> = Arc::new((0..len).map(|_| AtomicUsize::new(0)).collect());
            let seen = Arc::clone(&counts);
            pool.run(
                len,
                Arc::new(move |item| {
                    seen[item].fetch_add(1, Ordering::Relaxed);
                }),
            );
            assert!(counts.iter().all(|count| count.load(Ordering::Relaxed) == 1));
            assert!(Arc::try_unwrap(counts).is_ok() || threads > 1);
        }
    }
}

#[test]
fn dropping_the_pool_ends_its_threads() {
    let pool = WorkerPool::new(4);
    pool.run(100, Arc::new(|_| std::thread::yield_now()));
    let shared = Arc::downgrade(&pool.shared);
    drop(pool);
    assert!(shared.upgrade().is_none());
}
