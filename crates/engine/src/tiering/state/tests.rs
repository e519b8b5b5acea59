//! Who gets which code when.

use super::*;

const F: DefinedFuncIndex = DefinedFuncIndex(3);

fn hot(offset: u32, calls: Option<u32>) -> HotLoop {
    HotLoop { function: F, offset, calls }
}

fn job(osr: Option<u32>, first: bool) -> Option<Wanted> {
    Some(Wanted { osr, first })
}

#[test]
fn a_function_is_asked_for_once_and_moves_ahead_at_powers_of_two() {
    let tiering = ModuleTiering::default();
    let jobs: Vec<_> = (0..9).map(|_| tiering.spent_at_entry(F, true, 1).job).collect();
    let again = job(None, false);
    assert_eq!(jobs, [job(None, true), again, None, again, None, None, None, again, None]);
    assert!(tiering.begin(F, None));
    assert!(!tiering.begin(F, None));
    tiering.finished(F, None, Finished::Ready);
    assert_eq!(tiering.spent_at_entry(F, true, 1), Decision { job: None, priority: 10, wait: Wait::Long });
}

#[test]
fn a_call_of_many_waits_for_ordinary_code_first() {
    let tiering = ModuleTiering::default();
    let first = tiering.spent_in_loop(hot(7, Some(1000)), true, true, 1);
    assert_eq!(first, Decision { job: job(None, true), priority: 1, wait: Wait::Short });
    assert!(tiering.begin(F, None));
    assert_eq!(tiering.spent_in_loop(hot(7, Some(1000)), true, true, 1).job, None);
    tiering.finished(F, None, Finished::Ready);
    assert_eq!(tiering.spent_in_loop(hot(7, Some(1000)), true, true, 1).job, job(Some(7), true));
    assert!(tiering.begin(F, Some(7)));
    tiering.finished(F, Some(7), Finished::Ready);
    assert_eq!(tiering.spent_in_loop(hot(7, Some(1000)), true, true, 1).job, None);
}

#[test]
fn a_call_of_few_gets_its_osr_entry_at_once() {
    for calls in [None, Some(1)] {
        let tiering = ModuleTiering::default();
        assert_eq!(tiering.spent_in_loop(hot(7, calls), true, true, 1).job, job(Some(7), true));
        assert!(tiering.begin(F, Some(7)));
        tiering.finished(F, Some(7), Finished::Ready);
        // The function is called again and again after all.
        (0..tuning::OSR_BEFORE_ORDINARY).for_each(|_| tiering.entered(F));
        assert_eq!(tiering.spent_in_loop(hot(7, calls), true, true, 1).job, job(None, true));
    }
}

#[test]
fn without_osr_loops_wait_for_the_next_call() {
    let tiering = ModuleTiering::default();
    assert_eq!(tiering.spent_in_loop(hot(7, None), true, false, 1).job, job(None, true));
    assert!(tiering.begin(F, None));
    tiering.finished(F, None, Finished::Ready);
    assert_eq!(tiering.spent_in_loop(hot(7, None), true, false, 1).job, None);
}

#[test]
fn only_so_many_loops_get_an_entry() {
    let tiering = ModuleTiering::default();
    for offset in 0..tuning::OSR_ENTRIES as u32 {
        assert_eq!(tiering.spent_in_loop(hot(offset, None), true, true, 1).job, job(Some(offset), true));
    }
    assert_eq!(tiering.spent_in_loop(hot(100, None), true, true, 1).job, job(None, true));
}

#[test]
fn what_was_given_up_is_not_tried_again() {
    let tiering = ModuleTiering::default();
    tiering.spent_in_loop(hot(7, None), true, true, 1);
    assert!(tiering.begin(F, Some(7)));
    tiering.finished(F, Some(7), Finished::Abandoned);
    let decision = tiering.spent_at_entry(F, true, 1);
    assert_eq!((decision.job, decision.budget(1000)), (None, i32::MAX));
}

#[test]
fn what_was_flushed_or_refused_may_be_asked_for_again() {
    let tiering = ModuleTiering::default();
    tiering.spent_at_entry(F, true, 1);
    tiering.finished(F, None, Finished::Refused);
    assert_eq!(tiering.spent_at_entry(F, true, 1).job, job(None, true));
    assert!(tiering.begin(F, None));
    tiering.finished(F, None, Finished::Ready);
    tiering.forget(&Flushed { functions: vec![(F, 9)], loops: vec![(F, 7)] });
    assert_eq!(tiering.spent_at_entry(F, true, 1).job, job(None, true));
    // Nothing is asked for above the ceiling.
    assert_eq!(ModuleTiering::default().spent_at_entry(F, false, 1).job, None);
}

#[test]
fn warmth_tells_what_runs_from_what_does_not() {
    let tiering = ModuleTiering::default();
    let (a, b) = (DefinedFuncIndex(0), DefinedFuncIndex(1));
    let mut look = tiering.look();
    assert_eq!((look.warmth(a, 90, 10), look.warmth(b, 100, 0)), ((false, 10), (false, 0)));
    drop(look);
    let mut look = tiering.look();
    assert_eq!((look.warmth(a, 90, 10), look.warmth(b, 50, 50)), ((false, 10), (true, 50)));
}

#[test]
fn large_functions_spend_their_budget_several_times() {
    let (rounds, budget) = tuning::whole_budget(13_000_000, 100_000);
    assert!(rounds > 1 && budget > i32::MAX / 2);
    assert_eq!(tuning::whole_budget(1, 0), (1, 1));
    assert_eq!(tuning::whole_budget(u32::MAX, 1).0, 1);
    assert!(tuning::whole_budget(u32::MAX, usize::MAX).0 > 1_000_000);
    let tiering = ModuleTiering::default();
    let jobs: Vec<_> = (0..4).map(|_| tiering.spent_at_entry(F, true, 3).job).collect();
    assert_eq!(jobs, [None, None, job(None, true), job(None, false)]);
    assert!(tiering.begin(F, None));
    tiering.finished(F, None, Finished::Ready);
    let jobs: Vec<_> = (0..3).map(|_| tiering.spent_in_loop(hot(7, Some(9)), true, true, 3).job).collect();
    assert_eq!(jobs, [None, job(Some(7), true), None]);
}
