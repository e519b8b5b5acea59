//! Replaces the type indices inside types.

use crate::types::{
    ArrayType, CompositeType, FieldType, FuncType, HeapType, RefType, StorageType, StructType, SubType, TypeIndex,
    ValType,
};

/// Whether a type names another type (or itself).
pub(super) fn names_types(ty: &SubType) -> bool {
    let val = |ty: &ValType| matches!(ty, ValType::Ref(RefType { heap: HeapType::Concrete(_), .. }));
    let field = |field: &FieldType| match &field.storage {
        StorageType::I8 | StorageType::I16 => false,
        StorageType::Val(ty) => val(ty),
    };
    ty.supertype.is_some()
        || match &ty.composite {
            CompositeType::Func(ty) => ty.params().iter().chain(ty.results()).any(val),
            CompositeType::Struct(ty) => ty.fields.iter().any(field),
            CompositeType::Array(ty) => field(&ty.element),
        }
}

pub(super) fn sub_type(ty: &SubType, map: &mut impl FnMut(TypeIndex) -> TypeIndex) -> SubType {
    SubType {
        is_final: ty.is_final,
        supertype: ty.supertype.map(&mut *map),
        composite: match &ty.composite {
            CompositeType::Func(ty) => CompositeType::Func(FuncType::new(
                ty.params().iter().map(|&ty| val_type(ty, map)).collect::<Box<_>>(),
                ty.results().iter().map(|&ty| val_type(ty, map)).collect::<Box<_>>(),
            )),
            CompositeType::Struct(ty) => {
                CompositeType::Struct(StructType { fields: ty.fields.iter().map(|&ty| field_type(ty, map)).collect() })
            }
            CompositeType::Array(ty) => CompositeType::Array(ArrayType { element: field_type(ty.element, map) }),
        },
    }
}

fn field_type(ty: FieldType, map: &mut impl FnMut(TypeIndex) -> TypeIndex) -> FieldType {
    let storage = match ty.storage {
        StorageType::Val(ty) => StorageType::Val(val_type(ty, map)),
        packed @ (StorageType::I8 | StorageType::I16) => packed,
    };
    FieldType { storage, mutable: ty.mutable }
}

pub(super) fn val_type(ty: ValType, map: &mut impl FnMut(TypeIndex) -> TypeIndex) -> ValType {
    match ty {
        ValType::Ref(ty) => ValType::Ref(ref_type(ty, map)),
        number => number,
    }
}

pub(super) fn ref_type(ty: RefType, map: &mut impl FnMut(TypeIndex) -> TypeIndex) -> RefType {
    let heap = match ty.heap {
        HeapType::Concrete(index) => HeapType::Concrete(map(index)),
        abstract_type => abstract_type,
    };
    RefType { nullable: ty.nullable, heap }
}
