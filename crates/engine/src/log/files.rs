//! Files that a whole process writes: each is opened once, shared by all engines that ask for it, and stays open.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::CreatedCode;
use crate::sync::{Mutex, PoisonError};

/// The files of a kind that are open, by path.
pub(super) type Open<T> = Mutex<BTreeMap<PathBuf, Arc<T>>>;

/// The writer of the file at this path, made if it is not open yet.
///
/// # Errors
/// When it cannot be made.
pub(super) fn open<T>(table: &Open<T>, path: &Path, make: impl FnOnce() -> io::Result<T>) -> io::Result<Arc<T>> {
    let mut table = table.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(writer) = table.get(path) {
        return Ok(Arc::clone(writer));
    }
    let writer = Arc::new(make()?);
    table.insert(path.to_path_buf(), Arc::clone(&writer));
    Ok(writer)
}

/// A file until writing to it fails: half a record would spoil what follows, so nothing does.
#[derive(Debug)]
pub(super) struct Output {
    file: Option<File>,
    error: Option<String>,
}

impl Output {
    pub(super) fn new(file: File) -> Output {
        Output { file: Some(file), error: None }
    }

    /// Writes a record, all at once, as the process may end at any time.
    pub(super) fn write(&mut self, record: &[u8]) {
        if let Some(file) = &mut self.file
            && let Err(error) = file.write_all(record)
        {
            self.error = Some(error.to_string());
            self.file = None;
        }
    }

    /// Takes no more.
    pub(super) fn close(&mut self) {
        self.file = None;
    }

    /// Why writing ended early.
    pub(super) fn error(&self) -> Option<String> {
        self.error.clone()
    }
}

/// What a profiler shows for code: its function's name and tier.
pub(super) fn title(code: &CreatedCode<'_>) -> String {
    let name: String = code.name().chars().map(|c| if c.is_control() { '?' } else { c }).collect();
    match (code.tier(), code.osr()) {
        (None, _) => name,
        (Some(tier), None) => format!("{name} [{tier}]"),
        (Some(tier), Some(offset)) => format!("{name} [{tier}, loop at {offset:#x}]"),
    }
}
