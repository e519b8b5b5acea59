//! `ThreadPool`: threads that are started when there is work, and joined when the pool is dropped.
//!
//! A thread that is free takes the most urgent task, and of those the oldest. Dropping the pool drops tasks that have not
//! begun and waits for those that have. If it is a worker that drops it, that worker ends by itself.
//!
//! An engine's own pool has one *helper* more: a thread that takes shares of batches only ([`Urgency::Normal`]), when all
//! others are busy. An engine has a worker less than there are cores, as the program itself runs too; but when a worker
//! makes a large module while the program waits, both cores should be at it.
//!
//! Invariant: the pool's lock is never held while a task runs or is dropped.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use super::{Pool, Task, Urgency};

/// A pool of threads. Engines without a pool of their own choosing have one each.
pub struct ThreadPool {
    shared: Arc<Shared>,
    threads: usize,
    /// May there be a helper?
    helper: bool,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Default)]
struct State {
    urgent: VecDeque<Task>,
    normal: VecDeque<Task>,
    background: VecDeque<Task>,
    workers: Vec<JoinHandle<()>>,
    helper: Option<JoinHandle<()>>,
    /// Workers that wait for work, without the helper.
    idle: usize,
    closing: bool,
}

/// Which tasks a thread takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Any.
    Worker,
    /// Shares of batches.
    Helper,
}

impl State {
    fn queue(&mut self, urgency: Urgency) -> &mut VecDeque<Task> {
        match urgency {
            Urgency::Urgent => &mut self.urgent,
            Urgency::Normal => &mut self.normal,
            Urgency::Background => &mut self.background,
        }
    }

    fn take(&mut self, role: Role) -> Option<Task> {
        if self.closing {
            return None;
        }
        if role == Role::Helper {
            return self.normal.pop_front();
        }
        self.urgent.pop_front().or_else(|| self.normal.pop_front()).or_else(|| self.background.pop_front())
    }

    fn queued(&self) -> usize {
        self.urgent.len() + self.normal.len() + self.background.len()
    }
}

impl fmt::Debug for ThreadPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadPool").field("threads", &self.threads).finish_non_exhaustive()
    }
}

impl ThreadPool {
    /// A pool of at most `threads` threads. None is started before there are tasks.
    pub fn new(threads: usize) -> ThreadPool {
        ThreadPool { shared: Arc::default(), threads, helper: false }
    }

    /// The same with a helper.
    pub(super) fn with_helper(threads: usize) -> ThreadPool {
        ThreadPool { shared: Arc::default(), threads, helper: true }
    }

    /// Starts the thread that a new task needs, if it needs one. A thread that the system refuses is done without.
    fn start_for(&self, state: &mut State, urgency: Urgency) {
        if state.idle > state.queued() || state.closing {
            return;
        }
        if state.workers.len() < self.threads {
            state.workers.extend(start(&self.shared, Role::Worker, state.workers.len()));
        } else if self.helper && urgency == Urgency::Normal && state.helper.is_none() {
            state.helper = start(&self.shared, Role::Helper, state.workers.len()).ok();
        }
    }
}

impl Pool for ThreadPool {
    fn threads(&self) -> usize {
        self.threads
    }

    fn spawn(&self, task: Task) -> Result<(), Task> {
        let mut state = lock(&self.shared);
        self.start_for(&mut state, task.urgency());
        if state.workers.is_empty() || state.closing {
            return Err(task);
        }
        let helped = state.helper.is_some();
        state.queue(task.urgency()).push_back(task);
        drop(state);
        // One thread will do, but not any one if there is a helper.
        if helped {
            self.shared.wake.notify_all();
        } else {
            self.shared.wake.notify_one();
        }
        Ok(())
    }
}

fn start(shared: &Arc<Shared>, role: Role, number: usize) -> std::io::Result<JoinHandle<()>> {
    let shared = Arc::clone(shared);
    std::thread::Builder::new().name(format!("upshift-{number}")).spawn(move || work(&shared, role))
}

fn work(shared: &Shared, role: Role) {
    let mut state = lock(shared);
    loop {
        if let Some(task) = state.take(role) {
            drop(state);
            task.run();
            state = lock(shared);
        } else if state.closing {
            return;
        } else {
            let counts = usize::from(role == Role::Worker);
            state.idle += counts;
            state = shared.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.idle -= counts;
        }
    }
}

impl Drop for ThreadPool {
    fn drop(&mut self) {
        let (workers, tasks) = {
            let mut state = lock(&self.shared);
            state.closing = true;
            let State { urgent, normal, background, workers, helper, .. } = &mut *state;
            workers.extend(helper.take());
            urgent.append(normal);
            urgent.append(background);
            (std::mem::take(workers), std::mem::take(urgent))
        };
        self.shared.wake.notify_all();
        drop(tasks);
        let this = std::thread::current().id();
        for worker in workers {
            if worker.thread().id() != this {
                // A worker that panicked has said so already.
                let _ = worker.join();
            }
        }
    }
}

fn lock(shared: &Shared) -> MutexGuard<'_, State> {
    shared.state.lock().unwrap_or_else(PoisonError::into_inner)
}
