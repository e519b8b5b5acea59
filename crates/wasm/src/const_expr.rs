//! Constant expressions: the initial values of globals, tables and segments, with the extended
//! arithmetic of Wasm 3.0.

use crate::heap;
use crate::sem::int;
use crate::types::{FuncIndex, GlobalIndex, HeapType};

/// One operator of a constant expression.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ConstOp {
    /// `i32.const`
    I32Const(i32),
    /// `i64.const`
    I64Const(i64),
    /// `f32.const`, as bits.
    F32Const(u32),
    /// `f64.const`, as bits.
    F64Const(u64),
    /// `v128.const`, little-endian bytes.
    V128Const([u8; 16]),
    /// `global.get` of an immutable global that comes before.
    GlobalGet(GlobalIndex),
    /// `ref.null`
    RefNull(HeapType),
    /// `ref.func`
    RefFunc(FuncIndex),
    /// `i32.add`
    I32Add,
    /// `i32.sub`
    I32Sub,
    /// `i32.mul`
    I32Mul,
    /// `i64.add`
    I64Add,
    /// `i64.sub`
    I64Sub,
    /// `i64.mul`
    I64Mul,
}

/// A constant expression, in stack order and without its `end`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConstExpr {
    ops: Ops,
}

/// A module may have a hundred thousand segments, each with one operator for its offset: that one needs no memory.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Ops {
    One(ConstOp),
    /// Any number but one.
    Several(Box<[ConstOp]>),
}

impl ConstExpr {
    /// What it owns takes, in bytes.
    pub fn heap_bytes(&self) -> usize {
        match &self.ops {
            Ops::One(_) => 0,
            Ops::Several(ops) => heap::slice(ops),
        }
    }
}

/// A value a constant expression works with; `R` is a reference of the embedder.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ConstValue<R> {
    /// An `i32`.
    I32(i32),
    /// An `i64`.
    I64(i64),
    /// The bits of an `f32`.
    F32(u32),
    /// The bits of an `f64`.
    F64(u64),
    /// The little-endian bytes of a `v128`.
    V128([u8; 16]),
    /// A reference, possibly null.
    Ref(R),
}

/// What evaluation needs to know of the instance under construction.
pub trait ConstContext {
    /// A reference, null included.
    type Ref: Clone;

    /// The value of a global that exists already.
    fn global(&mut self, index: GlobalIndex) -> ConstValue<Self::Ref>;
    /// A reference to a function of the instance.
    fn ref_func(&mut self, index: FuncIndex) -> Self::Ref;
    /// The null of a heap type.
    fn ref_null(&mut self, heap: HeapType) -> Self::Ref;
}

impl ConstExpr {
    /// An expression of these operators.
    pub fn new(ops: impl Into<Box<[ConstOp]>>) -> ConstExpr {
        let ops = ops.into();
        match *ops {
            [op] => ConstExpr::one(op),
            _ => ConstExpr { ops: Ops::Several(ops) },
        }
    }

    /// An expression of one operator.
    pub fn one(op: ConstOp) -> ConstExpr {
        ConstExpr { ops: Ops::One(op) }
    }

    /// The operators, in stack order.
    pub fn ops(&self) -> &[ConstOp] {
        match &self.ops {
            Ops::One(op) => std::slice::from_ref(op),
            Ops::Several(ops) => ops,
        }
    }

    /// The value, when the expression is a single `i32.const` or `i64.const` (read as unsigned
    /// 32 bits or 64 bits, as an offset is).
    pub fn as_offset(&self) -> Option<u64> {
        match *self.ops() {
            [ConstOp::I32Const(value)] => Some(u64::from(value.cast_unsigned())),
            [ConstOp::I64Const(value)] => Some(value.cast_unsigned()),
            _ => None,
        }
    }

    /// The value of the expression. `None` means that the expression is not valid, which cannot
    /// be in a decoded module.
    pub fn eval<C: ConstContext>(&self, context: &mut C) -> Option<ConstValue<C::Ref>> {
        // The usual expression is one operator, which needs no stack.
        if let [op] = *self.ops() {
            return leaf(op, context);
        }
        let mut stack = Vec::with_capacity(self.ops().len());
        for &op in self.ops() {
            let value = match op {
                ConstOp::I32Add => i32_op(&mut stack, int::i32_add)?,
                ConstOp::I32Sub => i32_op(&mut stack, int::i32_sub)?,
                ConstOp::I32Mul => i32_op(&mut stack, int::i32_mul)?,
                ConstOp::I64Add => i64_op(&mut stack, int::i64_add)?,
                ConstOp::I64Sub => i64_op(&mut stack, int::i64_sub)?,
                ConstOp::I64Mul => i64_op(&mut stack, int::i64_mul)?,
                leaf_op => leaf(leaf_op, context)?,
            };
            stack.push(value);
        }
        let value = stack.pop()?;
        stack.is_empty().then_some(value)
    }
}

/// The value of an operator without operands.
fn leaf<C: ConstContext>(op: ConstOp, context: &mut C) -> Option<ConstValue<C::Ref>> {
    Some(match op {
        ConstOp::I32Const(value) => ConstValue::I32(value),
        ConstOp::I64Const(value) => ConstValue::I64(value),
        ConstOp::F32Const(bits) => ConstValue::F32(bits),
        ConstOp::F64Const(bits) => ConstValue::F64(bits),
        ConstOp::V128Const(bytes) => ConstValue::V128(bytes),
        ConstOp::GlobalGet(index) => context.global(index),
        ConstOp::RefNull(heap) => ConstValue::Ref(context.ref_null(heap)),
        ConstOp::RefFunc(index) => ConstValue::Ref(context.ref_func(index)),
        ConstOp::I32Add | ConstOp::I32Sub | ConstOp::I32Mul | ConstOp::I64Add | ConstOp::I64Sub | ConstOp::I64Mul => {
            return None;
        }
    })
}

fn i32_op<R>(stack: &mut Vec<ConstValue<R>>, op: fn(i32, i32) -> i32) -> Option<ConstValue<R>> {
    match (stack.pop()?, stack.pop()?) {
        (ConstValue::I32(b), ConstValue::I32(a)) => Some(ConstValue::I32(op(a, b))),
        _ => None,
    }
}

fn i64_op<R>(stack: &mut Vec<ConstValue<R>>, op: fn(i64, i64) -> i64) -> Option<ConstValue<R>> {
    match (stack.pop()?, stack.pop()?) {
        (ConstValue::I64(b), ConstValue::I64(a)) => Some(ConstValue::I64(op(a, b))),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
