//! The places that calls are given, against the contract's.

use abi::assign::{MachineType, assign};
use wasm::types::{FuncType, ValType};

use super::{Params, Results};

const TYPES: [ValType; 7] =
    [ValType::I32, ValType::I64, ValType::F32, ValType::F64, ValType::V128, ValType::FUNCREF, ValType::EXTERNREF];

#[test]
fn places_are_those_of_the_contract() {
    let mut seed = 1u64;
    let mut random = |below: usize| {
        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (seed >> 33) as usize % below
    };
    for round in 0..2000 {
        let mut types = |count| (0..count).map(|_| TYPES[random(TYPES.len())]).collect::<Vec<_>>();
        let ty = FuncType::new(types(round % 31), types(round / 31 % 23));
        let expected = assign(&ty);
        let mut params = Params::of(&ty);
        for (&param, &wanted) in ty.params().iter().zip(&expected.params) {
            let machine = MachineType::of(param);
            assert_eq!((machine, params.next(machine)), wanted);
        }
        assert_eq!(Params::stack_bytes(&ty), expected.stack_bytes);
        let mut results = Results::of(ty.results());
        for (&result, &wanted) in ty.results().iter().zip(&expected.results) {
            let machine = MachineType::of(result);
            assert_eq!((machine, results.next(machine)), wanted);
        }
    }
}
