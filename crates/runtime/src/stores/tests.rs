//! The registry: places are used again, and only stores that run are in the way.

use super::*;

fn context() -> StoreContext {
    StoreContext {
        stack_limit: 0,
        exit_fp: 0,
        entry: std::ptr::null_mut(),
        fuel: 0,
        epoch_deadline: 0,
        epoch: std::ptr::null(),
        store: std::ptr::null_mut(),
        osr_image: std::ptr::null(),
    }
}

#[test]
fn stores_that_run_are_in_the_way() {
    let stores = Stores::default();
    let mut contexts = [context(), context()];
    // SAFETY: both are removed below, before the contexts go.
    let [idle, busy] = contexts.each_mut().map(|context| unsafe { stores.add(context) });
    assert_eq!(stores.len(), 2);
    assert_eq!(stores.live_code(None).unwrap(), Some(HashSet::new()));
    let entry = &raw mut contexts[1].entry;
    // SAFETY: the field of a context that lives.
    let entry = unsafe { AtomicPtr::from_ptr(entry) };
    entry.store(std::ptr::dangling_mut(), Ordering::Relaxed);
    assert_eq!(stores.live_code(None).unwrap(), None);
    entry.store(std::ptr::null_mut(), Ordering::Relaxed);
    assert!(stores.live_code(None).unwrap().is_some());
    stores.remove(&idle);
    assert_eq!(stores.len(), 1);
    let mut third = context();
    // SAFETY: removed below.
    let again = unsafe { stores.add(&raw mut third) };
    assert_eq!(again.0, idle.0);
    stores.remove(&busy);
    stores.remove(&again);
    assert!(stores.is_empty());
}
