//! `JitDump`: the binary file in which Linux's `perf inject --jit` finds code that a process made at run time, with its
//! bytes, its time and its source positions.
//!
//! The format is that of `tools/perf/Documentation/jitdump-specification.txt` of the Linux kernel, version 1, in the byte
//! order of the machine: a header, then records of a kind, a length and a time each. We write
//! - `JIT_CODE_LOAD` for each piece of code: name, address and bytes;
//! - `JIT_CODE_DEBUG_INFO` before it, if it has positions: the module's URL is the file, the offset of a Wasm instruction
//!   in the module is the line;
//! - `JIT_CODE_CLOSE` at the end.
//!
//! `perf record` learns of the file from the mapping of its first page, and its times must be of the same clock (`-k mono`).

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::Arc;

use sys::profiler::{Marker, create_file, monotonic_time, thread_id};

use super::files::{self, Open, Output};
use super::{CodeListener, CreatedCode};
use crate::sync::{Mutex, MutexGuard, PoisonError};

static OPEN: Open<JitDump> = Mutex::new(BTreeMap::new());

/// "JiTD": what a file begins with.
const MAGIC: u32 = 0x4a69_5444;
const VERSION: u32 = 1;
/// Bytes of the header.
const HEADER: u32 = 40;
/// The processor, by its number in ELF.
const MACHINE: u32 = 62;

/// Kinds of records.
const CODE_LOAD: u32 = 0;
const CODE_DEBUG_INFO: u32 = 2;
const CODE_CLOSE: u32 = 3;

/// A name that stands for that of the entry before.
const SAME_NAME: &[u8] = b"\xff\0";

/// The jitdump of this process.
#[derive(Debug)]
pub struct JitDump {
    path: PathBuf,
    state: Mutex<State>,
    _marker: Marker,
}

#[derive(Debug)]
struct State {
    output: Output,
    /// Pieces of code so far.
    index: u64,
}

impl JitDump {
    /// The file `jit-PID.dump` in a directory, which must not be mounted `noexec`. `perf inject` puts what it makes of the
    /// file beside it.
    ///
    /// # Errors
    /// When the file cannot be made or mapped.
    pub fn open_in(directory: &Path) -> io::Result<Arc<JitDump>> {
        let path = std::path::absolute(directory)?.join(format!("jit-{}.dump", process::id()));
        files::open(&OPEN, &path, || {
            let file = create_file(&path)?;
            let marker = Marker::new(&file)?;
            let mut output = Output::new(file);
            output.write(&header());
            Ok(JitDump { path: path.clone(), state: Mutex::new(State { output, index: 0 }), _marker: marker })
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Why writing it ended early, if it did.
    pub fn error(&self) -> Option<String> {
        self.lock().output.error()
    }

    /// Writes the last record; code made from now on is not written. `perf` can do without, if the process ends otherwise.
    pub fn close(&self) {
        let mut state = self.lock();
        state.output.write(&record(CODE_CLOSE, &[]));
        state.output.close();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CodeListener for JitDump {
    fn code_created(&self, code: &CreatedCode<'_>) {
        let mut state = self.lock();
        let index = state.index;
        state.index += 1;
        let mut records = debug_info(code).unwrap_or_default();
        records.extend(load(code, index));
        state.output.write(&records);
    }
}

fn header() -> Vec<u8> {
    let mut out = Vec::with_capacity(HEADER as usize);
    for field in [MAGIC, VERSION, HEADER, MACHINE, 0, process::id()] {
        out.extend_from_slice(&field.to_ne_bytes());
    }
    out.extend_from_slice(&now().to_ne_bytes());
    // No flags: times are not of the processor's counter.
    out.extend_from_slice(&0_u64.to_ne_bytes());
    out
}

fn record(kind: u32, body: &[u8]) -> Vec<u8> {
    // The parts are names and code of one function, far below 4 GiB.
    let len = 16 + body.len() as u32;
    let mut out = Vec::with_capacity(len as usize);
    out.extend_from_slice(&kind.to_ne_bytes());
    out.extend_from_slice(&len.to_ne_bytes());
    out.extend_from_slice(&now().to_ne_bytes());
    out.extend_from_slice(body);
    out
}

fn load(code: &CreatedCode<'_>, index: u64) -> Vec<u8> {
    let mut body = Vec::new();
    body.extend_from_slice(&process::id().to_ne_bytes());
    body.extend_from_slice(&thread_id().to_ne_bytes());
    let address = code.address() as u64;
    for field in [address, address, code.bytes().len() as u64, index] {
        body.extend_from_slice(&field.to_ne_bytes());
    }
    text(&mut body, &files::title(code));
    body.extend_from_slice(code.bytes());
    record(CODE_LOAD, &body)
}

/// The positions of code that has some.
fn debug_info(code: &CreatedCode<'_>) -> Option<Vec<u8>> {
    let url = code.source_url()?;
    let mut entries = Vec::new();
    let mut count = 0_u64;
    for (code_offset, wasm_offset) in code.positions() {
        // Code that belongs to no instruction gets the line of what is before it, having no other.
        let Some(line) = wasm_offset else { continue };
        entries.extend_from_slice(&(code.address() as u64 + u64::from(code_offset)).to_ne_bytes());
        entries.extend_from_slice(&line.to_ne_bytes());
        entries.extend_from_slice(&0_u32.to_ne_bytes());
        match count {
            0 => text(&mut entries, url),
            _ => entries.extend_from_slice(SAME_NAME),
        }
        count += 1;
    }
    if count == 0 {
        return None;
    }
    let mut body = Vec::with_capacity(entries.len() + 16);
    body.extend_from_slice(&(code.address() as u64).to_ne_bytes());
    body.extend_from_slice(&count.to_ne_bytes());
    body.append(&mut entries);
    Some(record(CODE_DEBUG_INFO, &body))
}

/// A text that ends at its first zero byte.
fn text(out: &mut Vec<u8>, text: &str) {
    out.extend(text.bytes().filter(|&byte| byte != 0));
    out.push(0);
}

/// The time in nanoseconds, by the clock of `perf record -k mono`.
fn now() -> u64 {
    u64::try_from(monotonic_time().as_nanos()).unwrap_or(u64::MAX)
}
