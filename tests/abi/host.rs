//! The compiled stubs at the border to C, against the hand-written sides: a C function enters a hand-written callee, and
//! a hand-written caller leaves to a C function.

use std::iter;

use abi::assign::assign;
use abi::layout::{HostContext, StoreContext};
use wasm::types::FuncType;

use super::machine::Placed;
use super::record::{CODE, CONTEXT, PARAMS, RESULT_BUFFER, RESULTS, Record};
use super::signatures::{self, Random, Shape};
use super::{Bench, compare, stubs};

#[test]
fn entry_stubs() {
    for_every_shape(Bench::enter);
}

#[test]
fn exit_stubs() {
    for_every_shape(Bench::leave);
}

fn for_every_shape(attempt: fn(&mut Bench, &FuncType)) {
    for mut bench in Bench::every_tier() {
        let mut random = Random::new(4);
        let mut shapes: Vec<Shape> = (0..100).map(|_| (random.types(21), random.types(21))).collect();
        shapes.extend(signatures::edges());
        shapes.extend(signatures::largest(&mut random));
        for (params, results) in shapes {
            attempt(&mut bench, &FuncType::new(params, results));
        }
    }
}

impl Bench {
    /// An entry stub calls a hand-written callee.
    fn enter(&mut self, ty: &FuncType) {
        let seen = Record::new();
        let stub = self.compiler.entry_stub(ty).expect("within every limit").bytes;
        let callee = stubs::callee(&assign(ty), &seen);
        let code = Placed::new(&[&stub, &callee]);
        let results = self.fill(&seen, RESULTS, ty.results().len());
        // A row of slots is what the stub takes; another record has one.
        let values = Record::new();
        let params = self.fill(&values, PARAMS, ty.params().len());
        let context = self.random.bits();
        // SAFETY: piece 0 is an entry stub, which has this type; `values` has slots for every parameter and result from
        // `PARAMS` on; the callee refers to `seen` only, and takes `context` as a number.
        unsafe {
            let stub: extern "sysv64" fn(*const u8, u64, u64) = std::mem::transmute(code.address(0));
            stub(code.address(1), context, values.address_of(PARAMS));
        }
        assert_eq!(seen.get(CONTEXT) as u64, context, "entry of {ty}: context");
        compare(&seen, PARAMS, ty.params(), &params, "entry");
        // The stub leaves the results where the parameters were.
        for (index, slot) in (PARAMS..).take(ty.results().len()).enumerate() {
            seen.set(RESULTS + index, values.get(slot));
        }
        compare(&seen, RESULTS, ty.results(), &results, "entry");
    }

    /// A hand-written caller calls an exit stub.
    fn leave(&mut self, ty: &FuncType) {
        let seen = Record::new();
        let stub = self.compiler.exit_stub(ty).expect("within every limit").bytes;
        let caller = stubs::caller(&assign(ty), &seen);
        let code = Placed::new(&[&caller, &stub]);
        let params = self.fill(&seen, PARAMS, ty.params().len());
        let results: Vec<u128> = iter::repeat_with(|| self.random.value()).take(ty.results().len()).collect();
        let mut host = Host { params: vec![0; ty.params().len()], results };
        let mut store = StoreContext::default();
        let context = HostContext {
            store: &mut store,
            function: (host_function as *const ()).cast(),
            raise: std::ptr::null(),
            caller: std::ptr::null_mut(),
            data: (&raw mut host).cast(),
        };
        seen.set(CODE, code.address(1).expose_provenance() as u128);
        seen.set(CONTEXT, (&raw const context).expose_provenance() as u128);
        seen.set(RESULT_BUFFER, u128::from(seen.address_of(RESULTS)));
        // SAFETY: piece 0 is a caller stub; it refers to `seen` and calls piece 1 with `context`, whose function is of the
        // type that exit stubs call and uses `host`; all of them live to the end of this function.
        unsafe { code.run(0) };
        let passed = Record::new();
        for (index, &value) in host.params.iter().enumerate() {
            passed.set(PARAMS + index, value);
        }
        compare(&passed, PARAMS, ty.params(), &params, "exit");
        compare(&seen, RESULTS, ty.results(), &host.results, "exit");
    }
}

/// A host function: what it saw, and what it returns.
struct Host {
    params: Vec<u128>,
    results: Vec<u128>,
}

/// What exit stubs call: copies the slots to the [`Host`] and back.
extern "sysv64" fn host_function(context: *const HostContext, values: *mut u128) -> u64 {
    // SAFETY: the stub passes the context that it was called with, which is the one made in `Bench::leave`, and slots for
    // every parameter and result; nobody else uses either while the stub runs.
    unsafe {
        let host = &mut *(*context).data.cast::<Host>().cast_mut();
        for (index, seen) in host.params.iter_mut().enumerate() {
            *seen = values.add(index).read();
        }
        for (index, &result) in host.results.iter().enumerate() {
            values.add(index).write(result);
        }
    }
    0
}
