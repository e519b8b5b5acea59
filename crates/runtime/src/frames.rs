//! Walking the stack: from the newest Wasm frame through all activations of a store to the oldest.
//!
//! Every frame has `[fp] = caller's fp` and `[fp + 8] = return address`. A walk of one activation ends at the frame of
//! `sys::context::enter`; between activations lie frames of the host, which are skipped: the walk goes on at the exit
//! frame that the activation below had when it called the host.

use std::ptr::NonNull;
use std::sync::Weak;

use abi::layout::StoreContext;
use code::code::{Code, CodeKind};
use code::space::CodeSpace;
use sys::context::caller_of;

use crate::activation::{Activation, Pin};
use crate::backtrace::{Backtrace, Frame};
use crate::store::Store;

/// Most frames that a backtrace holds.
const MAX_FRAMES: usize = 1 << 16;

/// The frames above the exit frame of the store.
///
/// # Safety
/// `context` is that of a pinned store that runs on this thread and has been left through a trampoline.
pub(crate) unsafe fn walk_exit(context: *mut StoreContext) -> Backtrace {
    // SAFETY: the trampoline recorded its frame, which is still on the stack.
    let (pc, fp) = unsafe { caller_of((*context).exit_fp) };
    // SAFETY: `pc` is a return address; the store is alive.
    unsafe { walk(Store::of_context(context), Position { pc: pc - 1, fp }) }
}

/// The frames of all activations of a store, for its embedder; none if no Wasm of it is active.
pub fn capture(store: &Store) -> Backtrace {
    let context = &*store.context;
    if context.entry.is_null() {
        return Backtrace::default();
    }
    // SAFETY: who has a reference to a store while Wasm of it is active was called by that Wasm, which was left through a
    // trampoline or an exit stub; these recorded the exit frame, and inner calls restored it.
    unsafe {
        let (pc, fp) = caller_of(context.exit_fp);
        walk(store, Position { pc: pc - 1, fp })
    }
}

/// The frames from a trap at `pc`.
///
/// # Safety
/// `context` is that of a pinned store that runs on this thread; its code at `pc` trapped with frame pointer `fp`.
pub(crate) unsafe fn walk_trap(context: *mut StoreContext, pc: usize, fp: usize) -> Backtrace {
    // SAFETY: promised by the caller.
    unsafe { walk(Store::of_context(context), Position { pc, fp }) }
}

/// An address inside the instruction that a frame executes, and the frame.
struct Position {
    pc: usize,
    fp: usize,
}

/// # Safety
/// `position` is a frame of the newest activation of the store.
unsafe fn walk(store: &Store, position: Position) -> Backtrace {
    let mut backtrace = Backtrace::default();
    let space = &*store.environment().space;
    let visit = |pc| {
        // SAFETY: a program counter of a frame on the stack, whose code the store keeps alive.
        unsafe { push_frames(space, pc, &mut backtrace) };
        backtrace.frames.len() < MAX_FRAMES
    };
    // SAFETY: promised by the caller.
    unsafe { each_position(store.context.entry.cast(), position, visit) };
    backtrace
}

/// Calls `visit` with an address in the instruction that each frame executes, innermost first, while it returns true.
///
/// # Safety
/// `position` is a frame of `activation`, the newest of a store.
unsafe fn each_position(mut activation: *mut Activation, mut position: Position, mut visit: impl FnMut(usize) -> bool) {
    while !activation.is_null() {
        // SAFETY: activations that have not returned are in place.
        let end = unsafe { (*activation).record.fp };
        while position.fp != end {
            if !visit(position.pc) {
                return;
            }
            // SAFETY: all frames up to the end of the activation are linked by frame pointers.
            let (pc, fp) = unsafe { caller_of(position.fp) };
            position = Position { pc: pc - 1, fp };
        }
        // SAFETY: as above.
        let (previous, exit_fp) = unsafe { ((*activation).previous, (*activation).previous_exit_fp) };
        if !previous.is_null() {
            // SAFETY: the activation below left Wasm through the trampoline with this frame.
            let (pc, fp) = unsafe { caller_of(exit_fp) };
            position = Position { pc: pc - 1, fp };
        }
        activation = previous;
    }
}

/// Calls `visit` with the code object of each frame of all activations of a store, and with those that are pinned; the same
/// code comes as often as it has frames. The stub of a host function that is being called is not among them: the store holds
/// the function.
///
/// # Safety
/// `context` is that of a pinned store that has no activation, or has left Wasm through a trampoline and stays outside;
/// `space` is where its code lies.
pub(crate) unsafe fn each_code(context: *mut StoreContext, space: &CodeSpace, mut visit: impl FnMut(NonNull<Code>)) {
    // SAFETY: promised by the caller, for all that follows: pins and activations that have not returned are in place, and
    // the exit frame is recorded.
    unsafe {
        let mut pin = (*context).pinned.cast::<Pin>();
        while !pin.is_null() {
            visit((*pin).code);
            pin = (*pin).previous;
        }
        let activation = (*context).entry.cast::<Activation>();
        if activation.is_null() {
            return;
        }
        let (pc, fp) = caller_of((*context).exit_fp);
        each_position(activation, Position { pc: pc - 1, fp }, |pc| {
            // SAFETY: a program counter of a frame on the stack, whose code the store keeps alive.
            if let Some(code) = space.lookup(pc) {
                visit(code);
            }
            true
        });
    }
}

/// How often the call site was executed that the frame at `fp` was called from, if its code keeps a profile.
///
/// # Safety
/// `fp` is the frame pointer of a frame of Wasm of the store, on this thread.
pub(crate) unsafe fn caller_count(store: &Store, fp: usize) -> Option<u32> {
    // SAFETY: promised by the caller; the return address is one of a frame on the stack.
    let (code, pc) = unsafe {
        let (pc, _) = caller_of(fp);
        (store.environment().space.lookup(pc - 1)?.as_ref(), pc - 1)
    };
    match code.kind() {
        CodeKind::Function { module, function, .. } => {
            Weak::upgrade(module)?.site_count(*function, code.wasm_offset(pc)?)
        }
        CodeKind::EntryStub | CodeKind::ExitStub => None,
    }
}

/// Appends the functions that execute at an address: one, or more where calls were inlined.
///
/// # Safety
/// As for [`CodeSpace::lookup`].
unsafe fn push_frames(space: &CodeSpace, pc: usize, backtrace: &mut Backtrace) {
    // SAFETY: promised by the caller.
    let Some(code) = (unsafe { space.lookup(pc) }) else { return };
    // SAFETY: likewise.
    let code = unsafe { code.as_ref() };
    let CodeKind::Function { module, .. } = code.kind() else { return };
    let Some(module) = Weak::upgrade(module) else { return };
    for active in code.active_functions(pc) {
        let function = module.info().func_index(active.function);
        backtrace.frames.push(Frame { module: module.clone(), function, offset: active.offset });
    }
}
