//! Which proposals a module uses: for people who want to know what a module needs.

use crate::const_expr::{ConstExpr, ConstOp};
use crate::decode::code::BodyReader;
use crate::decode::error::DecodeError;
use crate::features::Feature;
use crate::module::{DataMode, ElementMode, ModuleInfo, TableInit};
use crate::ops::{BlockType, Call, Control, Memory, Numeric, Reference, Simd, SimdPlain, Variable, Visitor};
use crate::types::{
    CompositeType, ExternIndex, ExternType, FuncIndex, FuncType, HeapType, MemoryIndex, MemoryType, RefType,
    TableIndex, TableType, TypeIndex, ValType,
};

impl ModuleInfo {
    /// The proposals beyond the first version of the language that the module uses, in the order
    /// of `Feature`. Reads every body; `wire_bytes` must be those the module was decoded from.
    pub fn used_features(&self, wire_bytes: &[u8]) -> Vec<Feature> {
        let mut used = Used { info: self, bits: 0 };
        used.declarations();
        for range in &self.bodies {
            let body = wire_bytes.get(range.clone()).unwrap_or_default();
            let mut reader = BodyReader::new(body, range.start);
            let Ok(locals) = reader.locals() else { continue };
            locals.iter().for_each(|&(_, ty)| used.val_type(ty));
            // A body that cannot be read was never validated: it uses what was seen so far.
            let _ = reader.visit_all(&mut used);
        }
        Feature::ALL.iter().copied().filter(|&feature| used.bits & bit(feature) != 0).collect()
    }
}

fn bit(feature: Feature) -> u32 {
    1 << feature as u32
}

struct Used<'a> {
    info: &'a ModuleInfo,
    bits: u32,
}

impl Used<'_> {
    fn add(&mut self, feature: Feature) {
        self.bits |= bit(feature);
    }

    fn add_if(&mut self, condition: bool, feature: Feature) {
        if condition {
            self.add(feature);
        }
    }

    fn declarations(&mut self) {
        let info = self.info;
        for ty in &info.types {
            self.add_if(!ty.is_final || ty.supertype.is_some(), Feature::Gc);
            match &ty.composite {
                CompositeType::Func(ty) => self.func_type(ty),
                CompositeType::Struct(_) | CompositeType::Array(_) => self.add(Feature::Gc),
            }
        }
        self.add_if(info.rec_groups.iter().any(|group| group.len != 1), Feature::Gc);
        info.tables.iter().for_each(|ty| self.table_type(ty));
        info.memories.iter().for_each(|ty| self.memory_type(ty));
        info.globals.iter().for_each(|ty| self.val_type(ty.content));
        self.add_if(info.tables.len() > 1, Feature::ReferenceTypes);
        self.add_if(info.memories.len() > 1, Feature::MultiMemory);
        self.add_if(!info.tags.is_empty(), Feature::Exceptions);
        self.mutable_globals();
        info.global_inits.iter().for_each(|init| self.const_expr(init));
        for init in &info.table_inits {
            if let TableInit::Expr(init) = init {
                self.add(Feature::FunctionReferences);
                self.const_expr(init);
            }
        }
        self.segments();
    }

    fn mutable_globals(&mut self) {
        let info = self.info;
        let imported = info.imports.iter().any(|import| match import.ty {
            ExternType::Global(ty) => ty.mutable,
            _ => false,
        });
        let exported = info.exports.iter().any(|export| match export.index {
            ExternIndex::Global(index) => info.globals.get(index.index()).is_some_and(|ty| ty.mutable),
            _ => false,
        });
        self.add_if(imported || exported, Feature::MutableGlobal);
    }

    fn segments(&mut self) {
        for segment in &self.info.elements {
            match &segment.mode {
                ElementMode::Passive | ElementMode::Declared => self.add(Feature::BulkMemory),
                ElementMode::Active { offset, .. } => self.const_expr(offset),
            }
        }
        for segment in &self.info.data {
            match &segment.mode {
                DataMode::Passive => self.add(Feature::BulkMemory),
                DataMode::Active { offset, .. } => self.const_expr(offset),
            }
        }
    }

    fn const_expr(&mut self, expr: &ConstExpr) {
        for op in expr.ops() {
            match op {
                ConstOp::I32Add
                | ConstOp::I32Sub
                | ConstOp::I32Mul
                | ConstOp::I64Add
                | ConstOp::I64Sub
                | ConstOp::I64Mul => self.add(Feature::ExtendedConst),
                ConstOp::V128Const(_) => self.add(Feature::Simd),
                ConstOp::RefNull(_) | ConstOp::RefFunc(_) => self.add(Feature::ReferenceTypes),
                ConstOp::I32Const(_)
                | ConstOp::I64Const(_)
                | ConstOp::F32Const(_)
                | ConstOp::F64Const(_)
                | ConstOp::GlobalGet(_) => {}
            }
        }
    }

    fn func_type(&mut self, ty: &FuncType) {
        ty.params().iter().chain(ty.results()).for_each(|&ty| self.val_type(ty));
        self.add_if(ty.results().len() > 1, Feature::MultiValue);
    }

    fn table_type(&mut self, ty: &TableType) {
        self.add_if(ty.index64, Feature::Memory64);
        if ty.element != RefType::FUNCREF {
            self.val_type(ValType::Ref(ty.element));
        }
    }

    fn memory_type(&mut self, ty: &MemoryType) {
        self.add_if(ty.index64, Feature::Memory64);
        self.add_if(ty.shared, Feature::Threads);
        let custom = ty.page_size_log2 != MemoryType::DEFAULT_PAGE_SIZE_LOG2;
        self.add_if(custom, Feature::CustomPageSizes);
    }

    fn val_type(&mut self, ty: ValType) {
        match ty {
            ValType::I32 | ValType::I64 | ValType::F32 | ValType::F64 => {}
            ValType::V128 => self.add(Feature::Simd),
            ValType::Ref(ty) => {
                self.add(Feature::ReferenceTypes);
                self.add_if(!ty.nullable, Feature::FunctionReferences);
                self.heap_type(ty.heap);
            }
        }
    }

    fn heap_type(&mut self, heap: HeapType) {
        match heap {
            HeapType::Func | HeapType::Extern => self.add(Feature::ReferenceTypes),
            HeapType::Concrete(_) => self.add(Feature::FunctionReferences),
            HeapType::Exn | HeapType::NoExn => self.add(Feature::Exceptions),
            HeapType::Any
            | HeapType::Eq
            | HeapType::I31
            | HeapType::Struct
            | HeapType::Array
            | HeapType::None
            | HeapType::NoFunc
            | HeapType::NoExtern => self.add(Feature::Gc),
        }
    }

    fn block_type(&mut self, ty: BlockType) {
        match ty {
            BlockType::Empty => {}
            BlockType::Value(ty) => self.val_type(ty),
            BlockType::Func(index) => self.block_func(index),
        }
    }

    fn block_func(&mut self, index: TypeIndex) {
        let Some(ty) = self.info.type_func(index) else { return };
        self.add_if(!ty.params().is_empty() || ty.results().len() > 1, Feature::MultiValue);
    }

    fn table(&mut self, index: TableIndex) {
        self.add_if(index.0 != 0, Feature::ReferenceTypes);
    }

    fn mem(&mut self, index: MemoryIndex) {
        self.add_if(index.0 != 0, Feature::MultiMemory);
    }
}

impl Visitor for Used<'_> {
    type Error = DecodeError;

    fn control(&mut self, op: Control<'_>, _: usize) -> Result<(), DecodeError> {
        match op {
            Control::Block(ty) | Control::Loop(ty) | Control::If(ty) => self.block_type(ty),
            Control::BrOnNull(_) | Control::BrOnNonNull(_) => self.add(Feature::FunctionReferences),
            Control::Unreachable
            | Control::Nop
            | Control::Else
            | Control::End
            | Control::Br(_)
            | Control::BrIf(_)
            | Control::BrTable(_)
            | Control::Return => {}
        }
        Ok(())
    }

    fn call(&mut self, op: Call, _: usize) -> Result<(), DecodeError> {
        match op {
            Call::Call(FuncIndex(_)) => {}
            Call::CallIndirect { table, .. } => self.table(table),
            Call::ReturnCall(_) => self.add(Feature::TailCall),
            Call::ReturnCallIndirect { table, .. } => {
                self.add(Feature::TailCall);
                self.table(table);
            }
            Call::CallRef(_) => self.add(Feature::FunctionReferences),
            Call::ReturnCallRef(_) => {
                self.add(Feature::TailCall);
                self.add(Feature::FunctionReferences);
            }
        }
        Ok(())
    }

    fn variable(&mut self, op: Variable, _: usize) -> Result<(), DecodeError> {
        if let Variable::SelectTyped(ty) = op {
            self.add(Feature::ReferenceTypes);
            self.val_type(ty);
        }
        Ok(())
    }

    fn numeric(&mut self, op: Numeric, _: usize) -> Result<(), DecodeError> {
        // The operators behind the prefix stand at the end of the table, in the order of their codes.
        if op as u16 >= Numeric::I64Add128 as u16 {
            self.add(Feature::WideArithmetic);
        } else if op as u16 >= Numeric::I32TruncSatF32S as u16 {
            self.add(Feature::SaturatingFloatToInt);
        } else {
            let extends = op as u16 >= Numeric::I32Extend8S as u16;
            self.add_if(extends, Feature::SignExtension);
        }
        Ok(())
    }

    fn memory(&mut self, op: Memory, _: usize) -> Result<(), DecodeError> {
        match op {
            Memory::Load(_, arg) | Memory::Store(_, arg) => self.mem(arg.memory),
            Memory::Size(memory) | Memory::Grow(memory) => self.mem(memory),
            Memory::Fill(memory) | Memory::Init { memory, .. } => {
                self.add(Feature::BulkMemory);
                self.mem(memory);
            }
            Memory::Copy { dst, src } => {
                self.add(Feature::BulkMemory);
                self.mem(dst);
                self.mem(src);
            }
            Memory::DataDrop(_) => self.add(Feature::BulkMemory),
        }
        Ok(())
    }

    fn reference(&mut self, op: Reference, _: usize) -> Result<(), DecodeError> {
        match op {
            Reference::RefNull(heap) => self.heap_type(heap),
            Reference::RefAsNonNull => self.add(Feature::FunctionReferences),
            Reference::TableCopy { .. } | Reference::TableInit { .. } | Reference::ElemDrop(_) => {
                self.add(Feature::BulkMemory);
            }
            Reference::RefIsNull
            | Reference::RefFunc(_)
            | Reference::TableGet(_)
            | Reference::TableSet(_)
            | Reference::TableSize(_)
            | Reference::TableGrow(_)
            | Reference::TableFill(_) => self.add(Feature::ReferenceTypes),
        }
        Ok(())
    }

    fn simd(&mut self, op: Simd, _: usize) -> Result<(), DecodeError> {
        self.add(Feature::Simd);
        match op {
            Simd::Plain(op) => {
                let relaxed = op as u16 >= SimdPlain::I8x16RelaxedSwizzle as u16;
                self.add_if(relaxed, Feature::RelaxedSimd);
            }
            Simd::Load(arg)
            | Simd::Store(arg)
            | Simd::LoadExtend(_, arg)
            | Simd::LoadSplat(_, arg)
            | Simd::LoadZero32(arg)
            | Simd::LoadZero64(arg)
            | Simd::LoadLane(_, arg, _)
            | Simd::StoreLane(_, arg, _) => self.mem(arg.memory),
            Simd::V128Const(_) | Simd::Shuffle(_) | Simd::ExtractLane(..) | Simd::ReplaceLane(..) => {}
        }
        Ok(())
    }
}
