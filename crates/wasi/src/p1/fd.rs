//! `fd_*`: what is done with a descriptor.

use crate::ctx::WasiCtx;
use crate::errno::Errno;
use crate::file::{HostFile, retry, signed_offset};
use crate::memory::GuestMemory;
use crate::rights::Rights;
use crate::stdio::{InputStream, OutputStream};
use crate::table::{Descriptor, Object};
use crate::types::{FdFlags, FileStat, FstFlags, encode_dirent, encode_prestat};
use rustix::fs::{Advice, FallocateFlags, SeekFrom, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT};
use std::io::{IoSlice, IoSliceMut};
use std::num::NonZeroU64;
use std::os::fd::AsFd;

/// The most bytes one write takes, as on Linux; so the count fits what the guest gets back.
const MAX_TRANSFER: usize = 0x7fff_f000;

/// Tells the host how a part of a file will be used. `len` 0 is to the end.
pub(crate) fn fd_advise(ctx: &mut WasiCtx, fd: u32, offset: u64, len: u64, advice: u32) -> Result<(), Errno> {
    let advice = match advice {
        0 => Advice::Normal,
        1 => Advice::Sequential,
        2 => Advice::Random,
        3 => Advice::WillNeed,
        4 => Advice::DontNeed,
        5 => Advice::NoReuse,
        _ => return Err(Errno::Inval),
    };
    check_extent(offset, len)?;
    let file = ctx.table.get(fd)?.file(Rights::FD_ADVISE, Errno::Spipe)?;
    Ok(rustix::fs::fadvise(file, offset, NonZeroU64::new(len), advice)?)
}

/// Makes sure that a part of a file has space, growing the file to hold it.
pub(crate) fn fd_allocate(ctx: &mut WasiCtx, fd: u32, offset: u64, len: u64) -> Result<(), Errno> {
    let file = ctx.table.get(fd)?.file(Rights::FD_ALLOCATE, Errno::Spipe)?;
    check_extent(offset, len)?;
    if len == 0 {
        return Err(Errno::Inval);
    }
    retry(|| rustix::fs::fallocate(file, FallocateFlags::empty(), offset, len))
}

/// An extent that ends past the largest offset is `inval`.
fn check_extent(offset: u64, len: u64) -> Result<(), Errno> {
    signed_offset(offset.checked_add(len).ok_or(Errno::Inval)?).map(drop)
}

/// Closes a descriptor, preopened ones too.
pub(crate) fn fd_close(ctx: &mut WasiCtx, fd: u32) -> Result<(), Errno> {
    ctx.table.remove(fd).map(drop)
}

/// Waits until a file's contents are on the disk.
pub(crate) fn fd_datasync(ctx: &mut WasiCtx, fd: u32) -> Result<(), Errno> {
    let descriptor = ctx.table.get(fd)?;
    if let Object::Dir(dir) = &descriptor.object {
        descriptor.require(Rights::FD_DATASYNC)?;
        return retry(|| rustix::fs::fdatasync(dir));
    }
    let file = descriptor.file(Rights::FD_DATASYNC, Errno::Inval)?;
    retry(|| rustix::fs::fdatasync(file))
}

/// Waits until a file's contents and attributes are on the disk.
pub(crate) fn fd_sync(ctx: &mut WasiCtx, fd: u32) -> Result<(), Errno> {
    let descriptor = ctx.table.get(fd)?;
    if let Object::Dir(dir) = &descriptor.object {
        descriptor.require(Rights::FD_SYNC)?;
        return retry(|| rustix::fs::fsync(dir));
    }
    let file = descriptor.file(Rights::FD_SYNC, Errno::Inval)?;
    retry(|| rustix::fs::fsync(file))
}

/// Stores a descriptor's type, flags and rights.
pub(crate) fn fd_fdstat_get(ctx: &mut WasiCtx, memory: &mut GuestMemory<'_>, fd: u32, stat: u32) -> Result<(), Errno> {
    let found = ctx.table.get(fd)?.fdstat();
    memory.write(stat, &found.encode())
}

/// Sets a descriptor's flags.
pub(crate) fn fd_fdstat_set_flags(ctx: &mut WasiCtx, fd: u32, flags: u32) -> Result<(), Errno> {
    let flags = FdFlags::from_bits(flags)?;
    let descriptor = ctx.table.get_mut(fd)?;
    descriptor.require(Rights::FD_FDSTAT_SET_FLAGS)?;
    descriptor.set_flags(flags)
}

/// Gives rights away. Asking for one that is not held is `notcapable`.
pub(crate) fn fd_fdstat_set_rights(ctx: &mut WasiCtx, fd: u32, base: u64, inheriting: u64) -> Result<(), Errno> {
    let descriptor = ctx.table.get_mut(fd)?;
    let (base, inheriting) = (Rights::from_bits(base), Rights::from_bits(inheriting));
    if !descriptor.base.contains(base) || !descriptor.inheriting.contains(inheriting) {
        return Err(Errno::NotCapable);
    }
    descriptor.base = base;
    descriptor.inheriting = inheriting;
    Ok(())
}

/// Stores a file's attributes: 64 bytes.
pub(crate) fn fd_filestat_get(
    ctx: &mut WasiCtx,
    memory: &mut GuestMemory<'_>,
    fd: u32,
    stat: u32,
) -> Result<(), Errno> {
    let found = filestat(ctx, fd)?;
    memory.write(stat, &found.encode())
}

/// The attributes of an open file.
pub(crate) fn filestat(ctx: &WasiCtx, fd: u32) -> Result<FileStat, Errno> {
    let descriptor = ctx.table.get(fd)?;
    descriptor.require(Rights::FD_FILESTAT_GET)?;
    match &descriptor.object {
        Object::Dir(dir) => dir.stat(),
        Object::File(file) => Ok(FileStat::from_host(&file.stat()?)),
        Object::Input(_) | Object::Output(_) => Ok(FileStat::of_stream()),
    }
}

/// Cuts a file off or fills it up with zeros to `size` bytes.
pub(crate) fn fd_filestat_set_size(ctx: &mut WasiCtx, fd: u32, size: u64) -> Result<(), Errno> {
    let file = ctx.table.get(fd)?.file(Rights::FD_FILESTAT_SET_SIZE, Errno::Inval)?;
    signed_offset(size)?;
    retry(|| rustix::fs::ftruncate(file, size))
}

/// Sets a file's times.
pub(crate) fn fd_filestat_set_times(ctx: &mut WasiCtx, fd: u32, atim: u64, mtim: u64, flags: u32) -> Result<(), Errno> {
    let times = timestamps(atim, mtim, FstFlags::from_bits(flags)?)?;
    let descriptor = ctx.table.get(fd)?;
    let host = match &descriptor.object {
        Object::Dir(dir) => {
            descriptor.require(Rights::FD_FILESTAT_SET_TIMES)?;
            dir.as_fd()
        }
        Object::File(_) | Object::Input(_) | Object::Output(_) => {
            descriptor.file(Rights::FD_FILESTAT_SET_TIMES, Errno::Inval)?.as_fd()
        }
    };
    Ok(rustix::fs::futimens(host, &times)?)
}

/// What the host is told to set. A time given and also asked to be the present is `inval`.
pub(crate) fn timestamps(atim: u64, mtim: u64, flags: FstFlags) -> Result<Timestamps, Errno> {
    let time = |given, now, nanoseconds: u64| match (flags.has(given), flags.has(now)) {
        (true, true) => Err(Errno::Inval),
        (false, true) => Ok(Timespec { tv_sec: 0, tv_nsec: UTIME_NOW }),
        (false, false) => Ok(Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT }),
        (true, false) => Ok(Timespec {
            tv_sec: i64::try_from(nanoseconds / 1_000_000_000).map_err(|_| Errno::Overflow)?,
            tv_nsec: i64::try_from(nanoseconds % 1_000_000_000).map_err(|_| Errno::Overflow)?,
        }),
    };
    Ok(Timestamps {
        last_access: time(FstFlags::ATIM, FstFlags::ATIM_NOW, atim)?,
        last_modification: time(FstFlags::MTIM, FstFlags::MTIM_NOW, mtim)?,
    })
}

/// Reads at a place, leaving the position alone.
pub(crate) fn fd_pread(
    ctx: &mut WasiCtx,
    memory: &mut GuestMemory<'_>,
    fd: u32,
    iovs: u32,
    iovs_len: u32,
    offset: u64,
    nread: u32,
) -> Result<(), Errno> {
    memory.check(nread, 4)?;
    let descriptor = ctx.table.get(fd)?;
    if matches!(descriptor.object, Object::Dir(_)) {
        return Err(Errno::Isdir);
    }
    let file = positioned(descriptor, Rights::FD_READ)?;
    let count = memory.scatter(iovs, iovs_len, |buffers| file.read_at(buffers, offset))?;
    memory.write_u32(nread, length(count)?)
}

/// Writes at a place, leaving the position alone. With `append` Linux writes at the end.
pub(crate) fn fd_pwrite(
    ctx: &mut WasiCtx,
    memory: &mut GuestMemory<'_>,
    fd: u32,
    iovs: u32,
    iovs_len: u32,
    offset: u64,
    nwritten: u32,
) -> Result<(), Errno> {
    memory.check(nwritten, 4)?;
    let descriptor = ctx.table.get(fd)?;
    let file = positioned(descriptor, Rights::FD_WRITE)?;
    let count = memory.gather(iovs, iovs_len, |buffers| file.write_at(buffers, offset))?;
    memory.write_u32(nwritten, length(count)?)
}

/// A file that has positions: `spipe` for a stream, then `notcapable` without the right to transfer.
fn positioned(descriptor: &Descriptor, transfer: Rights) -> Result<&HostFile, Errno> {
    let file = descriptor.file(Rights::FD_SEEK, Errno::Spipe)?;
    descriptor.require(transfer)?;
    Ok(file)
}

/// Stores what kind of preopened object a descriptor is, and the length of its name.
pub(crate) fn fd_prestat_get(
    ctx: &mut WasiCtx,
    memory: &mut GuestMemory<'_>,
    fd: u32,
    prestat: u32,
) -> Result<(), Errno> {
    let name = ctx.table.get(fd)?.preopen.as_deref().ok_or(Errno::Badf)?;
    memory.write(prestat, &encode_prestat(length(name.len())?))
}

/// Stores the name of a preopened directory, without a zero byte.
pub(crate) fn fd_prestat_dir_name(
    ctx: &mut WasiCtx,
    memory: &mut GuestMemory<'_>,
    fd: u32,
    path: u32,
    path_len: u32,
) -> Result<(), Errno> {
    let name = ctx.table.get(fd)?.preopen.as_deref().ok_or(Errno::Badf)?;
    if name.len() > path_len as usize {
        return Err(Errno::NameTooLong);
    }
    memory.write(path, name.as_bytes())
}

/// Reads at the position and moves it.
pub(crate) fn fd_read(
    ctx: &mut WasiCtx,
    memory: &mut GuestMemory<'_>,
    fd: u32,
    iovs: u32,
    iovs_len: u32,
    nread: u32,
) -> Result<(), Errno> {
    memory.check(nread, 4)?;
    let descriptor = ctx.table.get_mut(fd)?;
    if matches!(descriptor.object, Object::Dir(_)) {
        return Err(Errno::Isdir);
    }
    descriptor.require(Rights::FD_READ)?;
    let count = memory.scatter(iovs, iovs_len, |buffers| match &mut descriptor.object {
        Object::File(file) => file.read(buffers),
        Object::Input(stream) => read_stream(stream.as_mut(), buffers),
        Object::Dir(_) | Object::Output(_) => Err(Errno::Badf),
    })?;
    memory.write_u32(nread, length(count)?)
}

/// Writes at the position, or at the end with `append`, and moves it.
pub(crate) fn fd_write(
    ctx: &mut WasiCtx,
    memory: &mut GuestMemory<'_>,
    fd: u32,
    iovs: u32,
    iovs_len: u32,
    nwritten: u32,
) -> Result<(), Errno> {
    memory.check(nwritten, 4)?;
    let descriptor = ctx.table.get_mut(fd)?;
    if matches!(descriptor.object, Object::Dir(_)) {
        return Err(Errno::Badf);
    }
    descriptor.require(Rights::FD_WRITE)?;
    let count = memory.gather(iovs, iovs_len, |buffers| match &mut descriptor.object {
        Object::File(file) => file.write(buffers),
        Object::Output(stream) => write_stream(stream.as_mut(), buffers),
        Object::Dir(_) | Object::Input(_) => Err(Errno::Badf),
    })?;
    memory.write_u32(nwritten, length(count)?)
}

/// Fills the first buffer that is not empty, and no more: a stream may have to wait for the rest.
fn read_stream(stream: &mut dyn InputStream, buffers: &mut [IoSliceMut<'_>]) -> Result<usize, Errno> {
    match buffers.iter_mut().find(|buffer| !buffer.is_empty()) {
        Some(first) => {
            let room = first.len().min(MAX_TRANSFER);
            Ok(stream.read(&mut first[..room])?.min(room))
        }
        None => Ok(0),
    }
}

/// Writes buffer after buffer until one is not taken whole. An error counts only if nothing went out.
fn write_stream(stream: &mut dyn OutputStream, buffers: &[IoSlice<'_>]) -> Result<usize, Errno> {
    let mut total = 0;
    for buffer in buffers {
        let room = buffer.len().min(MAX_TRANSFER - total);
        match stream.write(&buffer[..room]) {
            Ok(count) => {
                total += count.min(room);
                if count < buffer.len() {
                    break;
                }
            }
            Err(_) if total > 0 => break,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(total)
}

/// Stores a directory's entries from `cookie` on. The last one is cut off where the buffer ends, so
/// that a full buffer means there may be more.
pub(crate) fn fd_readdir(
    ctx: &mut WasiCtx,
    memory: &mut GuestMemory<'_>,
    fd: u32,
    buf: u32,
    buf_len: u32,
    cookie: u64,
    used: u32,
) -> Result<(), Errno> {
    memory.check(used, 4)?;
    let out = memory.slice_mut(buf, buf_len)?;
    let descriptor = ctx.table.get_mut(fd)?;
    descriptor.dir(Rights::FD_READDIR)?;
    let Object::Dir(dir) = &mut descriptor.object else { return Err(Errno::Notdir) };

    let mut filled = 0;
    let mut next = cookie;
    for entry in dir.entries(cookie)? {
        next = next.saturating_add(1);
        let name = entry.name.as_bytes();
        let header = encode_dirent(next, entry.ino, length(name.len())?, entry.filetype);
        filled += copy_part(&mut out[filled..], &header);
        filled += copy_part(&mut out[filled..], name);
        if filled == out.len() {
            break;
        }
    }
    memory.write_u32(used, length(filled)?)
}

/// Copies as much of `from` as fits and returns how much that was.
pub(crate) fn copy_part(to: &mut [u8], from: &[u8]) -> usize {
    let count = to.len().min(from.len());
    to[..count].copy_from_slice(&from[..count]);
    count
}

/// Puts what `from` stands for in the place of `to`, which is closed. Both must be open.
pub(crate) fn fd_renumber(ctx: &mut WasiCtx, from: u32, to: u32) -> Result<(), Errno> {
    ctx.table.renumber(from, to)
}

/// Moves a file's position: `whence` 0 is from the start, 1 from here, 2 from the end.
pub(crate) fn fd_seek(
    ctx: &mut WasiCtx,
    memory: &mut GuestMemory<'_>,
    fd: u32,
    delta: i64,
    whence: u32,
    offset: u32,
) -> Result<(), Errno> {
    memory.check(offset, 8)?;
    let descriptor = ctx.table.get(fd)?;
    // Where the position is may be asked with either right.
    let only_tells = whence == 1 && delta == 0 && descriptor.base.contains(Rights::FD_TELL);
    let right = if only_tells { Rights::FD_TELL } else { Rights::FD_SEEK };
    let file = descriptor.file(right, Errno::Spipe)?;
    let to = match whence {
        0 => SeekFrom::Start(u64::try_from(delta).map_err(|_| Errno::Inval)?),
        1 => SeekFrom::Current(delta),
        2 => SeekFrom::End(delta),
        _ => return Err(Errno::Inval),
    };
    let position = rustix::fs::seek(file, to)?;
    memory.write_u64(offset, position)
}

/// Stores a file's position.
pub(crate) fn fd_tell(ctx: &mut WasiCtx, memory: &mut GuestMemory<'_>, fd: u32, offset: u32) -> Result<(), Errno> {
    let file = ctx.table.get(fd)?.file(Rights::FD_TELL, Errno::Spipe)?;
    let position = rustix::fs::tell(file)?;
    memory.write_u64(offset, position)
}

/// A length as the guest counts.
pub(crate) fn length(count: usize) -> Result<u32, Errno> {
    u32::try_from(count).map_err(|_| Errno::Overflow)
}
