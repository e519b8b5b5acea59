//! Constant expressions in an instance: initial values of globals and tables, offsets and items of segments.

use std::ops::Range;

use wasm::const_expr::{ConstContext, ConstExpr, ConstValue};
use wasm::module::ElementItems;
use wasm::types::{FuncIndex, GlobalIndex, HeapType, ValType};

use crate::ids::GlobalId;
use crate::instance::Instance;
use crate::store::Store;

/// The references that a range of an element segment stands for.
pub(crate) fn element_values(
    instance: &Instance,
    store: &Store,
    items: &ElementItems,
    range: Range<usize>,
) -> Vec<u64> {
    match items {
        ElementItems::Functions(functions) => {
            functions[range].iter().map(|&function| function_reference(instance, function)).collect()
        }
        ElementItems::Expressions(items) => {
            let mut evaluator = Evaluator::of(store, instance);
            items[range].iter().map(|item| evaluator.bits(item) as u64).collect()
        }
    }
}

fn function_reference(instance: &Instance, function: FuncIndex) -> u64 {
    instance.func_ref(function).map_or(0, |reference| reference.as_ptr() as u64)
}

/// Evaluates constant expressions in an instance; references are as in a table.
pub(crate) struct Evaluator<'a> {
    pub(crate) store: &'a Store,
    pub(crate) instance: &'a Instance,
    /// The globals that exist so far.
    pub(crate) globals: &'a [GlobalId],
}

impl<'a> Evaluator<'a> {
    /// In an instance whose globals all exist.
    pub(crate) fn of(store: &'a Store, instance: &'a Instance) -> Evaluator<'a> {
        Evaluator { store, instance, globals: &instance.globals }
    }

    /// The value's bits, as in a global's cell.
    pub(crate) fn bits(&mut self, expr: &ConstExpr) -> u128 {
        match expr.eval(self).expect("constant expressions of a decoded module are valid") {
            ConstValue::I32(value) => u128::from(value.cast_unsigned()),
            ConstValue::I64(value) => u128::from(value.cast_unsigned()),
            ConstValue::F32(bits) => u128::from(bits),
            ConstValue::F64(bits) => u128::from(bits),
            ConstValue::V128(bytes) => u128::from_le_bytes(bytes),
            ConstValue::Ref(reference) => u128::from(reference),
        }
    }

    /// The value as the offset of a segment: a 32-bit one is unsigned.
    pub(crate) fn offset(&mut self, expr: &ConstExpr) -> u64 {
        self.bits(expr) as u64
    }
}

impl ConstContext for Evaluator<'_> {
    type Ref = u64;

    fn global(&mut self, index: GlobalIndex) -> ConstValue<u64> {
        let global = self.store.global(self.globals[index.index()]);
        let bits = global.get();
        match global.ty().content {
            ValType::I32 => ConstValue::I32(bits as i32),
            ValType::I64 => ConstValue::I64(bits as i64),
            ValType::F32 => ConstValue::F32(bits as u32),
            ValType::F64 => ConstValue::F64(bits as u64),
            ValType::V128 => ConstValue::V128(bits.to_le_bytes()),
            ValType::Ref(reference) => match reference.heap {
                HeapType::Func | HeapType::NoFunc | HeapType::Concrete(_) => ConstValue::Ref(bits as u64),
                _ => ConstValue::Ref(u64::from(bits as u32)),
            },
        }
    }

    fn ref_func(&mut self, index: FuncIndex) -> u64 {
        function_reference(self.instance, index)
    }

    fn ref_null(&mut self, _heap: HeapType) -> u64 {
        0
    }
}
