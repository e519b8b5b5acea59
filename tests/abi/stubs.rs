//! The hand-written sides of a call, made from nothing but what `abi::assign` says of a signature.

use abi::assign::{INT_PARAMS, INT_RESULTS, Location, MachineType, Signature, VECTOR_REGISTERS};

use super::encoder::{CALLEE_SAVED, CALLER_SAVED, Encoder, RECORD, RSP, SPARE_VECTOR};
use super::record::{
    CODE, CONTEXT, FRAME, PARAMS, PRESERVED, RESULT_BUFFER, RESULTS, Record, STACK_AFTER, STACK_BEFORE, offset,
};

/// rax: it takes no argument, and results are returned through it last.
const RAX: u8 = 0;

/// What a caller puts into the callee-saved register of this place in [`CALLEE_SAVED`].
pub fn sentinel(place: usize) -> u64 {
    0x5e47_1e15_0000_0000 | place as u64
}

/// A caller: an `extern "sysv64" fn()` that passes the parameters of `record` to the code of `record` by the convention,
/// and leaves there what came back.
pub fn caller(signature: &Signature, record: &Record) -> Vec<u8> {
    let mut code = Encoder::default();
    CALLEE_SAVED.iter().for_each(|&register| code.push(register));
    code.set(RECORD, record.address());
    code.store(RSP, RECORD, offset(FRAME));
    // The return address and six pushes leave the stack 8 bytes off the alignment it must have at a call.
    code.lower_stack(8 + signature.stack_bytes as i32);
    for (slot, ty, location) in arguments(signature) {
        pass(&mut code, slot, ty, location);
    }
    for register in CALLER_SAVED.into_iter().filter(|register| !INT_PARAMS.contains(register)) {
        code.set(register, 0xbad0_bad0_bad0_bad0);
    }
    for (place, register) in CALLEE_SAVED.into_iter().enumerate() {
        code.set(register, sentinel(place));
    }
    code.store(RSP, RECORD, offset(STACK_BEFORE));
    code.call(RECORD, offset(CODE));
    code.set(RECORD, record.address());
    for (index, &(_, location)) in signature.results.iter().enumerate() {
        match location {
            Location::Int(register) => code.store(register, RECORD, offset(RESULTS + index)),
            Location::Vector(register) => code.store_vector(register, RECORD, offset(RESULTS + index)),
            // The buffer is the record's own row of results.
            Location::Buffer(at) => assert_eq!(at as i32, offset(index)),
            Location::Stack(_) => panic!("a result on the stack"),
        }
    }
    for (place, register) in CALLEE_SAVED.into_iter().enumerate() {
        code.store(register, RECORD, offset(PRESERVED + place));
    }
    code.store(RSP, RECORD, offset(STACK_AFTER));
    code.load(RSP, RECORD, offset(FRAME));
    CALLEE_SAVED.iter().rev().for_each(|&register| code.pop(register));
    code.ret(0);
    code.finish()
}

/// A callee: code of the convention that writes the arguments it sees to `record`, changes every register it may, and
/// returns the results of `record`.
pub fn callee(signature: &Signature, record: &Record) -> Vec<u8> {
    let mut code = Encoder::default();
    code.set(RECORD, record.address());
    code.store(RSP, RECORD, offset(STACK_BEFORE));
    for (slot, ty, location) in arguments(signature) {
        receive(&mut code, slot, ty, location);
    }
    for register in 0..=SPARE_VECTOR {
        code.load_vector(register, RECORD, offset(FRAME));
    }
    for register in CALLER_SAVED {
        code.set(register, 0xbad1_bad1_bad1_bad1);
    }
    if signature.result_buffer.is_some() {
        code.load(RAX, RECORD, offset(RESULT_BUFFER));
    }
    for (index, &(_, location)) in signature.results.iter().enumerate() {
        match location {
            Location::Int(register) => code.load(register, RECORD, offset(RESULTS + index)),
            Location::Vector(register) => code.load_vector(register, RECORD, offset(RESULTS + index)),
            Location::Buffer(at) => {
                code.load_vector(SPARE_VECTOR, RECORD, offset(RESULTS + index));
                code.store_vector(SPARE_VECTOR, RAX, at as i32);
            }
            Location::Stack(_) => panic!("a result on the stack"),
        }
    }
    code.set(RECORD, 0xbad2_bad2_bad2_bad2);
    code.ret(u16::try_from(signature.stack_bytes).expect("1000 parameters of 16 bytes"));
    code.finish()
}

/// Everything that a call passes: its slot in the record, its type, its location.
///
/// Each location is checked to be one that the convention has.
fn arguments(signature: &Signature) -> Vec<(usize, MachineType, Location)> {
    let mut all = vec![(CONTEXT, MachineType::I64, signature.context)];
    all.extend(signature.result_buffer.map(|location| (RESULT_BUFFER, MachineType::I64, location)));
    let params = signature.params.iter().enumerate();
    all.extend(params.map(|(index, &(ty, location))| (PARAMS + index, ty, location)));
    for &(_, ty, location) in &all {
        match location {
            Location::Int(register) => assert!(ty.is_int() && INT_PARAMS.contains(&register)),
            Location::Vector(register) => assert!(!ty.is_int() && register < VECTOR_REGISTERS),
            Location::Stack(at) => assert!(at + size(ty) <= signature.stack_bytes && at % size(ty) == 0),
            Location::Buffer(_) => panic!("an argument in the result buffer"),
        }
    }
    for &(ty, location) in &signature.results {
        match location {
            Location::Int(register) => assert!(ty.is_int() && INT_RESULTS.contains(&register)),
            Location::Vector(register) => assert!(!ty.is_int() && register < VECTOR_REGISTERS),
            Location::Buffer(_) => assert!(signature.result_buffer.is_some()),
            Location::Stack(_) => panic!("a result on the stack"),
        }
    }
    assert_eq!(signature.stack_bytes % 16, 0);
    all
}

/// Bytes of a stack argument.
fn size(ty: MachineType) -> u32 {
    if ty == MachineType::V128 { 16 } else { 8 }
}

/// From a slot to where the convention wants it. What lies above a narrow value is passed along: nobody may rely on it.
fn pass(code: &mut Encoder, slot: usize, ty: MachineType, location: Location) {
    match location {
        Location::Int(register) => code.load(register, RECORD, offset(slot)),
        Location::Vector(register) => code.load_vector(register, RECORD, offset(slot)),
        Location::Stack(at) if ty == MachineType::V128 => {
            code.load_vector(SPARE_VECTOR, RECORD, offset(slot));
            code.store_vector(SPARE_VECTOR, RSP, at as i32);
        }
        Location::Stack(at) => {
            code.load(RAX, RECORD, offset(slot));
            code.store(RAX, RSP, at as i32);
        }
        Location::Buffer(_) => panic!("an argument in the result buffer"),
    }
}

/// From where the convention wants it to a slot, at the entry of a callee.
fn receive(code: &mut Encoder, slot: usize, ty: MachineType, location: Location) {
    // Above the return address.
    let above = |at: u32| at as i32 + 8;
    match location {
        Location::Int(register) => code.store(register, RECORD, offset(slot)),
        Location::Vector(register) => code.store_vector(register, RECORD, offset(slot)),
        Location::Stack(at) if ty == MachineType::V128 => {
            code.load_vector(SPARE_VECTOR, RSP, above(at));
            code.store_vector(SPARE_VECTOR, RECORD, offset(slot));
        }
        Location::Stack(at) => {
            code.load(RAX, RSP, above(at));
            code.store(RAX, RECORD, offset(slot));
        }
        Location::Buffer(_) => panic!("an argument in the result buffer"),
    }
}
