//! Every item is done exactly once, whoever does it.

use super::*;

#[test]
fn every_item_is_done_once() {
    for threads in [1, 2, 5] {
        let pool = WorkerPool::new(threads);
        for len in [0, 1, 2, 1000] {
            let counts: Arc<Vec<AtomicUsize>> = Arc::new((0..len).map(|_| AtomicUsize::new(0)).collect());
            let seen = Arc::clone(&counts);
            let work = move |item: usize| {
                seen[item].fetch_add(1, Ordering::Relaxed);
            };
            pool.run(len, Arc::new(work));
            assert!(counts.iter().all(|count| count.load(Ordering::Relaxed) == 1));
            assert!(Arc::try_unwrap(counts).is_ok(), "a worker keeps what the batch referred to");
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

#[test]
fn tasks_are_done_by_urgency_and_dropped_with_the_pool() {
    let pool = WorkerPool::new(1);
    let (gate, order) = (Arc::new(Mutex::new(())), Arc::new(Mutex::new(Vec::new())));
    let closed = gate.lock().unwrap();
    let wait = Arc::clone(&gate);
    assert!(pool.spawn(Urgency::Urgent, Box::new(move || drop(lock(&wait)))));
    while !lock(&pool.shared.state).urgent.is_empty() {
        std::thread::yield_now();
    }
    let done = Arc::new(AtomicUsize::new(0));
    for (number, urgency) in
        [(2, Urgency::Background), (0, Urgency::Urgent), (3, Urgency::Background), (1, Urgency::Urgent)]
    {
        let (order, done) = (Arc::clone(&order), Arc::clone(&done));
        let task = move || {
            lock(&order).push(number);
            done.fetch_add(1, Ordering::Release);
        };
        assert!(pool.spawn(urgency, Box::new(task)));
    }
    drop(closed);
    while done.load(Ordering::Acquire) < 4 {
        std::thread::yield_now();
    }
    assert_eq!(*lock(&order), [0, 1, 2, 3]);
    // One task runs, the others have not begun: the first is waited for, the others are dropped.
    let closed = gate.lock().unwrap();
    let wait = Arc::clone(&gate);
    pool.spawn(Urgency::Urgent, Box::new(move || drop(lock(&wait))));
    while !lock(&pool.shared.state).urgent.is_empty() {
        std::thread::yield_now();
    }
    let kept = Arc::new(());
    let held = Arc::clone(&kept);
    pool.spawn(Urgency::Background, Box::new(move || drop(held)));
    let dropper = std::thread::spawn(move || drop(pool));
    while Arc::strong_count(&kept) > 1 {
        std::thread::yield_now();
    }
    drop(closed);
    dropper.join().unwrap();
}

#[test]
fn a_task_that_panics_leaves_the_worker_to_the_others() {
    let pool = WorkerPool::new(1);
    pool.spawn(Urgency::Urgent, Box::new(|| panic!("a test of panics")));
    let (sender, receiver) = std::sync::mpsc::channel();
    pool.spawn(Urgency::Urgent, Box::new(move || sender.send(5).unwrap()));
    assert_eq!(receiver.recv(), Ok(5));
}

#[test]
fn a_worker_may_drop_the_pool() {
    for _ in 0..20 {
        let pool = Arc::new(WorkerPool::new(3));
        let (same, handle) = (Arc::clone(&pool), pool.handle());
        let (sender, receiver) = std::sync::mpsc::channel();
        let task = move || {
            // Most often the last handle.
            std::thread::sleep(std::time::Duration::from_micros(200));
            drop(same);
            sender.send(()).unwrap();
        };
        pool.spawn(Urgency::Urgent, Box::new(task));
        drop(pool);
        receiver.recv().unwrap();
        handle.spawn(Urgency::Urgent, Box::new(|| unreachable!("the pool is gone")));
    }
}
