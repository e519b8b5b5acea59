//! Loop ends: the compare of a counter that was just incremented.
//!
//! Of `y = x + 1; if y != 100 goto header(y)` Cranelift's optimizer makes `x != 99`, which is as good by itself. But now both
//! `x` and `y` live at the branch and cannot share a register: the back-edge gets a move and a jump of its own. This
//! pass, between optimizer and back end, turns such a compare round again, wherever the sum is an argument of the branch.

use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Function, Inst, InstBuilder, InstructionData, Opcode, Value, ValueDef};

/// Makes branches compare the sums they pass on.
pub(crate) fn compare_increments(func: &mut Function) {
    let mut block = func.layout.entry_block();
    while let Some(current) = block {
        block = func.layout.next_block(current);
        let Some(branch) = func.layout.last_inst(current) else { continue };
        let Some((code, sum, constant)) = better_compare(func, branch) else { continue };
        let location = func.srcloc(branch);
        let mut cursor = FuncCursor::new(func).at_inst(branch).with_srcloc(location);
        let ty = cursor.func.dfg.value_type(sum);
        let constant = cursor.ins().iconst(ty, constant);
        let condition = cursor.ins().icmp(code, sum, constant);
        if let InstructionData::Brif { arg, .. } = &mut cursor.func.dfg.insts[branch] {
            *arg = condition;
        }
    }
}

/// For a branch on `x == k` or `x != k` that passes `x + c` on, and not `x`: what to compare instead.
fn better_compare(func: &Function, branch: Inst) -> Option<(IntCC, Value, i64)> {
    let InstructionData::Brif { arg: condition, .. } = func.dfg.insts[branch] else { return None };
    let mut compare = definition(func, condition)?;
    if let InstructionData::Unary { opcode: Opcode::Uextend, arg } = func.dfg.insts[compare] {
        compare = definition(func, arg)?;
    }
    let InstructionData::IntCompare { args: [x, k], cond: code @ (IntCC::Equal | IntCC::NotEqual), .. } =
        func.dfg.insts[compare]
    else {
        return None;
    };
    let x = func.dfg.resolve_aliases(x);
    let k = constant(func, k)?;
    let mut found = None;
    let targets = func.dfg.insts[branch].branch_destination(&func.dfg.jump_tables, &func.dfg.exception_tables);
    for arg in targets.iter().flat_map(|target| target.args(&func.dfg.value_lists)) {
        let Some(arg) = arg.as_value().map(|arg| func.dfg.resolve_aliases(arg)) else { continue };
        if arg == x {
            return None;
        }
        found = found.or_else(|| Some((arg, added_to(func, arg, x)?)));
    }
    let (sum, added) = found?;
    let bits = func.dfg.value_type(sum).bits();
    let mask = if bits >= 64 { u64::MAX } else { (1 << bits) - 1 };
    Some((code, sum, ((k as u64).wrapping_add(added as u64) & mask) as i64))
}

/// The constant that `sum` adds to `x`, if it does.
fn added_to(func: &Function, sum: Value, x: Value) -> Option<i64> {
    let InstructionData::Binary { opcode: Opcode::Iadd, args: [a, b] } = func.dfg.insts[definition(func, sum)?] else {
        return None;
    };
    let (a, b) = (func.dfg.resolve_aliases(a), func.dfg.resolve_aliases(b));
    if a == x {
        constant(func, b)
    } else if b == x {
        constant(func, a)
    } else {
        None
    }
}

fn constant(func: &Function, value: Value) -> Option<i64> {
    match func.dfg.insts[definition(func, value)?] {
        InstructionData::UnaryImm { opcode: Opcode::Iconst, imm } => Some(imm.bits()),
        _ => None,
    }
}

/// The instruction whose result a value is.
fn definition(func: &Function, value: Value) -> Option<Inst> {
    match func.dfg.value_def(func.dfg.resolve_aliases(value)) {
        ValueDef::Result(inst, _) => Some(inst),
        ValueDef::Param(..) | ValueDef::Union(..) => None,
    }
}

#[cfg(test)]
mod tests;
