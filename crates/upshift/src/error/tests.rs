//! Tests of `error`.

use std::fmt;

use runtime::backtrace::Backtrace;
use runtime::error::{Failure, Raised};
use runtime::trap::TrapReason;

use super::{Context, Error, Result};
use crate::Trap;

/// As an embedder may define it.
#[derive(Debug, PartialEq)]
struct I32Exit(i32);

impl fmt::Display for I32Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exit with code {}", self.0)
    }
}

impl std::error::Error for I32Exit {}

fn raised(failure: Failure) -> Error {
    Error::from_raised(Box::new(Raised { failure, backtrace: Backtrace::default() }), &crate::Engine::default())
}

#[test]
fn is_one_pointer_wide() {
    assert_eq!(size_of::<Error>(), 8);
    assert_eq!(size_of::<Result<()>>(), 8);
}

#[test]
fn downcasts_look_through_contexts() {
    let mut error = Error::from(I32Exit(3)).context(String::from("inner")).context("outer");
    assert!(error.is::<I32Exit>() && error.is::<String>() && error.is::<&str>() && !error.is::<Trap>());
    error.downcast_mut::<I32Exit>().unwrap().0 = 4;
    assert_eq!(error.downcast_ref::<String>().unwrap(), "inner");
    let error = error.downcast::<Trap>().unwrap_err();
    assert_eq!(error.downcast::<I32Exit>().unwrap(), I32Exit(4));
    assert_eq!(Error::msg(5u8).downcast::<u8>().unwrap(), 5);
}

#[test]
fn a_chain_ends_with_the_value_itself() {
    let source = std::io::Error::other(I32Exit(1));
    let error = Error::new(source).context("a").context("b");
    let texts: Vec<String> = error.chain().map(ToString::to_string).collect();
    assert_eq!(texts, ["b", "a", "exit with code 1"]);
    let error = Error::from(I32Exit(2)).context("a");
    assert_eq!(error.root_cause().downcast_ref::<I32Exit>(), Some(&I32Exit(2)));
    assert!(error.chain().any(|link| link.is::<I32Exit>()));
}

#[test]
fn formats() {
    let error = Error::msg("c").context("b").context("a");
    assert_eq!(error.to_string(), "a");
    assert_eq!(format!("{error:#}"), "a: b: c");
    let report = format!("{error:?}");
    assert!(report.starts_with("a\n\nCaused by:\n    0: b\n    1: c"), "{report}");
    let report = format!("{:?}", Error::msg("c").context("b"));
    assert!(report.starts_with("b\n\nCaused by:\n    c"), "{report}");
    let boxed: Box<dyn std::error::Error + Send + Sync> = error.into();
    assert_eq!(boxed.source().unwrap().to_string(), "b");
}

#[test]
fn contexts_of_results_and_options() {
    let result: Result<(), I32Exit> = Err(I32Exit(1));
    assert_eq!(format!("{:#}", result.context("x").unwrap_err()), "x: exit with code 1");
    let result: Result<()> = Err(Error::msg("y"));
    assert_eq!(format!("{:#}", result.with_context(|| 1).unwrap_err()), "1: y");
    assert_eq!(None::<()>.with_context(|| "z").unwrap_err().to_string(), "z");
}

#[test]
fn macros_keep_the_type_of_errors() {
    fn fails(how: u32) -> Result<()> {
        crate::ensure!(how != 0);
        crate::ensure!(how != 1, "how is {how}");
        crate::ensure!(how != 2, I32Exit(2));
        if how == 3 {
            crate::bail!(Error::from(I32Exit(3)).context("c"));
        }
        crate::bail!(format!("message {how}"))
    }
    assert_eq!(fails(0).unwrap_err().to_string(), "condition failed: `how != 0`");
    assert_eq!(fails(1).unwrap_err().to_string(), "how is 1");
    assert!(fails(2).unwrap_err().root_cause().is::<I32Exit>());
    assert_eq!(format!("{:#}", fails(3).unwrap_err()), "c: exit with code 3");
    assert_eq!(fails(4).unwrap_err().to_string(), "message 4");
}

#[test]
fn errors_pass_through_wasm_unchanged() {
    let error = raised(Error::from(I32Exit(7)).context("from the host").into_failure());
    assert_eq!(format!("{error:#}"), "from the host: exit with code 7");
    assert_eq!(error.downcast_ref(), Some(&I32Exit(7)));
    assert!(matches!(Error::from(Trap::Interrupt).into_failure(), Failure::Trap(TrapReason::Interrupt)));
    let error = raised(Error::from(Trap::Interrupt).context("kept").into_failure());
    assert_eq!(error.to_string(), "kept");
    assert_eq!(error.downcast_ref(), Some(&Trap::Interrupt));
}

#[test]
#[should_panic(expected = "of the host")]
fn panics_go_on() {
    raised(Failure::Panic(Box::new("of the host")));
}
