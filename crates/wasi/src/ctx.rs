//! The state of one WASI guest, and the builder that says what the guest gets.

use crate::clock::Clock;
use crate::dir::Dir;
use crate::file::HostFile;
use crate::random::Random;
use crate::rights::Rights;
use crate::stdio::{EmptyInput, InputStream, OutputStream, SinkOutput};
use crate::table::{Descriptor, FdTable, Object};
use crate::types::{FdFlags, FileType};
use rustix::fs::{Mode, OFlags};
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

/// Everything one guest can reach through WASI: arguments, environment, descriptors, clocks and
/// random bytes. Made by [`WasiCtxBuilder`], kept in the data of a `Store`.
pub struct WasiCtx {
    pub(crate) args: Vec<String>,
    /// `NAME=VALUE` strings.
    pub(crate) env: Vec<String>,
    pub(crate) table: FdTable,
    pub(crate) clock: Clock,
    pub(crate) random: Random,
}

impl std::fmt::Debug for WasiCtx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WasiCtx")
            .field("args", &self.args)
            .field("env", &self.env)
            .field("clock", &self.clock)
            .field("random", &self.random)
            .finish_non_exhaustive()
    }
}

/// What a guest may do below a preopened directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Perms {
    /// Look and read. Whatever would change something is `perm` to the guest.
    ReadOnly,
    /// Everything the process itself may do there.
    ReadWrite,
}

/// Collects what a guest gets. A new builder gives nothing: no arguments, no environment, an empty
/// standard input, outputs that go nowhere, no directories; clocks and random bytes are the host's.
pub struct WasiCtxBuilder {
    args: Vec<String>,
    env: Vec<String>,
    stdin: Stdio<Box<dyn InputStream>>,
    stdout: Stdio<Box<dyn OutputStream>>,
    stderr: Stdio<Box<dyn OutputStream>>,
    preopens: Vec<Descriptor>,
    clock: Clock,
    random: Random,
}

/// Where a standard stream leads.
enum Stdio<S> {
    Nowhere,
    Inherit,
    Host(File),
    Stream(S),
}

impl Default for WasiCtxBuilder {
    fn default() -> WasiCtxBuilder {
        WasiCtxBuilder::new()
    }
}

impl std::fmt::Debug for WasiCtxBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WasiCtxBuilder").field("args", &self.args).field("env", &self.env).finish_non_exhaustive()
    }
}

impl WasiCtxBuilder {
    /// A builder that gives the guest nothing.
    pub fn new() -> WasiCtxBuilder {
        WasiCtxBuilder {
            args: Vec::new(),
            env: Vec::new(),
            stdin: Stdio::Nowhere,
            stdout: Stdio::Nowhere,
            stderr: Stdio::Nowhere,
            preopens: Vec::new(),
            clock: Clock::System,
            random: Random::System,
        }
    }

    /// Appends one argument; the first is by custom the program's name.
    pub fn arg(&mut self, arg: impl AsRef<str>) -> &mut Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// Appends arguments.
    pub fn args(&mut self, args: &[impl AsRef<str>]) -> &mut Self {
        for arg in args {
            self.arg(arg);
        }
        self
    }

    /// Appends one environment variable. A later one of the same name replaces an earlier one.
    pub fn env(&mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> &mut Self {
        let prefix = format!("{}=", name.as_ref());
        self.env.retain(|variable| !variable.starts_with(&prefix));
        self.env.push(prefix + value.as_ref());
        self
    }

    /// Appends environment variables, given as name and value.
    pub fn envs(&mut self, envs: &[(impl AsRef<str>, impl AsRef<str>)]) -> &mut Self {
        for (name, value) in envs {
            self.env(name, value);
        }
        self
    }

    /// Appends the process's environment, except for what is not UTF-8.
    pub fn inherit_env(&mut self) -> &mut Self {
        for (name, value) in std::env::vars_os() {
            if let (Some(name), Some(value)) = (name.to_str(), value.to_str()) {
                self.env(name, value);
            }
        }
        self
    }

    /// Appends the process's arguments; what is not UTF-8 in them is replaced.
    pub fn inherit_args(&mut self) -> &mut Self {
        self.args.extend(std::env::args_os().map(|arg| arg.to_string_lossy().into_owned()));
        self
    }

    /// Gives the guest the process's own three standard streams. Nothing is buffered on the way.
    pub fn inherit_stdio(&mut self) -> &mut Self {
        self.inherit_stdin().inherit_stdout().inherit_stderr()
    }

    /// Gives the guest the process's standard input.
    pub fn inherit_stdin(&mut self) -> &mut Self {
        self.stdin = Stdio::Inherit;
        self
    }

    /// Gives the guest the process's standard output.
    pub fn inherit_stdout(&mut self) -> &mut Self {
        self.stdout = Stdio::Inherit;
        self
    }

    /// Gives the guest the process's standard error.
    pub fn inherit_stderr(&mut self) -> &mut Self {
        self.stderr = Stdio::Inherit;
        self
    }

    /// Lets the guest's standard input read from `stream`.
    pub fn stdin(&mut self, stream: impl InputStream + 'static) -> &mut Self {
        self.stdin = Stdio::Stream(Box::new(stream));
        self
    }

    /// Lets the guest's standard output write to `stream`.
    pub fn stdout(&mut self, stream: impl OutputStream + 'static) -> &mut Self {
        self.stdout = Stdio::Stream(Box::new(stream));
        self
    }

    /// Lets the guest's standard error write to `stream`.
    pub fn stderr(&mut self, stream: impl OutputStream + 'static) -> &mut Self {
        self.stderr = Stdio::Stream(Box::new(stream));
        self
    }

    /// Lets the guest's standard input read from a host file or pipe.
    pub fn stdin_file(&mut self, file: impl Into<OwnedFd>) -> &mut Self {
        self.stdin = Stdio::Host(File::from(file.into()));
        self
    }

    /// Lets the guest's standard output write to a host file or pipe.
    pub fn stdout_file(&mut self, file: impl Into<OwnedFd>) -> &mut Self {
        self.stdout = Stdio::Host(File::from(file.into()));
        self
    }

    /// Lets the guest's standard error write to a host file or pipe.
    pub fn stderr_file(&mut self, file: impl Into<OwnedFd>) -> &mut Self {
        self.stderr = Stdio::Host(File::from(file.into()));
        self
    }

    /// Opens the host directory `host_path` for the guest, who knows it as `guest_path`. The first
    /// is descriptor 3, the next 4, and so on.
    ///
    /// # Errors
    /// If the directory cannot be opened for reading.
    pub fn preopened_dir(
        &mut self,
        host_path: impl AsRef<Path>,
        guest_path: impl AsRef<str>,
        perms: Perms,
    ) -> io::Result<&mut Self> {
        let authority = cap_std::ambient_authority();
        let dir = cap_std::fs::Dir::open_ambient_dir(host_path, authority)?;
        self.preopened_dir_handle(&dir, guest_path, perms)
    }

    /// As [`WasiCtxBuilder::preopened_dir`], for a directory that is open already.
    ///
    /// # Errors
    /// If the directory cannot be opened for reading.
    pub fn preopened_dir_handle(
        &mut self,
        dir: &cap_std::fs::Dir,
        guest_path: impl AsRef<str>,
        perms: Perms,
    ) -> io::Result<&mut Self> {
        // A `Dir` need not be open for reading, but listing and synchronizing it need that.
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let readable = rustix::fs::openat(dir, ".", flags, Mode::empty())?;
        let mut descriptor = Descriptor::new(
            Object::Dir(Dir::new(readable.into())),
            FileType::Directory,
            Rights::DIRECTORY,
            Rights::ALL,
        );
        if perms == Perms::ReadOnly {
            descriptor.base = Rights::DIRECTORY & !Rights::MUTATING;
            descriptor.read_only = true;
        }
        descriptor.preopen = Some(guest_path.as_ref().to_owned());
        self.preopens.push(descriptor);
        Ok(self)
    }

    /// Gives the guest an open socket, listening or connected, as its next descriptor after the
    /// standard streams and what was preopened before.
    pub fn preopened_socket(&mut self, socket: impl Into<OwnedFd>) -> &mut Self {
        let file = HostFile::new(File::from(socket.into()), FdFlags::EMPTY);
        self.preopens.push(Descriptor::host(file, Rights::NONE));
        self
    }

    /// Sets where the guest's time comes from.
    pub fn clock(&mut self, clock: Clock) -> &mut Self {
        self.clock = clock;
        self
    }

    /// Sets where the guest's random bytes come from.
    pub fn random(&mut self, random: Random) -> &mut Self {
        self.random = random;
        self
    }

    /// Makes time and random bytes the same in every run: the clock starts at `start` nanoseconds
    /// since 1970 and moves a microsecond at each reading, and random bytes follow from `seed`.
    pub fn deterministic(&mut self, start: u64, seed: u64) -> &mut Self {
        self.clock(Clock::Deterministic(crate::clock::DeterministicClock::new(start, 1_000)))
            .random(Random::Seeded(crate::random::SeededRandom::new(seed)))
    }

    /// Makes the guest's state and leaves this builder as if new.
    pub fn build(&mut self) -> WasiCtx {
        let builder = std::mem::take(self);
        let stdin = match builder.stdin {
            Stdio::Nowhere => Descriptor::input(Box::new(EmptyInput)),
            Stdio::Inherit => Descriptor::host(HostFile::stdin(), Rights::FD_WRITE),
            Stdio::Host(file) => owned(file, Rights::FD_WRITE),
            Stdio::Stream(stream) => Descriptor::input(stream),
        };
        let output = |stdio, inherited: fn() -> HostFile| match stdio {
            Stdio::Nowhere => Descriptor::output(Box::new(SinkOutput)),
            Stdio::Inherit => Descriptor::host(inherited(), Rights::FD_READ),
            Stdio::Host(file) => owned(file, Rights::FD_READ),
            Stdio::Stream(stream) => Descriptor::output(stream),
        };
        let stdout = output(builder.stdout, HostFile::stdout);
        let stderr = output(builder.stderr, HostFile::stderr);
        let first = [stdin, stdout, stderr];
        WasiCtx {
            args: builder.args,
            env: builder.env,
            table: first.into_iter().chain(builder.preopens).collect(),
            clock: builder.clock,
            random: builder.random,
        }
    }
}

/// A standard stream on a host file, with the flags the file was opened with.
fn owned(file: File, except: Rights) -> Descriptor {
    let flags = rustix::fs::fcntl_getfl(&file).map_or(FdFlags::EMPTY, FdFlags::from_host);
    Descriptor::host(HostFile::new(file, flags), except)
}
