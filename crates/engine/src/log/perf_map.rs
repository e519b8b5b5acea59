//! `PerfMap`: the text file in which Linux's profilers look up the names of code that a process made at run time.
//!
//! A line for each piece of code: address and length in hexadecimal, and its name. Tools read `perf-PID.map`, in `/tmp`,
//! when they show what was recorded. `perf report` itself does so for anonymous memory only, which code of an engine is in
//! with `Config::anonymous_code`. A [`JitDump`](super::jitdump::JitDump) says more where much code is freed, as it knows the
//! time: here, code that was freed stays in the file.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::Arc;

use sys::profiler::create_file;

use super::files::{self, Open, Output};
use super::{CodeListener, CreatedCode};
use crate::sync::{Mutex, PoisonError};

static OPEN: Open<PerfMap> = Mutex::new(BTreeMap::new());

/// The perf map of this process.
#[derive(Debug)]
pub struct PerfMap {
    path: PathBuf,
    output: Mutex<Output>,
}

impl PerfMap {
    /// The map in `/tmp`, where `perf` looks for it.
    ///
    /// # Errors
    /// When the file cannot be made, or is there and not ours.
    pub fn open() -> io::Result<Arc<PerfMap>> {
        PerfMap::open_in(Path::new("/tmp"))
    }

    /// The map `perf-PID.map` in a directory; `perf` finds it there when it is linked to from `/tmp`.
    ///
    /// # Errors
    /// As for [`PerfMap::open`].
    pub fn open_in(directory: &Path) -> io::Result<Arc<PerfMap>> {
        let path = directory.join(format!("perf-{}.map", process::id()));
        files::open(&OPEN, &path, || {
            let output = Mutex::new(Output::new(create_file(&path)?));
            Ok(PerfMap { path: path.clone(), output })
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Why writing it ended early, if it did.
    pub fn error(&self) -> Option<String> {
        self.output.lock().unwrap_or_else(PoisonError::into_inner).error()
    }
}

impl CodeListener for PerfMap {
    fn code_created(&self, code: &CreatedCode<'_>) {
        let line = format!("{:x} {:x} {}\n", code.address(), code.bytes().len(), files::title(code));
        self.output.lock().unwrap_or_else(PoisonError::into_inner).write(line.as_bytes());
    }
}
