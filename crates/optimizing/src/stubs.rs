//! The ways into Wasm and out of it: stubs that move values between slots and the convention's locations, one of each
//! for a function type.

use std::mem::offset_of;

use abi::assign::results_need_buffer;
use abi::compiled::CompiledCode;
use abi::compiler::Settings;
use abi::layout::{HostContext, StoreContext, VALUE_SLOT};
use abi::trap::TrapReason;
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, StackSlotData, StackSlotKind, Value};
use cranelift_frontend::FunctionBuilder;
use wasm::types::{FuncType, ValType};

use crate::function::Worker;
use crate::isa::Target;
use crate::signature;
use crate::translate::TranslateError;
use crate::translate::state::value_type;
use crate::traps::trap_code;

/// The stub through which C calls compiled functions of this type; see [`abi::compiler::Compiler::entry_stub`].
pub(crate) fn entry(target: &Target, ty: &FuncType) -> Result<CompiledCode, TranslateError> {
    let machine = target.machine(Settings::default());
    Worker::with(true, |worker| {
        worker.compile(machine, signature::addresses(3), None, |mut builder, _| {
            let block = start(&mut builder);
            let &[code, vmctx, values] = builder.block_params(block) else { return Ok(()) };
            let callee = builder.import_signature(signature::function(ty));
            let buffered = results_need_buffer(ty.results());
            let mut args = vec![vmctx];
            if buffered {
                // All parameters are read before the callee can write a result over them.
                args.push(values);
            }
            load_all(&mut builder, ty.params(), values, &mut args);
            let call = builder.ins().call_indirect(callee, code, &args);
            if !buffered {
                let results = builder.inst_results(call).to_vec();
                store_all(&mut builder, &results, values);
            }
            builder.ins().return_(&[]);
            builder.finalize(machine.isa.frontend_config());
            Ok(())
        })
    })
}

/// The stub through which compiled code calls host functions of this type; see
/// [`abi::compiler::Compiler::exit_stub`].
pub(crate) fn exit(target: &Target, ty: &FuncType) -> Result<CompiledCode, TranslateError> {
    let machine = target.machine(Settings::default());
    Worker::with(true, |worker| {
        worker.compile(machine, signature::function(ty), None, |mut builder, _| {
            // No check of the stack limit: this small frame is within what is left to the host below it.
            let block = start(&mut builder);
            let params = builder.block_params(block).to_vec();
            let context = params[0];
            let buffered = results_need_buffer(ty.results());
            let slots = ty.params().len().max(ty.results().len());
            let size = (slots * VALUE_SLOT) as u32;
            let slot = StackSlotData::new(StackSlotKind::ExplicitSlot, size, 4);
            let slot = builder.create_sized_stack_slot(slot);
            let values = builder.ins().stack_addr(I64, slot, 0);
            store_all(&mut builder, &params[1 + usize::from(buffered)..], values);
            call_host(&mut builder, context, values);
            let mut results = Vec::with_capacity(ty.results().len());
            load_all(&mut builder, ty.results(), values, &mut results);
            if buffered {
                store_all(&mut builder, &results, params[1]);
                results.clear();
            }
            builder.ins().return_(&results);
            builder.finalize(machine.isa.frontend_config());
            Ok(())
        })
    })
}

/// Records the exit frame, calls the host function, and raises if it failed.
fn call_host(builder: &mut FunctionBuilder<'_>, context: Value, values: Value) {
    let flags = MemFlagsData::trusted();
    let field =
        |builder: &mut FunctionBuilder<'_>, offset: usize| builder.ins().load(I64, flags, context, offset as i32);
    let store = field(builder, offset_of!(HostContext, store));
    let fp = builder.ins().get_frame_pointer(I64);
    builder.ins().store(flags, fp, store, offset_of!(StoreContext, exit_fp) as i32);
    let function = field(builder, offset_of!(HostContext, function));
    let callee = builder.import_signature(signature::host_function());
    let call = builder.ins().call_indirect(callee, function, &[context, values]);
    let failed = builder.inst_results(call)[0];
    let (raising, returned) = (builder.create_block(), builder.create_block());
    builder.set_cold_block(raising);
    builder.ins().brif(failed, raising, &[], returned, &[]);
    builder.seal_block(raising);
    builder.seal_block(returned);
    builder.switch_to_block(raising);
    let raise = field(builder, offset_of!(HostContext, raise));
    let callee = builder.import_signature(signature::addresses(1));
    builder.ins().call_indirect(callee, raise, &[store]);
    builder.ins().trap(trap_code(TrapReason::Unreachable));
    builder.switch_to_block(returned);
}

fn start(builder: &mut FunctionBuilder<'_>) -> cranelift_codegen::ir::Block {
    let block = builder.create_block();
    builder.append_block_params_for_function_params(block);
    builder.switch_to_block(block);
    builder.seal_block(block);
    block
}

fn load_all(builder: &mut FunctionBuilder<'_>, types: &[ValType], slots: Value, into: &mut Vec<Value>) {
    for (index, &ty) in types.iter().enumerate() {
        let at = (index * VALUE_SLOT) as i32;
        into.push(builder.ins().load(value_type(ty), MemFlagsData::new().with_notrap(), slots, at));
    }
}

fn store_all(builder: &mut FunctionBuilder<'_>, values: &[Value], slots: Value) {
    for (index, &value) in values.iter().enumerate() {
        let at = (index * VALUE_SLOT) as i32;
        builder.ins().store(MemFlagsData::new().with_notrap(), value, slots, at);
    }
}

#[cfg(test)]
mod tests;
