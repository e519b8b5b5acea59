//! Bodies of any size whose kind is known to be slow in some compiler: deep, wide, long, or with much at every branch.

use super::bytes::*;

/// A kind of body.
#[derive(Clone, Copy)]
pub struct Shape {
    pub name: &'static str,
    /// A module whose `run` is a body of about so many parts.
    pub make: fn(usize) -> Vec<u8>,
}

/// `() -> ()`.
fn nothing() -> Vec<u8> {
    function_type(&[], &[])
}

/// `(i32) -> (i32)`.
fn number() -> Vec<u8> {
    function_type(&[I32], &[I32])
}

/// Every kind of body.
pub const ALL: &[Shape] = &[
    Shape { name: "locals", make: locals },
    Shape { name: "vector locals", make: vector_locals },
    Shape { name: "locals across merges", make: locals_across_merges },
    Shape { name: "locals around a loop", make: locals_around_a_loop },
    Shape { name: "nested blocks", make: nested_blocks },
    Shape { name: "nested loops", make: nested_loops },
    Shape { name: "nested loops, many locals", make: nested_loops_many_locals },
    Shape { name: "nested ifs", make: nested_ifs },
    Shape { name: "nested blocks with results", make: nested_blocks_with_results },
    Shape { name: "nested loops above operands", make: nested_loops_above_operands },
    Shape { name: "nested if-else with results", make: nested_if_else },
    Shape { name: "a table to one label", make: table_to_one_label },
    Shape { name: "a table to as many labels", make: table_to_many_labels },
    Shape { name: "a table with values", make: table_with_values },
    Shape { name: "tables in nests", make: tables_in_nests },
    Shape { name: "arithmetic", make: arithmetic },
    Shape { name: "calls", make: calls },
    Shape { name: "calls of many parameters", make: calls_of_many_parameters },
    Shape { name: "indirect calls", make: indirect_calls },
    Shape { name: "loads and stores", make: loads_and_stores },
    Shape { name: "loads with 64-bit offsets", make: loads_with_64_bit_offsets },
    Shape { name: "ifs", make: ifs },
    Shape { name: "loops", make: loops },
    Shape { name: "a deep stack", make: deep_stack },
    Shape { name: "a deep stack of loads", make: deep_stack_of_loads },
    Shape { name: "a deep stack with calls", make: deep_stack_with_calls },
    Shape { name: "a deep stack with ifs", make: deep_stack_with_ifs },
    Shape { name: "copies of a local that is set", make: copies_of_a_local },
    Shape { name: "branches with many values", make: branches_with_many_values },
    Shape { name: "unreachable code", make: unreachable_code },
];

fn locals(n: usize) -> Vec<u8> {
    let code = each(n, |local| {
        let end = [get(0), I32_EQZ.to_vec(), I32_EQZ.to_vec(), br_if(0), END.to_vec()].concat();
        [looped(EMPTY), get(local), constant(1), I32_ADD.to_vec(), set(local.max(1)), end].concat()
    });
    module(&[nothing()], &[(n, I32)], &code)
}

fn vector_locals(n: usize) -> Vec<u8> {
    let code = each(n, |local| [get(local), get(local * 7 % n), I32X4_ADD.to_vec(), set(local * 13 % n)].concat());
    module(&[nothing()], &[(n, V128)], &code)
}

fn locals_across_merges(n: usize) -> Vec<u8> {
    let code = each(n, |local| {
        [get(local * 7 % n), branch(EMPTY), get(local), I32_EQZ.to_vec(), set(local * 31 % n), END.to_vec()].concat()
    });
    module(&[nothing()], &[(n, I32)], &code)
}

fn locals_around_a_loop(n: usize) -> Vec<u8> {
    let code = each(n, |local| [get(local), constant(1), I32_ADD.to_vec(), set(local)].concat());
    let again = [get(0), constant(2), vec![0x48], br_if(0), END.to_vec()].concat();
    module(&[nothing()], &[(n, I32)], &[looped(EMPTY), code, again].concat())
}

fn nested_blocks(n: usize) -> Vec<u8> {
    // Each has a branch to the outermost one.
    let code = each(n, |depth| [block(EMPTY), get(0), br_if(depth)].concat());
    module(&[nothing()], &[(1, I32)], &[code, times(n, &[END])].concat())
}

fn nested_loops(n: usize) -> Vec<u8> {
    let code = each(n, |depth| [looped(EMPTY), get(0), br_if(depth)].concat());
    module(&[nothing()], &[(1, I32)], &[code, times(n, &[END])].concat())
}

fn nested_loops_many_locals(n: usize) -> Vec<u8> {
    let code = each(n, |depth| [looped(EMPTY), get(depth % 999), I32_EQZ.to_vec(), set(depth * 7 % 999)].concat());
    module(&[nothing()], &[(1000, I32)], &[code, times(n, &[&get(999), &br_if(0), END])].concat())
}

fn nested_ifs(n: usize) -> Vec<u8> {
    let code = each(n, |depth| [constant(1), branch(EMPTY), get(0), br_if(depth)].concat());
    module(&[nothing()], &[(1, I32)], &[code, times(n, &[END])].concat())
}

fn nested_blocks_with_results(n: usize) -> Vec<u8> {
    let code = each(n, |left| [get(0), br_if(n - 1 - left), END.to_vec()].concat());
    module(&[number()], &[], &[times(n, &[&block(I32)]), constant(3), code].concat())
}

fn nested_loops_above_operands(n: usize) -> Vec<u8> {
    let code = times(n, &[&get(0), &looped(I32)]);
    module(&[number()], &[], &[code, constant(3), times(n, &[END, I32_ADD])].concat())
}

fn nested_if_else(n: usize) -> Vec<u8> {
    let code = times(n, &[&get(0), &branch(I32)]);
    module(&[number()], &[], &[code, constant(3), times(n, &[ELSE, &constant(4), END])].concat())
}

fn table_to_one_label(n: usize) -> Vec<u8> {
    let table = br_table(&vec![0; n.min(60_000)]);
    module(&[number()], &[], &[block(EMPTY), get(0), table, END.to_vec(), get(0)].concat())
}

/// The numbers below `n`, and a default.
fn labels(n: usize) -> Vec<usize> {
    (0..n).chain([0]).collect()
}

fn table_to_many_labels(n: usize) -> Vec<u8> {
    let code = [times(n, &[&block(EMPTY)]), get(0), br_table(&labels(n)), times(n, &[END]), get(0)];
    module(&[number()], &[], &code.concat())
}

fn table_with_values(n: usize) -> Vec<u8> {
    let sum = times(n, &[END, &constant(1), I32_ADD]);
    module(&[number()], &[], &[times(n, &[&block(I32)]), constant(7), get(0), br_table(&labels(n)), sum].concat())
}

fn tables_in_nests(n: usize) -> Vec<u8> {
    const DEPTH: usize = 100;
    let table = |depth| [block(EMPTY), get(0), branch(EMPTY), get(0), br_table(&labels(depth)), END.to_vec()].concat();
    let nest = [each(DEPTH, table), times(DEPTH, &[END])].concat();
    module(&[number()], &[], &[times(n / DEPTH, &[&nest]), get(0)].concat())
}

fn arithmetic(n: usize) -> Vec<u8> {
    module(&[number()], &[(8, I32)], &[times(n, &[&get(1), &get(2), I32_ADD, &set(1)]), get(1)].concat())
}

fn calls(n: usize) -> Vec<u8> {
    Builder::new(&[nothing()]).function(0, &[], &[]).function(0, &[], &times(n, &[&call(0)])).finish()
}

fn calls_of_many_parameters(n: usize) -> Vec<u8> {
    let code = times(n / 100, &[&times(1000, &[&constant(0)]), &call(0)]);
    let types = [nothing(), function_type(&[I32; 1000], &[])];
    Builder::new(&types).function(1, &[], &[]).function(0, &[], &code).finish()
}

fn indirect_calls(n: usize) -> Vec<u8> {
    let code = times(n, &[&constant(0), &call_indirect(0)]);
    Builder::new(&[nothing()]).function(0, &[], &[]).function(0, &[], &code).finish()
}

fn loads_and_stores(n: usize) -> Vec<u8> {
    let code = times(n, &[&get(0), &get(0), &access(0x28, 2, 16), &access(0x36, 2, 4)]);
    module(&[number()], &[], &[code, get(0)].concat())
}

fn loads_with_64_bit_offsets(n: usize) -> Vec<u8> {
    let loads = times(n, &[&get(0), &access(0x29, 3, 1 << 33), &set(0), &get(0), &access(0x29, 3, 8), &set(0)]);
    // The first load traps; what is after it is compiled all the same.
    Builder::new(&[nothing()]).memory64().function(0, &[(1, I64)], &loads).finish()
}

fn ifs(n: usize) -> Vec<u8> {
    let code = times(n, &[&get(0), &branch(I32), &get(1), ELSE, &constant(1), END, &set(1)]);
    module(&[number()], &[(1, I32)], &[code, get(1)].concat())
}

fn loops(n: usize) -> Vec<u8> {
    let code = times(n, &[&looped(EMPTY), &get(1), I32_EQZ, &tee(1), &br_if(0), END]);
    module(&[number()], &[(1, I32)], &[code, get(1)].concat())
}

fn deep_stack(n: usize) -> Vec<u8> {
    module(&[number()], &[], &[times(n, &[&get(0)]), times(n - 1, &[I32_ADD])].concat())
}

fn deep_stack_of_loads(n: usize) -> Vec<u8> {
    let loads = times(n, &[&get(0), &access(0x2d, 0, 0)]);
    module(&[number()], &[], &[loads, times(n - 1, &[I32_ADD])].concat())
}

fn deep_stack_with_calls(n: usize) -> Vec<u8> {
    let code = [times(n, &[&get(0), &access(0x2d, 0, 0), &call(0)]), times(n - 1, &[I32_ADD])].concat();
    Builder::new(&[nothing(), number()]).function(0, &[], &[]).function(1, &[], &code).finish()
}

fn deep_stack_with_ifs(n: usize) -> Vec<u8> {
    let code = times(n, &[&get(0), &get(1), &branch(EMPTY), &get(0), &set(1), END]);
    module(&[number()], &[(1, I32)], &[code, times(n - 1, &[I32_ADD])].concat())
}

fn copies_of_a_local(n: usize) -> Vec<u8> {
    let code = times(n, &[&get(0), &get(0), I32_EQZ, &set(0)]);
    module(&[number()], &[], &[code, times(n - 1, &[I32_ADD])].concat())
}

fn branches_with_many_values(n: usize) -> Vec<u8> {
    let values = times(100, &[&constant(0)]);
    let code = [vec![0x02, 1], values, times(n, &[&get(0), &br_if(0)]), END.to_vec(), times(100, &[DROP]), get(0)];
    module(&[number(), function_type(&[], &[I32; 100])], &[], &code.concat())
}

fn unreachable_code(n: usize) -> Vec<u8> {
    let dead = times(n, &[&block(EMPTY), &get(0), DROP, END, I32_ADD, DROP]);
    module(&[number()], &[], &[block(EMPTY), br(0), dead, END.to_vec(), get(0)].concat())
}
