//! Requests to a store's thread that goes in and out of Wasm, with code that is replaced and freed, tasks, and its death.
//!
//! The scheduler interleaves the accesses of the threads one by one, which is what the barrier on behalf of all threads gives:
//! an order of all accesses that all agree on. What the barrier is for, weaker orders, is not in the model.

#[path = "../../crates/runtime/src/requests.rs"]
#[allow(dead_code, reason = "the models use what they need")]
mod protocol;

use std::collections::{HashMap, HashSet};

use shuttle::rand::{Rng, thread_rng};
use shuttle::sync::Arc;
use shuttle::thread;

use crate::sync::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Mutex, Ordering};
use protocol::{POLL, RAISED_LIMIT, REPORT, Requests, TERMINATE, Ticket, URGENT, Words};

/// The stack limit when nothing interrupts.
const LIMIT: usize = 4096;

/// A store, the one slot of its module, and who wants to free what the slot led to.
struct Model {
    in_wasm: AtomicU32,
    interrupt: AtomicU64,
    stack_limit: AtomicUsize,
    requests: Requests<()>,
    /// The code of the store's frames. The store's thread changes it, others look only while they keep it out of Wasm.
    stack: Mutex<Vec<usize>>,
    /// Somebody else looks at it.
    looked_at: Mutex<bool>,
    /// The newest code.
    slot: AtomicUsize,
    /// What each request has been told, by ticket.
    reports: Mutex<HashMap<u64, Vec<HashSet<usize>>>>,
    freed: Mutex<HashSet<usize>>,
    /// Tasks that wait.
    tasks: AtomicUsize,
    tasks_run: AtomicUsize,
    /// The next task has the store terminated.
    task_terminates: AtomicBool,
}

impl Model {
    fn new() -> Arc<Model> {
        Arc::new(Model {
            in_wasm: AtomicU32::new(0),
            interrupt: AtomicU64::new(0),
            stack_limit: AtomicUsize::new(0),
            requests: Requests::new(),
            stack: Mutex::new(Vec::new()),
            looked_at: Mutex::new(false),
            slot: AtomicUsize::new(0),
            reports: Mutex::new(HashMap::new()),
            freed: Mutex::new(HashSet::new()),
            tasks: AtomicUsize::new(0),
            tasks_run: AtomicUsize::new(0),
            task_terminates: AtomicBool::new(false),
        })
    }

    fn words(&self) -> Words<'_> {
        Words { in_wasm: &self.in_wasm, interrupt: &self.interrupt, stack_limit: &self.stack_limit }
    }

    fn held(&self) -> HashSet<usize> {
        self.stack.lock().unwrap().iter().copied().collect()
    }

    fn report(&self, ticket: Ticket, live: HashSet<usize>) {
        self.reports.lock().unwrap().entry(ticket.0).or_default().push(live);
    }

    // The store's thread.

    /// It changes its stack, which nobody may be looking at.
    fn change(&self, change: impl FnOnce(&mut Vec<usize>)) {
        assert!(!*self.looked_at.lock().unwrap(), "the stack changes while somebody walks it");
        let mut stack = self.stack.lock().unwrap();
        change(&mut stack);
        let freed = self.freed.lock().unwrap();
        assert!(stack.iter().all(|code| !freed.contains(code)), "code on the stack is freed");
    }

    fn answer(&self, bits: u64) -> u64 {
        let Some(mut open) = self.requests.open() else { return 0 };
        let (set, asked) = open.take(self.words(), bits, LIMIT);
        drop(open);
        asked.into_iter().for_each(|(ticket, ())| self.report(ticket, self.held()));
        if set & URGENT & !(bits | REPORT) != 0 {
            self.requests.open().unwrap().stop(self.words());
        }
        set
    }

    /// A safepoint in Wasm. False if it is to end.
    fn handle(self: &Arc<Self>) -> bool {
        let set = self.answer(POLL);
        if set & TERMINATE != 0 {
            if self.tasks.load(Ordering::Relaxed) != 0 {
                self.requests.open().unwrap().raise(self.words(), POLL);
            }
        } else if set & POLL != 0 {
            self.words().depart(0);
            let tasks = self.tasks.swap(0, Ordering::Relaxed);
            self.terminate_in_task();
            self.tasks_run.fetch_add(tasks, Ordering::Relaxed);
            self.words().arrive();
            if self.words().pending() != 0 {
                self.answer(0);
            }
        }
        self.words().pending() & TERMINATE == 0
    }

    /// A task that waits until another thread has terminated the store, perhaps after a call of its own.
    fn terminate_in_task(self: &Arc<Self>) {
        if !self.task_terminates.load(Ordering::Relaxed) {
            return;
        }
        self.task_terminates.store(false, Ordering::Relaxed);
        let model = Arc::clone(self);
        let watchdog = thread::spawn(move || model.raise(TERMINATE));
        if thread_rng().gen_range(0..2) == 0 {
            self.call(1);
        }
        watchdog.join().unwrap();
    }

    /// The entry of a call that was asked for something. False if it is to end.
    fn enter(self: &Arc<Self>) -> bool {
        self.requests.open().unwrap().begin();
        let goes_on = self.handle();
        self.requests.open().unwrap().begun();
        goes_on
    }

    /// Some steps of compiled code: prologues that look at the limit, or loops that look at the word. False if it is to end.
    fn run(self: &Arc<Self>, depth: u32) -> bool {
        for _ in 0..thread_rng().gen_range(0..3) {
            let interrupted = match thread_rng().gen_range(0..2) {
                0 => self.stack_limit.load(Ordering::Relaxed) == RAISED_LIMIT,
                _ => self.interrupt.load(Ordering::Relaxed) & URGENT != 0,
            };
            if interrupted && !self.handle() {
                return false;
            }
        }
        match thread_rng().gen_range(0..3) {
            0 if depth > 0 => self.host_function(depth - 1),
            _ => true,
        }
    }

    fn host_function(self: &Arc<Self>, depth: u32) -> bool {
        self.words().depart(0);
        if self.words().pending() & URGENT != 0 {
            self.words().arrive();
            if !self.handle() {
                return false;
            }
            self.words().depart(0);
            if self.words().pending() != 0 {
                self.answer(0);
            }
        }
        if depth > 0 {
            self.call(depth - 1);
        }
        thread::yield_now();
        self.words().arrive();
        self.words().pending() & URGENT == 0 || self.handle()
    }

    /// True unless it was ended before it began.
    fn call(self: &Arc<Self>, depth: u32) -> bool {
        let outermost = self.stack.lock().unwrap().is_empty();
        if outermost {
            self.stack_limit.store(LIMIT, Ordering::Relaxed);
        }
        let outer = self.words().arrive();
        let goes_on = self.words().pending() == 0 || self.enter();
        if goes_on {
            let code = self.slot.load(Ordering::Relaxed);
            thread::yield_now();
            self.change(|stack| stack.push(code));
            self.run(depth);
            self.change(|stack| _ = stack.pop());
        }
        if !outermost {
            self.stack_limit.store(LIMIT, Ordering::Relaxed);
        }
        self.words().depart(outer);
        if self.words().pending() & URGENT != 0 {
            self.answer(if outermost { TERMINATE } else { 0 });
        }
        goes_on
    }

    // Others.

    /// Replaces the code, asks who has it, and frees it if nobody does.
    fn replace(&self, code: usize) {
        let old = self.slot.swap(code, Ordering::Relaxed);
        let ticket = Ticket(code as u64);
        let Some(mut open) = self.requests.open() else { return };
        open.ask(self.words(), ticket, ());
        drop(open);
        thread::yield_now();
        let Some(mut open) = self.requests.open() else { return };
        open.settle(self.words(), ticket, false, |()| {
            *self.looked_at.lock().unwrap() = true;
            thread::yield_now();
            self.report(ticket, self.held());
            *self.looked_at.lock().unwrap() = false;
        });
        drop(open);
        let reports = self.reports.lock().unwrap();
        if let Some(live) = reports.get(&ticket.0)
            && !live[0].contains(&old)
        {
            self.freed.lock().unwrap().insert(old);
        }
    }

    /// Sets a bit as `stores::Registered::interrupt` does.
    fn raise(&self, bit: u64) {
        let Some(mut open) = self.requests.open() else { return };
        if open.raise(self.words(), bit) {
            thread::yield_now();
            let runs = open.stop(self.words());
            if bit == TERMINATE {
                let active = !self.stack.lock().unwrap().is_empty();
                open.withdraw(self.words(), runs, active);
            }
        }
    }

    fn post(&self) {
        self.tasks.fetch_add(1, Ordering::Relaxed);
        self.raise(POLL);
    }

    /// Runs `others` beside a thread that uses the store, which then dies.
    fn check(self: Arc<Self>, others: Vec<fn(&Model)>) {
        let user = Arc::clone(&self);
        let user = thread::spawn(move || {
            for _ in 0..2 {
                user.call(3);
            }
        });
        let others: Vec<_> = others
            .into_iter()
            .map(|other| {
                let model = Arc::clone(&self);
                thread::spawn(move || other(&model))
            })
            .collect();
        user.join().unwrap();
        if thread_rng().gen_range(0..2) == 0 {
            self.end();
            others.into_iter().for_each(|other| other.join().unwrap());
        } else {
            others.into_iter().for_each(|other| other.join().unwrap());
            // What was asked for last is seen by the next call.
            self.call(0);
            assert_eq!(self.interrupt.load(Ordering::Relaxed), 0);
            assert_eq!(self.stack_limit.load(Ordering::Relaxed), LIMIT);
            assert_eq!(self.tasks.load(Ordering::Relaxed), 0);
            self.end();
        }
    }

    fn end(&self) {
        let unanswered = self.requests.close();
        unanswered.into_iter().for_each(|(ticket, ())| self.report(ticket, HashSet::new()));
    }
}

fn check(iterations: usize, others: &'static [fn(&Model)]) {
    let model = || {
        let model = Model::new();
        Arc::clone(&model).check(others.to_vec());
        for (ticket, reports) in model.reports.lock().unwrap().iter() {
            assert_eq!(reports.len(), 1, "reports to {ticket}");
        }
    };
    shuttle::check_random(model, iterations);
    shuttle::check_pct(model, iterations, 3);
}

#[test]
fn each_request_is_answered_once_and_code_in_use_is_kept() {
    check(10_000, &[|model| model.replace(1), |model| model.replace(2)]);
}

#[test]
fn every_task_is_run() {
    check(
        5_000,
        &[
            |model| {
                model.post();
                model.post();
            },
            |model| model.post(),
            |model| model.replace(1),
        ],
    );
}

#[test]
fn a_termination_ends_with_what_it_ends() {
    check(5_000, &[|model| model.raise(TERMINATE), |model| model.post(), |model| model.replace(1)]);
}

#[test]
fn a_termination_ends_a_call_that_runs_tasks_at_its_entry() {
    let model = || {
        let model = Model::new();
        model.task_terminates.store(true, Ordering::Relaxed);
        model.post();
        assert!(!model.call(0), "the call began before it was terminated");
        assert!(model.call(0), "later calls are not affected");
        assert_eq!(model.interrupt.load(Ordering::Relaxed), 0);
        model.end();
    };
    shuttle::check_random(model, 4_000);
}
