//! A program that is about to run: engine, module, linker, and what each run of it gets.

mod host;
mod timer;

use std::process::ExitCode;
use std::sync::Arc;

use upshift::{Error, Func, Instance, InstancePre, Linker, Module, Result, Store, Trap, UnknownImportError, Val};

use crate::exit::{self, End, Note};
use crate::options::{RunOptions, UnknownImports};
use crate::profiling::Perf;
use crate::recording::{About, Recording};
use crate::{input, output, sections, statistics, value};

pub(crate) use host::{Host, Output};
pub(crate) use timer::{Timer, start as start_timer};

/// Exported functions that an error names.
const SHOWN_FUNCTIONS: usize = 20;

/// A module with all that it imports, ready to be run any number of times.
pub(crate) struct Program<'options> {
    options: &'options RunOptions,
    pub(crate) module: Module,
    linker: Linker<Host>,
    output: Output,
    recording: &'options Recording,
}

/// A program in a store, ready to be called.
pub(crate) struct Running {
    pub(crate) store: Store<Host>,
    /// What is called; nothing when instantiation was all.
    call: Option<Call>,
}

struct Call {
    func: Func,
    params: Vec<Val>,
    results: Vec<Val>,
}

impl<'options> Program<'options> {
    /// Links what can be linked without a store.
    ///
    /// # Errors
    /// When the engine's code memory is full.
    pub(crate) fn new(
        module: Module,
        options: &'options RunOptions,
        output: Output,
        recording: &'options Recording,
    ) -> Result<Program<'options>> {
        let mut linker = Linker::new(module.engine());
        let wasi = |name: &str| name == "wasi_snapshot_preview1" || name == "wasi_unstable";
        if module.imports().any(|import| wasi(import.module())) {
            wasi::add_to_linker(&mut linker, |host: &mut Host| &mut host.wasi)?;
        }
        if options.unknown_imports == UnknownImports::Trap {
            linker.define_unknown_imports_as_traps(&module)?;
        }
        Ok(Program { options, module, linker, output, recording })
    }

    /// A new store with an instance, and the function to call. The timer watches over the store.
    ///
    /// # Errors
    /// When the program cannot be linked or started, or has nothing of what is to be called.
    pub(crate) fn instantiate(&self, timer: &Timer) -> Result<Running, End> {
        let options = self.options;
        let host = Host::new(options, self.output)?;
        let mut store = Store::new(self.module.engine(), host);
        store.limiter(|host| &mut host.limits);
        if let Some(fuel) = options.fuel {
            store.set_fuel(fuel)?;
        }
        timer.watch(&store);
        let pre = self.pre(&mut store)?;
        if sections::has_start(self.module.wire_bytes()) {
            self.recording.first_call();
        }
        let instance = self.recording.span("wasm.InstantiateAndStart", || pre.instantiate(&mut store));
        let instance = instance.map_err(with_limit)?;
        let call = self.what_to_call(&mut store, instance)?;
        Ok(Running { store, call })
    }

    /// The imports. Default values belong to a store, so that a linker with them is for one run only.
    fn pre(&self, store: &mut Store<Host>) -> Result<InstancePre<Host>> {
        if self.options.unknown_imports != UnknownImports::Default {
            return self.linker.instantiate_pre(&self.module).map_err(|error| self.explain(error));
        }
        let mut linker = self.linker.clone();
        linker.define_unknown_imports_as_default_values(store, &self.module)?;
        linker.instantiate_pre(&self.module)
    }

    /// An error of linking, with what may help.
    fn explain(&self, error: Error) -> Error {
        if !error.is::<UnknownImportError>() {
            return error;
        }
        // WASI is there for programs that ask for it, so its names are near, though nothing has defined them.
        let mut linker = self.linker.clone();
        let with_wasi = wasi::add_to_linker(&mut linker, |host: &mut Host| &mut host.wasi);
        let nearer = with_wasi.ok().and_then(|()| linker.instantiate_pre(&self.module).err());
        let advice = "`--unknown-imports trap` runs a program that does not need what it imports";
        nearer.unwrap_or(error).context(Note(advice.to_string()))
    }

    fn what_to_call(&self, store: &mut Store<Host>, instance: Instance) -> Result<Option<Call>, End> {
        let args = self.options.args()?;
        if let Some(name) = &self.options.invoke {
            self.initialize(store, instance)?;
            let func = instance.require_func(&mut *store, name).map_err(|error| self.with_functions(error))?;
            return Ok(Some(Call::new(store, func, name, &args)?));
        }
        if let Some(start) = instance.get_func(&mut *store, "_start") {
            return Ok(Some(Call::new(store, start, "_start", &[])?));
        }
        self.initialize(store, instance)?;
        if sections::has_start(self.module.wire_bytes()) || self.exported_functions().is_empty() {
            return Ok(None);
        }
        let text = "nothing to run: there is no `_start`. Call an export with `--invoke NAME`";
        Err(End::Failed(self.with_functions(Error::msg(text))))
    }

    /// Runs what a library wants to be run before it is used.
    fn initialize(&self, store: &mut Store<Host>, instance: Instance) -> Result<(), End> {
        if let Some(initialize) = instance.get_func(&mut *store, "_initialize") {
            self.recording.first_call();
            Call::new(store, initialize, "_initialize", &[])?.run(store)?;
        }
        Ok(())
    }

    fn exported_functions(&self) -> Vec<String> {
        let exports = self.module.exports().filter(|export| export.ty().func().is_some());
        exports.map(|export| export.name().to_string()).collect()
    }

    /// The error, with the functions that there are.
    fn with_functions(&self, error: Error) -> Error {
        let names = self.exported_functions();
        let more = names.len().saturating_sub(SHOWN_FUNCTIONS);
        let shown = names[..names.len() - more].join(", ");
        error.context(Note(match (names.len(), more) {
            (0, _) => "the module exports no functions".to_string(),
            (_, 0) => format!("the module exports {shown}"),
            _ => format!("the module exports {shown} and {more} more"),
        }))
    }
}

impl Running {
    /// Calls the program's function; the results remain.
    ///
    /// # Errors
    /// How the program ended, if not by returning.
    pub(crate) fn call(&mut self) -> Result<&[Val], End> {
        match &mut self.call {
            Some(call) => {
                call.run(&mut self.store)?;
                Ok(&call.results)
            }
            None => Ok(&[]),
        }
    }
}

impl Call {
    fn new(store: &mut Store<Host>, func: Func, name: &str, args: &[&str]) -> Result<Call> {
        let ty = func.ty(&*store);
        let count = ty.params().len();
        if args.len() != count {
            let text = format!("`{name}` is {ty}: it takes {count} arguments, not {}", args.len());
            return Err(Error::msg(text));
        }
        let mut params = Vec::with_capacity(count);
        for (at, (text, ty)) in args.iter().zip(ty.params()).enumerate() {
            let param = value::parse(text, &ty);
            params.push(param.map_err(|what| Error::msg(format!("argument {} of `{name}`: {what}", at + 1)))?);
        }
        let results = vec![Val::I32(0); ty.results().len()];
        Ok(Call { func, params, results })
    }

    fn run(&mut self, store: &mut Store<Host>) -> Result<(), End> {
        let Call { func, params, results } = self;
        Ok(func.call(&mut *store, params, results).map_err(with_limit)?)
    }
}

/// The error of a call, with the limit that it ran into.
fn with_limit(error: Error) -> Error {
    match error.downcast_ref::<Trap>() {
        Some(Trap::Interrupt) => error.context("the program took longer than --timeout"),
        Some(Trap::OutOfFuel) => error.context("the program needed more than --fuel"),
        _ => error,
    }
}

/// Runs a program once, prints the results of `--invoke`, and gives the process's exit code.
///
/// # Errors
/// When what was recorded of a run that went well cannot be written.
pub(crate) fn run(options: &RunOptions) -> Result<ExitCode> {
    let about = About { title: input::name(options.file()), options: options.tiering.describe() };
    let recording = Recording::start(&options.recording, options.stats, about)?;
    let outcome = run_recorded(options, &recording);
    let code = match &outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(end) => exit::of(end),
    };
    if options.stats
        && let Some((module, progress)) = recording.progress()
    {
        output::report(statistics::of_module(&module, Some(progress)));
    }
    let perf = options.perf.filter(|_| recording.has_engine());
    match (perf.map_or(Ok(()), Perf::finish).and(recording.write()), outcome) {
        (Err(error), Err(_)) => {
            exit::report(&error);
            Ok(code)
        }
        (written, _) => written.map(|()| code),
    }
}

fn run_recorded(options: &RunOptions, recording: &Arc<Recording>) -> Result<(), End> {
    let engine = recording.engine(options.config()?)?;
    // The process ends with the program: it need not wait for an optimizing job that nobody will profit from any more, as
    // dropping the last handle would.
    std::mem::forget(engine.clone());
    let module = input::compile(&engine, options.file())?;
    recording.module(&module);
    let last_words = {
        let recording = Arc::clone(recording);
        move || recording.write()
    };
    let timer = timer::start(options.timeout, last_words);
    let program = Program::new(module, options, Output::Inherit, recording)?;
    let outcome = run_once(&program, &timer, recording);
    drop(timer);
    outcome
}

fn run_once(program: &Program<'_>, timer: &Timer, recording: &Recording) -> Result<(), End> {
    let mut running = program.instantiate(timer)?;
    recording.first_call();
    for result in recording.span("wasm.Execute", || running.call())? {
        output::print_line(value::show(result))?;
    }
    Ok(())
}
