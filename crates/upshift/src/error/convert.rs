//! Between [`Error`] and the errors of the layers below.

use engine::error::{EngineError, ModuleError};
use runtime::error::{Failure, HostError, Raised, ResourceError};
use runtime::instantiate::InstantiateError;
use wasm::decode::error::{DecodeError, DecodeErrorKind};

use super::{CompileError, CompileErrorKind, Error, LinkError};
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
            Failure::Compile(message) => compile_error(format!("cannot compile {message}"), message),
            Failure::Invalid(fault) => Error::new(CompileError::from(&fault)),
            Failure::Host(error) => Error::from_host(error),
            Failure::Panic(panic) => std::panic::resume_unwind(panic),
        }
    }

    /// The error that a host function or a limiter returned.
    fn from_host(error: HostError) -> Error {
        match error.downcast::<Error>() {
            Ok(error) => *error,
            // Nobody but this crate makes host errors, and it makes no other ones.
            Err(_) => Error::msg("a host error of unknown type"),
        }
    }

    pub(crate) fn from_resource(error: ResourceError) -> Error {
        match error {
            ResourceError::System { what, error } => Error::new(error).context(format!("cannot allocate a {what}")),
            ResourceError::Limiter(error) => Error::from_host(error),
            ResourceError::Limit(message) => Error::msg(message),
        }
    }

    pub(crate) fn from_engine(error: EngineError) -> Error {
        match error {
            EngineError::Machine(message) => Error::msg(message),
            EngineError::System { what, error } => Error::new(error).context(format!("cannot {what}")),
        }
    }

    pub(crate) fn from_module(error: ModuleError) -> Error {
        match error {
            ModuleError::Invalid(error) => Error::new(CompileError::from(&error)),
            ModuleError::Compile(error) => compile_error(error.to_string(), error.message),
            gone @ (ModuleError::Cancelled | ModuleError::EngineDropped) => Error::msg(gone.to_string()),
        }
    }

    /// Why there is no instance of the module.
    pub(crate) fn from_instantiate(error: InstantiateError, module: &Module) -> Error {
        match error {
            InstantiateError::Import { index, expected, given } => {
                let import = module.native().info().imports.get(index);
                let (module, name) = import.map_or(("", ""), |import| (&import.module, &import.name));
                Error::new(LinkError { module: module.into(), name: name.into(), expected, given })
            }
            InstantiateError::Count { expected, given } => {
                Error::msg(format!("the module has {expected} imports, but {given} were given"))
            }
            InstantiateError::Resource(error) => Error::from_resource(error),
            InstantiateError::Trap(reason) => Trap::from(reason).into(),
            InstantiateError::Compile(message) => compile_error(message.clone(), message),
        }
    }
}

fn compile_error(text: String, message: String) -> Error {
    Error::new(CompileError { kind: CompileErrorKind::Compile, text, message, offset: None, function: None })
}

impl From<&DecodeError> for CompileError {
    fn from(error: &DecodeError) -> CompileError {
        CompileError {
            kind: match error.kind() {
                DecodeErrorKind::Malformed => CompileErrorKind::Malformed,
                DecodeErrorKind::Invalid => CompileErrorKind::Invalid,
                DecodeErrorKind::Limit => CompileErrorKind::Limit,
                DecodeErrorKind::Unsupported(_) => CompileErrorKind::Unsupported,
                DecodeErrorKind::Import { .. } => CompileErrorKind::Import,
            },
            text: error.to_string(),
            message: error.message().to_string(),
            offset: Some(error.offset()),
            function: error.function().map(|index| (index.0, error.function_name().map(str::to_string))),
        }
    }
}
