//! What bodies are checked against, laid flat once for the module: everything an operator asks for is one look-up away.

use std::sync::OnceLock;

use super::ty::{Ty, Types};
use crate::canonical::TypeRegistry;
use crate::features::Features;
use crate::limits::Limits;
use crate::module::ModuleInfo;
use crate::types::{FuncIndex, HeapType, RefType, TableType, TypeIndex, ValType};

/// What a function takes and gives.
#[derive(Clone, Copy, Debug)]
pub(super) struct Signature {
    pub(super) params: Types,
    pub(super) results: Types,
}

/// What the elements of a table are, and what indexes them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Table {
    pub(super) element: Ty,
    pub(super) index: Ty,
}

/// The types of a module's entities as the walk over a body wants them.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) features: Features,
    pub(super) limits: Limits,
    /// The lists of `Types` of more than one.
    pub(super) pool: Vec<Ty>,
    /// By type index.
    pub(super) signatures: Vec<Signature>,
    /// What indexes each memory.
    pub(super) memories: Vec<Ty>,
    /// What each global holds, marked when it cannot be set.
    pub(super) globals: Vec<Ty>,
    pub(super) tables: Vec<Table>,
    /// The type of each element segment.
    pub(super) elements: Vec<Ty>,
    /// What the data count section says.
    pub(super) data_count: Option<u32>,
    /// One bit a function: whether `ref.func` may name it.
    declared: Vec<u64>,
    /// The canonical index of every type; made when a type is first named by a reference type.
    canonical: OnceLock<Box<[u32]>>,
}

impl Facts {
    /// The facts of a module whose sections before the code are valid. `None` when the module may use what this
    /// validator does not know.
    pub(super) fn new(
        info: &ModuleInfo,
        features: &Features,
        limits: &Limits,
        data_count: Option<u32>,
    ) -> Option<Facts> {
        if features.gc || features.exceptions || features.legacy_exceptions || features.threads {
            return None;
        }
        let mut facts = Facts {
            features: *features,
            limits: *limits,
            pool: Vec::new(),
            signatures: Vec::new(),
            memories: info.memories.iter().map(|memory| Ty::number(memory.index_type())).collect(),
            globals: Vec::new(),
            tables: Vec::new(),
            elements: Vec::new(),
            data_count,
            declared: vec![0; info.functions.len().div_ceil(64)],
            canonical: OnceLock::new(),
        };
        facts.signatures = facts.signatures_of(info)?;
        for global in &info.globals {
            let ty = facts.defined(info, global.content)?;
            facts.globals.push(if global.mutable { ty } else { ty.marked() });
        }
        for table in &info.tables {
            facts.tables.push(facts.table_of(info, table)?);
        }
        for segment in &info.elements {
            facts.elements.push(facts.defined(info, ValType::Ref(segment.ty))?);
        }
        for func in &info.escaped_functions {
            if let Some(word) = facts.declared.get_mut(func.index() / 64) {
                *word |= 1 << (func.0 % 64);
            }
        }
        Some(facts)
    }

    fn signatures_of(&mut self, info: &ModuleInfo) -> Option<Vec<Signature>> {
        let mut pool = Vec::new();
        let mut list = |types: &[ValType]| {
            // Most lists have no reference, and cannot fail.
            let known = types.iter().all(|&ty| self.defined(info, ty).is_some());
            let types = types.iter().map(|&ty| self.defined(info, ty).unwrap_or(Ty::NOTHING));
            known.then(|| Types::add(&mut pool, types))
        };
        let mut signatures = Vec::with_capacity(info.types.len());
        for ty in &info.types {
            let func = ty.as_func()?;
            signatures.push(Signature { params: list(func.params())?, results: list(func.results())? });
        }
        self.pool = pool;
        Some(signatures)
    }

    fn table_of(&self, info: &ModuleInfo, table: &TableType) -> Option<Table> {
        let element = self.defined(info, ValType::Ref(table.element))?;
        Some(Table { element, index: Ty::number(table.index_type()) })
    }

    /// A type of a section that is valid already.
    fn defined(&self, info: &ModuleInfo, ty: ValType) -> Option<Ty> {
        match ty {
            ValType::Ref(ty) => Ty::reference(ty, |index| self.canonical(info).get(index).copied()),
            ValType::I32 | ValType::I64 | ValType::F32 | ValType::F64 | ValType::V128 => Some(Ty::number(ty)),
        }
    }

    /// The canonical index of every type: equal for equal types of this module.
    fn canonical(&self, info: &ModuleInfo) -> &[u32] {
        self.canonical.get_or_init(|| TypeRegistry::new().register(info).ids().iter().map(|id| id.0).collect())
    }

    /// A type that a body names. `None` when a proposal it needs is off, or the type it names is not there.
    pub(super) fn val_type(&self, info: &ModuleInfo, ty: ValType) -> Option<Ty> {
        let on = match ty {
            ValType::I32 | ValType::I64 | ValType::F32 | ValType::F64 => true,
            ValType::V128 => self.features.simd,
            ValType::Ref(ty) => self.is_on(ty),
        };
        if on { self.defined(info, ty) } else { None }
    }

    /// Whether the proposals of a reference type are on.
    fn is_on(&self, ty: RefType) -> bool {
        let references = self.features.reference_types;
        match ty.heap {
            HeapType::Func | HeapType::Extern => references && (ty.nullable || self.features.function_references),
            HeapType::Concrete(_) => references && self.features.function_references,
            HeapType::Any
            | HeapType::Eq
            | HeapType::I31
            | HeapType::Struct
            | HeapType::Array
            | HeapType::None
            | HeapType::NoFunc
            | HeapType::NoExtern
            | HeapType::Exn
            | HeapType::NoExn => false,
        }
    }

    /// The reference to a defined type.
    pub(super) fn concrete(&self, info: &ModuleInfo, index: TypeIndex, nullable: bool) -> Option<Ty> {
        self.defined(info, ValType::Ref(RefType { nullable, heap: HeapType::Concrete(index) }))
    }

    /// Whether `ref.func` may name a function.
    pub(super) fn is_declared(&self, func: FuncIndex) -> bool {
        self.declared.get(func.index() / 64).is_some_and(|word| word >> (func.0 % 64) & 1 != 0)
    }
}
