//! Does what is given for an import have the type that the module declares? And both types in words, if not.

use abi::layout::FuncRef;
use code::native_module::NativeModule;
use wasm::canonical::TypeRegistry;
use wasm::module::ModuleInfo;
use wasm::types::{
    CanonicalTypeIndex, ExternType, FuncType, GlobalType, Limits64, MemoryType, TableType, TypeIndex, ValType,
};

use crate::import::Import;
use crate::store::Store;

/// The declared type and the given one, in words.
pub type Mismatch = (String, String);

/// Checks one import.
///
/// # Errors
/// Both types in words, when the given one does not match.
pub fn import(store: &Store, module: &NativeModule, declared: ExternType, given: &Import) -> Result<(), Mismatch> {
    let registry = module.types().registry();
    let matches = match (declared, given) {
        (ExternType::Func(ty), Import::Func(function)) => {
            // SAFETY: the caller checked that the function belongs to the store, which is alive.
            let FuncRef { type_id, .. } = unsafe { *function.as_ptr() };
            registry.is_subtype(CanonicalTypeIndex(type_id), module.types().id(ty))
        }
        (ExternType::Func(ty), Import::Host(function)) => registry.is_subtype(function.type_id, module.types().id(ty)),
        (ExternType::Table(ty), Import::Table(id)) => {
            let table = store.table(*id);
            let element = module.types().canonical_ref_type(ty.element);
            let current = Limits64 { min: table.len() as u64, max: table.ty().max };
            table.ty().element == element && table.ty().index64 == ty.index64 && current.matches(&ty.limits())
        }
        (ExternType::Memory(ty), Import::Memory(id)) => {
            let memory = store.memory(*id);
            let own = memory.ty();
            let current = Limits64 { min: memory.pages(), max: own.max };
            (own.index64, own.shared, own.page_size_log2) == (ty.index64, ty.shared, ty.page_size_log2)
                && current.matches(&ty.limits())
        }
        (ExternType::Global(ty), Import::Global(id)) => {
            let own = store.global(*id).ty();
            let content = module.types().canonical_val_type(ty.content);
            own.mutable == ty.mutable
                && (own.content == content || !ty.mutable && registry.val_type_matches(own.content, content))
        }
        _ => false,
    };
    if matches { Ok(()) } else { Err((describe(declared, module.info()), describe_given(store, registry, given))) }
}

/// A declared type in words.
pub fn describe(ty: ExternType, info: &ModuleInfo) -> String {
    match ty {
        ExternType::Func(ty) => function(info.type_func(ty)),
        ExternType::Table(ty) => table(&ty, ty.min),
        ExternType::Memory(ty) => memory(&ty, ty.min),
        ExternType::Global(ty) => global(&ty),
        ExternType::Tag(TypeIndex(index)) => format!("tag of type {index}"),
    }
}

fn describe_given(store: &Store, registry: &TypeRegistry, given: &Import) -> String {
    match given {
        Import::Func(reference) => {
            // SAFETY: as in `import`.
            let type_id = unsafe { reference.as_ref().type_id };
            function(registry.get_func_type(CanonicalTypeIndex(type_id)).as_deref())
        }
        Import::Host(host) => function(Some(&host.ty)),
        Import::Table(id) => table(&store.table(*id).ty(), store.table(*id).len() as u64),
        Import::Memory(id) => memory(&store.memory(*id).ty(), store.memory(*id).pages()),
        Import::Global(id) => global(&store.global(*id).ty()),
    }
}

fn function(ty: Option<&FuncType>) -> String {
    ty.map_or_else(|| "function".to_string(), |ty| format!("function {ty}"))
}

fn limits(min: u64, max: Option<u64>) -> String {
    max.map_or_else(|| format!("{min}.."), |max| format!("{min}..={max}"))
}

fn table(ty: &TableType, min: u64) -> String {
    let wide = if ty.index64 { "64-bit " } else { "" };
    format!("{wide}table of {} {}", limits(min, ty.max), ValType::Ref(ty.element))
}

fn memory(ty: &MemoryType, min: u64) -> String {
    let wide = if ty.index64 { "64-bit " } else { "" };
    let shared = if ty.shared { "shared " } else { "" };
    let page = if ty.page_size_log2 == 16 { String::new() } else { format!(" of {} bytes", ty.page_size()) };
    format!("{shared}{wide}memory of {} pages{page}", limits(min, ty.max))
}

fn global(ty: &GlobalType) -> String {
    format!("{} global of type {}", if ty.mutable { "mutable" } else { "immutable" }, ty.content)
}
