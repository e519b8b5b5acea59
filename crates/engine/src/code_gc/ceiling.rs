//! The ceiling on machine code, and what is done when code memory is full.

use std::sync::Arc;

use abi::tier::Tier;
use code::code::CodeKind;
use runtime::stores::Running;

use super::{Collector, collect_now, flush};
use crate::service::Service;

/// Flushes and frees if there is more code than the configuration wants, before more is made.
pub(crate) fn keep_below(service: &Arc<Service>, running: Option<&Running>) {
    let Some(ceiling) = service.config.max_code_bytes else { return };
    let space = &service.space;
    if space.code_bytes() <= ceiling {
        return;
    }
    let in_use = || space.code_bytes().saturating_sub(space.retired_bytes());
    // What was flushed and is not freed yet, as other stores have still to answer, takes as much memory as before: flushing
    // more of it would only make more.
    let is_stuck = space.retired_bytes() > ceiling && service.code_gc.is_under_way();
    if in_use() > ceiling && !is_stuck {
        let target = ceiling / 4 * 3;
        flush::coldest(service, in_use() - target);
        if in_use() > ceiling {
            flush::everything(service, |kind| matches!(kind, CodeKind::Function { osr: Some(_), .. }));
        }
        if in_use() > ceiling {
            flush::everything(service, |kind| matches!(kind, CodeKind::Function { tier: Tier::Optimizing, .. }));
        }
    }
    service.code_gc.collections.request(&Collector { service, running });
}

/// Is there room below the ceiling for code that could be done without?
pub(crate) fn has_room(service: &Service) -> bool {
    let space = &service.space;
    service
        .config
        .max_code_bytes
        .is_none_or(|ceiling| space.code_bytes().saturating_sub(space.retired_bytes()) <= ceiling)
}

/// The tries of one compilation to make room in full code memory.
#[derive(Debug, Default)]
pub(crate) struct Room {
    tries: u32,
}

impl Room {
    /// Makes room, by harsher means each time. False when there are no more.
    pub(crate) fn make(&mut self, service: &Arc<Service>, running: Option<&Running>) -> bool {
        self.tries += 1;
        match self.tries {
            1 => {}
            2 => flush::coldest(service, service.space.size() / 4),
            3 => flush::everything(service, |_| true),
            _ => return false,
        }
        collect_now(service, running);
        true
    }
}
