//! `Error`: any error of the engine, the embedder or Wasm, with the contexts it went through, in one pointer.

use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::error::Error as StdError;
use std::fmt;

mod compile;
mod context;
mod convert;
pub(crate) mod difference;
mod link;
#[doc(hidden)]
pub mod macros;
pub(crate) mod messages;
mod nearest;
mod runtime;
#[cfg(test)]
mod tests;
mod thrower;
mod usage;

pub use compile::CompileError;
pub use context::Context;
pub use link::{LinkError, UnknownImportError};
pub use messages::{CompileErrorKind, LinkErrorKind, RuntimeErrorKind, UsageErrorKind};
pub use nearest::nearest_name;
pub use runtime::RuntimeError;
pub use thrower::{ErrorClass, ErrorThrower, Thrown};
pub use usage::UsageError;

/// A result whose error is [`Error`] unless another one is named.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error with the contexts that were added on its way: one pointer wide.
///
/// It holds a value of any error type, or a message. [`Error::downcast_ref`] finds a value by its type wherever it is
/// among the contexts: a [`Trap`](crate::Trap), the [`WasmBacktrace`](crate::WasmBacktrace) of where it happened, or the
/// value that a host function returned. `{}` shows the outermost message, `{:#}` all of them in one line, `{:?}` a
/// report of several lines.
///
/// ```
/// use upshift::{Context, Error, Trap};
///
/// let error = Error::from(Trap::IntegerOverflow).context("in the third round");
/// assert_eq!(error.to_string(), "in the third round");
/// assert_eq!(format!("{error:#}"), "in the third round: wasm trap: integer overflow");
/// assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::IntegerOverflow));
///
/// let missing: upshift::Result<u32> = None.context("no such thing");
/// assert!(missing.is_err());
/// ```
pub struct Error {
    inner: Box<Inner>,
}

struct Inner {
    object: Box<dyn Object>,
    /// Of the host's stack, where the error was made; captured only if the environment asks for it, and by the
    /// innermost error only.
    backtrace: Option<Backtrace>,
}

/// A link of the chain.
trait Object: Send + Sync + 'static {
    fn as_error(&self) -> &(dyn StdError + Send + Sync + 'static);
    fn into_boxed(self: Box<Self>) -> Box<dyn StdError + Send + Sync + 'static>;
    /// What a downcast finds here.
    fn value(&self) -> &dyn Any;
    fn value_mut(&mut self) -> &mut dyn Any;
    fn into_value(self: Box<Self>) -> Box<dyn Any>;
    /// The next link.
    fn cause(&self) -> Option<&Error> {
        None
    }
    fn cause_mut(&mut self) -> Option<&mut Error> {
        None
    }
    fn into_cause(self: Box<Self>) -> Option<Error> {
        None
    }
}

/// The last link: a value of an error type.
struct Fault<E>(E);

/// The last link: a message.
struct Message<M>(M);

/// A link that adds context to the next one.
struct Contextual<C> {
    context: C,
    cause: Error,
}

impl Error {
    /// An error that is a value of an error type.
    pub fn new<E: StdError + Send + Sync + 'static>(error: E) -> Error {
        Error::innermost(Box::new(Fault(error)))
    }

    /// An error that is a message.
    pub fn msg<M: fmt::Display + fmt::Debug + Send + Sync + 'static>(message: M) -> Error {
        Error::innermost(Box::new(Message(message)))
    }

    /// An error that is in a box already. A downcast finds the box.
    pub fn from_boxed(error: Box<dyn StdError + Send + Sync + 'static>) -> Error {
        Error::innermost(Box::new(error))
    }

    fn innermost(object: Box<dyn Object>) -> Error {
        let backtrace = Backtrace::capture();
        let backtrace = (backtrace.status() == BacktraceStatus::Captured).then_some(backtrace);
        Error { inner: Box::new(Inner { object, backtrace }) }
    }

    /// The same error with a context in front, which a downcast finds too.
    #[must_use]
    pub fn context<C: fmt::Display + Send + Sync + 'static>(self, context: C) -> Error {
        Error { inner: Box::new(Inner { object: Box::new(Contextual { context, cause: self }), backtrace: None }) }
    }

    /// The host's backtrace of where the error was made, if `RUST_BACKTRACE` or `RUST_LIB_BACKTRACE` asked for one.
    pub fn backtrace(&self) -> Option<&Backtrace> {
        self.links().find_map(|link| link.inner.backtrace.as_ref())
    }

    /// All contexts from the outermost on, then the error itself and its sources.
    pub fn chain(&self) -> Chain<'_> {
        Chain { next: Some(self.object().as_error()) }
    }

    /// The last of [`Error::chain`].
    pub fn root_cause(&self) -> &(dyn StdError + 'static) {
        let mut last: &(dyn StdError + 'static) = self.object().as_error();
        while let Some(source) = last.source() {
            last = source;
        }
        last
    }

    /// Is there an `E` among the contexts and the error itself?
    pub fn is<E: 'static>(&self) -> bool {
        self.downcast_ref::<E>().is_some()
    }

    /// The outermost `E` among the contexts and the error itself.
    pub fn downcast_ref<E: 'static>(&self) -> Option<&E> {
        self.links().find_map(|link| {
            let value = link.object().value();
            value.downcast_ref().or_else(|| LinkError::other_value(value)?.downcast_ref())
        })
    }

    /// The outermost `E`, to be changed.
    pub fn downcast_mut<E: 'static>(&mut self) -> Option<&mut E> {
        let mut link = self;
        while !link.holds::<E>() {
            link = link.inner.object.cause_mut()?;
        }
        let value = link.inner.object.value_mut();
        if value.is::<E>() { value.downcast_mut() } else { LinkError::other_value_mut(value)?.downcast_mut() }
    }

    /// Takes the outermost `E` out.
    ///
    /// # Errors
    /// The error as it was, if there is no `E` in it.
    pub fn downcast<E: 'static>(self) -> Result<E, Error> {
        if !self.is::<E>() {
            return Err(self);
        }
        let mut link = self;
        loop {
            let object = link.inner.object;
            if object.value().is::<E>() {
                let value = object.into_value().downcast();
                return Ok(*value.expect("its type was just compared"));
            }
            if LinkError::other_value(object.value()).is_some_and(|value| value.is::<E>()) {
                let value = LinkError::into_other_value(object.into_value()).and_then(|value| value.downcast().ok());
                return Ok(*value.expect("its type was just compared"));
            }
            link = object.into_cause().expect("the value was found behind this link");
        }
    }

    /// The error as a value of the standard error trait.
    pub fn into_boxed_dyn_error(self) -> Box<dyn StdError + Send + Sync + 'static> {
        self.inner.object.into_boxed()
    }

    /// Does a downcast find an `E` in this link?
    fn holds<E: 'static>(&self) -> bool {
        let value = self.object().value();
        value.is::<E>() || LinkError::other_value(value).is_some_and(|value| value.is::<E>())
    }

    fn object(&self) -> &dyn Object {
        &*self.inner.object
    }

    fn links(&self) -> impl Iterator<Item = &Error> {
        std::iter::successors(Some(self), |link| link.object().cause())
    }
}

/// The errors of [`Error::chain`].
#[derive(Clone, Debug)]
pub struct Chain<'a> {
    next: Option<&'a (dyn StdError + 'static)>,
}

impl<'a> Iterator for Chain<'a> {
    type Item = &'a (dyn StdError + 'static);

    fn next(&mut self) -> Option<Self::Item> {
        let error = self.next?;
        self.next = error.source();
        Some(error)
    }
}

impl<E: StdError + Send + Sync + 'static> Object for Fault<E> {
    fn as_error(&self) -> &(dyn StdError + Send + Sync + 'static) {
        &self.0
    }

    fn into_boxed(self: Box<Self>) -> Box<dyn StdError + Send + Sync + 'static> {
        Box::new(self.0)
    }

    fn value(&self) -> &dyn Any {
        &self.0
    }

    fn value_mut(&mut self) -> &mut dyn Any {
        &mut self.0
    }

    fn into_value(self: Box<Self>) -> Box<dyn Any> {
        Box::new(self.0)
    }
}

impl Object for Box<dyn StdError + Send + Sync + 'static> {
    fn as_error(&self) -> &(dyn StdError + Send + Sync + 'static) {
        &**self
    }

    fn into_boxed(self: Box<Self>) -> Box<dyn StdError + Send + Sync + 'static> {
        *self
    }

    fn value(&self) -> &dyn Any {
        self
    }

    fn value_mut(&mut self) -> &mut dyn Any {
        self
    }

    fn into_value(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

impl<M: fmt::Display + fmt::Debug + Send + Sync + 'static> Object for Message<M> {
    fn as_error(&self) -> &(dyn StdError + Send + Sync + 'static) {
        self
    }

    fn into_boxed(self: Box<Self>) -> Box<dyn StdError + Send + Sync + 'static> {
        self
    }

    fn value(&self) -> &dyn Any {
        &self.0
    }

    fn value_mut(&mut self) -> &mut dyn Any {
        &mut self.0
    }

    fn into_value(self: Box<Self>) -> Box<dyn Any> {
        Box::new(self.0)
    }
}

impl<C: fmt::Display + Send + Sync + 'static> Object for Contextual<C> {
    fn as_error(&self) -> &(dyn StdError + Send + Sync + 'static) {
        self
    }

    fn into_boxed(self: Box<Self>) -> Box<dyn StdError + Send + Sync + 'static> {
        self
    }

    fn value(&self) -> &dyn Any {
        &self.context
    }

    fn value_mut(&mut self) -> &mut dyn Any {
        &mut self.context
    }

    fn into_value(self: Box<Self>) -> Box<dyn Any> {
        Box::new(self.context)
    }

    fn cause(&self) -> Option<&Error> {
        Some(&self.cause)
    }

    fn cause_mut(&mut self) -> Option<&mut Error> {
        Some(&mut self.cause)
    }

    fn into_cause(self: Box<Self>) -> Option<Error> {
        Some(self.cause)
    }
}

impl<M: fmt::Display + fmt::Debug> StdError for Message<M> {}

impl<M: fmt::Display> fmt::Display for Message<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<M: fmt::Debug> fmt::Debug for Message<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<C: fmt::Display> StdError for Contextual<C> {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(self.cause.object().as_error())
    }
}

impl<C: fmt::Display> fmt::Display for Contextual<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.context.fmt(f)
    }
}

impl<C: fmt::Display> fmt::Debug for Contextual<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:#}", self.context, self.cause)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.object().as_error())?;
        if f.alternate() {
            for cause in self.chain().skip(1) {
                write!(f, ": {cause}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.object().as_error())?;
        let causes = self.chain().skip(1).count();
        if causes > 0 {
            f.write_str("\n\nCaused by:")?;
        }
        for (position, cause) in self.chain().skip(1).enumerate() {
            if causes > 1 { write!(f, "\n{position:>5}: {cause}")? } else { write!(f, "\n    {cause}")? }
        }
        if let Some(backtrace) = self.backtrace() {
            write!(f, "\n\nStack backtrace:\n{backtrace}")?;
        }
        Ok(())
    }
}

impl std::ops::Deref for Error {
    type Target = dyn StdError + Send + Sync + 'static;

    fn deref(&self) -> &Self::Target {
        self.object().as_error()
    }
}

impl AsRef<dyn StdError> for Error {
    fn as_ref(&self) -> &(dyn StdError + 'static) {
        self.object().as_error()
    }
}

impl AsRef<dyn StdError + Send + Sync> for Error {
    fn as_ref(&self) -> &(dyn StdError + Send + Sync + 'static) {
        self.object().as_error()
    }
}

impl<E: StdError + Send + Sync + 'static> From<E> for Error {
    fn from(error: E) -> Error {
        Error::new(error)
    }
}

impl From<Error> for Box<dyn StdError + Send + Sync + 'static> {
    fn from(error: Error) -> Self {
        error.into_boxed_dyn_error()
    }
}

impl From<Error> for Box<dyn StdError + Send + 'static> {
    fn from(error: Error) -> Self {
        error.into_boxed_dyn_error()
    }
}

impl From<Error> for Box<dyn StdError + 'static> {
    fn from(error: Error) -> Self {
        error.into_boxed_dyn_error()
    }
}
