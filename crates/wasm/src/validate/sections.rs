//! The sections that grow with a module and that no other section looks into, checked on what was decoded of them.
//!
//! These rules only ever say "surely valid". Whatever they do not know is walked by the slow validator, which decides
//! and words the error.

use crate::const_expr::{ConstExpr, ConstOp};
use crate::decode::section::SectionKind;
use crate::features::Features;
use crate::module::{DataMode, ElementItems, ElementMode, ElementSegment, ModuleInfo};
use crate::types::{ExternIndex, ExternType, FuncIndex, RefType, TypeIndex, ValType};

/// Limits of the slow validator: it has these whatever ours are.
const MAX_EXPORTS: usize = 1_000_000;
const MAX_SEGMENTS: usize = 100_000;
const MAX_ELEMENTS: usize = 10_000_000;
const MAX_NAME_BYTES: usize = 100_000;
/// What the types of all imports and exports may come to, a list of parameters and results counting its length.
const MAX_TYPE_SIZE: u64 = 1_000_000;

/// Whether a section that has been decoded into `info` is valid for sure.
pub(super) fn is_surely_valid(kind: SectionKind, info: &ModuleInfo, features: &Features) -> bool {
    match kind {
        SectionKind::Export => exports(info, features),
        SectionKind::Element => {
            info.elements.len() <= MAX_SEGMENTS
                && info.elements.iter().all(|segment| element_segment(info, features, segment))
        }
        SectionKind::Data => data(info, features),
        SectionKind::Type
        | SectionKind::Import
        | SectionKind::Function
        | SectionKind::Table
        | SectionKind::Memory
        | SectionKind::Tag
        | SectionKind::Global
        | SectionKind::Start
        | SectionKind::DataCount
        | SectionKind::Code => false,
    }
}

fn exports(info: &ModuleInfo, features: &Features) -> bool {
    let size = |ty: TypeIndex| info.type_func(ty).map(|ty| 2 + ty.params().len() as u64 + ty.results().len() as u64);
    let mut total = 1u64;
    for import in &info.imports {
        match import.ty {
            ExternType::Func(ty) => match size(ty) {
                Some(size) => total += size,
                None => return false,
            },
            ExternType::Table(_) | ExternType::Memory(_) | ExternType::Global(_) => total += 1,
            ExternType::Tag(_) => return false,
        }
    }
    for export in &info.exports {
        let known = match export.index {
            ExternIndex::Func(func) => info.functions.get(func.index()).and_then(|&ty| size(ty)),
            ExternIndex::Table(table) => info.tables.get(table.index()).map(|_| 1),
            ExternIndex::Memory(memory) => info.memories.get(memory.index()).map(|_| 1),
            ExternIndex::Global(global) => {
                let global = info.globals.get(global.index());
                global.filter(|ty| !ty.mutable || features.mutable_global).map(|_| 1)
            }
            ExternIndex::Tag(_) => None,
        };
        match known {
            Some(size) if export.name.len() <= MAX_NAME_BYTES => total += size,
            _ => return false,
        }
    }
    info.exports.len() <= MAX_EXPORTS && total < MAX_TYPE_SIZE
}

fn element_segment(info: &ModuleInfo, features: &Features, segment: &ElementSegment) -> bool {
    let placed = match &segment.mode {
        ElementMode::Passive | ElementMode::Declared => features.bulk_memory,
        ElementMode::Active { table, offset } => info.tables.get(table.index()).is_some_and(|table| {
            let fits = match &segment.items {
                ElementItems::Functions(_) => table.element == RefType::FUNCREF,
                ElementItems::Expressions(_) => table.element == segment.ty,
            };
            fits && is_number(info, offset, table.index_type())
        }),
    };
    placed
        && segment.items.len() <= MAX_ELEMENTS
        && match &segment.items {
            ElementItems::Functions(items) => items.iter().all(|&func| has_function(info, func)),
            // A type with an index, known or not, is for the slow validator.
            ElementItems::Expressions(items) => {
                features.reference_types
                    && (segment.ty == RefType::FUNCREF || segment.ty == RefType::EXTERNREF)
                    && items.iter().all(|item| is_reference(info, item, segment.ty))
            }
        }
}

fn data(info: &ModuleInfo, features: &Features) -> bool {
    info.data.len() <= MAX_SEGMENTS
        && info.data.iter().all(|segment| match &segment.mode {
            DataMode::Passive => features.bulk_memory,
            DataMode::Active { memory, offset } => {
                let memory = info.memories.get(memory.index());
                memory.is_some_and(|memory| is_number(info, offset, memory.index_type()))
            }
        })
}

fn has_function(info: &ModuleInfo, func: FuncIndex) -> bool {
    func.index() < info.functions.len()
}

/// A constant, or the value of an imported global.
fn is_number(info: &ModuleInfo, expr: &ConstExpr, ty: ValType) -> bool {
    match *expr.ops() {
        [ConstOp::I32Const(_)] => ty == ValType::I32,
        [ConstOp::I64Const(_)] => ty == ValType::I64,
        [ConstOp::GlobalGet(global)] if global.0 < info.num_imported_globals => {
            info.globals.get(global.index()).is_some_and(|global| !global.mutable && global.content == ty)
        }
        _ => false,
    }
}

/// A null of this type, or a function.
fn is_reference(info: &ModuleInfo, expr: &ConstExpr, ty: RefType) -> bool {
    match *expr.ops() {
        [ConstOp::RefFunc(func)] => ty == RefType::FUNCREF && has_function(info, func),
        [ConstOp::RefNull(heap)] => ty == RefType { nullable: true, heap },
        _ => false,
    }
}

#[cfg(test)]
mod tests;
