//! The protocol, one thread at a time. (`tests/models` has several at once.)

use std::collections::HashSet;
use std::sync::Mutex;
use std::time::Duration;

use super::protocol::{Collections, Number, World};

/// Candidates are 1 to 3. Writes down what is done.
#[derive(Default)]
struct Script {
    collections: Collections<Vec<usize>>,
    /// What is reported while all are asked.
    early: Vec<usize>,
    /// Who reports later; none if nobody can be asked.
    late: Mutex<Option<usize>>,
    /// Another collection is wanted while there is one: while all are asked, and while what is dead is freed.
    again: Mutex<[bool; 2]>,
    done: Mutex<Vec<(Number, String)>>,
}

impl Script {
    fn new(early: &[usize], late: Option<usize>) -> Script {
        Script { early: early.to_vec(), late: Mutex::new(late), ..Script::default() }
    }

    fn request(&self) -> Number {
        self.collections.request(self)
    }

    fn report(&self, number: Number, live: &[usize]) {
        self.collections.report(self, number, &live.iter().copied().collect());
    }

    fn note(&self, what: impl Into<String>) {
        self.done.lock().unwrap().push((self.collections.under_way().unwrap(), what.into()));
    }

    fn request_again(&self, when: usize) {
        if std::mem::take(&mut self.again.lock().unwrap()[when]) {
            let number = self.collections.under_way().unwrap();
            assert!(self.request() > number);
            assert_eq!(self.collections.under_way(), Some(number));
        }
    }

    fn done(&self) -> Vec<String> {
        std::mem::take(&mut *self.done.lock().unwrap()).into_iter().map(|(_, what)| what).collect()
    }

    fn has_ended(&self, number: Number) -> bool {
        self.collections.wait(number, Duration::ZERO)
    }
}

impl World for Script {
    type Candidates = Vec<usize>;

    fn snapshot(&self, _: Number) -> Vec<usize> {
        self.note("snapshot");
        vec![1, 2, 3]
    }

    fn ask(&self, number: Number) -> Option<usize> {
        self.note("ask");
        self.request_again(0);
        self.early.iter().for_each(|&live| self.report(number, &[live]));
        Some(self.early.len() + (*self.late.lock().unwrap())?)
    }

    fn free(&self, candidates: Vec<usize>, live: &HashSet<usize>) {
        self.request_again(1);
        let free: Vec<usize> = candidates.into_iter().filter(|candidate| !live.contains(candidate)).collect();
        self.note(format!("free {free:?}"));
    }
}

#[test]
fn without_participants_a_collection_is_over_at_once() {
    let script = Script::new(&[], Some(0));
    let number = script.request();
    assert_eq!(script.done(), ["snapshot", "ask", "free [1, 2, 3]"]);
    assert!(script.has_ended(number));
    assert_eq!(script.collections.under_way(), None);
}

#[test]
fn reports_that_come_while_others_are_asked_do_not_end_it() {
    let script = Script::new(&[1, 2], Some(1));
    let number = script.request();
    assert_eq!(script.done(), ["snapshot", "ask"]);
    assert!(!script.has_ended(number));
    script.report(number, &[2, 9]);
    assert_eq!(script.done(), ["free [3]"]);
    assert!(script.has_ended(number));
    assert_eq!(script.collections.statistics().reports, 3);
}

#[test]
fn who_brings_the_last_report_frees_and_goes_on_with_what_was_remembered() {
    let script = Script::new(&[], Some(2));
    let first = script.request();
    script.report(first, &[1]);
    let second = script.request();
    assert_eq!((script.request(), script.request()), (second, second));
    assert_eq!(script.done(), ["snapshot", "ask"]);
    script.report(first, &[3]);
    assert_eq!(script.done(), ["free [2]", "snapshot", "ask"]);
    assert_eq!((script.has_ended(first), script.has_ended(second)), (true, false));
    // What is said of the first does not count for the second.
    script.report(first, &[]);
    script.report(second, &[]);
    assert_eq!(script.done(), [] as [&str; 0]);
    script.report(second, &[]);
    assert_eq!(script.done(), ["free [1, 2, 3]"]);
    let statistics = script.collections.statistics();
    assert_eq!((statistics.completed, statistics.remembered), (2, 3));
}

#[test]
fn one_more_follows_whenever_it_was_asked_for() {
    let all = ["snapshot", "ask", "free [1, 2, 3]", "snapshot", "ask", "free [1, 2, 3]"];
    for again in [[true, false], [false, true]] {
        let script = Script::new(&[], Some(0));
        *script.again.lock().unwrap() = again;
        script.request();
        assert_eq!(script.done(), all);
    }
}

#[test]
fn when_nobody_can_be_asked_nothing_is_freed() {
    let script = Script::new(&[1], None);
    script.again.lock().unwrap()[0] = true;
    let number = script.request();
    assert_eq!(script.done(), ["snapshot", "ask"]);
    assert!(script.has_ended(number));
    assert_eq!((script.collections.under_way(), script.collections.statistics().completed), (None, 0));
    // Not even by a late report.
    *script.late.lock().unwrap() = Some(1);
    let next = script.request();
    script.report(number, &[]);
    assert_eq!(script.done(), ["snapshot", "ask"]);
    script.report(next, &[2]);
    assert_eq!(script.done(), ["free [3]"]);
}
