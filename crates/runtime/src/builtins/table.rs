//! Table builtins.

use abi::trap::TrapReason;
use sys::trampolines::BuiltinResult;
use wasm::types::{ElemIndex, TableIndex};

use super::{run, run_on};
use crate::error::Failure;
use crate::evaluate::element_values;
use crate::instance::Instance;
use crate::store::Store;

/// Bytes of so many elements.
fn bytes_of(elements: u64) -> u64 {
    elements.saturating_mul(size_of::<u64>() as u64)
}

/// # Safety
/// For compiled code only, through its trampoline.
pub(crate) unsafe extern "C" fn table_grow(vmctx: *mut u8, table: u32, delta: u64, init: u64) -> BuiltinResult {
    // SAFETY: called by compiled code of this instance.
    unsafe {
        // The limiter is the embedder's.
        run_on(vmctx, u64::MAX, |instance, store| {
            let grown = store.grow_table(instance.table(TableIndex(table)), delta, init)?;
            Ok::<_, Failure>(grown.unwrap_or(u64::MAX))
        })
    }
}

/// # Safety
/// For compiled code only, through its trampoline.
pub(crate) unsafe extern "C" fn table_fill(
    vmctx: *mut u8,
    table: u32,
    dst: u64,
    value: u64,
    len: u64,
) -> BuiltinResult {
    // SAFETY: called by compiled code of this instance.
    unsafe {
        run_on(vmctx, bytes_of(len), |instance, store| {
            store.table_mut(instance.table(TableIndex(table))).fill(dst, value, len).map(|()| 0)
        })
    }
}

/// # Safety
/// For compiled code only, through its trampoline.
pub(crate) unsafe extern "C" fn table_copy(
    vmctx: *mut u8,
    dst_table: u32,
    src_table: u32,
    dst: u64,
    src: u64,
    len: u64,
) -> BuiltinResult {
    // SAFETY: called by compiled code of this instance.
    unsafe {
        run_on(vmctx, bytes_of(len), |instance, store| {
            let (to, from) = (instance.table(TableIndex(dst_table)), instance.table(TableIndex(src_table)));
            if to == from {
                store.table_mut(to).copy_within(dst, src, len)?;
            } else {
                let values = store.table(from).read(src, len)?;
                store.table_mut(to).write(dst, &values)?;
            }
            Ok::<_, TrapReason>(0)
        })
    }
}

/// Copies from an element segment; the work of `table.init` and of active segments.
pub(crate) fn init(
    instance: &mut Instance,
    store: &mut Store,
    (table, elem): (TableIndex, ElemIndex),
    (dst, src, len): (u64, u32, u32),
) -> Result<(), TrapReason> {
    let module = instance.module().clone();
    let segment = &module.info().elements[elem.index()];
    let available = if instance.elements_dropped(elem) { 0 } else { segment.items.len() };
    let end = u64::from(src) + u64::from(len);
    if end > available as u64 {
        return Err(TrapReason::TableOutOfBounds);
    }
    let values = element_values(instance, store, &segment.items, src as usize..end as usize);
    store.table_mut(instance.table(table)).write(dst, &values)
}

/// # Safety
/// For compiled code only, through its trampoline.
pub(crate) unsafe extern "C" fn table_init(
    vmctx: *mut u8,
    table: u32,
    elem: u32,
    dst: u64,
    src: u32,
    len: u32,
) -> BuiltinResult {
    // SAFETY: called by compiled code of this instance.
    unsafe {
        run_on(vmctx, bytes_of(len.into()), |instance, store| {
            init(instance, store, (TableIndex(table), ElemIndex(elem)), (dst, src, len)).map(|()| 0)
        })
    }
}

/// # Safety
/// For compiled code only, through its trampoline.
pub(crate) unsafe extern "C" fn elem_drop(vmctx: *mut u8, elem: u32) -> BuiltinResult {
    // SAFETY: called by compiled code of this instance.
    unsafe {
        run(vmctx, |instance, store| {
            let bytes = instance.emptied_elements.drop(elem as usize);
            store.tally(|usage| usage.instances += bytes);
            Ok::<_, TrapReason>(0)
        })
    }
}
