//! `args_*` and `environ_*`: lists of strings for the guest.

use crate::ctx::WasiCtx;
use crate::errno::Errno;
use crate::memory::GuestMemory;

/// Stores the arguments, each ended by a zero byte, at `buf`, and a pointer to each at `argv`.
pub(crate) fn args_get(ctx: &mut WasiCtx, memory: &mut GuestMemory<'_>, argv: u32, buf: u32) -> Result<(), Errno> {
    store(memory, &ctx.args, argv, buf)
}

/// Stores how many arguments there are and how many bytes they take.
pub(crate) fn args_sizes_get(
    ctx: &mut WasiCtx,
    memory: &mut GuestMemory<'_>,
    count: u32,
    size: u32,
) -> Result<(), Errno> {
    store_sizes(memory, &ctx.args, count, size)
}

/// As [`args_get`], for the `NAME=VALUE` strings of the environment.
pub(crate) fn environ_get(
    ctx: &mut WasiCtx,
    memory: &mut GuestMemory<'_>,
    environ: u32,
    buf: u32,
) -> Result<(), Errno> {
    store(memory, &ctx.env, environ, buf)
}

/// As [`args_sizes_get`], for the environment.
pub(crate) fn environ_sizes_get(
    ctx: &mut WasiCtx,
    memory: &mut GuestMemory<'_>,
    count: u32,
    size: u32,
) -> Result<(), Errno> {
    store_sizes(memory, &ctx.env, count, size)
}

fn store(memory: &mut GuestMemory<'_>, strings: &[String], mut pointers: u32, mut buf: u32) -> Result<(), Errno> {
    for string in strings {
        memory.write_u32(pointers, buf)?;
        memory.write(buf, string.as_bytes())?;
        let end = length(string)?.checked_add(buf).ok_or(Errno::Fault)?;
        memory.write(end, &[0])?;
        // A list that ends at the end of memory leaves these pointing past it, unused.
        buf = end.checked_add(1).ok_or(Errno::Fault)?;
        pointers = pointers.checked_add(4).ok_or(Errno::Fault)?;
    }
    Ok(())
}

fn store_sizes(memory: &mut GuestMemory<'_>, strings: &[String], count: u32, size: u32) -> Result<(), Errno> {
    let mut total: u32 = 0;
    for string in strings {
        let with_zero = length(string)?.checked_add(1).ok_or(Errno::Overflow)?;
        total = total.checked_add(with_zero).ok_or(Errno::Overflow)?;
    }
    let number = u32::try_from(strings.len()).map_err(|_| Errno::Overflow)?;
    memory.write_u32(count, number)?;
    memory.write_u32(size, total)
}

fn length(string: &str) -> Result<u32, Errno> {
    u32::try_from(string.len()).map_err(|_| Errno::Overflow)
}
