//! The ceiling on machine code, and what is done when code memory is full.
//!
//! 1. Who is about to compile a function looks whether there is more code than there may be ([`keep_below`]).
//! 2. If more is in use, the coldest goes until a quarter of the ceiling is free; and if that is not enough, what the
//!    optimizing tier has made. So there is room for many functions before the next look through all code.
//! 3. Then a collection frees what was retired, if enough was since the last one; what that has found on stacks is likely to
//!    be there still.
//!
//! A ceiling far below what a program needs makes it compile the same functions again and again. That much is wanted; but what
//! it costs is the compilation alone: a ceiling counts as [`tuning::LEAST_CEILING`] at least, so that steps 2 and 3, which
//! cost as much as dozens of small functions, are not taken for each.
//!
//! Slack: code in use passes the ceiling by the function that is being made, and by stubs, which are not flushed. Besides,
//! there is what stacks hold, or did at the last collection, what stores that run have not answered for, and what has been
//! retired since: less than an eighth of the ceiling.

use std::sync::Arc;

use abi::tier::Tier;
use code::code::CodeKind;
use runtime::stores::Running;

use super::{Collector, collect_now, flush};
use crate::service::Service;
use crate::tuning;

/// The ceiling, if there is one. Under stress it is taken by the letter.
fn of(service: &Service) -> Option<usize> {
    let least = if service.config.code_gc_stress { 0 } else { tuning::LEAST_CEILING };
    Some(service.config.max_code_bytes?.max(least))
}

/// Flushes and frees if there is more code than the configuration wants, before more is made.
pub(crate) fn keep_below(service: &Arc<Service>, running: Option<&Running>) {
    let Some(ceiling) = of(service) else { return };
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
    if service.code_gc.retired_since(service) >= ceiling / tuning::CEILING_STEPS {
        service.code_gc.collections.request(&Collector { service, running });
    }
}

/// Is there room below the ceiling for code that could be done without?
pub(crate) fn has_room(service: &Service) -> bool {
    let space = &service.space;
    of(service).is_none_or(|ceiling| space.code_bytes().saturating_sub(space.retired_bytes()) <= ceiling)
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
