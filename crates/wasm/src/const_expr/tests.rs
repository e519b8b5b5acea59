//! Values of constant expressions.

use super::{ConstContext, ConstExpr, ConstOp, ConstValue};
use crate::types::{FuncIndex, GlobalIndex, HeapType};

/// References are functions or null; global n holds the i32 n * 10.
struct Context;

impl ConstContext for Context {
    type Ref = Option<u32>;

    fn global(&mut self, index: GlobalIndex) -> ConstValue<Option<u32>> {
        ConstValue::I32(index.0 as i32 * 10)
    }

    fn ref_func(&mut self, index: FuncIndex) -> Option<u32> {
        Some(index.0)
    }

    fn ref_null(&mut self, _: HeapType) -> Option<u32> {
        None
    }
}

fn eval(ops: &[ConstOp]) -> Option<ConstValue<Option<u32>>> {
    ConstExpr::new(ops).eval(&mut Context)
}

#[test]
fn leaves() {
    assert_eq!(eval(&[ConstOp::I64Const(-1)]), Some(ConstValue::I64(-1)));
    assert_eq!(eval(&[ConstOp::GlobalGet(GlobalIndex(4))]), Some(ConstValue::I32(40)));
    assert_eq!(eval(&[ConstOp::RefFunc(FuncIndex(4))]), Some(ConstValue::Ref(Some(4))));
    assert_eq!(eval(&[ConstOp::RefNull(HeapType::Func)]), Some(ConstValue::Ref(None)));
    assert_eq!(eval(&[ConstOp::V128Const([7; 16])]), Some(ConstValue::V128([7; 16])));
    assert_eq!(ConstExpr::new([ConstOp::I32Const(-1)]).as_offset(), Some(0xffff_ffff));
    assert_eq!(ConstExpr::new([ConstOp::I64Const(-1)]).as_offset(), Some(u64::MAX));
    assert_eq!(ConstExpr::new([ConstOp::GlobalGet(GlobalIndex(0))]).as_offset(), None);
}

#[test]
fn arithmetic() {
    use ConstOp::{GlobalGet, I32Add, I32Const, I32Mul, I32Sub, I64Const, I64Mul, I64Sub};
    let ops = [GlobalGet(GlobalIndex(2)), I32Const(3), I32Sub, I32Const(2), I32Mul];
    assert_eq!(eval(&ops), Some(ConstValue::I32(34)));
    let ops = [I32Const(i32::MAX), I32Const(1), I32Add];
    assert_eq!(eval(&ops), Some(ConstValue::I32(i32::MIN)));
    let ops = [I64Const(5), I64Const(7), I64Sub, I64Const(i64::MIN), I64Mul];
    assert_eq!(eval(&ops), Some(ConstValue::I64(0)));
}

#[test]
fn invalid_expressions_have_no_value() {
    use ConstOp::{I32Add, I32Const, I64Const};
    for ops in [&[][..], &[I32Add], &[I32Const(1), I32Add], &[I32Const(1), I32Const(2)]] {
        assert_eq!(eval(ops), None);
    }
    assert_eq!(eval(&[I32Const(1), I64Const(2), I32Add]), None);
}
