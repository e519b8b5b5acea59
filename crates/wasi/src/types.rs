//! Flags, file types and records of WASI preview 1, with the byte layouts a guest sees.

use crate::errno::Errno;
use crate::rights::Rights;
use rustix::fs::{FileType as HostFileType, OFlags as HostFlags, Stat};

/// Declares a set of flags over an integer; bits outside the table are `inval`.
macro_rules! flags {
    ($(#[$doc:meta])* $name:ident { $($bit:literal $flag:ident,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) struct $name(u16);

        impl $name {
            $(pub(crate) const $flag: $name = $name($bit);)*

            /// Checks what a guest passed. An unknown bit is `inval`.
            pub(crate) fn from_bits(bits: u32) -> Result<$name, Errno> {
                let known: u16 = 0 $(| $bit)*;
                match u16::try_from(bits) {
                    Ok(bits) if bits & !known == 0 => Ok($name(bits)),
                    Ok(_) | Err(_) => Err(Errno::Inval),
                }
            }

            pub(crate) fn has(self, flag: $name) -> bool {
                self.0 & flag.0 != 0
            }
        }
    };
}

flags! {
    /// `fdflags`: how a descriptor behaves.
    FdFlags { 1 APPEND, 2 DSYNC, 4 NONBLOCK, 8 RSYNC, 16 SYNC, }
}
flags! {
    /// `oflags`: how `path_open` makes or checks the file.
    OFlags { 1 CREAT, 2 DIRECTORY, 4 EXCL, 8 TRUNC, }
}
flags! {
    /// `fstflags`: which times to set, and whether to the present.
    FstFlags { 1 ATIM, 2 ATIM_NOW, 4 MTIM, 8 MTIM_NOW, }
}
flags! {
    /// `lookupflags`: whether a symbolic link at the end of a path is followed.
    LookupFlags { 1 SYMLINK_FOLLOW, }
}
flags! {
    /// `riflags`: how `sock_recv` receives.
    RiFlags { 1 PEEK, 2 WAITALL, }
}
flags! {
    /// `sdflags`: which directions `sock_shutdown` closes.
    SdFlags { 1 RD, 2 WR, }
}

impl FdFlags {
    pub(crate) const EMPTY: FdFlags = FdFlags(0);

    /// The flags that ask for synchronized input or output.
    pub(crate) fn sync_part(self) -> FdFlags {
        FdFlags(self.0 & (FdFlags::DSYNC.0 | FdFlags::RSYNC.0 | FdFlags::SYNC.0))
    }

    /// The flags `open` takes for these.
    pub(crate) fn to_host(self) -> HostFlags {
        let mut host = HostFlags::empty();
        host.set(HostFlags::APPEND, self.has(FdFlags::APPEND));
        host.set(HostFlags::NONBLOCK, self.has(FdFlags::NONBLOCK));
        if self.has(FdFlags::DSYNC) {
            host |= HostFlags::DSYNC;
        }
        if self.has(FdFlags::SYNC) || self.has(FdFlags::RSYNC) {
            host |= HostFlags::SYNC;
        }
        host
    }

    /// What the flags of an open file say.
    pub(crate) fn from_host(host: HostFlags) -> FdFlags {
        let mut bits = 0;
        for (flag, bit) in [
            (HostFlags::APPEND, FdFlags::APPEND),
            (HostFlags::NONBLOCK, FdFlags::NONBLOCK),
            (HostFlags::DSYNC, FdFlags::DSYNC),
            (HostFlags::SYNC, FdFlags::SYNC),
        ] {
            if host.contains(flag) {
                bits |= bit.0;
            }
        }
        FdFlags(bits)
    }
}

/// `filetype`: what kind of object a descriptor or a directory entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum FileType {
    Unknown = 0,
    BlockDevice = 1,
    CharacterDevice = 2,
    Directory = 3,
    RegularFile = 4,
    SocketDgram = 5,
    SocketStream = 6,
    SymbolicLink = 7,
}

impl FileType {
    /// The type of a host object; WASI has no word for a named pipe.
    pub(crate) fn from_host(host: HostFileType) -> FileType {
        match host {
            HostFileType::RegularFile => FileType::RegularFile,
            HostFileType::Directory => FileType::Directory,
            HostFileType::Symlink => FileType::SymbolicLink,
            HostFileType::CharacterDevice => FileType::CharacterDevice,
            HostFileType::BlockDevice => FileType::BlockDevice,
            HostFileType::Socket => FileType::SocketStream,
            HostFileType::Fifo | HostFileType::Unknown => FileType::Unknown,
        }
    }
}

/// `fdstat`: 24 bytes, aligned to 8.
pub(crate) struct FdStat {
    pub(crate) filetype: FileType,
    pub(crate) flags: FdFlags,
    pub(crate) base: Rights,
    pub(crate) inheriting: Rights,
}

impl FdStat {
    pub(crate) fn encode(&self) -> [u8; 24] {
        let mut out = [0; 24];
        out[0] = self.filetype as u8;
        out[2..4].copy_from_slice(&self.flags.0.to_le_bytes());
        out[8..16].copy_from_slice(&self.base.bits().to_le_bytes());
        out[16..24].copy_from_slice(&self.inheriting.bits().to_le_bytes());
        out
    }
}

/// `filestat`: 64 bytes, aligned to 8. Times are in nanoseconds since 1970.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FileStat {
    pub(crate) dev: u64,
    pub(crate) ino: u64,
    pub(crate) filetype: FileType,
    pub(crate) nlink: u64,
    pub(crate) size: u64,
    pub(crate) atim: u64,
    pub(crate) mtim: u64,
    pub(crate) ctim: u64,
}

impl FileStat {
    /// What is known of a stream in memory.
    pub(crate) fn of_stream() -> FileStat {
        FileStat { dev: 0, ino: 0, filetype: FileType::Unknown, nlink: 1, size: 0, atim: 0, mtim: 0, ctim: 0 }
    }

    #[allow(clippy::useless_conversion, clippy::unnecessary_cast, reason = "the fields' widths differ between targets")]
    pub(crate) fn from_host(stat: &Stat) -> FileStat {
        FileStat {
            dev: stat.st_dev as u64,
            ino: stat.st_ino as u64,
            filetype: FileType::from_host(HostFileType::from_raw_mode(stat.st_mode)),
            nlink: stat.st_nlink as u64,
            size: u64::try_from(stat.st_size).unwrap_or(0),
            atim: nanoseconds(stat.st_atime as i64, stat.st_atime_nsec as u64),
            mtim: nanoseconds(stat.st_mtime as i64, stat.st_mtime_nsec as u64),
            ctim: nanoseconds(stat.st_ctime as i64, stat.st_ctime_nsec as u64),
        }
    }

    pub(crate) fn encode(&self) -> [u8; 64] {
        let mut out = [0; 64];
        let words = [self.dev, self.ino, 0, self.nlink, self.size, self.atim, self.mtim, self.ctim];
        for (to, word) in out.chunks_exact_mut(8).zip(words) {
            to.copy_from_slice(&word.to_le_bytes());
        }
        out[16] = self.filetype as u8;
        out
    }

    /// The 56 bytes of the older `wasi_unstable`, where `nlink` is a `u32`.
    pub(crate) fn encode_unstable(&self) -> [u8; 56] {
        let mut out = [0; 56];
        let words = [self.dev, self.ino, 0, self.size, self.atim, self.mtim, self.ctim];
        for (to, word) in out.chunks_exact_mut(8).zip(words) {
            to.copy_from_slice(&word.to_le_bytes());
        }
        out[16] = self.filetype as u8;
        let nlink = u32::try_from(self.nlink).unwrap_or(u32::MAX);
        out[20..24].copy_from_slice(&nlink.to_le_bytes());
        out
    }
}

/// Seconds and nanoseconds as one number; times before 1970 are 0, too far ones the largest.
fn nanoseconds(seconds: i64, nanos: u64) -> u64 {
    match u64::try_from(seconds) {
        Ok(seconds) => seconds.saturating_mul(1_000_000_000).saturating_add(nanos),
        Err(_) => 0,
    }
}

/// `event`: 32 bytes, aligned to 8. What `poll_oneoff` tells of one subscription.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event {
    pub(crate) userdata: u64,
    pub(crate) error: Option<Errno>,
    /// `eventtype`: 0 clock, 1 `fd_read`, 2 `fd_write`.
    pub(crate) kind: u8,
    pub(crate) nbytes: u64,
    pub(crate) hangup: bool,
}

impl Event {
    pub(crate) fn encode(&self) -> [u8; 32] {
        let mut out = [0; 32];
        out[0..8].copy_from_slice(&self.userdata.to_le_bytes());
        out[8..10].copy_from_slice(&self.error.map_or(0, Errno::raw).to_le_bytes());
        out[10] = self.kind;
        out[16..24].copy_from_slice(&self.nbytes.to_le_bytes());
        out[24] = u8::from(self.hangup);
        out
    }
}

/// `dirent`: the 24 bytes before an entry's name.
pub(crate) fn encode_dirent(next: u64, ino: u64, name_len: u32, filetype: FileType) -> [u8; 24] {
    let mut out = [0; 24];
    out[0..8].copy_from_slice(&next.to_le_bytes());
    out[8..16].copy_from_slice(&ino.to_le_bytes());
    out[16..20].copy_from_slice(&name_len.to_le_bytes());
    out[20] = filetype as u8;
    out
}

/// `prestat` of a directory: 8 bytes, aligned to 4.
pub(crate) fn encode_prestat(name_len: u32) -> [u8; 8] {
    let mut out = [0; 8];
    out[4..8].copy_from_slice(&name_len.to_le_bytes());
    out
}

#[cfg(test)]
mod tests;
