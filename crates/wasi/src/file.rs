//! Open host objects that are not directories: regular files, devices, pipes, sockets, terminals.

use crate::errno::Errno;
use crate::rights::Rights;
use crate::types::{FdFlags, FileType};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType as HostFileType, OFlags as HostFlags, Stat};
use rustix::net::SocketType;
use std::fs::File;
use std::io::{IoSlice, IoSliceMut, IsTerminal, Stderr, Stdin, Stdout};
use std::os::fd::{AsFd, BorrowedFd};

/// A host object and how the guest opened it.
#[derive(Debug)]
pub(crate) struct HostFile {
    handle: Handle,
    pub(crate) flags: FdFlags,
}

/// Who owns the host's descriptor. The process's own streams are used in place, never closed.
#[derive(Debug)]
enum Handle {
    Owned(File),
    Stdin(Stdin),
    Stdout(Stdout),
    Stderr(Stderr),
}

impl AsFd for HostFile {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.handle {
            Handle::Owned(file) => file.as_fd(),
            Handle::Stdin(stdin) => stdin.as_fd(),
            Handle::Stdout(stdout) => stdout.as_fd(),
            Handle::Stderr(stderr) => stderr.as_fd(),
        }
    }
}

impl HostFile {
    pub(crate) fn new(file: File, flags: FdFlags) -> HostFile {
        HostFile { handle: Handle::Owned(file), flags }
    }

    pub(crate) fn stdin() -> HostFile {
        HostFile { handle: Handle::Stdin(std::io::stdin()), flags: FdFlags::EMPTY }
    }

    /// Written to directly: what a guest has written is out when its call returns.
    pub(crate) fn stdout() -> HostFile {
        HostFile { handle: Handle::Stdout(std::io::stdout()), flags: FdFlags::EMPTY }
    }

    pub(crate) fn stderr() -> HostFile {
        HostFile { handle: Handle::Stderr(std::io::stderr()), flags: FdFlags::EMPTY }
    }

    fn is_terminal(&self) -> bool {
        self.as_fd().is_terminal()
    }

    pub(crate) fn stat(&self) -> Result<Stat, Errno> {
        Ok(rustix::fs::fstat(self)?)
    }

    /// The kind of the object and the rights that make sense on it.
    pub(crate) fn classify(&self) -> (FileType, Rights) {
        let Ok(stat) = rustix::fs::fstat(self) else {
            return (FileType::Unknown, Rights::STREAM);
        };
        let host = HostFileType::from_raw_mode(stat.st_mode);
        let rights = match host {
            HostFileType::RegularFile | HostFileType::BlockDevice => Rights::FILE,
            HostFileType::CharacterDevice if self.is_terminal() => Rights::STREAM,
            HostFileType::CharacterDevice => Rights::FILE,
            HostFileType::Socket => Rights::SOCKET,
            HostFileType::Fifo | HostFileType::Directory | HostFileType::Symlink | HostFileType::Unknown => {
                Rights::STREAM
            }
        };
        let datagrams =
            host == HostFileType::Socket && rustix::net::sockopt::socket_type(self) == Ok(SocketType::DGRAM);
        let filetype = if datagrams { FileType::SocketDgram } else { FileType::from_host(host) };
        (filetype, rights)
    }

    pub(crate) fn read(&self, buffers: &mut [IoSliceMut<'_>]) -> Result<usize, Errno> {
        self.wait_allowed(PollFlags::IN)?;
        retry(|| rustix::io::readv(self, buffers))
    }

    pub(crate) fn write(&self, buffers: &[IoSlice<'_>]) -> Result<usize, Errno> {
        self.wait_allowed(PollFlags::OUT)?;
        retry(|| rustix::io::writev(self, buffers))
    }

    pub(crate) fn read_at(&self, buffers: &mut [IoSliceMut<'_>], offset: u64) -> Result<usize, Errno> {
        signed_offset(offset)?;
        retry(|| rustix::io::preadv(self, buffers, offset))
    }

    pub(crate) fn write_at(&self, buffers: &[IoSlice<'_>], offset: u64) -> Result<usize, Errno> {
        signed_offset(offset)?;
        retry(|| rustix::io::pwritev(self, buffers, offset))
    }

    /// Changes the flags that can change on an open file, `append` and `nonblock`.
    ///
    /// # Errors
    /// `notsup` if the synchronization flags would change: Linux fixes them at `open`.
    pub(crate) fn set_flags(&mut self, flags: FdFlags) -> Result<(), Errno> {
        if flags.sync_part() != self.flags.sync_part() {
            return Err(Errno::NotSup);
        }
        if matches!(self.handle, Handle::Owned(_)) {
            let mut host = rustix::fs::fcntl_getfl(self.as_fd())?;
            host.set(HostFlags::APPEND, flags.has(FdFlags::APPEND));
            host.set(HostFlags::NONBLOCK, flags.has(FdFlags::NONBLOCK));
            rustix::fs::fcntl_setfl(self.as_fd(), host)?;
        }
        self.flags = flags;
        Ok(())
    }

    /// The process's own streams are shared with other processes (a shell and its terminal), so
    /// `nonblock` is not set on them; it is played by asking first.
    fn wait_allowed(&self, direction: PollFlags) -> Result<(), Errno> {
        if !self.flags.has(FdFlags::NONBLOCK) || matches!(self.handle, Handle::Owned(_)) {
            return Ok(());
        }
        let mut fds = [PollFd::new(self, direction)];
        match poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }))? {
            0 => Err(Errno::Again),
            _ => Ok(()),
        }
    }
}

/// Offsets are signed on the host; a larger one is `inval`.
pub(crate) fn signed_offset(offset: u64) -> Result<i64, Errno> {
    i64::try_from(offset).map_err(|_| Errno::Inval)
}

/// Repeats a call that a signal interrupted: guests have no signals and do not expect `intr`.
pub(crate) fn retry<T>(mut call: impl FnMut() -> rustix::io::Result<T>) -> Result<T, Errno> {
    loop {
        match call() {
            Err(rustix::io::Errno::INTR) => {}
            result => return result.map_err(Errno::from),
        }
    }
}
