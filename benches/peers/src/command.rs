//! A WASI preview 1 command in wasmtime, with the options that `upshift run` has too.

use crate::{Outcome, failed};
use std::process::ExitCode;
use wasmtime::{Cache, CacheConfig, Config, Engine, Linker, Module, Store};
use wasmtime_wasi::p1::{self, WasiP1Ctx};
use wasmtime_wasi::{FsPerms, I32Exit, WasiCtxBuilder};

/// What follows `run` on the command line.
#[derive(Default)]
pub(crate) struct Options<'a> {
    /// wasmtime's cache folder.
    pub(crate) cache: Option<&'a str>,
    /// Host and guest path of each preopened folder.
    pub(crate) dirs: Vec<(&'a str, &'a str)>,
    pub(crate) env: Vec<(&'a str, &'a str)>,
    /// The file, then the program's own arguments; the file's name is its argument 0.
    pub(crate) command: &'a [&'a str],
}

/// Reads the words after `run`.
pub(crate) fn parse<'a>(mut words: &'a [&'a str]) -> Outcome<Options<'a>> {
    let mut options = Options::default();
    loop {
        words = match words {
            ["--cache", dir, rest @ ..] => {
                options.cache = Some(*dir);
                rest
            }
            ["--dir", dir, rest @ ..] => {
                options.dirs.push(dir.split_once("::").unwrap_or((*dir, *dir)));
                rest
            }
            ["--env", pair, rest @ ..] => {
                options.env.push(pair.split_once('=').ok_or("--env takes K=V")?);
                rest
            }
            [option, ..] if option.starts_with("--") => return Err(format!("unknown option {option}").into()),
            [] => return Err(crate::USAGE.into()),
            command => {
                options.command = command;
                return Ok(options);
            }
        }
    }
}

/// Runs the command to its end and returns its exit code; 134 after a trap, as `upshift run` does.
pub(crate) fn run(mut config: Config, words: &[&str]) -> Outcome<ExitCode> {
    let options = parse(words)?;
    if let Some(dir) = options.cache {
        let mut cache = CacheConfig::new();
        cache.with_directory(std::path::absolute(dir)?);
        config.cache(Some(Cache::new(cache).map_err(failed)?));
    }
    let engine = Engine::new(&config).map_err(failed)?;
    let module = Module::from_file(&engine, options.command[0]).map_err(failed)?;

    let mut wasi = WasiCtxBuilder::new();
    wasi.inherit_stdio().args(options.command).envs(&options.env);
    for (host, guest) in options.dirs {
        wasi.preopened_dir(host, guest, FsPerms::ReadWrite).map_err(failed)?;
    }
    let mut linker: Linker<WasiP1Ctx> = Linker::new(&engine);
    p1::add_to_linker_sync(&mut linker, |context| context).map_err(failed)?;
    let mut store = Store::new(&engine, wasi.build_p1());
    let instance = linker.instantiate(&mut store, &module).map_err(failed)?;
    let start = instance.get_typed_func::<(), ()>(&mut store, "_start").map_err(failed)?;
    Ok(match start.call(&mut store, ()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => match error.downcast_ref::<I32Exit>() {
            Some(exit) => ExitCode::from(exit.0 as u8),
            None => {
                eprintln!("{error:?}");
                ExitCode::from(134)
            }
        },
    })
}
