//! `sock_*`: what is done with a socket the guest was given. On anything else: `notsock`.

use crate::ctx::WasiCtx;
use crate::errno::Errno;
use crate::file::{HostFile, retry};
use crate::memory::GuestMemory;
use crate::p1::fd::length;
use crate::rights::Rights;
use crate::table::{Descriptor, Object};
use crate::types::{FdFlags, FileType, RiFlags, SdFlags};
use rustix::net::{RecvAncillaryBuffer, RecvFlags, ReturnFlags, SendAncillaryBuffer, SendFlags, Shutdown, SocketFlags};
use std::fs::File;

/// The socket behind a descriptor: `badf`, then `notsock`, then `notcapable`.
fn socket(ctx: &WasiCtx, fd: u32, rights: Rights) -> Result<&HostFile, Errno> {
    let descriptor = ctx.table.get(fd)?;
    let is_socket = matches!(descriptor.filetype, FileType::SocketDgram | FileType::SocketStream);
    match &descriptor.object {
        Object::File(file) if is_socket => {
            descriptor.require(rights)?;
            Ok(file)
        }
        Object::File(_) | Object::Dir(_) | Object::Input(_) | Object::Output(_) => Err(Errno::NotSock),
    }
}

/// Accepts a connection and stores its descriptor.
pub(crate) fn sock_accept(
    ctx: &mut WasiCtx,
    memory: &mut GuestMemory<'_>,
    fd: u32,
    flags: u32,
    accepted: u32,
) -> Result<(), Errno> {
    memory.check(accepted, 4)?;
    let flags = FdFlags::from_bits(flags)?;
    let listener = socket(ctx, fd, Rights::SOCK_ACCEPT)?;
    let mut host = SocketFlags::CLOEXEC;
    host.set(SocketFlags::NONBLOCK, flags.has(FdFlags::NONBLOCK));
    let connection = retry(|| rustix::net::accept_with(listener, host))?;
    let file = HostFile::new(File::from(connection), flags);
    let new = ctx.table.push(Descriptor::host(file, Rights::SOCK_ACCEPT))?;
    memory.write_u32(accepted, new)
}

/// Receives into buffers; stores how much, and whether a datagram was cut off.
#[expect(clippy::too_many_arguments, reason = "the specification's own list")]
pub(crate) fn sock_recv(
    ctx: &mut WasiCtx,
    memory: &mut GuestMemory<'_>,
    fd: u32,
    iovs: u32,
    iovs_len: u32,
    flags: u32,
    received: u32,
    out_flags: u32,
) -> Result<(), Errno> {
    let socket = socket(ctx, fd, Rights::FD_READ)?;
    let flags = RiFlags::from_bits(flags)?;
    memory.check(received, 4)?;
    memory.check(out_flags, 2)?;
    let mut host = RecvFlags::empty();
    host.set(RecvFlags::PEEK, flags.has(RiFlags::PEEK));
    host.set(RecvFlags::WAITALL, flags.has(RiFlags::WAITALL));
    let message = memory.scatter(iovs, iovs_len, |buffers| {
        retry(|| rustix::net::recvmsg(socket, buffers, &mut RecvAncillaryBuffer::default(), host))
    })?;
    let cut_off = message.flags.contains(ReturnFlags::TRUNC);
    memory.write_u32(received, length(message.bytes)?)?;
    memory.write_u16(out_flags, u16::from(cut_off))
}

/// Sends buffers; stores how much went out. No flags are known.
pub(crate) fn sock_send(
    ctx: &mut WasiCtx,
    memory: &mut GuestMemory<'_>,
    fd: u32,
    iovs: u32,
    iovs_len: u32,
    flags: u32,
    sent: u32,
) -> Result<(), Errno> {
    let socket = socket(ctx, fd, Rights::FD_WRITE)?;
    if flags != 0 {
        return Err(Errno::Inval);
    }
    memory.check(sent, 4)?;
    let count = memory.gather(iovs, iovs_len, |buffers| {
        retry(|| rustix::net::sendmsg(socket, buffers, &mut SendAncillaryBuffer::default(), SendFlags::NOSIGNAL))
    })?;
    memory.write_u32(sent, length(count)?)
}

/// Closes one or both directions of a connection.
pub(crate) fn sock_shutdown(ctx: &mut WasiCtx, fd: u32, how: u32) -> Result<(), Errno> {
    let socket = socket(ctx, fd, Rights::SOCK_SHUTDOWN)?;
    let how = SdFlags::from_bits(how)?;
    let host = match (how.has(SdFlags::RD), how.has(SdFlags::WR)) {
        (true, true) => Shutdown::Both,
        (true, false) => Shutdown::Read,
        (false, true) => Shutdown::Write,
        (false, false) => return Err(Errno::Inval),
    };
    Ok(rustix::net::shutdown(socket, host)?)
}
