//! The table of crates: what each may import, and what each promises about `unsafe`. `docs/architecture.md` has the
//! same table with the reasons.

/// What a crate promises about `unsafe`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unsafety {
    /// `#![forbid(unsafe_code)]`
    Forbid,
    /// At least `#![deny(unsafe_code)]`, with exceptions where they stand.
    Deny,
    /// Unsafe code is at home here.
    Home,
}

/// The law of one crate.
#[derive(Debug)]
pub struct Law {
    /// Folder under `crates/`.
    pub name: &'static str,
    /// Folders of our own crates that it may import.
    pub own: &'static [&'static str],
    /// Packages of others that it may import.
    pub others: &'static [&'static str],
    /// Its promise.
    pub unsafety: Unsafety,
}

/// Every crate there is, lowest first.
pub const CRATES: &[Law] = &[
    Law { name: "wasm", own: &[], others: &["wasmparser"], unsafety: Unsafety::Forbid },
    Law { name: "sys", own: &[], others: &["rustix", "libc"], unsafety: Unsafety::Home },
    Law { name: "abi", own: &["wasm"], others: &[], unsafety: Unsafety::Forbid },
    Law { name: "baseline", own: &["wasm", "abi"], others: &[], unsafety: Unsafety::Forbid },
    Law {
        name: "optimizing",
        own: &["wasm", "abi"],
        others: &["cranelift-codegen", "cranelift-frontend", "cranelift-native"],
        unsafety: Unsafety::Forbid,
    },
    Law { name: "code", own: &["wasm", "abi", "sys"], others: &[], unsafety: Unsafety::Home },
    Law { name: "runtime", own: &["wasm", "abi", "sys", "code"], others: &[], unsafety: Unsafety::Home },
    Law {
        name: "engine",
        own: &["wasm", "abi", "sys", "code", "runtime", "baseline", "optimizing"],
        others: &["tracing"],
        unsafety: Unsafety::Deny,
    },
    Law {
        name: "upshift",
        own: &["engine", "runtime", "wasm"],
        others: &["wat", "futures-core", "futures-io"],
        unsafety: Unsafety::Deny,
    },
    Law {
        name: "wasi",
        own: &["upshift"],
        others: &["cap-primitives", "cap-std", "rustix"],
        unsafety: Unsafety::Forbid,
    },
    Law {
        name: "cli",
        own: &["upshift", "wasi"],
        others: &[
            "clap",
            "clap_complete",
            "clap_mangen",
            "iced-x86",
            "rustix",
            "serde_json",
            "signal-hook",
            "tracing",
            "wast",
        ],
        unsafety: Unsafety::Forbid,
    },
];

/// Packages that have one home, by prefix: nothing else may depend on them or name them, in tests either.
pub const ONE_HOME: &[(&str, &str)] = &[("cranelift", "optimizing"), ("wasmparser", "wasm")];

/// Other engines and their parts, by prefix. `tests/` and `benches/` may compare with them, the product is made without.
pub const RIVALS: &[&str] = &["wasmtime", "winch", "wasmer", "wasmi", "cranelift-jit", "cranelift-module", "v8"];

/// The law of a crate.
pub fn of(name: &str) -> Option<&'static Law> {
    CRATES.iter().find(|law| law.name == name)
}

/// Is `package` the one named by `prefix`, or one of its family?
pub fn in_family(package: &str, prefix: &str) -> bool {
    let package = package.replace('_', "-");
    package.strip_prefix(prefix).is_some_and(|tail| tail.is_empty() || tail.starts_with('-'))
}
