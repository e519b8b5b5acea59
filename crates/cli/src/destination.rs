//! Files that options ask for: made before the program runs, so that one that cannot be written is known at once.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use upshift::{Context, Result};

/// A file to write, and the option that asked for it.
#[derive(Debug)]
pub(crate) struct Destination {
    option: &'static str,
    path: PathBuf,
    file: File,
}

impl Destination {
    /// Makes the file.
    ///
    /// # Errors
    /// When it cannot be made; the message names option and file.
    pub(crate) fn create(option: &'static str, path: &Path) -> Result<Destination> {
        let file = File::create(path);
        let file = file.with_context(|| format!("{option} {}: cannot make the file", path.display()))?;
        Ok(Destination { option, path: path.to_path_buf(), file })
    }

    /// Fills it.
    ///
    /// # Errors
    /// When it cannot be written; the message names option and file.
    pub(crate) fn write(&self, what: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>) -> Result<()> {
        let mut out = BufWriter::new(&self.file);
        let written = what(&mut out).and_then(|()| out.flush());
        written.with_context(|| format!("{} {}: cannot write the file", self.option, self.path.display()))
    }
}
