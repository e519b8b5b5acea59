//! From the script's arguments to values of the engine.

use upshift::{ExternRef, Store, V128, Val};
use wast::core::{AbstractHeapType, HeapType, WastArgCore};

use super::execute::Problem;

/// The value of an argument.
pub(super) fn argument(store: &mut Store<()>, arg: &WastArgCore<'_>) -> Result<Val, Problem> {
    Ok(match arg {
        WastArgCore::I32(value) => Val::I32(*value),
        WastArgCore::I64(value) => Val::I64(*value),
        WastArgCore::F32(value) => Val::F32(value.bits),
        WastArgCore::F64(value) => Val::F64(value.bits),
        WastArgCore::V128(value) => Val::V128(V128::from(u128::from_le_bytes(value.to_le_bytes()))),
        WastArgCore::RefNull(heap_type) => null(heap_type)?,
        WastArgCore::RefExtern(number) => Val::ExternRef(Some(ExternRef::new(&mut *store, *number)?)),
        WastArgCore::RefHost(_) => return Err(Problem::Unsupported("ref.host".to_string())),
    })
}

/// What a heap type's null is to this engine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Hierarchy {
    Func,
    Extern,
}

/// The hierarchy of a heap type, if the engine has values of it.
pub(super) fn hierarchy(heap_type: &HeapType<'_>) -> Option<Hierarchy> {
    match heap_type {
        HeapType::Abstract { shared: false, ty: AbstractHeapType::Func | AbstractHeapType::NoFunc } => {
            Some(Hierarchy::Func)
        }
        HeapType::Abstract { shared: false, ty: AbstractHeapType::Extern | AbstractHeapType::NoExtern } => {
            Some(Hierarchy::Extern)
        }
        // Without GC types, only function types have an index.
        HeapType::Concrete(_) | HeapType::Exact(_) => Some(Hierarchy::Func),
        HeapType::Abstract { .. } => None,
    }
}

fn null(heap_type: &HeapType<'_>) -> Result<Val, Problem> {
    match hierarchy(heap_type) {
        Some(Hierarchy::Func) => Ok(Val::FuncRef(None)),
        Some(Hierarchy::Extern) => Ok(Val::ExternRef(None)),
        None => Err(Problem::Unsupported(format!("null of {heap_type:?}"))),
    }
}
