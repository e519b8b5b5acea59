//! A WASI preview 1 command in wasmi, with the same options as in wasmtime (`--cache` means nothing here).

use crate::command::parse;
use crate::{Outcome, failed};
use std::process::ExitCode;
use wasmi::{Engine, Linker, Module, Store};
use wasmi_wasi::{WasiCtx, WasiCtxBuilder, ambient_authority};

/// Runs the command to its end and returns its exit code; 134 after a trap, as `upshift run` does.
pub(crate) fn run(words: &[&str]) -> Outcome<ExitCode> {
    let options = parse(words)?;
    let engine = Engine::default();
    let module = Module::new(&engine, &std::fs::read(options.command[0])?[..]).map_err(failed)?;

    let mut wasi = WasiCtxBuilder::new();
    wasi.inherit_stdio();
    for argument in options.command {
        wasi.arg(argument).map_err(failed)?;
    }
    for (key, value) in options.env {
        wasi.env(key, value).map_err(failed)?;
    }
    for (host, guest) in options.dirs {
        wasi.preopened_dir(wasmi_wasi::Dir::open_ambient_dir(host, ambient_authority())?, guest).map_err(failed)?;
    }
    let mut linker: Linker<WasiCtx> = Linker::new(&engine);
    wasmi_wasi::add_to_linker(&mut linker, |context| context).map_err(failed)?;
    let mut store = Store::new(&engine, wasi.build());
    let instance = linker.instantiate_and_start(&mut store, &module).map_err(failed)?;
    let start = instance.get_typed_func::<(), ()>(&store, "_start").map_err(failed)?;
    Ok(match start.call(&mut store, ()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => match error.i32_exit_status() {
            Some(status) => ExitCode::from(status as u8),
            None => {
                eprintln!("{error}");
                ExitCode::from(134)
            }
        },
    })
}
