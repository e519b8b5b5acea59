//! Tests of stack bounds.

use super::{approximate_sp, current_thread_stack_bounds};
use crate::linux::child::in_child;

/// Bounds that contain the stack pointer and a local.
#[track_caller]
fn check_bounds() -> usize {
    let bounds = current_thread_stack_bounds().unwrap();
    let local = 0_u8;
    assert!(bounds.contains(&approximate_sp()));
    assert!(bounds.contains(&(&raw const local as usize)));
    assert_eq!(current_thread_stack_bounds(), Some(bounds.clone()));
    bounds.len()
}

#[test]
fn bounds_contain_the_stack_pointer() {
    check_bounds();
    let builder = std::thread::Builder::new().stack_size(3 << 20);
    let len = builder.spawn(check_bounds).unwrap().join().unwrap();
    assert!((2 << 20..4 << 20).contains(&len));
}

#[test]
fn bounds_of_the_main_thread() {
    // With one test thread the harness runs the test on the main thread.
    in_child("linux::stack::tests::bounds_of_the_main_thread", || {
        check_bounds();
    });
}
