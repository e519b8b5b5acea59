//! Measures an engine through the embedding API that Upshift and wasmtime share: one source, compiled once against each
//! (`--features upshift` or `--features wasmtime`), so that both are measured by the same code.
//!
//! ```text
//! micro calls               host -> wasm and wasm -> host calls, ns each
//! micro instances           instantiation, us, and memory of a live instance, kB
//! micro start [--lazy-validation] FILE [EXPORT [I32...]]
//!                           from bytes to the end of the first call, or to an instance without EXPORT; imported functions
//!                           trap when they are called, which may be how the call ends
//! micro stream FILE MB/S lazy|eager
//!                           a module that arrives at so many MB/s: from its last byte to the module; of Upshift only
//! micro cache FILE          a module asked for again while it is there: ms of the first time, of a hit, of comparing bytes; of
//!                           Upshift only, as the next two
//! micro interrupts TIER     requests to running code: us from the request to its task, and from `terminate` to the end
//! micro collect N           collections of code that find nothing, with N idle stores: us each
//! micro stores FILE N       N stores with an instance of one module each: resident bytes and us a store
//! micro kernel FILE N REPS  compile, instantiate, call run(N) REPS times; thread CPU seconds
//! ```
//! Each prints one JSON object on standard output.

#[cfg(feature = "upshift")]
mod cache;
mod calls;
mod clock;
#[cfg(feature = "upshift")]
mod collect;
mod instances;
#[cfg(feature = "upshift")]
mod interrupts;
mod kernel;
mod start;
mod stores;
#[cfg(feature = "upshift")]
mod stream;

#[cfg(all(feature = "upshift", not(feature = "wasmtime")))]
pub(crate) use upshift as engine;
#[cfg(all(feature = "wasmtime", not(feature = "upshift")))]
pub(crate) use wasmtime as engine;

#[cfg(not(any(feature = "upshift", feature = "wasmtime")))]
compile_error!("choose the engine: --features upshift, or --features wasmtime");
#[cfg(all(feature = "upshift", feature = "wasmtime"))]
compile_error!("choose one engine only");

use serde_json::Value;
use std::error::Error;
use std::process::ExitCode;

/// Any failure; the driver only prints it.
pub(crate) type Outcome<T> = Result<T, Box<dyn Error>>;

const USAGE: &str = "usage: micro calls | instances | start [--lazy-validation] FILE [EXPORT [I32...]] | stream FILE MB/S lazy|eager | \
     cache FILE | interrupts TIER | collect N | stores FILE N | kernel FILE N REPS";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&words) {
        Ok(report) => {
            println!("{report}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("micro: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(words: &[&str]) -> Outcome<Value> {
    match words {
        ["calls"] => calls::measure(),
        ["instances"] => instances::measure(),
        ["start", "--lazy-validation", file, call @ ..] => start::measure(&lazy_validation()?, file, call),
        ["start", file, call @ ..] => start::measure(&engine::Config::new(), file, call),
        #[cfg(feature = "upshift")]
        ["stream", file, rate, strategy] => stream::measure(file, rate, strategy),
        #[cfg(feature = "upshift")]
        ["cache", file] => cache::measure(file),
        #[cfg(feature = "upshift")]
        ["interrupts", tier] => interrupts::measure(tier),
        #[cfg(feature = "upshift")]
        ["collect", n] => collect::measure(n.parse()?),
        ["stores", file, n] => stores::measure(file, n.parse()?),
        ["kernel", file, n, reps] => kernel::measure(file, n.parse()?, reps.parse()?),
        _ => Err(USAGE.into()),
    }
}

/// The default configuration, but a body is validated at its first call. The feature is set where the engine has it.
fn lazy_validation() -> Outcome<engine::Config> {
    #[cfg(feature = "lazy-validation")]
    {
        let mut config = engine::Config::new();
        config.lazy_validation(true);
        Ok(config)
    }
    #[cfg(not(feature = "lazy-validation"))]
    Err("this engine always validates first".into())
}

/// Turns an engine's error, whatever its type, into one that `?` takes, with all its causes.
pub(crate) fn failed(error: impl std::fmt::Debug) -> Box<dyn Error> {
    format!("{error:?}").into()
}
