//! A guest under the test's control: a memory, WASI's functions, and helpers that lay out arguments.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use upshift::{Engine, Instance, Linker, Memory, Module, Store, Val};
use wasi::{Perms, WasiCtx, WasiCtxBuilder, add_to_linker};

/// What a call gave: its value, or the number of an `errno`.
pub type Outcome<T> = Result<T, u16>;

pub const FOLLOW: i64 = 1;
pub const CREAT: i64 = 1;
pub const DIRECTORY: i64 = 2;
pub const EXCL: i64 = 4;
pub const TRUNC: i64 = 8;
pub const APPEND: i64 = 1;
pub const NONBLOCK: i64 = 4;
pub const SYNC: i64 = 16;

pub const FD_READ: i64 = 1 << 1;
pub const FD_SEEK: i64 = 1 << 2;
pub const FD_TELL: i64 = 1 << 5;
pub const FD_WRITE: i64 = 1 << 6;
pub const FD_FILESTAT_SET_SIZE: i64 = 1 << 22;
pub const PATH_FILESTAT_SET_SIZE: i64 = 1 << 19;
pub const PATH_OPEN: i64 = 1 << 13;
pub const ALL: i64 = (1 << 30) - 1;

/// Where the helpers put things: results, paths, lists of buffers, data.
pub const OUT: i64 = 0x100;
pub const PATH: i64 = 0x1000;
pub const PATH2: i64 = 0x3000;
pub const IOVS: i64 = 0x5000;
pub const DATA: i64 = 0x1_0000;
/// The end of the guest's memory.
pub const END: i64 = 0x4_0000;

/// Asserts that a call failed with the given `Errno`.
macro_rules! refused {
    ($call:expr, $errno:ident) => {
        assert_eq!($call.err(), Some(wasi::Errno::$errno.raw()), stringify!($call))
    };
}
pub(crate) use refused;

/// Names and parameters: `i` is an `i32`, `I` an `i64`.
const FUNCTIONS: [(&str, &str); 45] = [
    ("args_get", "ii"),
    ("args_sizes_get", "ii"),
    ("environ_get", "ii"),
    ("environ_sizes_get", "ii"),
    ("clock_res_get", "ii"),
    ("clock_time_get", "iIi"),
    ("fd_advise", "iIIi"),
    ("fd_allocate", "iII"),
    ("fd_close", "i"),
    ("fd_datasync", "i"),
    ("fd_fdstat_get", "ii"),
    ("fd_fdstat_set_flags", "ii"),
    ("fd_fdstat_set_rights", "iII"),
    ("fd_filestat_get", "ii"),
    ("fd_filestat_set_size", "iI"),
    ("fd_filestat_set_times", "iIIi"),
    ("fd_pread", "iiiIi"),
    ("fd_prestat_get", "ii"),
    ("fd_prestat_dir_name", "iii"),
    ("fd_pwrite", "iiiIi"),
    ("fd_read", "iiii"),
    ("fd_readdir", "iiiIi"),
    ("fd_renumber", "ii"),
    ("fd_seek", "iIii"),
    ("fd_sync", "i"),
    ("fd_tell", "ii"),
    ("fd_write", "iiii"),
    ("path_create_directory", "iii"),
    ("path_filestat_get", "iiiii"),
    ("path_filestat_set_times", "iiiiIIi"),
    ("path_link", "iiiiiii"),
    ("path_open", "iiiiiIIii"),
    ("path_readlink", "iiiiii"),
    ("path_remove_directory", "iii"),
    ("path_rename", "iiiiii"),
    ("path_symlink", "iiiii"),
    ("path_unlink_file", "iii"),
    ("poll_oneoff", "iiii"),
    ("proc_raise", "i"),
    ("sched_yield", ""),
    ("random_get", "ii"),
    ("sock_accept", "iii"),
    ("sock_recv", "iiiiii"),
    ("sock_send", "iiiii"),
    ("sock_shutdown", "ii"),
];

/// A directory of the host that is removed at the end.
pub struct TempDir(PathBuf);

impl TempDir {
    pub fn new() -> TempDir {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("upshift-wasi-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        TempDir(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

pub struct Guest {
    store: Store<WasiCtx>,
    instance: Instance,
    memory: Memory,
    pub dir: TempDir,
}

/// `filestat`, as far as tests look at it.
#[derive(Debug, PartialEq, Eq)]
pub struct Stat {
    pub dev: u64,
    pub ino: u64,
    pub filetype: u8,
    pub nlink: u64,
    pub size: u64,
    pub atim: u64,
    pub mtim: u64,
}

/// `fdstat`.
#[derive(Debug, PartialEq, Eq)]
pub struct FdStat {
    pub filetype: u8,
    pub flags: i64,
    pub base: i64,
    pub inheriting: i64,
}

impl Guest {
    /// A guest with an empty directory as descriptor 3, named `/`.
    pub fn new() -> Guest {
        Guest::with(|_, _| {})
    }

    /// As [`Guest::new`]; `setup` may fill the directory and ask for more.
    pub fn with(setup: impl FnOnce(&mut WasiCtxBuilder, &Path)) -> Guest {
        Guest::build("wasi_snapshot_preview1", Perms::ReadWrite, setup)
    }

    pub fn build(module: &str, perms: Perms, setup: impl FnOnce(&mut WasiCtxBuilder, &Path)) -> Guest {
        let dir = TempDir::new();
        let mut builder = WasiCtxBuilder::new();
        builder.preopened_dir(dir.path(), "/", perms).unwrap();
        setup(&mut builder, dir.path());

        let engine = Engine::default();
        let program = Module::new(&engine, wat(module)).unwrap();
        let mut linker = Linker::new(&engine);
        add_to_linker(&mut linker, |ctx: &mut WasiCtx| ctx).unwrap();
        let mut store = Store::new(&engine, builder.build());
        let instance = linker.instantiate(&mut store, &program).unwrap();
        let memory = instance.get_memory(&mut store, "memory").unwrap();
        Guest { store, instance, memory, dir }
    }

    pub fn call(&mut self, name: &str, args: &[i64]) -> Outcome<()> {
        let params = FUNCTIONS.iter().find(|(known, _)| *known == name).unwrap().1;
        assert_eq!(params.len(), args.len(), "{name}");
        let args: Vec<Val> = params
            .chars()
            .zip(args)
            .map(|(kind, &arg)| if kind == 'i' { Val::I32(arg as i32) } else { Val::I64(arg) })
            .collect();
        let mut results = [Val::I32(0)];
        let function = self.instance.get_func(&mut self.store, name).unwrap();
        function.call(&mut self.store, &args, &mut results).unwrap();
        match results[0] {
            Val::I32(0) => Ok(()),
            Val::I32(errno) => Err(u16::try_from(errno).unwrap()),
            _ => panic!("{name} gave something else than a number"),
        }
    }

    pub fn poke(&mut self, at: i64, bytes: &[u8]) {
        self.memory.write(&mut self.store, at as usize, bytes).unwrap();
    }

    pub fn peek(&mut self, at: i64, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        self.memory.read(&self.store, at as usize, &mut bytes).unwrap();
        bytes
    }

    pub fn u32(&mut self, at: i64) -> u32 {
        u32::from_le_bytes(self.peek(at, 4).try_into().unwrap())
    }

    pub fn u64(&mut self, at: i64) -> u64 {
        u64::from_le_bytes(self.peek(at, 8).try_into().unwrap())
    }

    /// Calls a function whose arguments are a descriptor and a path.
    pub fn on_path(&mut self, name: &str, fd: i64, path: &str) -> Outcome<()> {
        self.poke(PATH, path.as_bytes());
        self.call(name, &[fd, PATH, path.len() as i64])
    }

    pub fn mkdir(&mut self, path: &str) -> Outcome<()> {
        self.on_path("path_create_directory", 3, path)
    }

    pub fn rmdir(&mut self, path: &str) -> Outcome<()> {
        self.on_path("path_remove_directory", 3, path)
    }

    pub fn unlink(&mut self, path: &str) -> Outcome<()> {
        self.on_path("path_unlink_file", 3, path)
    }

    pub fn rename(&mut self, from: &str, to: &str) -> Outcome<()> {
        self.poke(PATH, from.as_bytes());
        self.poke(PATH2, to.as_bytes());
        self.call("path_rename", &[3, PATH, from.len() as i64, 3, PATH2, to.len() as i64])
    }

    pub fn link(&mut self, lookup: i64, from: &str, to: &str) -> Outcome<()> {
        self.poke(PATH, from.as_bytes());
        self.poke(PATH2, to.as_bytes());
        self.call("path_link", &[3, lookup, PATH, from.len() as i64, 3, PATH2, to.len() as i64])
    }

    pub fn symlink(&mut self, contents: &str, path: &str) -> Outcome<()> {
        self.poke(PATH, contents.as_bytes());
        self.poke(PATH2, path.as_bytes());
        self.call("path_symlink", &[PATH, contents.len() as i64, 3, PATH2, path.len() as i64])
    }

    pub fn readlink(&mut self, path: &str, room: usize) -> Outcome<Vec<u8>> {
        self.poke(PATH, path.as_bytes());
        self.call("path_readlink", &[3, PATH, path.len() as i64, DATA, room as i64, OUT])?;
        let used = self.u32(OUT) as usize;
        Ok(self.peek(DATA, used))
    }

    /// Opens with all rights the directory passes on.
    pub fn open(&mut self, path: &str, oflags: i64) -> Outcome<i64> {
        self.open_at(3, 0, path, oflags, [ALL, ALL], 0)
    }

    pub fn open_at(
        &mut self,
        fd: i64,
        lookup: i64,
        path: &str,
        oflags: i64,
        [base, inheriting]: [i64; 2],
        fdflags: i64,
    ) -> Outcome<i64> {
        self.poke(PATH, path.as_bytes());
        let len = path.len() as i64;
        self.call("path_open", &[fd, lookup, PATH, len, oflags, base, inheriting, fdflags, OUT])?;
        Ok(i64::from(self.u32(OUT)))
    }

    pub fn close(&mut self, fd: i64) -> Outcome<()> {
        self.call("fd_close", &[fd])
    }

    /// Makes a file with the given contents.
    pub fn file(&mut self, path: &str, contents: &[u8]) {
        let fd = self.open(path, CREAT | EXCL).unwrap();
        assert_eq!(self.write(fd, contents), Ok(contents.len()));
        self.close(fd).unwrap();
    }

    /// Puts one buffer of `len` bytes at [`DATA`] into the list at [`IOVS`].
    fn one_buffer(&mut self, len: usize) {
        self.buffers(&[(DATA, len as i64)]);
    }

    /// Lays out a list of buffers at [`IOVS`].
    pub fn buffers(&mut self, list: &[(i64, i64)]) {
        for (i, (at, len)) in list.iter().enumerate() {
            self.poke(IOVS + 8 * i as i64, &(*at as u32).to_le_bytes());
            self.poke(IOVS + 8 * i as i64 + 4, &(*len as u32).to_le_bytes());
        }
    }

    pub fn write(&mut self, fd: i64, data: &[u8]) -> Outcome<usize> {
        self.poke(DATA, data);
        self.one_buffer(data.len());
        self.call("fd_write", &[fd, IOVS, 1, OUT])?;
        Ok(self.u32(OUT) as usize)
    }

    pub fn read(&mut self, fd: i64, len: usize) -> Outcome<Vec<u8>> {
        self.one_buffer(len);
        self.call("fd_read", &[fd, IOVS, 1, OUT])?;
        let count = self.u32(OUT) as usize;
        Ok(self.peek(DATA, count))
    }

    pub fn pwrite(&mut self, fd: i64, data: &[u8], offset: i64) -> Outcome<usize> {
        self.poke(DATA, data);
        self.one_buffer(data.len());
        self.call("fd_pwrite", &[fd, IOVS, 1, offset, OUT])?;
        Ok(self.u32(OUT) as usize)
    }

    pub fn pread(&mut self, fd: i64, len: usize, offset: i64) -> Outcome<Vec<u8>> {
        self.one_buffer(len);
        self.call("fd_pread", &[fd, IOVS, 1, offset, OUT])?;
        let count = self.u32(OUT) as usize;
        Ok(self.peek(DATA, count))
    }

    pub fn seek(&mut self, fd: i64, delta: i64, whence: i64) -> Outcome<u64> {
        self.call("fd_seek", &[fd, delta, whence, OUT])?;
        Ok(self.u64(OUT))
    }

    pub fn tell(&mut self, fd: i64) -> Outcome<u64> {
        self.call("fd_tell", &[fd, OUT])?;
        Ok(self.u64(OUT))
    }

    pub fn fdstat(&mut self, fd: i64) -> Outcome<FdStat> {
        self.call("fd_fdstat_get", &[fd, OUT])?;
        let bytes = self.peek(OUT, 4);
        Ok(FdStat {
            filetype: bytes[0],
            flags: i64::from(u16::from_le_bytes([bytes[2], bytes[3]])),
            base: self.u64(OUT + 8) as i64,
            inheriting: self.u64(OUT + 16) as i64,
        })
    }

    fn filestat(&mut self) -> Stat {
        Stat {
            dev: self.u64(OUT),
            ino: self.u64(OUT + 8),
            filetype: self.peek(OUT + 16, 1)[0],
            nlink: self.u64(OUT + 24),
            size: self.u64(OUT + 32),
            atim: self.u64(OUT + 40),
            mtim: self.u64(OUT + 48),
        }
    }

    pub fn stat_fd(&mut self, fd: i64) -> Outcome<Stat> {
        self.call("fd_filestat_get", &[fd, OUT])?;
        Ok(self.filestat())
    }

    pub fn stat(&mut self, path: &str, lookup: i64) -> Outcome<Stat> {
        self.poke(PATH, path.as_bytes());
        self.call("path_filestat_get", &[3, lookup, PATH, path.len() as i64, OUT])?;
        Ok(self.filestat())
    }
}

/// A module that exports a function for each of WASI's and passes its arguments on.
fn wat(module: &str) -> String {
    let known = |name: &str| module != "wasi_unstable" || name != "sock_accept";
    let mut imports = String::new();
    let mut bodies = String::new();
    for (name, params) in FUNCTIONS.into_iter().filter(|(name, _)| known(name)) {
        let types: String = params.chars().map(|kind| if kind == 'i' { " i32" } else { " i64" }).collect();
        let gets: String = (0..params.len()).map(|i| format!(" (local.get {i})")).collect();
        imports += &format!("(import \"{module}\" \"{name}\" (func ${name} (param{types}) (result i32)))\n");
        bodies += &format!("(func (export \"{name}\") (param{types}) (result i32) (call ${name}{gets}))\n");
    }
    format!("(module {imports} (memory (export \"memory\") 4) {bodies})")
}
