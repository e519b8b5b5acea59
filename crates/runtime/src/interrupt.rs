//! Safepoints: what a store's thread does when others want something of it ([`crate::requests`] tells how they ask).
//!
//! Safepoints are where the thread is in the runtime, all its frames can be walked, and it holds no code pointer:
//! 1. entry of a call ([`at_entry`]) and its return ([`at_exit`]);
//! 2. a host function's call and return ([`crate::host_call::leave`], [`crate::host_call::come_back`]);
//! 3. prologues, which trap when the stack limit is raised. The signal handler ([`crate::signal`]) takes the frame down
//!    again and goes to a trampoline that keeps all arguments and calls [`at_prologue`], which gives the code to go on in;
//! 4. loops, which call a trampoline that keeps all registers, and that [`at_loop`], when they find the word not zero.
//!
//! All but the ways out come to [`handle`]: it answers who wants to know the code on the stacks, ends the call if it is to be
//! terminated, and runs the foreground tasks.
//!
//! A store is *terminated* by a bit that stays set until the last call has returned. So a host function that hides the trap
//! from the Wasm below it only gets as far as the next transition, and a task that runs at the entry of a call, and calls
//! itself, ends with all its calls, and the call behind it with it.
//!
//! Tasks run as host functions do, with `in_wasm` 0, and never inside each other. One round runs those that wait when it
//! begins, so that a task which posts itself again does not keep Wasm from going on.
//!
//! For tests, an engine may want safepoints to be *offered* to it (`Environment::offer_safepoints`): those at the border to the
//! host, and the first that running code comes to after each of these and after each hook. An interrupt that only asks for a
//! report is not offered: it may be part of what another store's offer has led to, and two stores that run would answer
//! each other for ever.
//!
//! Accepted: builtins and hooks are no safepoints. What may take long in them is done as if it were the host's
//! ([`crate::host_call::in_host`]), so that others can be answered: a lazy compilation, large fills and copies. Tasks
//! wait for its end, and so does a termination, except in fills and copies (`crate::builtins::pieces`).

use std::collections::HashSet;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::{self, NonNull};
use std::sync::{Arc, Weak};

use abi::layout::{InstanceHeader, StoreContext};
use abi::trap::TrapReason;
use code::code::{Code, CodeKind};
use sys::trampolines::BuiltinResult;

use crate::activation::Pin;
use crate::call::{current, set_pending};
use crate::error::{Failure, Raised};
use crate::foreground::Queued;
use crate::frames;
use crate::requests::{IDLE, OFFER, OFFER_ALL, POLL, RAISED_LIMIT, REPORT, TERMINATE, URGENT};
use crate::store::Store;
use crate::stores::{Answer, LiveCode, Registered, Running, words};

/// # Safety
/// `context` is that of a pinned store that this thread uses.
unsafe fn registered(context: *mut StoreContext) -> Arc<Registered> {
    // SAFETY: promised by the caller; the loan ends here.
    unsafe { Arc::clone((*(*context).store.cast::<Store>()).registered()) }
}

/// Has the store no activation?
///
/// # Safety
/// As for [`registered`].
unsafe fn is_outermost(context: *mut StoreContext) -> bool {
    // SAFETY: promised by the caller.
    unsafe { (*context).entry.is_null() }
}

/// Deals with everything that is asked of the thread, which is in Wasm by its word; `how` it came to be here.
///
/// # Errors
/// Why the running call ends.
///
/// # Safety
/// `context` is that of a pinned store that runs on this thread and is at a safepoint; nobody else uses the store, as tasks
/// do.
unsafe fn handle(context: *mut StoreContext, how: Answer) -> Result<(), Failure> {
    // SAFETY: promised by the caller, for all that follows.
    unsafe {
        let (registered, words) = (registered(context), words(context));
        let tasks = if is_outermost(context) { POLL | IDLE } else { POLL };
        let (bits, asked) = registered.take(tasks | OFFER);
        report(&registered, &asked, how);
        if bits & OFFER_ALL != 0 && bits & URGENT & !REPORT != 0 {
            offer(context);
        }
        if bits & TERMINATE != 0 {
            // They are for another call.
            (*(*context).store.cast::<Store>()).foreground().announce();
        } else if bits & tasks != 0 {
            words.depart(0);
            let outcome = run_tasks((*context).store.cast(), Round::Waiting);
            words.arrive();
            answer(context, Answer::Crossing);
            outcome?;
        }
        if words.pending() & TERMINATE != 0 { Err(Failure::Trap(TrapReason::Interrupt)) } else { Ok(()) }
    }
}

/// Offers a safepoint, at which the thread is, to the engine.
///
/// # Safety
/// As for [`answer`].
unsafe fn offer(context: *mut StoreContext) {
    // SAFETY: promised by the caller; the loan of the store ends here.
    unsafe {
        let hooks = Arc::clone(&(*(*context).store.cast::<Store>()).environment().hooks);
        hooks.safepoint(&Running::new(context));
    }
}

/// If the engine wants safepoints, sees to it that it is offered the next one.
///
/// # Safety
/// `context` is that of a pinned store that this thread uses.
#[inline]
pub(crate) unsafe fn offer_next(context: *mut StoreContext) {
    // SAFETY: promised by the caller.
    unsafe {
        if words(context).pending() & OFFER_ALL != 0 {
            registered(context).interrupt(OFFER);
        }
    }
}

/// [`handle`], and a panic of the embedder's is a failure.
///
/// # Safety
/// As for [`handle`].
pub(crate) unsafe fn handle_caught(context: *mut StoreContext, how: Answer) -> Result<(), Failure> {
    // SAFETY: promised by the caller.
    let outcome = catch_unwind(AssertUnwindSafe(|| unsafe { handle(context, how) }));
    outcome.unwrap_or_else(|panic| Err(Failure::Panic(panic)))
}

/// Answers who wants to know the code on the stacks, and leaves everything else for the next safepoint. After a transition
/// in whichever direction.
///
/// # Safety
/// `context` is that of a pinned store that this thread uses, at a safepoint.
pub(crate) unsafe fn answer(context: *mut StoreContext, how: Answer) {
    // SAFETY: promised by the caller, for all that follows.
    unsafe {
        if words(context).pending() != 0 {
            answer_and_clear(context, 0, how);
        }
    }
}

/// # Safety
/// As for [`answer`].
unsafe fn answer_and_clear(context: *mut StoreContext, bits: u64, how: Answer) {
    // SAFETY: promised by the caller, for all that follows.
    unsafe {
        let registered = registered(context);
        let (set, asked) = registered.take(bits);
        report(&registered, &asked, how);
        if set & URGENT & !(bits | REPORT) != 0 {
            registered.stop_again();
        }
    }
}

/// # Safety
/// As for [`Registered::live_code`].
unsafe fn report(registered: &Registered, asked: &[Arc<dyn LiveCode>], how: Answer) {
    if asked.is_empty() {
        return;
    }
    let mut live = HashSet::new();
    // SAFETY: promised by the caller.
    unsafe { registered.live_code(&mut live) };
    registered.report(asked, &live, how);
}

/// A call is about to enter Wasm, has said so, and found something asked of it.
///
/// # Errors
/// Why it does not.
///
/// # Safety
/// As for [`handle`]; the call's activation is not on the store's list yet.
#[cold]
#[inline(never)]
pub(crate) unsafe fn at_entry(context: *mut StoreContext) -> Result<(), Box<Raised>> {
    // SAFETY: promised by the caller, for all that follows.
    unsafe {
        offer_next(context);
        let outcome = registered(context).enter(|| handle_caught(context, Answer::Crossing));
        offer_next(context);
        outcome.map_err(|failure| {
            let store = Store::of_context(context);
            let wanted = store.environment().backtraces;
            let backtrace = if wanted { frames::capture(store) } else { Default::default() };
            Box::new(Raised { failure, backtrace })
        })
    }
}

/// A call has left Wasm, or has not entered it, has said so, and found something asked of it.
///
/// # Safety
/// `context` is that of a pinned store that this thread uses; the call's activation is off the store's list.
#[cold]
#[inline(never)]
pub(crate) unsafe fn at_exit(context: *mut StoreContext) {
    // SAFETY: promised by the caller, for all that follows.
    unsafe {
        answer_and_clear(context, if is_outermost(context) { TERMINATE | OFFER } else { OFFER }, Answer::Leaving);
        if words(context).pending() & OFFER_ALL != 0 {
            offer(context);
        }
    }
}

/// What the interrupt trampoline calls: a function's prologue found the stack limit raised, and its frame has been taken down.
/// Gives the code to go on in, or null with a failure pending.
///
/// # Safety
/// Called by the trampoline, where the signal handler has led it, with the context that the function was called with and the
/// address of its [`Code`].
pub(crate) unsafe extern "C" fn at_prologue(vmctx: *mut u8, code: usize) -> *const u8 {
    let Some(code) = NonNull::new(ptr::with_exposed_provenance_mut::<Code>(code)) else { return ptr::null() };
    // SAFETY: the context of a live instance; its store is ours while its code runs, and left through our trampoline. The
    // code is alive until the next safepoint, before which it is pinned.
    unsafe {
        let context = (*vmctx.cast::<InstanceHeader>()).store;
        let store = (*context).store.cast::<Store>();
        // An OSR entry has not read its image yet.
        let (image, place) = (mem::take(&mut (*store).osr_image), (*context).osr_image);
        let pin = Pin { code, previous: (*context).pinned.cast() };
        (*context).pinned = (&raw const pin).cast();
        let outcome = handle_caught(context, Answer::Interrupted);
        (*context).pinned = pin.previous.cast();
        (*context).osr_image = place;
        (*store).osr_image = image;
        match outcome {
            Ok(()) => newest(code.as_ref()),
            Err(failure) => {
                set_pending(context, failure);
                ptr::null()
            }
        }
    }
}

/// What the trampoline that keeps all registers calls: a loop has found the word not zero. A failure is left pending, with the
/// store's context as the value of the result.
///
/// # Safety
/// Called by the trampoline, whose frame pointer is `exit_fp`.
pub(crate) unsafe extern "C" fn at_loop(exit_fp: usize) -> BuiltinResult {
    let context = current();
    // SAFETY: compiled code of the store runs on this thread, and has been left through our trampoline.
    unsafe {
        (*context).exit_fp = exit_fp;
        match handle_caught(context, Answer::Interrupted) {
            Ok(()) => BuiltinResult::ok(0),
            Err(failure) => {
                set_pending(context, failure);
                BuiltinResult { value: context.expose_provenance() as u64, ..BuiltinResult::failed() }
            }
        }
    }
}

/// Where a function goes on that was interrupted at its first instruction.
fn newest(code: &Code) -> *const u8 {
    match code.kind() {
        CodeKind::Function { module, function, osr: None, .. } => {
            Weak::upgrade(module).map_or(code.entry(), |module| module.table().get(*function))
        }
        CodeKind::Function { .. } | CodeKind::EntryStub | CodeKind::ExitStub => code.entry(),
    }
}

/// Was the trap of a prologue at this stack pointer no lack of stack? Async-signal-safe.
///
/// # Safety
/// `context` is that of the store whose Wasm runs on this thread.
pub(crate) unsafe fn is_interrupt(context: *const StoreContext, sp: usize) -> bool {
    use std::sync::atomic::Ordering::Relaxed;
    // SAFETY: promised by the caller.
    unsafe { (*context).stack_limit.load(Relaxed) == RAISED_LIMIT && sp >= (*context).true_limit }
}

/// Which tasks to run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Round {
    /// Those that wait now.
    Waiting,
    /// Also what they post, until none is left.
    All,
}

/// Runs foreground tasks, those that want no Wasm to be active only if none is. Gives the number of those that were posted,
/// without the engine's own: 0 inside a task.
///
/// # Errors
/// The failure of the first task that fails; those behind it wait for the next time.
///
/// # Safety
/// `store` is alive, pinned and in the host; nobody else uses it. The tasks do, so no reference to it is held meanwhile.
pub(crate) unsafe fn run_tasks(store: *mut Store, round: Round) -> Result<usize, Failure> {
    // SAFETY: promised by the caller, for all that follows.
    unsafe {
        if mem::replace(&mut (*store).in_task, true) {
            return Ok(0);
        }
        let foreground = (*store).foreground().clone();
        let idle = is_outermost((*store).context());
        let mut left = foreground.len(idle);
        let mut count = 0;
        let outcome = loop {
            if left == 0 && round == Round::Waiting {
                break Ok(count);
            }
            let Some(Queued { task, internal }) = foreground.pop(idle) else { break Ok(count) };
            (left, count) = (left.saturating_sub(1), count + usize::from(!internal));
            let outcome = catch_unwind(AssertUnwindSafe(|| task(store)));
            if let Err(failure) = outcome.unwrap_or_else(|panic| Err(Failure::Panic(panic))) {
                break Err(failure);
            }
        };
        (*store).in_task = false;
        // What was posted meanwhile may have been announced to Wasm inside a task.
        foreground.announce();
        outcome
    }
}
