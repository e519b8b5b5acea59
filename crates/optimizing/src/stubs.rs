//! The ways into Wasm and out of it: stubs that move values between slots and the convention's locations, one of each
//! for a function type.

use std::mem::offset_of;

use abi::assign::results_need_buffer;
use abi::compiled::CompiledCode;
use abi::compiler::Settings;
use abi::layout::{HostContext, InstanceHeader, VALUE_SLOT};
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, StackSlotData, StackSlotKind, Value};
use cranelift_frontend::FunctionBuilder;
use wasm::types::{FuncType, ValType};

use crate::function::{Worker, check_stack_limit};
use crate::isa::Target;
use crate::signature;
use crate::translate::state::value_type;

// The stack limit is found through either context alike.
const _: () = assert!(offset_of!(HostContext, store) == offset_of!(InstanceHeader, store));

/// The stub through which C calls compiled functions of this type; see [`abi::compiler::Compiler::entry_stub`].
pub(crate) fn entry(target: &Target, ty: &FuncType) -> Result<CompiledCode, String> {
    let isa = target.machine(Settings::default()).isa;
    Worker::with(true, |worker| {
        worker.compile(isa, signature::addresses(3), |mut builder, _| {
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
            builder.finalize(isa.frontend_config());
            Ok(())
        })
    })
}

/// The stub through which compiled code calls host functions of this type; see
/// [`abi::compiler::Compiler::exit_stub`].
pub(crate) fn exit(target: &Target, ty: &FuncType) -> Result<CompiledCode, String> {
    let isa = target.machine(Settings::default()).isa;
    Worker::with(true, |worker| {
        worker.compile(isa, signature::function(ty), |mut builder, _| {
            check_stack_limit(builder.func);
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
            let flags = MemFlagsData::trusted();
            let trampoline = offset_of!(HostContext, trampoline) as i32;
            let trampoline = builder.ins().load(I64, flags, context, trampoline);
            let callee = builder.import_signature(signature::addresses(2));
            builder.ins().call_indirect(callee, trampoline, &[context, values]);
            let mut results = Vec::with_capacity(ty.results().len());
            load_all(&mut builder, ty.results(), values, &mut results);
            if buffered {
                store_all(&mut builder, &results, params[1]);
                results.clear();
            }
            builder.ins().return_(&results);
            builder.finalize(isa.frontend_config());
            Ok(())
        })
    })
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
