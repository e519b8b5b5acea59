//! `path_*`: what is done with a path below an open directory.

use crate::ctx::WasiCtx;
use crate::dir::{Dir, OpenHow};
use crate::errno::Errno;
use crate::file::HostFile;
use crate::memory::GuestMemory;
use crate::p1::fd::{copy_part, length, timestamps};
use crate::rights::Rights;
use crate::table::{Descriptor, Object};
use crate::types::{FdFlags, FileStat, FileType, FstFlags, LookupFlags, OFlags};
use rustix::fs::OFlags as HostFlags;
use std::fs::File;

/// Makes a directory.
pub(crate) fn path_create_directory(
    ctx: &mut WasiCtx,
    memory: &mut GuestMemory<'_>,
    fd: u32,
    path: u32,
    path_len: u32,
) -> Result<(), Errno> {
    let path = memory.str(path, path_len)?;
    ctx.table.get(fd)?.dir(Rights::PATH_CREATE_DIRECTORY)?.create_directory(path)
}

/// Stores the attributes of what a path names: 64 bytes.
pub(crate) fn path_filestat_get(
    ctx: &mut WasiCtx,
    memory: &mut GuestMemory<'_>,
    fd: u32,
    lookup: u32,
    path: u32,
    path_len: u32,
    stat: u32,
) -> Result<(), Errno> {
    let found = filestat(ctx, memory, fd, lookup, path, path_len)?;
    memory.write(stat, &found.encode())
}

/// The attributes of what a path names.
pub(crate) fn filestat(
    ctx: &WasiCtx,
    memory: &GuestMemory<'_>,
    fd: u32,
    lookup: u32,
    path: u32,
    path_len: u32,
) -> Result<FileStat, Errno> {
    let lookup = LookupFlags::from_bits(lookup)?;
    let path = memory.str(path, path_len)?;
    ctx.table.get(fd)?.dir(Rights::PATH_FILESTAT_GET)?.stat_at(path, lookup)
}

/// Sets the times of what a path names.
#[expect(clippy::too_many_arguments, reason = "the specification's own list")]
pub(crate) fn path_filestat_set_times(
    ctx: &mut WasiCtx,
    memory: &mut GuestMemory<'_>,
    fd: u32,
    lookup: u32,
    path: u32,
    path_len: u32,
    atim: u64,
    mtim: u64,
    flags: u32,
) -> Result<(), Errno> {
    let lookup = LookupFlags::from_bits(lookup)?;
    let times = timestamps(atim, mtim, FstFlags::from_bits(flags)?)?;
    let path = memory.str(path, path_len)?;
    ctx.table.get(fd)?.dir(Rights::PATH_FILESTAT_SET_TIMES)?.set_times_at(path, lookup, &times)
}

/// Makes a hard link. Following a symbolic link at the end of the old path is `inval`.
#[expect(clippy::too_many_arguments, reason = "the specification's own list")]
pub(crate) fn path_link(
    ctx: &mut WasiCtx,
    memory: &mut GuestMemory<'_>,
    fd: u32,
    lookup: u32,
    path: u32,
    path_len: u32,
    to_fd: u32,
    to: u32,
    to_len: u32,
) -> Result<(), Errno> {
    if LookupFlags::from_bits(lookup)?.has(LookupFlags::SYMLINK_FOLLOW) {
        return Err(Errno::Inval);
    }
    let (path, to) = (memory.str(path, path_len)?, memory.str(to, to_len)?);
    let from_dir = ctx.table.get(fd)?.dir(Rights::PATH_LINK_SOURCE)?;
    let to_dir = ctx.table.get(to_fd)?.dir(Rights::PATH_LINK_TARGET)?;
    from_dir.link(path, to_dir, to)
}

/// Opens what a path names and stores the new descriptor.
#[expect(clippy::too_many_arguments, reason = "the specification's own list")]
pub(crate) fn path_open(
    ctx: &mut WasiCtx,
    memory: &mut GuestMemory<'_>,
    fd: u32,
    lookup: u32,
    path: u32,
    path_len: u32,
    oflags: u32,
    base: u64,
    inheriting: u64,
    fdflags: u32,
    opened: u32,
) -> Result<(), Errno> {
    memory.check(opened, 4)?;
    let path = memory.str(path, path_len)?;
    let wish = Wish {
        lookup: LookupFlags::from_bits(lookup)?,
        oflags: OFlags::from_bits(oflags)?,
        fdflags: FdFlags::from_bits(fdflags)?,
        base: Rights::from_bits(base),
        inheriting: Rights::from_bits(inheriting),
    };
    let parent = ctx.table.get(fd)?;
    let dir = wish.check(parent)?;
    let file = dir.open(path, wish.how()?)?;
    let descriptor = wish.descriptor(file, parent.read_only)?;
    let new = ctx.table.push(descriptor)?;
    memory.write_u32(opened, new)
}

/// How a guest wants something opened.
struct Wish {
    lookup: LookupFlags,
    oflags: OFlags,
    fdflags: FdFlags,
    base: Rights,
    inheriting: Rights,
}

impl Wish {
    /// Whether `parent` may open so: its own rights must allow the kind of opening, and its
    /// inheriting rights must hold all that is asked for.
    fn check<'d>(&self, parent: &'d Descriptor) -> Result<&'d Dir, Errno> {
        let mut needed = Rights::PATH_OPEN;
        if self.oflags.has(OFlags::CREAT) {
            needed = needed | Rights::PATH_CREATE_FILE;
        }
        if self.oflags.has(OFlags::TRUNC) {
            needed = needed | Rights::PATH_FILESTAT_SET_SIZE;
        }
        let dir = parent.dir(needed)?;

        let mut inherited = self.base | self.inheriting;
        if self.fdflags.has(FdFlags::SYNC) || self.fdflags.has(FdFlags::RSYNC) {
            inherited = inherited | Rights::FD_SYNC;
        } else if self.fdflags.has(FdFlags::DSYNC) && !parent.inheriting.contains(Rights::FD_SYNC) {
            inherited = inherited | Rights::FD_DATASYNC;
        }
        if !parent.inheriting.contains(inherited) {
            return Err(Errno::NotCapable);
        }
        if parent.read_only && self.writes() {
            return Err(Errno::Perm);
        }
        Ok(dir)
    }

    /// Rights that only come with writing do not ask for it by themselves: many programs ask for
    /// all rights to files they only read. A directory is never written to.
    fn writes(&self) -> bool {
        if self.oflags.has(OFlags::DIRECTORY) {
            return false;
        }
        let by_size = Rights::FD_ALLOCATE | Rights::FD_FILESTAT_SET_SIZE | Rights::FD_DATASYNC;
        self.base.contains(Rights::FD_WRITE) || (!self.reads() && self.base.intersects(by_size))
    }

    fn reads(&self) -> bool {
        self.base.intersects(Rights::FD_READ | Rights::FD_READDIR)
    }

    fn how(&self) -> Result<OpenHow, Errno> {
        let directory = self.oflags.has(OFlags::DIRECTORY);
        let makes = [OFlags::CREAT, OFlags::EXCL, OFlags::TRUNC];
        if directory && makes.into_iter().any(|flag| self.oflags.has(flag)) {
            return Err(Errno::Inval);
        }
        let mut flags = self.fdflags.to_host();
        flags.set(HostFlags::CREATE, self.oflags.has(OFlags::CREAT));
        flags.set(HostFlags::EXCL, self.oflags.has(OFlags::EXCL));
        flags.set(HostFlags::TRUNC, self.oflags.has(OFlags::TRUNC));
        // Cutting off is writing for the host, though not for the guest's rights.
        let write = self.writes() || self.oflags.has(OFlags::TRUNC);
        // A program's terminal is not the guest's to take.
        flags |= HostFlags::NOCTTY;
        Ok(OpenHow { lookup: self.lookup, read: self.reads() || !write, write, directory, flags })
    }

    /// The descriptor of what was opened, with the rights that apply to its type.
    fn descriptor(&self, file: File, read_only: bool) -> Result<Descriptor, Errno> {
        let stat = FileStat::from_host(&rustix::fs::fstat(&file)?);
        let (object, filetype, fitting) = if stat.filetype == FileType::Directory {
            (Object::Dir(Dir::new(file)), FileType::Directory, Rights::DIRECTORY)
        } else {
            let file = HostFile::new(file, self.fdflags);
            let (filetype, fitting) = file.classify();
            (Object::File(file), filetype, fitting)
        };
        let mut base = self.base & fitting;
        if read_only {
            base = base & !Rights::MUTATING;
        }
        let mut descriptor = Descriptor::new(object, filetype, base, self.inheriting);
        descriptor.read_only = read_only;
        Ok(descriptor)
    }
}

/// Stores what a symbolic link says, cut off where the buffer ends, and how many bytes that is.
#[expect(clippy::too_many_arguments, reason = "the specification's own list")]
pub(crate) fn path_readlink(
    ctx: &mut WasiCtx,
    memory: &mut GuestMemory<'_>,
    fd: u32,
    path: u32,
    path_len: u32,
    buf: u32,
    buf_len: u32,
    used: u32,
) -> Result<(), Errno> {
    let path = memory.str(path, path_len)?;
    let contents = ctx.table.get(fd)?.dir(Rights::PATH_READLINK)?.read_link(path)?;
    let count = copy_part(memory.slice_mut(buf, buf_len)?, contents.as_bytes());
    memory.write_u32(used, length(count)?)
}

/// Removes an empty directory.
pub(crate) fn path_remove_directory(
    ctx: &mut WasiCtx,
    memory: &mut GuestMemory<'_>,
    fd: u32,
    path: u32,
    path_len: u32,
) -> Result<(), Errno> {
    let path = memory.str(path, path_len)?;
    ctx.table.get(fd)?.dir(Rights::PATH_REMOVE_DIRECTORY)?.remove_directory(path)
}

/// Gives a file or directory another path, perhaps below another open directory.
#[expect(clippy::too_many_arguments, reason = "the specification's own list")]
pub(crate) fn path_rename(
    ctx: &mut WasiCtx,
    memory: &mut GuestMemory<'_>,
    fd: u32,
    path: u32,
    path_len: u32,
    to_fd: u32,
    to: u32,
    to_len: u32,
) -> Result<(), Errno> {
    let (path, to) = (memory.str(path, path_len)?, memory.str(to, to_len)?);
    let from_dir = ctx.table.get(fd)?.dir(Rights::PATH_RENAME_SOURCE)?;
    let to_dir = ctx.table.get(to_fd)?.dir(Rights::PATH_RENAME_TARGET)?;
    from_dir.rename(path, to_dir, to)
}

/// Makes a symbolic link that says `contents`.
pub(crate) fn path_symlink(
    ctx: &mut WasiCtx,
    memory: &mut GuestMemory<'_>,
    contents: u32,
    contents_len: u32,
    fd: u32,
    path: u32,
    path_len: u32,
) -> Result<(), Errno> {
    let (contents, path) = (memory.str(contents, contents_len)?, memory.str(path, path_len)?);
    ctx.table.get(fd)?.dir(Rights::PATH_SYMLINK)?.symlink(contents, path)
}

/// Removes a name that is not a directory's; a directory is `isdir`.
pub(crate) fn path_unlink_file(
    ctx: &mut WasiCtx,
    memory: &mut GuestMemory<'_>,
    fd: u32,
    path: u32,
    path_len: u32,
) -> Result<(), Errno> {
    let path = memory.str(path, path_len)?;
    ctx.table.get(fd)?.dir(Rights::PATH_UNLINK_FILE)?.unlink_file(path)
}
