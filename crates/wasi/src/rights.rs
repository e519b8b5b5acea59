//! Capability bits of a descriptor, and the sets that fit each kind of object.

use std::ops::{BitAnd, BitOr, Not};

/// A set of `rights` as in the WASI preview 1 specification: what may be done with a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rights(u64);

/// Declares one constant per right, in the order of its bit.
macro_rules! rights {
    ($($bit:literal $name:ident,)*) => {
        impl Rights {
            $(pub(crate) const $name: Rights = Rights(1 << $bit);)*
            /// Every right the specification knows.
            pub(crate) const ALL: Rights = Rights($((1 << $bit))|*);
        }
    };
}

rights! {
    0 FD_DATASYNC,
    1 FD_READ,
    2 FD_SEEK,
    3 FD_FDSTAT_SET_FLAGS,
    4 FD_SYNC,
    5 FD_TELL,
    6 FD_WRITE,
    7 FD_ADVISE,
    8 FD_ALLOCATE,
    9 PATH_CREATE_DIRECTORY,
    10 PATH_CREATE_FILE,
    11 PATH_LINK_SOURCE,
    12 PATH_LINK_TARGET,
    13 PATH_OPEN,
    14 FD_READDIR,
    15 PATH_READLINK,
    16 PATH_RENAME_SOURCE,
    17 PATH_RENAME_TARGET,
    18 PATH_FILESTAT_GET,
    19 PATH_FILESTAT_SET_SIZE,
    20 PATH_FILESTAT_SET_TIMES,
    21 FD_FILESTAT_GET,
    22 FD_FILESTAT_SET_SIZE,
    23 FD_FILESTAT_SET_TIMES,
    24 PATH_SYMLINK,
    25 PATH_REMOVE_DIRECTORY,
    26 PATH_UNLINK_FILE,
    27 POLL_FD_READWRITE,
    28 SOCK_SHUTDOWN,
    29 SOCK_ACCEPT,
}

impl Rights {
    pub(crate) const NONE: Rights = Rights(0);

    /// What applies to a directory.
    pub(crate) const DIRECTORY: Rights = Rights::FD_FDSTAT_SET_FLAGS
        .with(Rights::FD_SYNC)
        .with(Rights::FD_DATASYNC)
        .with(Rights::PATH_CREATE_DIRECTORY)
        .with(Rights::PATH_CREATE_FILE)
        .with(Rights::PATH_LINK_SOURCE)
        .with(Rights::PATH_LINK_TARGET)
        .with(Rights::PATH_OPEN)
        .with(Rights::FD_READDIR)
        .with(Rights::PATH_READLINK)
        .with(Rights::PATH_RENAME_SOURCE)
        .with(Rights::PATH_RENAME_TARGET)
        .with(Rights::PATH_FILESTAT_GET)
        .with(Rights::PATH_FILESTAT_SET_SIZE)
        .with(Rights::PATH_FILESTAT_SET_TIMES)
        .with(Rights::FD_FILESTAT_GET)
        .with(Rights::FD_FILESTAT_SET_TIMES)
        .with(Rights::PATH_SYMLINK)
        .with(Rights::PATH_REMOVE_DIRECTORY)
        .with(Rights::PATH_UNLINK_FILE)
        .with(Rights::POLL_FD_READWRITE);

    /// What applies to a terminal, a pipe, or a stream in memory: neither `FD_SEEK` nor `FD_TELL`,
    /// which is also how a guest's `isatty` knows a terminal from another character device.
    pub(crate) const STREAM: Rights = Rights::FD_READ
        .with(Rights::FD_WRITE)
        .with(Rights::FD_FDSTAT_SET_FLAGS)
        .with(Rights::FD_FILESTAT_GET)
        .with(Rights::POLL_FD_READWRITE);

    /// What applies to a regular file or a device.
    pub(crate) const FILE: Rights = Rights::STREAM
        .with(Rights::FD_SEEK)
        .with(Rights::FD_TELL)
        .with(Rights::FD_SYNC)
        .with(Rights::FD_DATASYNC)
        .with(Rights::FD_ADVISE)
        .with(Rights::FD_ALLOCATE)
        .with(Rights::FD_FILESTAT_SET_SIZE)
        .with(Rights::FD_FILESTAT_SET_TIMES);

    /// What applies to a socket.
    pub(crate) const SOCKET: Rights = Rights::STREAM.with(Rights::SOCK_SHUTDOWN).with(Rights::SOCK_ACCEPT);

    /// What changes a file system.
    pub(crate) const MUTATING: Rights = Rights::FD_WRITE
        .with(Rights::FD_ALLOCATE)
        .with(Rights::FD_FILESTAT_SET_SIZE)
        .with(Rights::FD_FILESTAT_SET_TIMES)
        .with(Rights::PATH_CREATE_DIRECTORY)
        .with(Rights::PATH_CREATE_FILE)
        .with(Rights::PATH_LINK_SOURCE)
        .with(Rights::PATH_LINK_TARGET)
        .with(Rights::PATH_RENAME_SOURCE)
        .with(Rights::PATH_RENAME_TARGET)
        .with(Rights::PATH_FILESTAT_SET_SIZE)
        .with(Rights::PATH_FILESTAT_SET_TIMES)
        .with(Rights::PATH_SYMLINK)
        .with(Rights::PATH_REMOVE_DIRECTORY)
        .with(Rights::PATH_UNLINK_FILE);

    /// The known rights among `bits`. Unknown bits are dropped: some guests ask for all of them.
    pub(crate) fn from_bits(bits: u64) -> Rights {
        Rights(bits) & Rights::ALL
    }

    pub(crate) fn bits(self) -> u64 {
        self.0
    }

    pub(crate) const fn with(self, other: Rights) -> Rights {
        Rights(self.0 | other.0)
    }

    /// True if every right in `other` is here too.
    pub(crate) fn contains(self, other: Rights) -> bool {
        self.0 & other.0 == other.0
    }

    /// True if some right is in both.
    pub(crate) fn intersects(self, other: Rights) -> bool {
        self.0 & other.0 != 0
    }
}

impl BitAnd for Rights {
    type Output = Rights;
    fn bitand(self, other: Rights) -> Rights {
        Rights(self.0 & other.0)
    }
}

impl BitOr for Rights {
    type Output = Rights;
    fn bitor(self, other: Rights) -> Rights {
        Rights(self.0 | other.0)
    }
}

impl Not for Rights {
    type Output = Rights;
    fn not(self) -> Rights {
        Rights(!self.0) & Rights::ALL
    }
}
