//! `clock_*`: reading clocks.

use crate::clock::ClockId;
use crate::ctx::WasiCtx;
use crate::errno::Errno;
use crate::memory::GuestMemory;

/// Stores a clock's resolution in nanoseconds.
pub(crate) fn clock_res_get(
    ctx: &mut WasiCtx,
    memory: &mut GuestMemory<'_>,
    id: u32,
    resolution: u32,
) -> Result<(), Errno> {
    let id = ClockId::from_raw(id)?;
    memory.write_u64(resolution, ctx.clock.resolution(id)?)
}

/// Stores a clock's time in nanoseconds. The guest's wish for precision is not needed: a reading is
/// always as precise as the clock.
pub(crate) fn clock_time_get(
    ctx: &mut WasiCtx,
    memory: &mut GuestMemory<'_>,
    id: u32,
    _precision: u64,
    time: u32,
) -> Result<(), Errno> {
    let id = ClockId::from_raw(id)?;
    memory.write_u64(time, ctx.clock.now(id)?)
}
