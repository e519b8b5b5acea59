//! Vector operators of the baseline tier, run: the same bits as from the optimizing tier, on this machine and on lesser
//! ones, which this one plays by not being told of what it has.
//!
//! Engines always use all of the machine, so what is for machines without AVX is run only here. NaNs count with all their
//! bits: what the specification leaves open, the tiers do alike.

mod forms;
mod instance;

use abi::compiler::Settings;
use baseline::{BaselineCompiler, Features};
use optimizing::OptimizingCompiler;
use sys::cpu::CpuFeatures;
use wasm::types::ValType;

use forms::Form;
use instance::Instance;

/// How often each form is run, with other operands each time.
const ROUNDS: u32 = 12;

#[test]
fn the_same_bits_in_both_tiers() {
    let forms = forms::all();
    let bytes = wat::parse_str(forms::module(&forms)).expect("the text is right");
    let optimizing = OptimizingCompiler::new().expect("this machine is supported");
    for canonical_nans in [false, true] {
        let settings = Settings { canonical_nans, ..Settings::default() };
        for features in machines() {
            // Both are new, and so have the same in their memories all the time.
            let expected = Instance::new(&optimizing, &bytes, settings);
            let found = Instance::new(&BaselineCompiler::new(features), &bytes, settings);
            for (number, form) in forms.iter().enumerate() {
                if !form.depends_on_fma || features.fma == machine().fma {
                    compare(form, number, &expected, &found, features);
                }
            }
        }
    }
}

fn compare(form: &Form, number: usize, expected: &Instance, found: &Instance, features: Features) {
    let mut random = forms::Random::new(number as u64);
    let rounds = if form.params.is_empty() { 1 } else { ROUNDS };
    for _ in 0..rounds {
        let operands: Vec<u128> = form.params.iter().map(|&ty| random.value(ty)).collect();
        let (expected, found) = (expected.call(number, &operands), found.call(number, &operands));
        for ((&ty, expected), found) in form.results.iter().zip(expected).zip(found) {
            let bits = bits_of(ty);
            assert!(
                (expected ^ found) & bits == 0,
                "{features:?}: {}\nof {operands:#034x?}\nis {:#034x}, not {:#034x}",
                form.text,
                found & bits,
                expected & bits
            );
        }
    }
}

/// The bits of a slot that a value has.
fn bits_of(ty: ValType) -> u128 {
    match ty {
        ValType::I32 | ValType::F32 => u128::from(u32::MAX),
        ValType::I64 | ValType::F64 | ValType::Ref(_) => u128::from(u64::MAX),
        ValType::V128 => u128::MAX,
    }
}

/// What this machine has.
fn machine() -> Features {
    let CpuFeatures { avx, avx2, fma, bmi1, bmi2, lzcnt, .. } = CpuFeatures::detect();
    Features { avx, avx2, fma, bmi1, bmi2, lzcnt }
}

/// The machines that this one can play.
fn machines() -> Vec<Features> {
    let least = Features::default();
    let mut machines = vec![machine(), least, Features { avx: machine().avx, ..least }];
    machines.dedup();
    machines
}
