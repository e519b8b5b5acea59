//! `poll_oneoff`: its records in memory. The waiting itself is in the room `poll`.

use crate::clock::ClockId;
use crate::ctx::WasiCtx;
use crate::errno::Errno;
use crate::memory::GuestMemory;
use crate::poll::{Subscription, What};

/// Bytes of an `event`.
const EVENT: u32 = 32;

/// Where the fields of a `subscription` lie, in bytes.
pub(crate) struct Layout {
    pub(crate) size: u32,
    pub(crate) clock_id: usize,
    pub(crate) timeout: usize,
    pub(crate) flags: usize,
}

const PREVIEW1: Layout = Layout { size: 48, clock_id: 16, timeout: 24, flags: 40 };

/// Waits for one of `count` subscriptions, then stores what happened at `events` and how many at
/// `stored`. No subscription at all is `inval`.
pub(crate) fn poll_oneoff(
    ctx: &mut WasiCtx,
    memory: &mut GuestMemory<'_>,
    subscriptions: u32,
    events: u32,
    count: u32,
    stored: u32,
) -> Result<(), Errno> {
    poll_with(ctx, memory, &PREVIEW1, [subscriptions, events, count, stored])
}

/// [`poll_oneoff`] for a given layout; `args` are its four arguments.
pub(crate) fn poll_with(
    ctx: &mut WasiCtx,
    memory: &mut GuestMemory<'_>,
    layout: &Layout,
    [subscriptions, events, count, stored]: [u32; 4],
) -> Result<(), Errno> {
    if count == 0 {
        return Err(Errno::Inval);
    }
    memory.check(events, count.checked_mul(EVENT).ok_or(Errno::Fault)?)?;
    memory.check(stored, 4)?;
    let bytes = memory.slice(subscriptions, count.checked_mul(layout.size).ok_or(Errno::Fault)?)?;
    let wanted =
        bytes.chunks_exact(layout.size as usize).map(|record| decode(layout, record)).collect::<Result<Vec<_>, _>>()?;

    let happened = crate::poll::wait(&ctx.table, &mut ctx.clock, &wanted)?;
    let mut at = events;
    for event in &happened {
        memory.write(at, &event.encode())?;
        at = at.saturating_add(EVENT);
    }
    memory.write_u32(stored, u32::try_from(happened.len()).map_err(|_| Errno::Overflow)?)
}

fn decode(layout: &Layout, record: &[u8]) -> Result<Subscription, Errno> {
    let what = match record.get(8) {
        Some(0) => {
            let flags = u16::from_le_bytes(field(record, layout.flags)?);
            if flags > 1 {
                return Err(Errno::Inval);
            }
            What::Clock {
                id: ClockId::from_raw(u32::from_le_bytes(field(record, layout.clock_id)?))?,
                timeout: u64::from_le_bytes(field(record, layout.timeout)?),
                absolute: flags == 1,
            }
        }
        Some(1) => What::Read { fd: u32::from_le_bytes(field(record, 16)?) },
        Some(2) => What::Write { fd: u32::from_le_bytes(field(record, 16)?) },
        Some(_) | None => return Err(Errno::Inval),
    };
    Ok(Subscription { userdata: u64::from_le_bytes(field(record, 0)?), what })
}

fn field<const N: usize>(record: &[u8], at: usize) -> Result<[u8; N], Errno> {
    record.get(at..).and_then(|rest| rest.first_chunk()).copied().ok_or(Errno::Fault)
}
