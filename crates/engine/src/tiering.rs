//! Tier-up: hot functions move from baseline code to optimized code while they run.
//!
//! 1. Baseline code subtracts from its function's budget what it executes, at entries and back-edges. When it is spent,
//!    the code asks: at an entry [`tier_up`], in a loop [`loop_tier_up`].
//! 2. `ModuleTiering::spent_*` decides, under the module's lock. The function's *priority* goes up by one. A function that
//!    has no optimizing job yet gets one, and a job that waits moves ahead at every power of two. The budget grows with the
//!    function's size (`tuning::whole_budget`); the largest functions must spend it several times for each job.
//! 3. A loop gets an *OSR entry* of its own if the call it runs in is not going to end soon: at once if that call was one of
//!    very few, else when the function's ordinary code is published and the old call still runs. The first entry alone is of
//!    use to a function that is called once; its ordinary code is made if it is called, and spends its budget, again.
//! 4. The job goes to the [`Queue`], a heap by priority, and a worker of the pool runs [`work`]: it takes the best job there
//!    is, compiles it within a budget of time and memory, and publishes the code by one store. Calls from then on take it.
//!    With `sync_tier_up` the job is run at once instead, on the thread that asks.
//! 5. A new OSR entry makes its function's budget spent (`NativeModule::set_budget`), so that the loop asks again at its
//!    next back-edge, and is answered with the entry. The runtime copies the frame.
//!
//! A job that is given up leaves its function in the baseline tier for good, and with the largest budget.
//!
//! Accepted: budgets are plain memory, so a new budget may get lost to a thread that is just subtracting; the next one is
//! not far, as a function's budget is shortened while it waits for a job. A function may be compiled although its module is
//! about to go: jobs hold modules weakly, but finish what they have begun.
//!
//! Locks: a module's tiering lock is the outermost but one (the pool's is taken alone). None is held while code is made.

use std::sync::Arc;

use abi::compiler::CompileErrorKind;
use abi::feedback::entry_cost;
use abi::tier::Tier;
use code::native_module::NativeModule;
use runtime::hooks::{HotLoop, LazyError};
use runtime::stores::Running;
use wasm::types::DefinedFuncIndex;

use crate::attachment;
use crate::code_gc;
use crate::compile::job::{Job, budget};
use crate::events::{Cause, EventKind};
use crate::pool::{Label, Urgency};
use crate::service::{Service, count};

mod queue;
mod state;
#[cfg(test)]
mod tests;

pub(crate) use queue::{Queue, Queued};
pub(crate) use state::ModuleTiering;

use state::{Decision, Finished};

/// A function has spent its budget at its entry: gives it a new one, and the code pointer to go on with.
pub(crate) fn tier_up(
    service: &Arc<Service>,
    module: &Arc<NativeModule>,
    function: DefinedFuncIndex,
    running: &Running,
) -> *const u8 {
    let (rounds, whole) = budget(service, module, function);
    let decision = attachment::of(module).tiering.spent_at_entry(function, may_compile(service), rounds);
    act(service, module, function, &decision, running);
    code_gc::collect_if_worth_it(service, Some(running));
    // The entry is run again, and once more if it is interrupted; that must not spend all of it.
    let entry = module.code(function).map_or(0, |code| entry_cost(u32::try_from(code.len()).unwrap_or(u32::MAX)));
    let slack = entry.saturating_mul(2).saturating_add(ENTRY_SLACK);
    module.set_budget(function, decision.budget(whole).saturating_add(slack));
    module.table().get(function)
}

/// More than twice a function's cost at entry can differ from what its code's length says.
const ENTRY_SLACK: i32 = 1 << 10;

/// A loop has spent its function's budget: gives a new one, and the OSR entry to go on in, if there is one.
pub(crate) fn loop_tier_up(
    service: &Arc<Service>,
    module: &Arc<NativeModule>,
    hot: HotLoop,
    running: &Running,
) -> Option<*const u8> {
    let attachment = attachment::of(module);
    let osr = service.config.osr;
    let (rounds, whole) = budget(service, module, hot.function);
    let decision = attachment.tiering.spent_in_loop(hot, may_compile(service), osr, rounds);
    act(service, module, hot.function, &decision, running);
    code_gc::collect_if_worth_it(service, Some(running));
    module.set_budget(hot.function, decision.budget(whole));
    if !osr {
        return None;
    }
    let entry = module.osr_entry(hot.function, hot.offset)?;
    attachment.tiering.entered(hot.function);
    count([&attachment.counts.osr_entered, &service.counts.osr_entered], 1);
    let function = module.info().func_index(hot.function).0;
    service.events.mark(Some(attachment.number), EventKind::OsrEnter { function, offset: hot.offset });
    Some(entry)
}

fn may_compile(service: &Service) -> bool {
    service.compilers.dynamic() && code_gc::ceiling::has_room(service)
}

/// Queues the job that was decided on, or runs it.
fn act(
    service: &Arc<Service>,
    module: &Arc<NativeModule>,
    function: DefinedFuncIndex,
    decision: &Decision,
    running: &Running,
) {
    let Some(wanted) = decision.job else { return };
    let attachment = attachment::of(module);
    if wanted.first {
        count([&attachment.counts.tier_ups, &service.counts.tier_ups], 1);
        let kind = EventKind::TierUp {
            function: module.info().func_index(function).0,
            osr: wanted.osr,
            priority: decision.priority,
        };
        service.events.mark(Some(attachment.number), kind);
    }
    if service.config.sync_tier_up {
        run(service, module, function, wanted.osr, Some(running));
        return;
    }
    service.queue.push(Queued::new(module, function, wanted.osr, decision.priority));
    let worker = Arc::clone(service);
    let label = Label { name: "tier-up", module: Some(attachment.number) };
    if service.workers.spawn(Urgency::Urgent, label, move || work(&worker)).is_none() {
        // No thread can be had: the next one to ask tries again.
        attachment.tiering.finished(function, wanted.osr, Finished::Refused);
    }
}

/// What a worker does for every job that was queued: the best one that there is now.
fn work(service: &Arc<Service>) {
    let Some(popped) = service.queue.pop() else { return };
    let job = &popped.job;
    if let Some(module) = job.module.upgrade() {
        run(service, &module, job.function, job.osr, None);
        code_gc::collect_if_worth_it(service, None);
    }
}

/// A job that runs. Whatever ends it, its function learns of it: also a panic, as of a listener.
struct Attempt<'a> {
    tiering: &'a ModuleTiering,
    function: DefinedFuncIndex,
    osr: Option<u32>,
    finished: Finished,
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        self.tiering.finished(self.function, self.osr, self.finished);
    }
}

/// Runs a job, unless it has been taken already.
fn run(
    service: &Arc<Service>,
    module: &Arc<NativeModule>,
    function: DefinedFuncIndex,
    osr: Option<u32>,
    running: Option<&Running>,
) {
    let attachment = attachment::of(module);
    if !attachment.tiering.begin(function, osr) {
        return;
    }
    let mut attempt = Attempt { tiering: &attachment.tiering, function, osr, finished: Finished::Refused };
    let job = Job { module, function, tier: Tier::Optimizing, osr, cause: Cause::TierUp, running };
    let finished = match job.run(service) {
        Ok(_) => Finished::Ready,
        Err(LazyError::Compile(error)) if error.kind == CompileErrorKind::Budget => {
            count([&attachment.counts.over_budget, &service.counts.over_budget], 1);
            Finished::Abandoned
        }
        Err(_) => {
            count([&attachment.counts.failed, &service.counts.failed], 1);
            Finished::Abandoned
        }
    };
    attempt.finished = finished;
    drop(attempt);
    match finished {
        // Only a frame that is still in baseline code looks at the budget: it should ask soon for its entry. Another piece
        // of code for the sake of that frame has to be earned by a whole budget.
        Finished::Ready if osr.is_some() => module.set_budget(function, 0),
        Finished::Ready => module.set_budget(function, budget(service, module, function).1),
        Finished::Abandoned => module.set_budget(function, i32::MAX),
        Finished::Refused => {}
    }
}
