//! The table of WASI's functions, and how one is called: guest memory and state are found, then a
//! function of `p1` does the work and its outcome becomes a number.

use crate::ctx::WasiCtx;
use crate::errno::Errno;
use crate::memory::GuestMemory;
use crate::p1::{args, clock, fd, path, poll, proc, random, sock, unstable};
use upshift::{Caller, Error, Linker, Result};

/// The module name of WASI preview 1.
const PREVIEW1: &str = "wasi_snapshot_preview1";
/// The module name of the snapshot before it, which some old programs still import.
const UNSTABLE: &str = "wasi_unstable";

/// Defines a function that adds the listed functions to a linker. A `memory` function is also given
/// the guest's memory; a `plain` one has no pointers, so that it works without one.
macro_rules! functions {
    ($add:ident: $($kind:ident $room:ident::$name:ident($($arg:ident: $ty:ident),*);)*) => {
        fn $add<T: 'static>(
            linker: &mut Linker<T>,
            module: &str,
            get: impl Fn(&mut T) -> &mut WasiCtx + Copy + Send + Sync + 'static,
        ) -> Result<()> {
            $(
                linker.func_wrap(
                    module,
                    stringify!($name),
                    move |mut caller: Caller<'_, T>, $($arg: $ty),*| -> Result<i32> {
                        functions!(@$kind caller, get, $room::$name, $($arg),*)
                    },
                )?;
            )*
            Ok(())
        }
    };
    (@memory $caller:ident, $get:ident, $function:path, $($arg:ident),*) => {
        with_memory(&mut $caller, $get, |ctx, memory| $function(ctx, memory, $($arg as _),*))
    };
    (@plain $caller:ident, $get:ident, $function:path, $($arg:ident),*) => {
        Ok(outcome($function($get($caller.data_mut()), $($arg as _),*)))
    };
}

functions! { add_shared:
    memory args::args_get(argv: i32, buf: i32);
    memory args::args_sizes_get(count: i32, size: i32);
    memory args::environ_get(environ: i32, buf: i32);
    memory args::environ_sizes_get(count: i32, size: i32);
    memory clock::clock_res_get(id: i32, resolution: i32);
    memory clock::clock_time_get(id: i32, precision: i64, time: i32);
    plain fd::fd_advise(fd: i32, offset: i64, len: i64, advice: i32);
    plain fd::fd_allocate(fd: i32, offset: i64, len: i64);
    plain fd::fd_close(fd: i32);
    plain fd::fd_datasync(fd: i32);
    memory fd::fd_fdstat_get(fd: i32, stat: i32);
    plain fd::fd_fdstat_set_flags(fd: i32, flags: i32);
    plain fd::fd_fdstat_set_rights(fd: i32, base: i64, inheriting: i64);
    plain fd::fd_filestat_set_size(fd: i32, size: i64);
    plain fd::fd_filestat_set_times(fd: i32, atim: i64, mtim: i64, flags: i32);
    memory fd::fd_pread(fd: i32, iovs: i32, iovs_len: i32, offset: i64, nread: i32);
    memory fd::fd_prestat_get(fd: i32, prestat: i32);
    memory fd::fd_prestat_dir_name(fd: i32, path: i32, path_len: i32);
    memory fd::fd_pwrite(fd: i32, iovs: i32, iovs_len: i32, offset: i64, nwritten: i32);
    memory fd::fd_read(fd: i32, iovs: i32, iovs_len: i32, nread: i32);
    memory fd::fd_readdir(fd: i32, buf: i32, buf_len: i32, cookie: i64, used: i32);
    plain fd::fd_renumber(from: i32, to: i32);
    plain fd::fd_sync(fd: i32);
    memory fd::fd_tell(fd: i32, offset: i32);
    memory fd::fd_write(fd: i32, iovs: i32, iovs_len: i32, nwritten: i32);
    memory path::path_create_directory(fd: i32, path: i32, path_len: i32);
    memory path::path_filestat_set_times(
        fd: i32, lookup: i32, path: i32, path_len: i32, atim: i64, mtim: i64, flags: i32
    );
    memory path::path_link(
        fd: i32, lookup: i32, path: i32, path_len: i32, to_fd: i32, to: i32, to_len: i32
    );
    memory path::path_open(
        fd: i32, lookup: i32, path: i32, path_len: i32, oflags: i32, base: i64, inheriting: i64,
        fdflags: i32, opened: i32
    );
    memory path::path_readlink(
        fd: i32, path: i32, path_len: i32, buf: i32, buf_len: i32, used: i32
    );
    memory path::path_remove_directory(fd: i32, path: i32, path_len: i32);
    memory path::path_rename(
        fd: i32, path: i32, path_len: i32, to_fd: i32, to: i32, to_len: i32
    );
    memory path::path_symlink(contents: i32, contents_len: i32, fd: i32, path: i32, path_len: i32);
    memory path::path_unlink_file(fd: i32, path: i32, path_len: i32);
    plain proc::proc_raise(signal: i32);
    plain proc::sched_yield();
    memory random::random_get(buf: i32, buf_len: i32);
    memory sock::sock_recv(
        fd: i32, iovs: i32, iovs_len: i32, flags: i32, received: i32, out_flags: i32
    );
    memory sock::sock_send(fd: i32, iovs: i32, iovs_len: i32, flags: i32, sent: i32);
    plain sock::sock_shutdown(fd: i32, how: i32);
}

functions! { add_preview1:
    memory fd::fd_filestat_get(fd: i32, stat: i32);
    memory fd::fd_seek(fd: i32, delta: i64, whence: i32, offset: i32);
    memory path::path_filestat_get(fd: i32, lookup: i32, path: i32, path_len: i32, stat: i32);
    memory poll::poll_oneoff(subscriptions: i32, events: i32, count: i32, stored: i32);
    memory sock::sock_accept(fd: i32, flags: i32, accepted: i32);
}

functions! { add_unstable:
    memory unstable::fd_filestat_get(fd: i32, stat: i32);
    memory unstable::fd_seek(fd: i32, delta: i64, whence: i32, offset: i32);
    memory unstable::path_filestat_get(fd: i32, lookup: i32, path: i32, path_len: i32, stat: i32);
    memory unstable::poll_oneoff(subscriptions: i32, events: i32, count: i32, stored: i32);
}

/// Adds WASI preview 1 to `linker`: the 46 functions of `wasi_snapshot_preview1`, and the 45 of its
/// forerunner `wasi_unstable` with that one's record layouts. `get` finds the guest's state in the
/// data of the store.
///
/// The guest's memory is its export `memory`, as WASI requires.
///
/// # Errors
/// If the linker already has one of these functions.
pub fn add_to_linker<T: 'static>(
    linker: &mut Linker<T>,
    get: impl Fn(&mut T) -> &mut WasiCtx + Copy + Send + Sync + 'static,
) -> Result<()> {
    for module in [PREVIEW1, UNSTABLE] {
        add_shared(linker, module, get)?;
        linker.func_wrap(module, "proc_exit", |code: i32| -> Result<()> { Err(Error::new(proc::I32Exit(code))) })?;
    }
    add_preview1(linker, PREVIEW1, get)?;
    add_unstable(linker, UNSTABLE, get)
}

/// Runs `call` on the guest's state and memory.
///
/// # Errors
/// If the calling module exports no memory named `memory`.
fn with_memory<T: 'static>(
    caller: &mut Caller<'_, T>,
    get: impl Fn(&mut T) -> &mut WasiCtx,
    call: impl FnOnce(&mut WasiCtx, &mut GuestMemory<'_>) -> std::result::Result<(), Errno>,
) -> Result<i32> {
    let memory = caller
        .get_export("memory")
        .and_then(|export| export.into_memory())
        .ok_or_else(|| Error::msg("a WASI program must export its memory as `memory`"))?;
    let (bytes, data) = memory.data_and_store_mut(caller);
    Ok(outcome(call(get(data), &mut GuestMemory::new(bytes))))
}

/// What the guest gets back: 0 or an `errno`.
fn outcome(result: std::result::Result<(), Errno>) -> i32 {
    match result {
        Ok(()) => 0,
        Err(errno) => i32::from(errno.raw()),
    }
}
