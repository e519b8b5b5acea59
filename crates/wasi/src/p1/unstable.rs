//! The functions in which `wasi_unstable` differs from preview 1: other record layouts, and another
//! order of `whence`.

use crate::ctx::WasiCtx;
use crate::errno::Errno;
use crate::memory::GuestMemory;
use crate::p1::poll::{Layout, poll_with};
use crate::p1::{fd, path};

/// A clock here also has a name of the guest's own, 8 bytes at 16.
const SUBSCRIPTION: Layout = Layout { size: 56, clock_id: 24, timeout: 32, flags: 48 };

/// Stores the attributes of an open file: 56 bytes.
pub(crate) fn fd_filestat_get(
    ctx: &mut WasiCtx,
    memory: &mut GuestMemory<'_>,
    fd: u32,
    stat: u32,
) -> Result<(), Errno> {
    let found = fd::filestat(ctx, fd)?;
    memory.write(stat, &found.encode_unstable())
}

/// Moves a file's position: `whence` 0 is from here, 1 from the end, 2 from the start.
pub(crate) fn fd_seek(
    ctx: &mut WasiCtx,
    memory: &mut GuestMemory<'_>,
    fd: u32,
    delta: i64,
    whence: u32,
    offset: u32,
) -> Result<(), Errno> {
    let whence = match whence {
        0 => 1,
        1 => 2,
        2 => 0,
        _ => return Err(Errno::Inval),
    };
    fd::fd_seek(ctx, memory, fd, delta, whence, offset)
}

/// Stores the attributes of what a path names: 56 bytes.
pub(crate) fn path_filestat_get(
    ctx: &mut WasiCtx,
    memory: &mut GuestMemory<'_>,
    fd: u32,
    lookup: u32,
    path: u32,
    path_len: u32,
    stat: u32,
) -> Result<(), Errno> {
    let found = path::filestat(ctx, memory, fd, lookup, path, path_len)?;
    memory.write(stat, &found.encode_unstable())
}

/// As `poll_oneoff` of preview 1, with subscriptions of 56 bytes.
pub(crate) fn poll_oneoff(
    ctx: &mut WasiCtx,
    memory: &mut GuestMemory<'_>,
    subscriptions: u32,
    events: u32,
    count: u32,
    stored: u32,
) -> Result<(), Errno> {
    poll_with(ctx, memory, &SUBSCRIPTION, [subscriptions, events, count, stored])
}
