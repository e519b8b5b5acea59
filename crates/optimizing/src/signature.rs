//! Cranelift signatures of everything that compiled code calls or is, as [`abi::assign`] has them.

use abi::assign::results_need_buffer;
use abi::builtins::{Builtin, BuiltinType};
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{AbiParam, ArgumentPurpose, Signature};
use cranelift_codegen::isa::CallConv;
use wasm::types::FuncType;

use crate::translate::state::value_type;

/// Of compiled functions of this type: the context, the result buffer if results need one, the parameters.
pub(crate) fn function(ty: &FuncType) -> Signature {
    let buffered = results_need_buffer(ty.results());
    let mut signature = Signature::new(CallConv::Tail);
    signature.params.reserve_exact(1 + usize::from(buffered) + ty.params().len());
    signature.params.push(AbiParam::special(I64, ArgumentPurpose::VMContext));
    if buffered {
        signature.params.push(AbiParam::new(I64));
    }
    signature.params.extend(ty.params().iter().map(|&param| AbiParam::new(value_type(param))));
    if !buffered {
        signature.returns.extend(ty.results().iter().map(|&result| AbiParam::new(value_type(result))));
    }
    signature
}

/// Of a C function that takes this many addresses and gives nothing.
pub(crate) fn addresses(count: usize) -> Signature {
    let mut signature = Signature::new(CallConv::SystemV);
    signature.params.resize(count, AbiParam::new(I64));
    signature
}

/// Of a host function's shim: the context and the values; not zero means that it failed.
pub(crate) fn host_function() -> Signature {
    let mut signature = addresses(2);
    signature.returns.push(AbiParam::new(I64));
    signature
}

/// Of a builtin: the context and its own arguments.
pub(crate) fn builtin(builtin: Builtin) -> Signature {
    let param = |ty: BuiltinType| match ty {
        BuiltinType::I32 => AbiParam::new(I32),
        BuiltinType::I64 => AbiParam::new(I64),
    };
    let mut signature = addresses(1);
    signature.params.extend(builtin.params().iter().map(|&ty| param(ty)));
    signature.returns.extend(builtin.result().map(param));
    signature
}

/// Of [`abi::layout::StoreContext::on_interrupt`].
pub(crate) fn on_interrupt() -> Signature {
    Signature::new(CallConv::PreserveAll)
}
