//! `bail!`, `ensure!` and `format_err!`, and what they expand to.
//!
//! One argument that is an error becomes that error; any other value becomes a message. Which of both it is, method
//! lookup decides: [`FromError`] needs one borrow less than [`FromMessage`], so it wins where it applies.

use std::fmt::{Debug, Display};

use super::Error;

/// How to make an error of an error.
#[derive(Debug)]
pub struct ErrorMaker;

/// How to make an error of a message.
#[derive(Debug)]
pub struct MessageMaker;

/// What is an error.
pub trait FromError {
    /// Picks the maker.
    fn upshift_maker(&self) -> ErrorMaker {
        ErrorMaker
    }
}

/// What can be shown.
pub trait FromMessage {
    /// Picks the maker.
    fn upshift_maker(&self) -> MessageMaker {
        MessageMaker
    }
}

impl<E: Into<Error>> FromError for E {}

impl<M: Display + Debug + Send + Sync + 'static> FromMessage for &M {}

impl ErrorMaker {
    /// The error.
    pub fn make<E: Into<Error>>(self, error: E) -> Error {
        error.into()
    }
}

impl MessageMaker {
    /// The error.
    pub fn make<M: Display + Debug + Send + Sync + 'static>(self, message: M) -> Error {
        Error::msg(message)
    }
}

/// Makes an [`Error`] of a format string and its arguments, or of one error or value.
///
/// ```
/// let error = upshift::format_err!("{} is not {}", 1, 2);
/// assert_eq!(error.to_string(), "1 is not 2");
/// let error = upshift::format_err!(upshift::Trap::Interrupt);
/// assert!(error.is::<upshift::Trap>());
/// ```
#[macro_export]
macro_rules! format_err {
    ($message:literal $(,)?) => { $crate::Error::msg(::std::format!($message)) };
    ($error:expr $(,)?) => {{
        #[allow(unused_imports)]
        use $crate::error_macros::{FromError as _, FromMessage as _};
        match $error {
            error => (&error).upshift_maker().make(error),
        }
    }};
    ($message:expr, $($argument:tt)*) => { $crate::Error::msg(::std::format!($message, $($argument)*)) };
}

/// Returns an [`Error`] from the function; takes what [`format_err!`](crate::format_err) takes.
#[macro_export]
macro_rules! bail {
    ($($argument:tt)+) => { return ::std::result::Result::Err($crate::format_err!($($argument)+)) };
}

/// Returns an [`Error`] from the function unless a condition holds.
#[macro_export]
macro_rules! ensure {
    ($condition:expr $(,)?) => {
        if !$condition {
            return ::std::result::Result::Err($crate::Error::msg(::std::concat!(
                "condition failed: `", ::std::stringify!($condition), "`"
            )));
        }
    };
    ($condition:expr, $($argument:tt)+) => {
        if !$condition {
            $crate::bail!($($argument)+);
        }
    };
}
