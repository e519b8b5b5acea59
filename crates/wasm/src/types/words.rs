//! External types in words, as errors about imports say them.

use std::borrow::Cow;

use super::{ExternType, FuncType, GlobalType, MemoryType, TableType, TypeIndex, ValType};
use crate::module::ModuleInfo;

/// As many characters of a name as an error shows. Names may be as long as the limits allow, and come from the module.
const MAX_NAME: usize = 100;

/// A type that a module declares.
pub fn extern_type(ty: ExternType, info: &ModuleInfo) -> String {
    match ty {
        ExternType::Func(ty) => function(info.type_func(ty)),
        ExternType::Table(ty) => table(&ty, ty.min),
        ExternType::Memory(ty) => memory(&ty, ty.min),
        ExternType::Global(ty) => global(&ty),
        ExternType::Tag(TypeIndex(index)) => format!("tag of type {index}"),
    }
}

/// A function, whose type may be unknown.
pub fn function(ty: Option<&FuncType>) -> String {
    ty.map_or_else(|| "function".to_string(), |ty| format!("function {ty}"))
}

/// A table that has `min` elements now.
pub fn table(ty: &TableType, min: u64) -> String {
    let wide = if ty.index64 { "64-bit " } else { "" };
    format!("{wide}table of {} {}", limits(min, ty.max), ValType::Ref(ty.element))
}

/// A memory that has `min` pages now.
pub fn memory(ty: &MemoryType, min: u64) -> String {
    let wide = if ty.index64 { "64-bit " } else { "" };
    let shared = if ty.shared { "shared " } else { "" };
    let page = if ty.page_size_log2 == MemoryType::DEFAULT_PAGE_SIZE_LOG2 {
        String::new()
    } else {
        format!(" of {} bytes", ty.page_size())
    };
    format!("{shared}{wide}memory of {} pages{page}", limits(min, ty.max))
}

/// A global.
pub fn global(ty: &GlobalType) -> String {
    format!("{} global of type {}", if ty.mutable { "mutable" } else { "immutable" }, ty.content)
}

fn limits(min: u64, max: Option<u64>) -> String {
    max.map_or_else(|| format!("{min}.."), |max| format!("{min}..={max}"))
}

/// A name as an error shows it: cut when it is very long.
pub fn name(name: &str) -> Cow<'_, str> {
    match name.char_indices().nth(MAX_NAME) {
        None => Cow::Borrowed(name),
        Some((end, _)) => Cow::Owned(format!("{}...", &name[..end])),
    }
}
