//! Runs `.wast` scripts, the format of the specification's test suite: one script, one store, all directives in order.

mod execute;
mod expect;
mod message;
mod runner;
mod spectest;
mod values;

use std::fmt;

use upshift::Engine;
use wast::lexer::Lexer;
use wast::parser::{self, ParseBuffer};
use wast::token::Span;
use wast::{Wast, WastDirective};

use runner::Runner;

/// How a script is run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Leave out directives that the engine has no notion of yet, instead of counting each as a failure.
    pub skip_unsupported: bool,
}

/// What became of a script.
#[derive(Debug, Default)]
pub struct Report {
    /// Directives that did what they should.
    pub passed: usize,
    /// Directives that did not; as many as `failures`.
    pub failed: usize,
    /// Directives left out; see [`Options::skip_unsupported`].
    pub skipped: usize,
    /// The directives that failed, in the script's order.
    pub failures: Vec<Failure>,
}

/// A directive that failed.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The script's name, as given.
    pub file: String,
    /// Line of the directive, from 1.
    pub line: usize,
    /// Column of the directive, from 1.
    pub column: usize,
    /// The beginning of the directive's text.
    pub directive: String,
    /// What went wrong.
    pub message: String,
}

/// Why a directive did not pass.
#[derive(Debug)]
enum Outcome {
    /// It did something else than it should.
    Failed(String),
    /// It needs what this engine does not have; the text says what.
    Unsupported(String),
}

impl Report {
    /// Adds the counts and failures of another script.
    pub fn merge(&mut self, other: Report) {
        let Report { passed, failed, skipped, failures } = other;
        self.passed += passed;
        self.failed += failed;
        self.skipped += skipped;
        self.failures.extend(failures);
    }

    fn fail(&mut self, failure: Failure) {
        self.failed += 1;
        self.failures.push(failure);
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PASS {} FAIL {}", self.passed, self.failed)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.message)
    }
}

impl Outcome {
    fn failed(message: impl fmt::Display) -> Outcome {
        Outcome::Failed(message.to_string())
    }

    fn unsupported(what: impl fmt::Display) -> Outcome {
        Outcome::Unsupported(format!("unsupported directive: {what}"))
    }
}

/// Runs the script `text`; `file` is its name in the report. A script that cannot be parsed is one failure.
///
/// A directive that panics is a failure, and the directives after it are run.
pub fn run(engine: &Engine, file: &str, text: &str, options: Options) -> Report {
    let mut report = Report::default();
    let mut lexer = Lexer::new(text);
    lexer.allow_confusing_unicode(true);
    let buffer = ParseBuffer::new_with_lexer(lexer);
    let script = buffer.as_ref().map_err(|error| error.to_string_at(text));
    let script = script.and_then(|buffer| parser::parse::<Wast<'_>>(buffer).map_err(|error| error.to_string_at(text)));
    let script = match script {
        Ok(script) => script,
        Err((message, line, column)) => {
            report.fail(Failure { file: file.to_string(), line, column, directive: String::new(), message });
            return report;
        }
    };
    let mut runner = match Runner::new(engine) {
        Ok(runner) => runner,
        Err(error) => {
            let message = format!("cannot set up the `spectest` module: {error:#}");
            report.fail(Failure { file: file.to_string(), line: 1, column: 1, directive: String::new(), message });
            return report;
        }
    };
    let lines = Lines::new(text);
    for directive in script.directives {
        let span = span_of(&directive);
        match runner.run(directive) {
            Ok(()) => report.passed += 1,
            Err(Outcome::Unsupported(_)) if options.skip_unsupported => report.skipped += 1,
            Err(Outcome::Unsupported(message) | Outcome::Failed(message)) => {
                let (line, column) = lines.position(span.offset());
                let directive = lines.excerpt(span.offset());
                report.fail(Failure { file: file.to_string(), line, column, directive, message });
            }
        }
    }
    report
}

fn span_of(directive: &WastDirective<'_>) -> Span {
    directive.span()
}

/// The message and place of an error of the text parser.
trait ToStringAt {
    fn to_string_at(&self, text: &str) -> (String, usize, usize);
}

impl ToStringAt for wast::Error {
    fn to_string_at(&self, text: &str) -> (String, usize, usize) {
        let (line, column) = self.span().linecol_in(text);
        (format!("cannot parse the script: {}", self.message()), line + 1, column + 1)
    }
}

/// Where the lines of a text begin. (The parser's own search is linear in the text, for every directive.)
struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Lines<'a> {
        let breaks = text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n').map(|(at, _)| at + 1);
        Lines { text, starts: std::iter::once(0).chain(breaks).collect() }
    }

    /// Line and column of a byte, both from 1.
    fn position(&self, offset: usize) -> (usize, usize) {
        let line = self.starts.partition_point(|&start| start <= offset);
        (line, offset - self.starts[line - 1] + 1)
    }

    /// The rest of the line from the parenthesis before `offset`, shortened.
    fn excerpt(&self, offset: usize) -> String {
        let start = offset.saturating_sub(1);
        let line = self.text.get(start..).and_then(|rest| rest.lines().next()).unwrap_or_default();
        line.chars().take(120).collect()
    }
}

#[cfg(test)]
mod tests;
