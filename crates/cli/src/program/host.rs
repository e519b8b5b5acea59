//! What a program finds around it: WASI, and limits on its memory.

use upshift::{Error, ResourceLimiter, Result};
use wasi::{Perms, WasiCtx, WasiCtxBuilder};

use crate::input;
use crate::options::RunOptions;

/// The state of a store that runs a program.
pub(crate) struct Host {
    pub(crate) wasi: WasiCtx,
    pub(crate) limits: Limits,
}

/// Where a program's output goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Output {
    /// Where ours goes; its input is ours too.
    Inherit,
    /// Nowhere; its input is empty. A program that runs many times would repeat itself.
    Discard,
}

impl Host {
    /// What the options say.
    ///
    /// # Errors
    /// When a directory cannot be opened.
    pub(crate) fn new(options: &RunOptions, output: Output) -> Result<Host> {
        let mut wasi = WasiCtxBuilder::new();
        if output == Output::Inherit {
            wasi.inherit_stdio();
        }
        // With `--invoke` the arguments are the function's, not the program's.
        let args = if options.invoke.is_some() { Vec::new() } else { options.args()? };
        wasi.arg(input::name(options.file())).args(&args);
        for (name, value) in &options.env {
            match value.clone().or_else(|| std::env::var(name).ok()) {
                Some(value) => wasi.env(name, value),
                None => {
                    return Err(Error::msg(format!("--env {name}: there is no such environment variable to pass on")));
                }
            };
        }
        for (host, guest) in &options.dirs {
            let opened = wasi.preopened_dir(host, guest, Perms::ReadWrite);
            opened.map_err(|error| Error::msg(format!("--dir {host}: cannot open the directory: {error}")))?;
        }
        Ok(Host { wasi: wasi.build(), limits: Limits { most: options.max_memory, taken: 0, last: 0 } })
    }
}

/// Bytes of a table element.
const ELEMENT: usize = 8;

/// A limit on the bytes of all memories and tables together.
#[derive(Debug)]
pub(crate) struct Limits {
    most: Option<u64>,
    taken: u64,
    /// What the last growth that was allowed takes, until another is asked for.
    last: u64,
}

impl ResourceLimiter for Limits {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        let growth = desired.saturating_sub(current) as u64;
        let taken = self.taken.saturating_add(growth);
        self.last = 0;
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        match self.most {
            Some(most) if taken > most && current == 0 => Err(Error::msg(format!(
                "the program's memory of {desired} bytes does not fit --max-memory {most}; give it more"
            ))),
            Some(most) if taken > most => Ok(false),
            _ => {
                self.taken = taken;
                self.last = growth;
                Ok(true)
            }
        }
    }

    fn memory_grow_failed(&mut self, _error: Error) -> Result<()> {
        self.taken -= std::mem::take(&mut self.last);
        Ok(())
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        let bytes = |elements: usize| elements.saturating_mul(ELEMENT);
        self.memory_growing(bytes(current), bytes(desired), maximum.map(bytes)).map_err(|_| {
            Error::msg(format!("the program's table of {desired} elements does not fit --max-memory; give it more"))
        })
    }

    fn table_grow_failed(&mut self, error: Error) -> Result<()> {
        self.memory_grow_failed(error)
    }
}
