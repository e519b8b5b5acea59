//! Jobs that do not end as they should.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::config::Config;
use crate::engine::Engine;
use crate::events::{Event, Listener};
use crate::module::compile;

use super::*;

const MODULE: &[u8] = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x0a\x04\x01\x02\0\x0b";

/// Panics at the first optimized code that it hears of: when it is compiled, or when it is published.
#[derive(Debug)]
struct Panics {
    at_publish: bool,
    done: AtomicBool,
}

impl Listener for Panics {
    fn event(&self, event: &Event) {
        let hit = match event.kind {
            EventKind::Compile { tier, .. } => !self.at_publish && tier == Tier::Optimizing,
            EventKind::Publish { tier, .. } => self.at_publish && tier == Tier::Optimizing,
            _ => false,
        };
        assert!(!hit || self.done.swap(true, Ordering::Relaxed), "a test of panics");
    }
}

#[test]
fn a_listener_that_panics_leaves_no_job_running() {
    for at_publish in [false, true] {
        let listener = Arc::new(Panics { at_publish, done: AtomicBool::new(false) });
        let engine = Engine::new(Config { listener: Some(listener), ..Config::default() }).unwrap();
        let (module, service) = (compile(&engine, MODULE).unwrap(), engine.service());
        let (function, tiering) = (DefinedFuncIndex(0), &attachment::of(&module).tiering);
        for fails in [true, false] {
            let job = (0..8).find_map(|_| tiering.spent_at_entry(function, true, 1).job).expect("it may be asked for");
            assert!(job.first, "nothing waits or runs");
            service.queue.push(Queued::new(&module, function, None, 1));
            let result = catch_unwind(AssertUnwindSafe(|| work(service)));
            assert_eq!((result.is_err(), service.queue.len()), (fails, (0, 0)));
        }
        assert_eq!(module.tier(function), Some(Tier::Optimizing));
        assert!((0..8).all(|_| tiering.spent_at_entry(function, true, 1).job.is_none()), "it is ready");
    }
}
