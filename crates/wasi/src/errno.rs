//! The error codes of WASI preview 1 and how host errors become them.

use std::io;

/// Declares [`Errno`] from one table of `number name "meaning"` rows.
macro_rules! errnos {
    ($($code:literal $name:ident $text:literal,)*) => {
        /// An error code of WASI preview 1 (`errno` in the specification), never `success`.
        ///
        /// The discriminants are the numbers a guest sees.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u16)]
        pub enum Errno {
            $(#[doc = $text] $name = $code,)*
        }

        impl Errno {
            /// A short English sentence for this code.
            pub fn message(self) -> &'static str {
                match self {
                    $(Errno::$name => $text,)*
                }
            }
        }
    };
}

errnos! {
    1 TooBig "Argument list too long.",
    2 Acces "Permission denied.",
    3 AddrInUse "Address in use.",
    4 AddrNotAvail "Address not available.",
    5 AfNoSupport "Address family not supported.",
    6 Again "Resource unavailable, or operation would block.",
    7 Already "Connection already in progress.",
    8 Badf "Bad file descriptor.",
    9 BadMsg "Bad message.",
    10 Busy "Device or resource busy.",
    11 Canceled "Operation canceled.",
    12 Child "No child processes.",
    13 ConnAborted "Connection aborted.",
    14 ConnRefused "Connection refused.",
    15 ConnReset "Connection reset.",
    16 Deadlk "Resource deadlock would occur.",
    17 DestAddrReq "Destination address required.",
    18 Dom "Argument out of the function's domain.",
    19 Dquot "Disk quota exceeded.",
    20 Exist "File exists.",
    21 Fault "Bad address.",
    22 Fbig "File too large.",
    23 HostUnreach "Host is unreachable.",
    24 Idrm "Identifier removed.",
    25 Ilseq "Illegal byte sequence.",
    26 InProgress "Operation in progress.",
    27 Intr "Interrupted function.",
    28 Inval "Invalid argument.",
    29 Io "Input or output error.",
    30 IsConn "Socket is connected.",
    31 Isdir "Is a directory.",
    32 Loop "Too many levels of symbolic links.",
    33 Mfile "File descriptor value too large.",
    34 Mlink "Too many links.",
    35 MsgSize "Message too large.",
    36 Multihop "Multihop attempted.",
    37 NameTooLong "File name too long.",
    38 NetDown "Network is down.",
    39 NetReset "Connection aborted by the network.",
    40 NetUnreach "Network unreachable.",
    41 Nfile "Too many files open in the system.",
    42 NoBufs "No buffer space available.",
    43 Nodev "No such device.",
    44 Noent "No such file or directory.",
    45 Noexec "Executable file format error.",
    46 Nolck "No locks available.",
    47 Nolink "Link has been severed.",
    48 Nomem "Not enough space.",
    49 Nomsg "No message of the desired type.",
    50 NoProtoOpt "Protocol not available.",
    51 Nospc "No space left on device.",
    52 Nosys "Function not supported.",
    53 NotConn "The socket is not connected.",
    54 Notdir "Not a directory, or a symbolic link to one.",
    55 NotEmpty "Directory not empty.",
    56 NotRecoverable "State not recoverable.",
    57 NotSock "Not a socket.",
    58 NotSup "Not supported.",
    59 Notty "Inappropriate I/O control operation.",
    60 Nxio "No such device or address.",
    61 Overflow "Value too large for its data type.",
    62 OwnerDead "Previous owner died.",
    63 Perm "Operation not permitted.",
    64 Pipe "Broken pipe.",
    65 Proto "Protocol error.",
    66 ProtoNoSupport "Protocol not supported.",
    67 Prototype "Protocol wrong type for socket.",
    68 Range "Result too large.",
    69 Rofs "Read-only file system.",
    70 Spipe "Invalid seek.",
    71 Srch "No such process.",
    72 Stale "Reference to a stale file.",
    73 TimedOut "Connection timed out.",
    74 Txtbsy "Text file busy.",
    75 Xdev "Cross-device link.",
    76 NotCapable "Capabilities insufficient.",
}

impl Errno {
    /// The number a guest sees; 0, success, is not among them.
    pub fn raw(self) -> u16 {
        self as u16
    }
}

impl std::fmt::Display for Errno {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.message())
    }
}

impl std::error::Error for Errno {}

impl From<rustix::io::Errno> for Errno {
    fn from(host: rustix::io::Errno) -> Errno {
        use rustix::io::Errno as H;
        match host {
            H::TOOBIG => Errno::TooBig,
            H::ACCESS => Errno::Acces,
            H::ADDRINUSE => Errno::AddrInUse,
            H::ADDRNOTAVAIL => Errno::AddrNotAvail,
            H::AFNOSUPPORT => Errno::AfNoSupport,
            H::AGAIN => Errno::Again,
            H::ALREADY => Errno::Already,
            H::BADF => Errno::Badf,
            H::BADMSG => Errno::BadMsg,
            H::BUSY => Errno::Busy,
            H::CANCELED => Errno::Canceled,
            H::CHILD => Errno::Child,
            H::CONNABORTED => Errno::ConnAborted,
            H::CONNREFUSED => Errno::ConnRefused,
            H::CONNRESET => Errno::ConnReset,
            H::DEADLK => Errno::Deadlk,
            H::DESTADDRREQ => Errno::DestAddrReq,
            H::DOM => Errno::Dom,
            H::DQUOT => Errno::Dquot,
            H::EXIST => Errno::Exist,
            H::FAULT => Errno::Fault,
            H::FBIG => Errno::Fbig,
            H::HOSTUNREACH => Errno::HostUnreach,
            H::IDRM => Errno::Idrm,
            H::ILSEQ => Errno::Ilseq,
            H::INPROGRESS => Errno::InProgress,
            H::INTR => Errno::Intr,
            H::INVAL => Errno::Inval,
            H::ISCONN => Errno::IsConn,
            H::ISDIR => Errno::Isdir,
            H::LOOP => Errno::Loop,
            H::MFILE => Errno::Mfile,
            H::MLINK => Errno::Mlink,
            H::MSGSIZE => Errno::MsgSize,
            H::MULTIHOP => Errno::Multihop,
            H::NAMETOOLONG => Errno::NameTooLong,
            H::NETDOWN => Errno::NetDown,
            H::NETRESET => Errno::NetReset,
            H::NETUNREACH => Errno::NetUnreach,
            H::NFILE => Errno::Nfile,
            H::NOBUFS => Errno::NoBufs,
            H::NODEV => Errno::Nodev,
            H::NOENT => Errno::Noent,
            H::NOEXEC => Errno::Noexec,
            H::NOLCK => Errno::Nolck,
            H::NOLINK => Errno::Nolink,
            H::NOMEM => Errno::Nomem,
            H::NOMSG => Errno::Nomsg,
            H::NOPROTOOPT => Errno::NoProtoOpt,
            H::NOSPC => Errno::Nospc,
            H::NOSYS => Errno::Nosys,
            H::NOTCONN => Errno::NotConn,
            H::NOTDIR => Errno::Notdir,
            H::NOTEMPTY => Errno::NotEmpty,
            H::NOTRECOVERABLE => Errno::NotRecoverable,
            H::NOTSOCK => Errno::NotSock,
            H::OPNOTSUPP => Errno::NotSup,
            H::NOTTY => Errno::Notty,
            H::NXIO => Errno::Nxio,
            H::OVERFLOW => Errno::Overflow,
            H::OWNERDEAD => Errno::OwnerDead,
            H::PERM => Errno::Perm,
            H::PIPE => Errno::Pipe,
            H::PROTO => Errno::Proto,
            H::PROTONOSUPPORT => Errno::ProtoNoSupport,
            H::PROTOTYPE => Errno::Prototype,
            H::RANGE => Errno::Range,
            H::ROFS => Errno::Rofs,
            H::SPIPE => Errno::Spipe,
            H::SRCH => Errno::Srch,
            H::STALE => Errno::Stale,
            H::TIMEDOUT => Errno::TimedOut,
            H::TXTBSY => Errno::Txtbsy,
            H::XDEV => Errno::Xdev,
            // The host knows more codes than WASI does.
            _ => Errno::Io,
        }
    }
}

impl From<io::Error> for Errno {
    fn from(error: io::Error) -> Errno {
        if let Some(host) = rustix::io::Errno::from_io_error(&error) {
            return host.into();
        }
        match error.kind() {
            // How cap-primitives says that a path tried to leave its directory.
            io::ErrorKind::PermissionDenied => Errno::Perm,
            io::ErrorKind::NotFound => Errno::Noent,
            io::ErrorKind::AlreadyExists => Errno::Exist,
            io::ErrorKind::InvalidInput => Errno::Inval,
            io::ErrorKind::InvalidData => Errno::Ilseq,
            io::ErrorKind::WouldBlock => Errno::Again,
            io::ErrorKind::TimedOut => Errno::TimedOut,
            io::ErrorKind::BrokenPipe => Errno::Pipe,
            io::ErrorKind::Interrupted => Errno::Intr,
            io::ErrorKind::Unsupported => Errno::NotSup,
            io::ErrorKind::OutOfMemory => Errno::Nomem,
            io::ErrorKind::StorageFull | io::ErrorKind::WriteZero => Errno::Nospc,
            _ => Errno::Io,
        }
    }
}
