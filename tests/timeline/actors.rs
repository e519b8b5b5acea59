//! Actors: threads that a test steps from line to line of a timeline.

use std::sync::{Arc, MutexGuard};
use std::thread::{self, JoinHandle, ThreadId};
use std::time::Duration;

use super::{State, Timeline};

/// How long a turn may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A thread that works in its turns only.
pub struct Actor<T> {
    timeline: Arc<Timeline>,
    thread: Option<JoinHandle<T>>,
    id: ThreadId,
}

/// How far an actor may go.
#[derive(Debug)]
pub struct Turn {
    name: &'static str,
    goal: Goal,
    /// The line of the goal was told; the actor may have gone on, as far as to its end.
    reached: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Goal {
    /// Nowhere: it has no turn.
    Here,
    /// To the line with this text, and there it stops; or behind it, as far as it gets without a line.
    Line { text: String, stop: bool },
    /// To its end.
    End,
    /// It has come to its end.
    Ended,
}

impl Timeline {
    /// A thread that will do this work when it is given turns.
    pub fn actor<T: Send + 'static>(
        self: &Arc<Self>,
        name: &'static str,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Actor<T> {
        let timeline = Arc::clone(self);
        // Locked, so that the thread does not look for its turn before it is known.
        let mut state = self.state.lock().unwrap();
        let thread = thread::spawn(move || {
            let _end = End(&timeline);
            drop(timeline.wait_for_turn());
            work()
        });
        let id = thread.thread().id();
        state.actors.insert(id, Turn { name, goal: Goal::Here, reached: false });
        drop(state);
        Actor { timeline: Arc::clone(self), thread: Some(thread), id }
    }

    /// Adds a line in an actor's turn, or at once on any other thread.
    pub(super) fn tell(&self, line: impl FnOnce(&mut State) -> String) {
        let mut state = self.wait_for_turn();
        let line = line(&mut state);
        let State { text, actors, .. } = &mut *state;
        let Some(turn) = actors.get_mut(&thread::current().id()) else {
            *text += &format!("{line}\n");
            return;
        };
        let line = format!("[{}] {line}", turn.name);
        *text += &format!("{line}\n");
        let Goal::Line { text, stop } = &turn.goal else { return };
        if !line.contains(text) {
            return;
        }
        let stop = *stop;
        (turn.goal, turn.reached) = (Goal::Here, true);
        drop(state);
        self.changed.notify_all();
        if stop {
            drop(self.wait_for_turn());
        }
    }

    /// Waits until this thread has a turn. One that is no actor has.
    ///
    /// # Panics
    /// When the test has failed, so that actors end that would go on for ever.
    fn wait_for_turn(&self) -> MutexGuard<'_, State> {
        let this = thread::current().id();
        let state = self.state.lock().unwrap();
        let has_none =
            |state: &mut State| !state.is_over && state.actors.get(&this).is_some_and(|turn| turn.goal == Goal::Here);
        let state = self.changed.wait_while(state, has_none).unwrap();
        if state.is_over && state.actors.contains_key(&this) && !thread::panicking() {
            drop(state);
            panic!("the test has failed");
        }
        state
    }
}

impl<T> Actor<T> {
    /// Gives it a turn up to its line with this text, where it stops.
    #[track_caller]
    pub fn to(&self, text: &str) {
        self.turn(Goal::Line { text: text.into(), stop: true });
    }

    /// Gives it a turn up to its line with this text, and lets it go on until it has another line to tell.
    #[track_caller]
    pub fn past(&self, text: &str) {
        self.turn(Goal::Line { text: text.into(), stop: false });
    }

    /// Lets it go to its end, and gives what comes of it.
    #[track_caller]
    pub fn end(mut self) -> T {
        self.turn(Goal::End);
        self.thread.take().unwrap().join().unwrap()
    }

    /// Lets it go to its end, without waiting for that: something other than its turn keeps it.
    pub fn leave(&self) {
        let mut state = self.timeline.state.lock().unwrap();
        let turn = state.actors.get_mut(&self.id).unwrap();
        if turn.goal != Goal::Ended {
            turn.goal = Goal::End;
        }
        drop(state);
        self.timeline.changed.notify_all();
    }

    #[track_caller]
    fn turn(&self, goal: Goal) {
        let mut state = self.timeline.state.lock().unwrap();
        let turn = state.actors.get_mut(&self.id).unwrap();
        turn.reached = goal == Goal::End;
        if turn.goal != Goal::Ended {
            turn.goal = goal.clone();
        }
        self.timeline.changed.notify_all();
        let goes = |state: &mut State| !matches!(state.actors[&self.id].goal, Goal::Here | Goal::Ended);
        let (state, timeout) = self.timeline.changed.wait_timeout_while(state, PATIENCE, goes).unwrap();
        let turn = &state.actors[&self.id];
        let failed = timeout.timed_out() || !turn.reached;
        let (turn, text) = (format!("{turn:?}"), state.text.clone());
        // Not poisoned, so that the others can end.
        drop(state);
        assert!(!failed, "this turn did not go so far: {goal:?}, but {turn}:\n{text}");
    }
}

impl<T> Drop for Actor<T> {
    fn drop(&mut self) {
        if self.thread.is_some() {
            self.timeline.state.lock().unwrap().is_over = true;
            self.timeline.changed.notify_all();
        }
    }
}

/// Says that an actor has come to its end, by a panic or not.
struct End<'a>(&'a Timeline);

impl Drop for End<'_> {
    fn drop(&mut self) {
        if let Some(turn) = self.0.state.lock().unwrap().actors.get_mut(&thread::current().id()) {
            turn.goal = Goal::Ended;
        }
        self.0.changed.notify_all();
    }
}
