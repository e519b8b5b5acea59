//! `Jobs`: what an engine that goes has to end, as its results will be of no use: modules that tasks make, streams.

use std::fmt::Debug;
use std::sync::{Arc, Weak};

use crate::sync::{Mutex, PoisonError};

/// Something that is being made, for somebody who may be waiting for it. It does not keep its engine.
pub(crate) trait Ends: Send + Sync + Debug {
    /// The engine is going: work that runs stops at the next chunk, and no other begins.
    fn cancel(&self);

    /// The engine has no task any more: who waits is told, and a result that nobody has taken is dropped.
    fn end(&self);
}

/// The jobs of an engine.
#[derive(Debug, Default)]
pub(crate) struct Jobs {
    list: Mutex<Vec<Weak<dyn Ends>>>,
}

impl Jobs {
    /// Adds a job, for as long as it lives.
    pub(crate) fn add(&self, job: Weak<dyn Ends>) {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        // Looked through when it would have to grow, so that adding stays cheap.
        if list.len() == list.capacity() {
            list.retain(|known| known.strong_count() > 0);
        }
        list.push(job);
    }

    /// The engine is going.
    pub(crate) fn cancel(&self) {
        self.all().iter().for_each(|job| job.cancel());
    }

    /// The engine has no task any more.
    pub(crate) fn end(&self) {
        self.all().iter().for_each(|job| job.end());
    }

    fn all(&self) -> Vec<Arc<dyn Ends>> {
        let list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        list.iter().filter_map(Weak::upgrade).collect()
    }
}
