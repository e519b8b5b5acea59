//! Phases follow from events, in any order that threads may report them in.

use super::*;

fn play(changes: &[(u64, Change)]) -> History {
    let mut history = History::default();
    changes.iter().for_each(|&(at, change)| history.change(at, change));
    history
}

#[test]
fn the_common_life_of_a_hot_function() {
    let history = play(&[
        (10, Change::Publish(Tier::Baseline)),
        (30, Change::TierUp),
        (50, Change::OptimizeStart),
        (90, Change::Publish(Tier::Optimizing)),
        (90, Change::OptimizeEnd),
    ]);
    let phases = [(10, Phase::Baseline), (30, Phase::Queued), (50, Phase::Compiling), (90, Phase::Optimizing)];
    assert_eq!(history.phases, phases);
    assert_eq!((history.warm_up, history.last()), (Some(20), Phase::Optimizing));
}

#[test]
fn a_loop_goes_on_in_an_osr_entry() {
    let history = play(&[
        (10, Change::Publish(Tier::Baseline)),
        (20, Change::TierUp),
        (21, Change::OptimizeStart),
        (40, Change::OptimizeEnd),
        (45, Change::OsrEnter),
        (80, Change::Publish(Tier::Optimizing)),
    ]);
    let phases = [
        (10, Phase::Baseline),
        (20, Phase::Queued),
        (21, Phase::Compiling),
        (40, Phase::Baseline),
        (45, Phase::Osr),
        (80, Phase::Optimizing),
    ];
    assert_eq!(history.phases, phases);
}

#[test]
fn what_is_given_up_stays_and_what_is_flushed_comes_again() {
    let history = play(&[
        (1, Change::Publish(Tier::Baseline)),
        (2, Change::TierUp),
        (3, Change::OptimizeStart),
        (9, Change::OptimizeEnd),
        (20, Change::Flush),
        (30, Change::Publish(Tier::Baseline)),
    ]);
    let phases = [
        (1, Phase::Baseline),
        (2, Phase::Queued),
        (3, Phase::Compiling),
        (9, Phase::Baseline),
        (20, Phase::Flushed),
        (30, Phase::Baseline),
    ];
    assert_eq!(history.phases, phases);
}

#[test]
fn of_one_microsecond_the_last_is_seen() {
    let history =
        play(&[(5, Change::Publish(Tier::Baseline)), (5, Change::TierUp), (5, Change::Publish(Tier::Optimizing))]);
    assert_eq!(history.phases, [(5, Phase::Optimizing)]);
    assert_eq!(history.warm_up, Some(0));
}

#[test]
fn every_phase_has_its_own_number_and_name() {
    for (at, phase) in Phase::ALL.iter().enumerate() {
        assert_eq!(phase.number(), at);
        assert_eq!(Phase::ALL.iter().filter(|other| other.name() == phase.name()).count(), 1);
    }
}

#[test]
fn very_many_phases_are_thinned_and_few_are_not() {
    let changes = |count: u64| {
        let pair = |at: u64| [(10 * at, Change::Publish(Tier::Baseline)), (10 * at + 5, Change::Flush)];
        (0..count).flat_map(pair).collect::<Vec<_>>()
    };
    let (few, many) = (play(&changes(100)), play(&changes(10_000)));
    assert_eq!(few.visible_phases(1_000), few.phases);
    let visible = many.visible_phases(100_000);
    assert_eq!((many.phases.len(), visible.len()), (20_000, 1_000));
    assert_eq!(visible.last(), many.phases.last());
}
