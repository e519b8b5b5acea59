//! `ThreadPool`: threads that are started when there is work, and joined when the pool is dropped.
//!
//! A thread that is free takes the most urgent task, and of those the oldest. Dropping the pool drops tasks that have not
//! begun and waits for those that have. If it is a worker that drops it, that worker ends by itself.
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
    /// Workers that wait for work.
    idle: usize,
    closing: bool,
}

impl State {
    fn queue(&mut self, urgency: Urgency) -> &mut VecDeque<Task> {
        match urgency {
            Urgency::Urgent => &mut self.urgent,
            Urgency::Normal => &mut self.normal,
            Urgency::Background => &mut self.background,
        }
    }

    fn take(&mut self) -> Option<Task> {
        if self.closing {
            return None;
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
        ThreadPool { shared: Arc::default(), threads }
    }
}

impl Pool for ThreadPool {
    fn threads(&self) -> usize {
        self.threads
    }

    fn spawn(&self, task: Task) -> Result<(), Task> {
        let mut state = lock(&self.shared);
        // A thread that the system refuses is done without.
        if state.idle <= state.queued()
            && state.workers.len() < self.threads
            && !state.closing
            && let Ok(handle) = start(&self.shared, state.workers.len())
        {
            state.workers.push(handle);
        }
        if state.workers.is_empty() || state.closing {
            return Err(task);
        }
        state.queue(task.urgency()).push_back(task);
        drop(state);
        self.shared.wake.notify_one();
        Ok(())
    }
}

fn start(shared: &Arc<Shared>, number: usize) -> std::io::Result<JoinHandle<()>> {
    let shared = Arc::clone(shared);
    std::thread::Builder::new().name(format!("upshift-{number}")).spawn(move || work(&shared))
}

fn work(shared: &Shared) {
    let mut state = lock(shared);
    loop {
        if let Some(task) = state.take() {
            drop(state);
            task.run();
            state = lock(shared);
        } else if state.closing {
            return;
        } else {
            state.idle += 1;
            state = shared.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
    }
}

impl Drop for ThreadPool {
    fn drop(&mut self) {
        let (workers, tasks) = {
            let mut state = lock(&self.shared);
            state.closing = true;
            let State { urgent, normal, background, workers, .. } = &mut *state;
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
