//! The hottest job comes first, and nothing is lost.

use super::*;

fn job(function: u32, osr: Option<u32>, priority: u32) -> Queued {
    Queued { module: Weak::new(), function: DefinedFuncIndex(function), osr, priority, number: 0 }
}

#[test]
fn hottest_first_then_osr_then_oldest() {
    let queue = Queue::default();
    for queued in [job(0, None, 1), job(1, None, 4), job(2, None, 1), job(3, Some(7), 1), job(4, None, 2)] {
        queue.push(queued);
    }
    assert_eq!(queue.len(), (5, 0));
    let order: Vec<u32> = std::iter::from_fn(|| queue.pop()).map(|job| job.function.0).collect();
    assert_eq!(order, [1, 4, 3, 0, 2]);
    assert_eq!(queue.len(), (0, 5));
    (0..5).for_each(|_| queue.done());
    assert_eq!(queue.len(), (0, 0));
}
