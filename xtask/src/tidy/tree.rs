//! The files that the checks look at: what git tracks or would track, read once.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::lexer;

/// A text file of the tree.
#[derive(Debug)]
pub struct File {
    /// Path from the root, with `/`.
    pub path: String,
    /// All of it.
    pub text: String,
    /// For Rust sources: what is code in it, and what is comment.
    rust: Option<lexer::Views>,
}

impl File {
    fn new(path: String, text: String) -> File {
        let rust = path.ends_with(".rs").then(|| lexer::split(&text));
        File { path, text, rust }
    }

    /// Code without comments and without the contents of strings, line by line, with line numbers from 1. Nothing if
    /// this is no Rust source.
    pub fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        numbered(self.rust.as_ref().map_or("", |views| &views.code))
    }

    /// Comments without code, line by line from the first; empty if this is no Rust source.
    pub fn comments(&self) -> impl Iterator<Item = &str> {
        self.rust.as_ref().map_or("", |views| &views.comments).lines()
    }

    /// The lines as they are, numbered from 1.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        numbered(&self.text)
    }

    /// Last component of the path.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// The crate under `crates/` that the file belongs to.
    pub fn crate_name(&self) -> Option<&str> {
        self.path.strip_prefix("crates/")?.split_once('/').map(|(name, _)| name)
    }
}

fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(index, line)| (index + 1, line))
}

/// All text files of a repository.
#[derive(Debug)]
pub struct Tree {
    root: PathBuf,
    files: Vec<File>,
}

impl Tree {
    /// The repository that this program was built in.
    ///
    /// # Errors
    /// When git cannot be asked, or a file cannot be read.
    pub fn of_repository() -> io::Result<Tree> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new(".")).to_owned();
        let mut files = Vec::new();
        for path in listed(&root)? {
            match std::fs::read(root.join(&path)) {
                // What is not text is none of our business.
                Ok(bytes) => files.extend(String::from_utf8(bytes).ok().map(|text| File::new(path, text))),
                // Deleted but still in the index, or a link to nothing.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) if error.kind() == io::ErrorKind::IsADirectory => {}
                Err(error) => return Err(io::Error::new(error.kind(), format!("{path}: {error}"))),
            }
        }
        Ok(Tree { root, files })
    }

    /// A tree for tests.
    #[cfg(test)]
    pub fn of(files: &[(&str, &str)]) -> Tree {
        let file = |&(path, text): &(&str, &str)| File::new(path.to_owned(), text.to_owned());
        Tree { root: PathBuf::from("/somewhere/checkout"), files: files.iter().map(file).collect() }
    }

    /// Where the tree lies.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Every text file.
    pub fn files(&self) -> &[File] {
        &self.files
    }

    /// The file at a path.
    pub fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    /// Rust sources.
    pub fn rust(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.rust.is_some())
    }

    /// Manifests of the workspace's own packages; those of `benches/` and `fuzz/` are workspaces of their own.
    pub fn manifests(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| {
            let owner = file.path.strip_suffix("/Cargo.toml");
            owner.is_some_and(|owner| owner.starts_with("crates/") || owner == "tests" || owner == "xtask")
        })
    }
}

/// What git tracks, and what is new and not ignored, so that a file is checked before its first commit.
fn listed(root: &Path) -> io::Result<Vec<String>> {
    let mut git = Command::new("git");
    git.arg("-C").arg(root).args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let output = git.output()?;
    if !output.status.success() {
        return Err(io::Error::other(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    let mut paths: Vec<String> = String::from_utf8_lossy(&output.stdout)
        .split('\0')
        .filter(|path| !path.is_empty())
        .map(str::to_owned)
        .collect();
    paths.sort();
    paths.dedup();
    Ok(paths)
}
