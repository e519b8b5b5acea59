//! The convention on paper; that compiled code follows it is checked by the workspace's ABI test.

use super::*;

fn signature(params: &[ValType], results: &[ValType]) -> Signature {
    assign(&FuncType::new(params.to_vec(), results.to_vec()))
}

#[test]
fn the_context_is_the_first_integer_argument() {
    let sig = signature(&[ValType::I32, ValType::F64], &[ValType::I64]);
    assert_eq!(sig.context, Location::Int(7));
    assert_eq!(sig.params, [(MachineType::I32, Location::Int(6)), (MachineType::F64, Location::Vector(0))]);
    assert_eq!(sig.results, [(MachineType::I64, Location::Int(0))]);
    assert_eq!(sig.stack_bytes, 0);
}

#[test]
fn stack_arguments_are_aligned_and_their_area_is_rounded() {
    let mut params = vec![ValType::V128; 8];
    params.extend([ValType::I32; 6]);
    params.extend([ValType::V128]);
    let sig = signature(&params, &[]);
    assert_eq!(sig.params[13].1, Location::Stack(0));
    assert_eq!(sig.params[14].1, Location::Stack(16));
    assert_eq!(sig.stack_bytes, 32);
}

#[test]
fn results_that_do_not_fit_go_to_the_buffer_together() {
    let sig = signature(&[ValType::I32], &[ValType::I32; 9]);
    assert_eq!(sig.result_buffer, Some(Location::Int(6)));
    assert_eq!(sig.params[0].1, Location::Int(2));
    assert_eq!(sig.results[8].1, Location::Buffer(128));
    let mut both = vec![ValType::I64; 8];
    both.extend([ValType::F32; 8]);
    assert_eq!(signature(&[], &both).result_buffer, None);
    both.push(ValType::V128);
    assert!(signature(&[], &both).result_buffer.is_some());
}
