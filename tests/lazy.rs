//! Validation at the first call: whatever is wrong with a body, its calls fail with what a validator says, and the other
//! functions run.

mod corruption;
mod real;

use upshift::{CompileError, Error};

/// What can be read of a compile error: its text, its offset, its function.
fn fault(error: &Error) -> (String, Option<usize>, Option<String>) {
    let error = error.downcast_ref::<CompileError>().unwrap_or_else(|| panic!("{error:?}"));
    (error.to_string(), error.offset(), error.function_name().map(String::from))
}
