//! Calls into Wasm, and the ways out of it.
//!
//! 1. [`call`] says that the thread is in Wasm, looks whether anything is asked of it ([`crate::requests`]), records an
//!    [`Activation`] on the store's list, sets the stack limit if this is the outermost one, and enters through
//!    `sys::context::enter`. When that has returned, everything is undone in reverse.
//! 2. Compiled code leaves through a trampoline, which records its frame as the exit frame, or by a trap signal.
//! 3. What goes wrong is put in `Store::pending` with its backtrace, then [`raise`] lands on the newest activation:
//!    `enter` returns 1 and `call` gives the failure to its caller. Only Wasm frames lie between.
//!
//! Invariant: `StoreContext::entry` is the newest activation of the store, or null when no Wasm of it is active.
//! Invariant: the first code pointer is loaded after the thread has said that it is in Wasm, and it says otherwise after the
//! last code has run. Who has taken code out of all slots, and then passes a barrier on behalf of every thread, can tell who
//! may still have it ([`crate::stores`]). The fast side needs the compiler to keep the order, no instruction.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering, compiler_fence};

use abi::layout::{FuncImport, InstanceHeader, StoreContext};
use abi::trap::TrapReason;
use sys::context::{EntryRecord, EntryStub, enter, resume_landing};
use sys::signals::ensure_sigaltstack;
use sys::stack::{approximate_sp, current_thread_stack_bounds};
use wasm::types::DefinedFuncIndex;

use crate::activation::Activation;
use crate::backtrace::Backtrace;
use crate::error::{CompileFailure, Failure, Raised};
use crate::frames;
use crate::hooks::LazyError;
use crate::instance::Instance;
use crate::interrupt::{at_entry, at_exit, offer_next};
use crate::requests::AT_BORDER;
use crate::store::Store;
use crate::stores::{Running, words};

/// Stack that is left to the host below the limit of Wasm, in bytes.
const HOST_HEADROOM: usize = 128 << 10;

/// What the runtime keeps for a thread. Has no destructor, so a signal handler may read it.
struct Thread {
    /// The store whose Wasm runs on the thread, for the signal handler.
    current: Cell<*mut StoreContext>,
    /// Start and end of its stack; nothing before the system was asked, or where that does not know.
    stack: Cell<Option<(usize, usize)>>,
}

thread_local! {
    static THREAD: Thread = const { Thread { current: Cell::new(ptr::null_mut()), stack: Cell::new(None) } };
}

/// The store whose Wasm runs on this thread, or null. Async-signal-safe.
pub(crate) fn current() -> *mut StoreContext {
    THREAD.with(|thread| thread.current.get())
}

impl Thread {
    /// A number that no two living threads have in common.
    #[inline]
    fn number(&self) -> usize {
        ptr::from_ref(self).addr()
    }

    /// Start and end of the thread's own stack, as far as known.
    #[inline]
    fn stack(&self) -> (usize, usize) {
        self.stack.get().unwrap_or_else(|| self.prepare())
    }

    /// The thread is about to run Wasm for the first time: finds its stack, and sees to it that signals have one.
    #[cold]
    fn prepare(&self) -> (usize, usize) {
        // Without memory for it, handlers get along with what there is.
        let _ = ensure_sigaltstack();
        let bounds = current_thread_stack_bounds().map_or((0, 0), |bounds| (bounds.start, bounds.end));
        self.stack.set(Some(bounds));
        bounds
    }
}

/// Calls a function. `values` holds the parameters, one per slot, and holds the results afterwards.
///
/// # Errors
/// What was raised.
///
/// # Safety
/// `stub` is the entry stub for the type of `function`, which belongs to the store of `context`, pinned and used by
/// nobody else; `values` has a slot for every parameter and every result.
// Not for inlining into other crates, from which the thread-local would be reached through a function pointer.
#[inline(never)]
pub unsafe fn call(
    context: *mut StoreContext,
    stub: *const u8,
    function: FuncImport,
    values: *mut u128,
) -> Result<(), Box<Raised>> {
    // Only the address is taken in the closure, so that it stays small enough to be inlined.
    let thread = THREAD.with(ptr::from_ref);
    // SAFETY: the thread-local has no destructor, so it lives as long as the thread; the rest the caller promises.
    unsafe { call_on(&*thread, context, stub, function, values) }
}

/// # Safety
/// As for [`call`]; `thread` is this one.
#[inline]
unsafe fn call_on(
    thread: &Thread,
    context: *mut StoreContext,
    stub: *const u8,
    function: FuncImport,
    values: *mut u128,
) -> Result<(), Box<Raised>> {
    let FuncImport { slot, vmctx } = function;
    // SAFETY: as above; every field is ours to change while we run on this store.
    unsafe {
        let mut activation = Activation {
            record: EntryRecord::default(),
            previous: (*context).entry.cast(),
            previous_exit_fp: (*context).exit_fp,
            thread: thread.number(),
        };
        let is_outermost = activation.previous.is_null();
        let outer_limit = (*context).true_limit;
        // A host function may lend its store to another thread, whose stack ends elsewhere.
        if is_outermost || (*activation.previous).thread != activation.thread {
            set_limit(context, stack_limit(thread, (*context).store.cast())?);
        }
        let words = words(context);
        let outer_state = words.arrive();
        if words.pending() != 0
            && let Err(raised) = at_entry(context)
        {
            set_limit(context, outer_limit);
            words.depart(outer_state);
            at_exit(context);
            return Err(raised);
        }
        let entry = AtomicPtr::from_ptr(&raw mut (*context).entry);
        entry.store((&raw mut activation).cast(), Ordering::Relaxed);
        compiler_fence(Ordering::SeqCst);
        let outer = thread.current.replace(context);
        let stub: EntryStub = std::mem::transmute(stub);
        let code = AtomicPtr::from_ptr(slot.cast_mut().cast::<*mut u8>()).load(Ordering::Acquire);
        let raised = enter(&raw mut activation.record, stub, code, vmctx, values);
        thread.current.set(outer);
        entry.store(activation.previous.cast(), Ordering::Release);
        (*context).exit_fp = activation.previous_exit_fp;
        if !is_outermost {
            set_limit(context, outer_limit);
        }
        words.depart(outer_state);
        if words.pending() & AT_BORDER != 0 {
            at_exit(context);
        }
        if raised == 0 { Ok(()) } else { Err(take_pending(context)) }
    }
}

/// Sets the stack limit. Who does so while others may ask something of the thread looks afterwards whether they do, as
/// their raised limit may be lost.
///
/// # Safety
/// `context` is that of a live store that this thread uses.
#[inline(always)]
unsafe fn set_limit(context: *mut StoreContext, limit: usize) {
    // SAFETY: promised by the caller.
    unsafe {
        (*context).true_limit = limit;
        (*context).stack_limit.store(limit, Ordering::Relaxed);
    }
}

/// Lands on the newest activation, which finds the failure in `Store::pending`.
///
/// # Safety
/// Only Wasm frames and our trampolines lie above the newest activation of the store, whose context this is.
pub(crate) unsafe extern "C" fn raise(context: *mut u8) -> ! {
    // SAFETY: the newest activation has not returned, so its record is in place.
    unsafe { resume_landing((*context.cast::<StoreContext>()).entry.cast::<EntryRecord>()) }
}

/// What the lazy trampoline calls: gives the code of a function, compiled if need be, or null with a failure pending.
///
/// # Safety
/// Called by the trampoline, with the context of the instance and one of its functions.
pub(crate) unsafe extern "C" fn lazy_compile(vmctx: *mut u8, function: usize) -> *const u8 {
    // SAFETY: `vmctx` is the context of a live instance; its store is ours while its code runs.
    let (context, module) =
        unsafe { ((*vmctx.cast::<InstanceHeader>()).store, Instance::of_context(vmctx).module().clone()) };
    // SAFETY: the context of a live, pinned store.
    let hooks = unsafe { Store::of_context(context).environment().hooks.clone() };
    let function = DefinedFuncIndex(function as u32);
    // SAFETY: the trampoline recorded the exit frame, and returns after us.
    let running = unsafe { Running::new(context) };
    let compile = || hooks.compile_lazily(&module, function, &running);
    // A panic (of the embedder's listener, say) must not reach compiled code; it is resumed outside.
    let outcome = catch_unwind(AssertUnwindSafe(compile));
    // SAFETY: as above.
    unsafe { offer_next(context) };
    let failure = match outcome {
        Ok(Ok(code)) => return code,
        Ok(Err(LazyError::Invalid(fault))) => Failure::Invalid(fault),
        Ok(Err(LazyError::Compile(error))) => Failure::Compile(compile_failure(&module, function, error.message)),
        Err(panic) => Failure::Panic(panic),
    };
    // SAFETY: as above.
    unsafe { set_pending(context, failure) };
    ptr::null()
}

/// What the tier-up trampoline calls: gives the newest code of a function that has spent its budget at its entry. Never
/// null.
///
/// # Safety
/// As for [`lazy_compile`].
pub(crate) unsafe extern "C" fn tier_up_entry(vmctx: *mut u8, function: usize) -> *const u8 {
    // SAFETY: as in `lazy_compile`.
    let (context, module) =
        unsafe { ((*vmctx.cast::<InstanceHeader>()).store, Instance::of_context(vmctx).module().clone()) };
    // SAFETY: the context of a live, pinned store.
    let hooks = unsafe { Store::of_context(context).environment().hooks.clone() };
    let function = DefinedFuncIndex(function as u32);
    // SAFETY: the trampoline recorded the exit frame, and returns after us.
    let running = unsafe { Running::new(context) };
    let ask = || hooks.tier_up(&module, function, &running);
    // A panic must not reach compiled code; without an answer the call goes on where every other one would.
    let code = catch_unwind(AssertUnwindSafe(ask)).unwrap_or_else(|_| module.table().get(function));
    // SAFETY: as above.
    unsafe { offer_next(context) };
    code
}

fn compile_failure(
    module: &code::native_module::NativeModule,
    function: DefinedFuncIndex,
    message: String,
) -> Box<CompileFailure> {
    let function = module.info().func_index(function);
    let name = module.info().function_name(module.wire_bytes(), function).map(str::to_string);
    Box::new(CompileFailure { function, name, message })
}

/// Records a failure with the backtrace of the exit frame; the caller raises it next.
///
/// # Safety
/// `context` is that of a pinned store whose Wasm was left through a trampoline and runs on this thread.
pub unsafe fn set_pending(context: *mut StoreContext, failure: Failure) {
    // SAFETY: promised by the caller.
    let (store, backtrace) = unsafe {
        let store = Store::of_context(context);
        let wanted = store.environment().backtraces;
        (store, if wanted { frames::walk_exit(context) } else { Backtrace::default() })
    };
    store.set_pending(failure, backtrace);
}

/// Takes over after the signal handler, on the stack of the trap: records the trap at `pc` and raises it.
///
/// # Safety
/// Called by the signal handler's redirection for a trap of compiled code at `pc`, whose frame pointer is `fp`.
pub(crate) unsafe extern "C" fn on_trap(context: usize, pc: usize, fp: usize) -> ! {
    let context = context as *mut StoreContext;
    // SAFETY: the handler found the store running on this thread, and `pc` in its code.
    unsafe { record_trap(context, pc, fp) };
    // SAFETY: `record_trap` has returned, so nothing but Wasm frames is above the activation.
    unsafe { raise(context.cast()) }
}

/// # Safety
/// As for [`on_trap`].
unsafe fn record_trap(context: *mut StoreContext, pc: usize, fp: usize) {
    // SAFETY: the context of a live, pinned store.
    let store = unsafe { Store::of_context(context) };
    // SAFETY: `pc` was executing, so its code is alive.
    let code = unsafe { store.environment().space.lookup(pc).map(|code| code.as_ref()) };
    let reason = code.and_then(|code| code.trap_at(pc)).unwrap_or(TrapReason::Unreachable);
    let backtrace = match store.environment().backtraces {
        // SAFETY: `fp` is the frame pointer of the code at `pc`.
        true => unsafe { frames::walk_trap(context, pc, fp) },
        false => Backtrace::default(),
    };
    store.set_pending(Failure::Trap(reason), backtrace);
}

/// # Safety
/// `context` is that of a pinned store that nobody else uses.
#[cold]
unsafe fn take_pending(context: *mut StoreContext) -> Box<Raised> {
    // SAFETY: promised by the caller.
    let store = unsafe { Store::of_context(context) };
    Box::new(store.pending.take().expect("whoever raises has left a failure"))
}

/// The limit for Wasm that starts here: the configured size below us, but no closer to the stack's end than the host's
/// headroom. On a stack that is not the thread's own, whose end only the embedder knows, the configured size alone counts.
///
/// # Safety
/// `store` is a live store.
#[inline]
unsafe fn stack_limit(thread: &Thread, store: *mut Store) -> Result<usize, Box<Raised>> {
    let here = approximate_sp();
    // SAFETY: promised by the caller.
    let wish = unsafe { (*store).environment().max_wasm_stack };
    let (start, end) = thread.stack();
    let lowest = if start <= here && here < end { start + HOST_HEADROOM } else { 0 };
    if here <= lowest {
        let (failure, backtrace) = (Failure::Trap(TrapReason::StackOverflow), Backtrace::default());
        return Err(Box::new(Raised { failure, backtrace }));
    }
    Ok(here.saturating_sub(wish).max(lowest))
}
