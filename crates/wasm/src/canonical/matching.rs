//! Subtyping between value types in canonical indices: spec, "Type matching".

use super::{State, kind_of};
use crate::types::{CanonicalTypeIndex, HeapType, RefType, ValType};

pub(super) fn val_type(state: &State, sub: ValType, sup: ValType) -> bool {
    match (sub, sup) {
        (ValType::Ref(sub), ValType::Ref(sup)) => ref_type(state, sub, sup),
        _ => sub == sup,
    }
}

pub(super) fn ref_type(state: &State, sub: RefType, sup: RefType) -> bool {
    (sup.nullable || !sub.nullable) && heap_type(state, sub.heap, sup.heap)
}

fn heap_type(state: &State, sub: HeapType, sup: HeapType) -> bool {
    use HeapType::{Any, Array, Concrete, Eq, Exn, Extern, Func, I31, NoExn, NoExtern, NoFunc, None, Struct};
    if sub == sup {
        return true;
    }
    match (sub, sup) {
        (Concrete(a), Concrete(b)) => state.is_declared_subtype(CanonicalTypeIndex(a.0), CanonicalTypeIndex(b.0)),
        (Concrete(a), _) => kind_of(state, a).is_some_and(|kind| heap_type(state, kind, sup)),
        (NoFunc, Concrete(b)) => kind_of(state, b) == Some(Func),
        (None, Concrete(b)) => matches!(kind_of(state, b), Some(Struct | Array)),
        (None, Any | Eq | I31 | Struct | Array)
        | (I31 | Struct | Array, Eq | Any)
        | (Eq, Any)
        | (NoFunc, Func)
        | (NoExtern, Extern)
        | (NoExn, Exn) => true,
        _ => false,
    }
}
