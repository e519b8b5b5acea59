//! `EventLog`: a listener that keeps the newest events.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use super::{Event, Listener};

/// A listener that keeps the newest events.
#[derive(Debug)]
pub struct EventLog {
    capacity: usize,
    state: Mutex<Log>,
}

#[derive(Debug, Default)]
struct Log {
    events: VecDeque<Event>,
    lost: u64,
}

impl EventLog {
    /// A log of at most `capacity` events; older ones are dropped, and counted.
    pub fn new(capacity: usize) -> EventLog {
        EventLog { capacity, state: Mutex::default() }
    }

    /// Takes the events out, oldest first (by the time they ended).
    pub fn take(&self) -> Vec<Event> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.events.drain(..).collect()
    }

    /// Events that were dropped for want of room.
    pub fn lost(&self) -> u64 {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).lost
    }
}

impl Listener for EventLog {
    fn event(&self, event: &Event) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.events.len() >= self.capacity {
            state.events.pop_front();
            state.lost += 1;
        }
        if self.capacity > 0 {
            state.events.push_back(*event);
        }
    }
}
