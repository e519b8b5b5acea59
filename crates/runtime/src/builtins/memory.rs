//! Memory builtins.

use abi::trap::TrapReason;
use sys::trampolines::BuiltinResult;
use wasm::types::{DataIndex, MemoryIndex};

use super::pieces::{Order, PIECE, in_pieces};
use super::{context, run, run_in_host};
use crate::error::Failure;
use crate::instance::Instance;
use crate::store::Store;

/// `start .. start + len`, if it lies within `size`.
// Inlined, as a range that comes back through memory costs small operations a third of their time.
#[inline(always)]
fn bounds(start: u64, len: u64, size: usize) -> Result<std::ops::Range<usize>, TrapReason> {
    let end = start.checked_add(len).filter(|&end| end <= size as u64).ok_or(TrapReason::MemoryOutOfBounds)?;
    Ok(start as usize..end as usize)
}

/// # Safety
/// For compiled code only, through its trampoline.
pub(crate) unsafe extern "C" fn memory_grow(vmctx: *mut u8, memory: u32, delta: u64) -> BuiltinResult {
    // SAFETY: called by compiled code of this instance.
    unsafe {
        // The limiter is the embedder's, and a memory without a guard may move.
        run_in_host(vmctx, |instance, store| {
            let grown = store.grow_memory(instance.memory(MemoryIndex(memory)), delta)?;
            Ok::<_, Failure>(grown.unwrap_or(u64::MAX))
        })
    }
}

/// # Safety
/// For compiled code only, through its trampoline.
pub(crate) unsafe extern "C" fn memory_fill(
    vmctx: *mut u8,
    memory: u32,
    dst: u64,
    value: u32,
    len: u64,
) -> BuiltinResult {
    // SAFETY: called by compiled code of this instance.
    unsafe {
        run(vmctx, |instance, store| {
            let memory = store.memory_mut(instance.memory(MemoryIndex(memory)));
            let range = bounds(dst, len, memory.len())?;
            let bytes = &mut memory.bytes_mut()[range];
            in_pieces(context(vmctx), (bytes.len(), PIECE), Order::Up, |piece| bytes[piece].fill(value as u8))?;
            Ok::<_, TrapReason>(0)
        })
    }
}

/// # Safety
/// For compiled code only, through its trampoline.
pub(crate) unsafe extern "C" fn memory_copy(
    vmctx: *mut u8,
    dst_memory: u32,
    src_memory: u32,
    dst: u64,
    src: u64,
    len: u64,
) -> BuiltinResult {
    // SAFETY: called by compiled code of this instance.
    unsafe {
        run(vmctx, |instance, store| {
            let (to, from) = (instance.memory(MemoryIndex(dst_memory)), instance.memory(MemoryIndex(src_memory)));
            let source = bounds(src, len, store.memory(from).len())?;
            let target = bounds(dst, len, store.memory(to).len())?;
            let context = context(vmctx);
            if to == from {
                let bytes = store.memory_mut(to).bytes_mut();
                let order = Order::of_copy(source.start, target.start);
                in_pieces(context, (source.len(), PIECE), order, |piece| {
                    let from = source.start + piece.start..source.start + piece.end;
                    bytes.copy_within(from, target.start + piece.start);
                })?;
            } else {
                let from = store.memory(from).base().cast_const().add(source.start);
                let to = store.memory(to).base().add(target.start);
                // Both ranges were just checked, and different memories do not overlap.
                in_pieces(context, (source.len(), PIECE), Order::Up, |piece| {
                    std::ptr::copy_nonoverlapping(from.add(piece.start), to.add(piece.start), piece.len());
                })?;
            }
            Ok::<_, TrapReason>(0)
        })
    }
}

/// Finds what a copy from a data segment reads and writes, gives both slices to `copy`.
fn with_data<R>(
    instance: &mut Instance,
    store: &mut Store,
    (memory, data): (MemoryIndex, DataIndex),
    (dst, src, len): (u64, u32, u32),
    copy: impl FnOnce(&mut [u8], &[u8]) -> R,
) -> Result<R, TrapReason> {
    let module = instance.module().clone();
    let range = module.info().data[data.index()].range.clone();
    let bytes = if instance.data_dropped(data) { &[][..] } else { &module.wire_bytes()[range] };
    let source = bounds(u64::from(src), u64::from(len), bytes.len())?;
    let memory = store.memory_mut(instance.memory(memory));
    let target = bounds(dst, u64::from(len), memory.len())?;
    Ok(copy(&mut memory.bytes_mut()[target], &bytes[source]))
}

/// Copies from a data segment, at once; the work of active segments.
pub(crate) fn init(
    instance: &mut Instance,
    store: &mut Store,
    segment: (MemoryIndex, DataIndex),
    places: (u64, u32, u32),
) -> Result<(), TrapReason> {
    with_data(instance, store, segment, places, <[u8]>::copy_from_slice)
}

/// # Safety
/// For compiled code only, through its trampoline.
pub(crate) unsafe extern "C" fn memory_init(
    vmctx: *mut u8,
    memory: u32,
    data: u32,
    dst: u64,
    src: u32,
    len: u32,
) -> BuiltinResult {
    // SAFETY: called by compiled code of this instance.
    unsafe {
        run(vmctx, |instance, store| {
            let segment = (MemoryIndex(memory), DataIndex(data));
            with_data(instance, store, segment, (dst, src, len), |target, source| {
                in_pieces(context(vmctx), (source.len(), PIECE), Order::Up, |piece| {
                    target[piece.clone()].copy_from_slice(&source[piece]);
                })
            })??;
            Ok::<_, TrapReason>(0)
        })
    }
}

/// # Safety
/// For compiled code only, through its trampoline.
pub(crate) unsafe extern "C" fn data_drop(vmctx: *mut u8, data: u32) -> BuiltinResult {
    // SAFETY: called by compiled code of this instance.
    unsafe {
        run(vmctx, |instance, store| {
            let bytes = instance.emptied_data.drop(data as usize);
            store.tally(|usage| usage.instances += bytes);
            Ok::<_, TrapReason>(0)
        })
    }
}
