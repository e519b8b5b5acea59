//! Between [`Error`] and the errors of the layers below.

use engine::error::{EngineError, ModuleError};
use runtime::error::{Failure, HostError, Raised};
use runtime::instantiate::InstantiateError;
use wasm::module::ModuleInfo;
use wasm::types::words::{self, Words};

use super::messages::{compile, phrases, runtime as make, usage};
use super::{CompileError, Error, LinkError, UsageError};
use crate::engine::Engine;
use crate::module::Module;
use crate::trap::{Trap, WasmBacktrace};

impl Error {
    /// What the runtime carries through Wasm frames, to be given back by [`Error::from_raised`]. A trap without context
    /// travels as its reason, so that it looks as if Wasm itself had trapped; anything else goes unchanged.
    pub(crate) fn into_failure(self) -> Failure {
        let bare = self.links().count() == 1;
        match self.downcast_ref::<Trap>().and_then(|trap| trap.reason()) {
            Some(reason) if bare => Failure::Trap(reason),
            _ => Failure::Host(Box::new(self)),
        }
    }

    /// The error of a call that did not return. The Wasm frames become its context, unless the error has some already:
    /// a backtrace of an inner call contains the outer one's frames.
    ///
    /// # Panics
    /// Goes on with the panic of a host function, if that is what was raised.
    #[cold]
    #[expect(clippy::boxed_local, reason = "calls give it boxed, so that their results stay small")]
    pub(crate) fn from_raised(raised: Box<Raised>, engine: &Engine) -> Error {
        let error = Error::from_failure(raised.failure);
        if raised.backtrace.frames.is_empty() || error.is::<WasmBacktrace>() {
            return error;
        }
        error.context(WasmBacktrace::new(raised.backtrace, engine))
    }

    /// The error that a failure stands for, without a backtrace.
    #[cold]
    pub(crate) fn from_failure(failure: Failure) -> Error {
        match failure {
            Failure::Trap(reason) => Trap::from(reason).into(),
            Failure::Compile(failure) => CompileError::of_function(*failure).into(),
            Failure::Invalid(fault) => Error::new(CompileError::from(&fault)),
            Failure::Host(error) => Error::from_host(error),
            Failure::Panic(panic) => std::panic::resume_unwind(panic),
        }
    }

    /// The error that a host function or a limiter returned.
    pub(super) fn from_host(error: HostError) -> Error {
        match error.downcast::<Error>() {
            Ok(error) => *error,
            // Nobody but this crate makes host errors, and it makes no other ones.
            Err(_) => Error::msg("a host error of unknown type"),
        }
    }

    pub(crate) fn from_engine(error: EngineError) -> Error {
        match error {
            EngineError::Machine(message) => make::machine(message).into(),
            EngineError::System { what, error } => Error::new(error).context(make::system(what)),
        }
    }

    pub(crate) fn from_module(error: ModuleError) -> Error {
        match error {
            ModuleError::Invalid(error) => Error::new(CompileError::from(&error)),
            ModuleError::Compile(error) => CompileError::of_module(error.to_string(), error.message).into(),
            ModuleError::Cancelled => make::cancelled().into(),
            ModuleError::EngineDropped => make::engine_dropped().into(),
        }
    }

    /// Why there is no instance of the module.
    pub(crate) fn from_instantiate(error: InstantiateError, module: &Module) -> Error {
        let info = module.native().info();
        match error {
            InstantiateError::Import { index, mismatch } => LinkError::mismatch(info, index, *mismatch).into(),
            InstantiateError::Count { expected, given } => import_count(info, expected, given).into(),
            InstantiateError::Resource(error) => Error::from_resource(error),
            InstantiateError::Trap(reason) => Trap::from(reason).into(),
            InstantiateError::Compile(message) => compile::module_not_compiled(message).into(),
        }
    }
}

/// Too few imports, of which the first that lacks is named, or too many.
fn import_count(info: &ModuleInfo, expected: usize, given: usize) -> UsageError {
    let missing = info.imports.get(given).map(|import| {
        let (module, name) = (words::name(&import.module), words::name(&import.name));
        phrases::first_missing(module, name, Words::of_module(info).extern_type(import.ty))
    });
    usage::import_count(expected, given).with_note(missing)
}
