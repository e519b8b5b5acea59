//! `random_get`.

use crate::ctx::WasiCtx;
use crate::errno::Errno;
use crate::memory::GuestMemory;

/// Fills a buffer with random bytes.
pub(crate) fn random_get(ctx: &mut WasiCtx, memory: &mut GuestMemory<'_>, buf: u32, buf_len: u32) -> Result<(), Errno> {
    ctx.random.fill(memory.slice_mut(buf, buf_len)?)
}
