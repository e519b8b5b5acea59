//! Table builtins.

use abi::trap::TrapReason;
use sys::trampolines::BuiltinResult;
use wasm::types::{ElemIndex, TableIndex};

use super::pieces::{self, Order, in_pieces};
use super::{context, run, run_in_host};
use crate::error::Failure;
use crate::evaluate::element_values;
use crate::ids::TableId;
use crate::instance::Instance;
use crate::store::Store;

/// Elements that are worked on without a look at who wants something.
const PIECE: usize = pieces::PIECE / size_of::<u64>();

/// A range that was checked against the length of a table, whose pieces are given by their place in it.
const IN_BOUNDS: &str = "a piece of a range that lies within the table";

/// # Safety
/// For compiled code only, through its trampoline.
pub(crate) unsafe extern "C" fn table_grow(vmctx: *mut u8, table: u32, delta: u64, init: u64) -> BuiltinResult {
    // SAFETY: called by compiled code of this instance.
    unsafe {
        // The limiter is the embedder's.
        run_in_host(vmctx, |instance, store| {
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
        run(vmctx, |instance, store| {
            let table = store.table_mut(instance.table(TableIndex(table)));
            let range = table.range(dst, len)?;
            in_pieces(context(vmctx), (range.len(), PIECE), Order::Up, |piece| {
                let start = (range.start + piece.start) as u64;
                table.fill(start, value, piece.len() as u64).expect(IN_BOUNDS);
            })?;
            Ok::<_, TrapReason>(0)
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
        run(vmctx, |instance, store| {
            let (to, from) = (instance.table(TableIndex(dst_table)), instance.table(TableIndex(src_table)));
            let source = store.table(from).range(src, len)?.start;
            let target = store.table(to).range(dst, len)?;
            let order = if to == from { Order::of_copy(source, target.start) } else { Order::Up };
            in_pieces(context(vmctx), (target.len(), PIECE), order, |piece| {
                let (src, dst) = ((source + piece.start) as u64, (target.start + piece.start) as u64);
                if to == from {
                    store.table_mut(to).copy_within(dst, src, piece.len() as u64).expect(IN_BOUNDS);
                } else {
                    let values = store.table(from).read(src, piece.len() as u64).expect(IN_BOUNDS);
                    store.table_mut(to).write(dst, &values).expect(IN_BOUNDS);
                }
            })?;
            Ok::<_, TrapReason>(0)
        })
    }
}

/// The table that is copied to from an element segment, and where, if all of it is there.
fn target(
    instance: &Instance,
    store: &Store,
    (table, elem): (TableIndex, ElemIndex),
    (dst, src, len): (u64, u32, u32),
) -> Result<(TableId, usize), TrapReason> {
    let items = instance.module().info().elements[elem.index()].items.len();
    let available = if instance.elements_dropped(elem) { 0 } else { items };
    if u64::from(src) + u64::from(len) > available as u64 {
        return Err(TrapReason::TableOutOfBounds);
    }
    let table = instance.table(table);
    Ok((table, store.table(table).range(dst, u64::from(len))?.start))
}

/// Copies from an element segment, at once; the work of active segments.
pub(crate) fn init(
    instance: &mut Instance,
    store: &mut Store,
    (table, elem): (TableIndex, ElemIndex),
    (dst, src, len): (u64, u32, u32),
) -> Result<(), TrapReason> {
    let (id, _) = target(instance, store, (table, elem), (dst, src, len))?;
    let module = instance.module().clone();
    let items = &module.info().elements[elem.index()].items;
    let values = element_values(instance, store, items, src as usize..src as usize + len as usize);
    store.table_mut(id).write(dst, &values)
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
        run(vmctx, |instance, store| {
            let (table, elem) = (TableIndex(table), ElemIndex(elem));
            let (id, target) = target(instance, store, (table, elem), (dst, src, len))?;
            let module = instance.module().clone();
            let items = &module.info().elements[elem.index()].items;
            in_pieces(context(vmctx), (len as usize, PIECE), Order::Up, |piece| {
                let from = src as usize + piece.start..src as usize + piece.end;
                let values = element_values(instance, store, items, from);
                store.table_mut(id).write((target + piece.start) as u64, &values).expect(IN_BOUNDS);
            })?;
            Ok::<_, TrapReason>(0)
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
