//! Open directories, and paths below them that never leave them.
//!
//! How a path is resolved:
//! 1. [`Dir::parent`] opens the directory that holds the path's last name. `cap-primitives` does so
//!    beneath this directory: with `openat2(RESOLVE_BENEATH)`, or by hand, component by component,
//!    on kernels without it. A path or a symbolic link that leads outside is `perm`.
//! 2. One `*at` call of the host acts on the last name, with the kernel's own rules for what exists
//!    and what a trailing slash means. None of these calls follows a link in the last name.
//! 3. Only what must follow a link at the end (`open`, `stat`, `set times`) leaves the whole path to
//!    `cap-primitives`.

use crate::errno::Errno;
use crate::types::{FileStat, FileType, LookupFlags};
use cap_primitives::fs as beneath;
use cap_primitives::fs::{FollowSymlinks, MetadataExt, OpenOptions, OpenOptionsExt};
use rustix::fs::{AtFlags, Mode, OFlags as HostFlags, Timestamps};
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

/// An open directory.
#[derive(Debug)]
pub(crate) struct Dir {
    file: File,
    /// What `fd_readdir` shows: read whole at cookie 0, so that cookies stay good while the
    /// directory changes.
    listing: Option<Vec<Entry>>,
}

/// One name in a directory.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) ino: u64,
    pub(crate) filetype: FileType,
    pub(crate) name: String,
}

/// The directory that holds a path's last name.
#[derive(Debug)]
pub(crate) enum Parent<'d> {
    Same(&'d File),
    Opened(File),
}

impl AsFd for Parent<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Parent::Same(file) => file.as_fd(),
            Parent::Opened(file) => file.as_fd(),
        }
    }
}

/// How `path_open` opens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OpenHow {
    pub(crate) lookup: LookupFlags,
    pub(crate) read: bool,
    pub(crate) write: bool,
    pub(crate) directory: bool,
    /// Creation and status flags, without the access mode.
    pub(crate) flags: HostFlags,
}

impl AsFd for Dir {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl Dir {
    pub(crate) fn new(file: File) -> Dir {
        Dir { file, listing: None }
    }

    /// Opens the directory of `path`'s last name; returns it with that name, trailing slashes kept.
    /// A path that ends in `.` or `..` is opened whole, and its name is `.`.
    pub(crate) fn parent<'p>(&self, path: &'p str) -> Result<(Parent<'_>, &'p str), Errno> {
        check_path(path)?;
        let trimmed = path.trim_end_matches('/');
        let (before, last) = match trimmed.rfind('/') {
            Some(slash) => (&path[..=slash], &path[slash + 1..]),
            None => ("", path),
        };
        let (before, last) = match last.trim_end_matches('/') {
            "." | ".." => (path, "."),
            _ => (before, last),
        };
        if before.is_empty() {
            return Ok((Parent::Same(&self.file), last));
        }
        let dir = beneath::open_dir(&self.file, Path::new(before))?;
        Ok((Parent::Opened(dir), last))
    }

    /// As [`Dir::parent`] for host calls that would follow a link named with a trailing slash: such
    /// a path is opened whole, beneath this directory, and its name is `.`.
    fn parent_no_slash<'p>(&self, path: &'p str) -> Result<(Parent<'_>, &'p str), Errno> {
        check_path(path)?;
        if path.ends_with('/') {
            let dir = beneath::open_dir(&self.file, Path::new(path))?;
            return Ok((Parent::Opened(dir), "."));
        }
        self.parent(path)
    }

    /// Opens a file or directory below this one.
    pub(crate) fn open(&self, path: &str, how: OpenHow) -> Result<File, Errno> {
        check_path(path)?;
        if how.directory {
            return self.open_directory(path, how.lookup);
        }
        // As Linux says, also where `cap-primitives` walks by hand.
        if path.ends_with('/') && how.flags.contains(HostFlags::CREATE) {
            return Err(Errno::Isdir);
        }
        if follows(path, how.lookup) {
            let mut options = OpenOptions::new();
            options
                .read(how.read)
                .write(how.write)
                .custom_flags(i32::try_from(how.flags.bits()).map_err(|_| Errno::Inval)?);
            return Ok(beneath::open(&self.file, Path::new(path), &options)?);
        }
        let access = match (how.read, how.write) {
            (true, true) => HostFlags::RDWR,
            (false, true) => HostFlags::WRONLY,
            (true, false) | (false, false) => HostFlags::RDONLY,
        };
        let flags = access | how.flags | HostFlags::NOFOLLOW | HostFlags::CLOEXEC;
        let (parent, name) = self.parent(path)?;
        Ok(rustix::fs::openat(parent, name, flags, Mode::from_raw_mode(0o666))?.into())
    }

    /// The directory is found first and opened for reading second: finding needs no permission
    /// to read.
    fn open_directory(&self, path: &str, lookup: LookupFlags) -> Result<File, Errno> {
        let flags = HostFlags::RDONLY | HostFlags::DIRECTORY | HostFlags::CLOEXEC;
        if follows(path, lookup) {
            let found = beneath::open_dir(&self.file, Path::new(path))?;
            return Ok(rustix::fs::openat(found, ".", flags, Mode::empty())?.into());
        }
        let (parent, name) = self.parent(path)?;
        Ok(rustix::fs::openat(parent, name, flags | HostFlags::NOFOLLOW, Mode::empty())?.into())
    }

    pub(crate) fn stat(&self) -> Result<FileStat, Errno> {
        Ok(FileStat::from_host(&rustix::fs::fstat(self)?))
    }

    pub(crate) fn stat_at(&self, path: &str, lookup: LookupFlags) -> Result<FileStat, Errno> {
        check_path(path)?;
        if !follows(path, lookup) {
            let (parent, name) = self.parent(path)?;
            let stat = rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)?;
            return Ok(FileStat::from_host(&stat));
        }
        let meta = beneath::stat(&self.file, Path::new(path), FollowSymlinks::Yes)?;
        let nanoseconds = |seconds: i64, nanos: i64| {
            let seconds = u64::try_from(seconds).unwrap_or(0).saturating_mul(1_000_000_000);
            seconds.saturating_add(u64::try_from(nanos).unwrap_or(0))
        };
        Ok(FileStat {
            dev: meta.dev(),
            ino: meta.ino(),
            filetype: FileType::from_host(rustix::fs::FileType::from_raw_mode(meta.mode())),
            nlink: meta.nlink(),
            size: meta.size(),
            atim: nanoseconds(meta.atime(), meta.atime_nsec()),
            mtim: nanoseconds(meta.mtime(), meta.mtime_nsec()),
            ctim: nanoseconds(meta.ctime(), meta.ctime_nsec()),
        })
    }

    /// Sets the times of what `path` names. A followed link is resolved to an open file first.
    pub(crate) fn set_times_at(&self, path: &str, lookup: LookupFlags, times: &Timestamps) -> Result<(), Errno> {
        check_path(path)?;
        if follows(path, lookup) {
            let mut options = OpenOptions::new();
            let flags = i32::try_from(HostFlags::PATH.bits()).map_err(|_| Errno::Inval)?;
            let found = beneath::open(&self.file, Path::new(path), options.read(true).custom_flags(flags))?;
            return Ok(rustix::fs::utimensat(found, "", times, AtFlags::EMPTY_PATH)?);
        }
        let (parent, name) = self.parent(path)?;
        Ok(rustix::fs::utimensat(parent, name, times, AtFlags::SYMLINK_NOFOLLOW)?)
    }

    pub(crate) fn create_directory(&self, path: &str) -> Result<(), Errno> {
        let (parent, name) = self.parent(path)?;
        Ok(rustix::fs::mkdirat(parent, name, Mode::from_raw_mode(0o777))?)
    }

    pub(crate) fn remove_directory(&self, path: &str) -> Result<(), Errno> {
        let (parent, name) = self.parent(path)?;
        Ok(rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR)?)
    }

    pub(crate) fn unlink_file(&self, path: &str) -> Result<(), Errno> {
        let (parent, name) = self.parent(path)?;
        Ok(rustix::fs::unlinkat(parent, name, AtFlags::empty())?)
    }

    pub(crate) fn rename(&self, path: &str, to: &Dir, to_path: &str) -> Result<(), Errno> {
        let (old, old_name) = self.parent(path)?;
        let (new, new_name) = to.parent(to_path)?;
        Ok(rustix::fs::renameat(old, old_name, new, new_name)?)
    }

    /// Makes a hard link to what `path` names, be it a symbolic link itself.
    pub(crate) fn link(&self, path: &str, to: &Dir, to_path: &str) -> Result<(), Errno> {
        let (old, old_name) = self.parent_no_slash(path)?;
        let (new, new_name) = to.parent(to_path)?;
        Ok(rustix::fs::linkat(old, old_name, new, new_name, AtFlags::empty())?)
    }

    /// Makes a symbolic link. One that is absolute is `perm`: it could only lead outside.
    pub(crate) fn symlink(&self, contents: &str, path: &str) -> Result<(), Errno> {
        if contents.starts_with('/') {
            return Err(Errno::Perm);
        }
        check_nul(contents)?;
        let (parent, name) = self.parent(path)?;
        Ok(rustix::fs::symlinkat(contents, parent, name)?)
    }

    /// What a symbolic link says. An absolute link, which only the host can have made, is `perm`.
    pub(crate) fn read_link(&self, path: &str) -> Result<String, Errno> {
        let (parent, name) = self.parent_no_slash(path)?;
        let contents = rustix::fs::readlinkat(parent, name, Vec::new())?;
        if contents.to_bytes().starts_with(b"/") {
            return Err(Errno::Perm);
        }
        contents.into_string().map_err(|_| Errno::Ilseq)
    }

    /// The entries from `cookie` on, which counts entries: `.` and `..` come first, then the rest
    /// in the host's order. Cookie 0 reads the directory anew.
    pub(crate) fn entries(&mut self, cookie: u64) -> Result<&[Entry], Errno> {
        if cookie == 0 || self.listing.is_none() {
            self.listing = Some(self.read_listing()?);
        }
        let listing = self.listing.as_deref().unwrap_or(&[]);
        let from = usize::try_from(cookie).unwrap_or(usize::MAX);
        Ok(listing.get(from..).unwrap_or(&[]))
    }

    /// Names that are not UTF-8 are left out: no path of a guest could say them. `..` carries
    /// the number of `.`, since what is above may not be the guest's to know.
    fn read_listing(&self) -> Result<Vec<Entry>, Errno> {
        let ino = self.stat()?.ino;
        let itself = |name: &str| Entry { ino, filetype: FileType::Directory, name: name.to_owned() };
        let mut listing = vec![itself("."), itself("..")];
        for entry in rustix::fs::Dir::read_from(&self.file)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().to_str() else { continue };
            if name == "." || name == ".." {
                continue;
            }
            let filetype = match entry.file_type() {
                rustix::fs::FileType::Unknown => self.type_of(name),
                known => FileType::from_host(known),
            };
            listing.push(Entry { ino: entry.ino(), filetype, name: name.to_owned() });
        }
        Ok(listing)
    }

    /// For file systems whose listings do not say the type.
    fn type_of(&self, name: &str) -> FileType {
        match rustix::fs::statat(self, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => FileType::from_host(rustix::fs::FileType::from_raw_mode(stat.st_mode)),
            Err(_) => FileType::Unknown,
        }
    }
}

/// True if a symbolic link at the end of `path` is followed: asked for, or said by a trailing slash.
fn follows(path: &str, lookup: LookupFlags) -> bool {
    lookup.has(LookupFlags::SYMLINK_FOLLOW) || path.ends_with('/')
}

/// Refuses paths that no directory could resolve.
fn check_path(path: &str) -> Result<(), Errno> {
    if path.is_empty() {
        return Err(Errno::Noent);
    }
    if path.starts_with('/') {
        return Err(Errno::Perm);
    }
    check_nul(path)
}

fn check_nul(path: &str) -> Result<(), Errno> {
    if path.contains('\0') { Err(Errno::Inval) } else { Ok(()) }
}
