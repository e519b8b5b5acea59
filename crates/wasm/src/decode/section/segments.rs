//! Element and data segments, and the constant expressions in them and in other sections.

use super::{Result, SectionReader, check_heap_type};
use crate::const_expr::{ConstExpr, ConstOp};
use crate::decode::code::BodyReader;
use crate::decode::error::DecodeError;
use crate::module::{DataMode, DataSegment, ElementItems, ElementMode, ElementSegment};
use crate::ops::{Control, Numeric, Operator, Reference, Simd, Variable};
use crate::types::{FuncIndex, HeapType, MemoryIndex, RefType, TableIndex};

impl SectionReader<'_, '_> {
    pub(super) fn elements(&mut self) -> Result<()> {
        let count = self.count("element segment", 0, self.limits.element_segments)?;
        for _ in 0..count {
            let segment = self.element_segment()?;
            self.info.elements.push(segment);
        }
        Ok(())
    }

    /// Bit 0: passive or declared. Bit 1: with a table index, or declared. Bit 2: expressions.
    fn element_segment(&mut self) -> Result<ElementSegment> {
        let at = self.reader.offset();
        let flags = self.reader.var_u32()?;
        if flags > 7 {
            return Err(DecodeError::malformed(at, "malformed element segment flags"));
        }
        let mode = match flags & 3 {
            0 => ElementMode::Active { table: TableIndex(0), offset: self.const_expr()? },
            1 => ElementMode::Passive,
            2 => {
                let table = TableIndex(self.reader.var_u32()?);
                ElementMode::Active { table, offset: self.const_expr()? }
            }
            _ => ElementMode::Declared,
        };
        let expressions = flags & 4 != 0;
        let ty = match (expressions, flags & 3) {
            (true, 0) => RefType::FUNCREF,
            (true, _) => self.ref_type()?,
            (false, kind) => {
                let at = self.reader.offset();
                if kind != 0 && self.reader.u8()? != 0 {
                    return Err(DecodeError::malformed(at, "malformed element kind"));
                }
                RefType { nullable: false, heap: HeapType::Func }
            }
        };
        let count = self.count("element", 0, self.limits.table_init_entries)?;
        let items = if expressions {
            ElementItems::Expressions((0..count).map(|_| self.const_expr()).collect::<Result<_>>()?)
        } else {
            let mut items = Vec::with_capacity(self.room(count));
            for _ in 0..count {
                items.push(FuncIndex(self.reader.var_u32()?));
            }
            self.info.escaped_functions.extend_from_slice(&items);
            ElementItems::Functions(items.into())
        };
        Ok(ElementSegment { mode, ty, items })
    }

    pub(super) fn data(&mut self) -> Result<()> {
        let count = self.count("data segment", 0, self.limits.data_segments)?;
        self.info.data.reserve(self.room(count));
        for _ in 0..count {
            let at = self.reader.offset();
            let mode = match self.reader.var_u32()? {
                0 => DataMode::Active { memory: MemoryIndex(0), offset: self.const_expr()? },
                1 => DataMode::Passive,
                2 => {
                    let memory = MemoryIndex(self.reader.var_u32()?);
                    DataMode::Active { memory, offset: self.const_expr()? }
                }
                _ => return Err(DecodeError::malformed(at, "malformed data segment flags")),
            };
            let len = self.reader.var_u32()? as usize;
            let start = self.reader.offset();
            self.reader.take(len)?;
            self.info.data.push(DataSegment { mode, range: start..start + len });
        }
        Ok(())
    }

    pub(super) fn const_expr(&mut self) -> Result<ConstExpr> {
        if let Some(value) = self.reader.i32_const_end() {
            return Ok(ConstExpr::one(ConstOp::I32Const(value)));
        }
        let mut body = BodyReader::from_reader(self.reader.clone());
        let mut ops = Vec::with_capacity(1);
        loop {
            let Some((op, at)) = body.next_operator()? else {
                let message = "unexpected end of a constant expression";
                return Err(DecodeError::malformed(body.offset(), message));
            };
            match self.const_op(op, at)? {
                Some(op) => ops.push(op),
                None => break,
            }
        }
        self.reader = body.into_reader();
        Ok(ConstExpr::new(ops))
    }

    /// The constant form of an operator; `None` for `end`.
    fn const_op(&mut self, op: Operator<'_>, at: usize) -> Result<Option<ConstOp>> {
        Ok(Some(match op {
            Operator::Control(Control::End) => return Ok(None),
            Operator::Variable(Variable::I32Const(value)) => ConstOp::I32Const(value),
            Operator::Variable(Variable::I64Const(value)) => ConstOp::I64Const(value),
            Operator::Variable(Variable::F32Const(bits)) => ConstOp::F32Const(bits),
            Operator::Variable(Variable::F64Const(bits)) => ConstOp::F64Const(bits),
            Operator::Simd(Simd::V128Const(bytes)) => ConstOp::V128Const(bytes),
            Operator::Variable(Variable::GlobalGet(index)) => ConstOp::GlobalGet(index),
            Operator::Reference(Reference::RefNull(heap)) => {
                check_heap_type(self.features, heap, at)?;
                ConstOp::RefNull(heap)
            }
            Operator::Reference(Reference::RefFunc(index)) => {
                self.info.escaped_functions.push(index);
                ConstOp::RefFunc(index)
            }
            Operator::Numeric(Numeric::I32Add) => ConstOp::I32Add,
            Operator::Numeric(Numeric::I32Sub) => ConstOp::I32Sub,
            Operator::Numeric(Numeric::I32Mul) => ConstOp::I32Mul,
            Operator::Numeric(Numeric::I64Add) => ConstOp::I64Add,
            Operator::Numeric(Numeric::I64Sub) => ConstOp::I64Sub,
            Operator::Numeric(Numeric::I64Mul) => ConstOp::I64Mul,
            other => {
                let message = format!("constant expression required: `{}` is not constant", other.name());
                return Err(DecodeError::invalid(at, message));
            }
        }))
    }
}
