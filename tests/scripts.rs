//! Runs `.wast` scripts: the official suite and our own, each directory in every configuration.
//!
//! What fails must be listed in `known_failures.toml` with its reason, and what is listed must fail. After a change, run with
//! `UPSHIFT_BLESS=1` to have the list rewritten, then give every new entry the reason that it deserves and read the diff.

mod configuration;
mod known;
mod reason;
mod source;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::thread;

use upshift::{Config, Engine};
use upshift_cli::wast::{Failure, Options, Report, run};

use configuration::Configuration;
use known::{Known, Place};
use source::{Script, Source};

/// Room for the text parser's recursion in a debug build, and for Wasm.
const STACK: usize = 32 << 20;

macro_rules! suites {
    ($($name:ident: $source:expr;)*) => {
        suites! { @in baseline Configuration::Baseline; $($name: $source;)* }
        suites! { @in baseline_checked Configuration::BaselineChecked; $($name: $source;)* }
        suites! { @in optimizing Configuration::Optimizing; $($name: $source;)* }
        suites! { @in optimizing_checked Configuration::OptimizingChecked; $($name: $source;)* }
        suites! { @in auto Configuration::Auto; $($name: $source;)* }
        suites! { @in auto_hurried Configuration::AutoHurried; $($name: $source;)* }
        suites! { @in auto_at_once Configuration::AutoAtOnce; $($name: $source;)* }
        suites! { @in auto_stress Configuration::AutoStress; $($name: $source;)* }
    };
    (@in $module:ident $configuration:expr; $($name:ident: $source:expr;)*) => {
        mod $module {
            use super::*;
            $(
                #[test]
                fn $name() {
                    check($source, $configuration);
                }
            )*
        }
    };
}

suites! {
    latest: Source::Latest;
    simd: Source::Proposal("simd");
    bulk_memory: Source::Proposal("bulk-memory");
    multi_memory: Source::Proposal("multi-memory");
    relaxed_simd: Source::Proposal("relaxed-simd");
    memory64: Source::Proposal("memory64");
    custom_page_sizes: Source::Proposal("custom-page-sizes");
    wide_arithmetic: Source::Proposal("wide-arithmetic");
    extended_const: Source::Proposal("extended-const");
    tail_call: Source::Proposal("tail-call");
    function_references: Source::Proposal("function-references");
    reference_types: Source::Proposal("reference-types");
    multi_value: Source::Proposal("multi-value");
    sign_extension: Source::Proposal("sign-extension-ops");
    saturating_conversion: Source::Proposal("nontrapping-float-to-int-conversions");
    annotations: Source::Proposal("annotations");
    ours: Source::Ours;
}

/// Runs all scripts of a source and compares their failures with the list.
fn check(source: Source, configuration: Configuration) {
    let scripts = source.scripts();
    let names: Vec<String> = scripts.iter().map(|script| script.name.clone()).collect();
    let mut config = configuration.config();
    source.restrict(&mut config);
    let report = run_all(scripts, config);
    println!("{source} with {configuration}: {report}");
    if std::env::var_os("UPSHIFT_BLESS").is_some() {
        let places = report.failures.iter().zip(reason::of_all(&report.failures));
        let places = places.map(|(failure, reason)| (place(failure), reason)).collect();
        known::bless(&names, configuration, places);
        return;
    }
    let complaints = compare(&report, &Known::read(), &names, configuration);
    assert!(complaints.is_empty(), "{source} with {configuration}:\n{complaints}");
}

fn place(failure: &Failure) -> Place {
    Place { file: failure.file.clone(), line: failure.line }
}

/// The failures that are not known, and the known ones that did not happen, in lines.
fn compare(report: &Report, known: &Known, names: &[String], configuration: Configuration) -> String {
    let mut complaints = String::new();
    let failed: BTreeSet<Place> = report.failures.iter().map(place).collect();
    for failure in &report.failures {
        if !known.lists(&place(failure), configuration) {
            let _ = writeln!(complaints, "{failure}\n    {}", failure.directive);
        }
    }
    for listed in known.missing(names, configuration, &failed) {
        let _ = writeln!(complaints, "{listed}: passes, but is listed as a known failure");
    }
    complaints
}

fn run_all(scripts: Vec<Script>, config: Config) -> Report {
    let run_here = move || {
        let engine = Engine::new(&config).expect("an engine");
        let mut report = Report::default();
        for Script { name, text } in scripts {
            report.merge(run(&engine, &name, &text, Options::default()));
        }
        report
    };
    let runner = thread::Builder::new().stack_size(STACK).spawn(run_here).expect("a thread");
    runner.join().expect("scripts do not panic outside directives")
}
