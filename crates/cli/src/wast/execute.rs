//! Actions of a script: calls of exports, reads of globals, and modules that are instantiated to see what happens.

use std::fmt;

use upshift::{Error, Trap, Val};
use wast::{QuoteWat, WastArg, WastExecute, WastInvoke};

use super::Outcome;
use super::runner::Runner;
use super::values;

/// What an action gave.
#[derive(Debug)]
pub(super) struct Executed {
    pub(super) values: Vec<Val>,
}

/// Why an action gave nothing.
#[derive(Debug)]
pub(super) enum Problem {
    /// The module is not valid, in the parser's or the compiler's words.
    Compile(String),
    /// It trapped.
    Trap(Trap),
    /// Neither compiled nor trapped: a link error, or an error of the host.
    Error(String),
    /// The script asks for something that is not there.
    Script(String),
    /// The engine cannot do this.
    Unsupported(String),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::Compile(text) => write!(f, "the module does not compile: {text}"),
            Problem::Trap(trap) => trap.fmt(f),
            Problem::Error(text) => write!(f, "error: {text}"),
            Problem::Script(text) => f.write_str(text),
            Problem::Unsupported(text) => write!(f, "unsupported: {text}"),
        }
    }
}

impl From<Problem> for Outcome {
    fn from(problem: Problem) -> Outcome {
        match problem {
            Problem::Unsupported(what) => Outcome::unsupported(what),
            problem => Outcome::failed(problem),
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Problem {
        match error.downcast_ref::<Trap>() {
            Some(&trap) => Problem::Trap(trap),
            None => Problem::Error(format!("{error:#}")),
        }
    }
}

impl Runner {
    pub(super) fn execute(&mut self, action: WastExecute<'_>) -> Result<Executed, Problem> {
        match action {
            WastExecute::Invoke(invoke) => self.invoke(invoke),
            WastExecute::Wat(module) => {
                let module = self.define(QuoteWat::Wat(module))?;
                self.linker.instantiate(&mut self.store, &module)?;
                Ok(Executed { values: Vec::new() })
            }
            WastExecute::Get { module, global, .. } => {
                let instance = self.instance(module)?;
                let global = instance
                    .get_global(&mut self.store, global)
                    .ok_or_else(|| Problem::Script(format!("there is no exported global `{global}`")))?;
                Ok(Executed { values: vec![global.get(&mut self.store)] })
            }
        }
    }

    pub(super) fn invoke(&mut self, invoke: WastInvoke<'_>) -> Result<Executed, Problem> {
        let WastInvoke { module, name, args, .. } = invoke;
        let instance = self.instance(module)?;
        let func = instance
            .get_func(&mut self.store, name)
            .ok_or_else(|| Problem::Script(format!("there is no exported function `{name}`")))?;
        let mut params = Vec::with_capacity(args.len());
        for arg in &args {
            let WastArg::Core(arg) = arg else { return Err(Problem::Unsupported("component value".to_string())) };
            params.push(values::argument(&mut self.store, arg)?);
        }
        let mut results = vec![Val::I32(0); func.ty(&self.store).results().len()];
        func.call(&mut self.store, &params, &mut results)?;
        Ok(Executed { values: results })
    }
}
