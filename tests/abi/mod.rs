//! Does compiled code follow the calling convention on paper, `abi::assign`? Every function type is tried both ways at
//! once: a hand-written caller calls a compiled function, which calls a hand-written callee. The stubs are made from
//! `assign` alone, pass garbage wherever a value leaves bits unspecified, and ruin every register they may.

mod encoder;
mod host;
pub(crate) mod machine;
mod program;
mod record;
mod signatures;
mod stubs;

use std::iter;

use abi::assign::{MachineType, assign};
use abi::compiler::Compiler;
use baseline::BaselineCompiler;
use optimizing::OptimizingCompiler;
use wasm::decode::stream::decode_and_validate;
use wasm::features::Features;
use wasm::limits::Limits;
use wasm::module::ModuleInfo;
use wasm::types::{FuncType, ValType};

use machine::Placed;
use program::{Program, Reach, Source};
use record::{CODE, CONTEXT, PARAMS, PRESERVED, RESULT_BUFFER, RESULTS, Record, STACK_AFTER, STACK_BEFORE};
use signatures::{Random, Shape};

#[test]
fn the_edges_of_the_convention() {
    for mut bench in Bench::every_tier() {
        for shape in signatures::edges() {
            bench.try_all(&shape);
        }
    }
}

#[test]
fn random_signatures() {
    for mut bench in Bench::every_tier() {
        let mut random = Random::new(1);
        for _ in 0..150 {
            let shape = (random.types(21), random.types(13));
            bench.try_all(&shape);
        }
    }
}

#[test]
fn a_thousand_parameters_and_results() {
    for mut bench in Bench::every_tier() {
        for shape in signatures::largest(&mut Random::new(2)) {
            bench.try_all(&shape);
        }
    }
}

/// What the attempts share.
struct Bench {
    compiler: Box<dyn Compiler>,
    random: Random,
}

impl Bench {
    /// One for the compiler of each tier.
    fn every_tier() -> [Bench; 2] {
        let optimizing = OptimizingCompiler::new().expect("this machine is supported");
        let compilers: [Box<dyn Compiler>; 2] =
            [Box::new(optimizing), Box::new(BaselineCompiler::new(baseline::Features::default()))];
        compilers.map(|compiler| Bench { compiler, random: Random::new(3) })
    }

    /// Tries a shape as the type of the callee, from callers with the same parameters in another order and with others.
    fn try_all(&mut self, (params, results): &Shape) {
        let inner = FuncType::new(params.as_slice(), results.as_slice());
        let shuffled = self.random.permutation(params.len()).into_iter().map(|index| params[index]);
        let shuffled: Vec<ValType> = shuffled.collect();
        let others = self.random.types(30);
        for reach in Reach::ALL {
            for outer in [&shuffled, &others] {
                let program = Program::new(outer, inner.clone(), reach, &mut self.random);
                self.attempt(&program);
            }
        }
    }

    /// Runs one program and compares everything that can be seen on both sides.
    fn attempt(&mut self, program: &Program) {
        let compiled = program.compile(&*self.compiler);
        let (outer, inner) = (assign(&program.outer), assign(&program.inner));
        let (seen_by_caller, seen_by_callee) = (Record::new(), Record::new());
        let context = self.random.bits();
        let caller = stubs::caller(&outer, &seen_by_caller);
        let callee = stubs::callee(&inner, &seen_by_callee);
        let code = Placed::new(&[&caller, &callee, &compiled.code]);
        let instance = compiled.instance(code.address(1), context);

        seen_by_caller.set(CODE, code.address(2).expose_provenance() as u128);
        seen_by_caller.set(CONTEXT, u128::from(instance.address()));
        seen_by_caller.set(RESULT_BUFFER, u128::from(seen_by_caller.address_of(RESULTS)));
        let params = self.fill(&seen_by_caller, PARAMS, program.outer.params().len());
        let results = self.fill(&seen_by_callee, RESULTS, program.inner.results().len());
        // SAFETY: piece 0 is the caller stub, made to be called so; it refers to the records and to the code of `CODE`, that
        // code to `instance` and the callee stub, and all of them live to the end of this function.
        unsafe { code.run(0) };

        let what = describe(program);
        let operands: Vec<u128> = program.operands.iter().map(|&source| evaluate(source, &params)).collect();
        let returned = if program.reach == Reach::Leaf {
            operands
        } else {
            assert_eq!(seen_by_callee.get(CONTEXT) as u64, context, "{what}: context");
            assert_eq!(seen_by_callee.get(STACK_BEFORE) as u64 % 16, 8, "{what}: alignment of the stack");
            compare(&seen_by_callee, PARAMS, program.inner.params(), &operands, &what);
            program.results.iter().map(|&index| results[index]).collect()
        };
        compare(&seen_by_caller, RESULTS, program.outer.results(), &returned, &what);
        let popped = (seen_by_caller.get(STACK_AFTER) as u64).wrapping_sub(seen_by_caller.get(STACK_BEFORE) as u64);
        assert_eq!(popped, u64::from(outer.stack_bytes), "{what}: bytes popped");
        for place in 0..encoder::CALLEE_SAVED.len() {
            let kept = seen_by_caller.get(PRESERVED + place) as u64;
            assert_eq!(kept, stubs::sentinel(place), "{what}: callee-saved register {place}");
        }
    }

    /// Puts random bits into slots.
    fn fill(&mut self, record: &Record, first: usize, count: usize) -> Vec<u128> {
        let values: Vec<u128> = (0..count).map(|_| self.random.value()).collect();
        for (slot, &value) in (first..).zip(&values) {
            record.set(slot, value);
        }
        values
    }
}

/// Width of a type's values.
fn bits(ty: ValType) -> u32 {
    match MachineType::of(ty) {
        MachineType::I32 | MachineType::F32 => 32,
        MachineType::I64 | MachineType::F64 => 64,
        MachineType::V128 => 128,
    }
}

fn evaluate(source: Source, params: &[u128]) -> u128 {
    match source {
        Source::Param(index) => params[index],
        Source::Constant(bits) => bits,
    }
}

/// Enough of a program to find it again.
fn describe(program: &Program) -> String {
    let text = format!("{:?} of {} from {}", program.reach, program.inner, program.outer);
    text.chars().take(400).collect()
}

/// Compares the values in slots, as far as their types say what they are.
fn compare(record: &Record, first: usize, types: &[ValType], expected: &[u128], what: &str) {
    assert_eq!(types.len(), expected.len());
    let side = if first == PARAMS { "parameter" } else { "result" };
    for (index, (&ty, &expected)) in iter::zip(types, expected).enumerate() {
        let mask = u128::MAX >> (128 - bits(ty));
        let found = record.get(first + index) & mask;
        assert!(found == expected & mask, "{what}: {side} {index}, a {ty}: {found:#x} for {:#x}", expected & mask);
    }
}

fn decode(bytes: &[u8]) -> ModuleInfo {
    decode_and_validate(bytes, &Features::default(), &Limits::default(), 1).expect("the module is valid")
}
