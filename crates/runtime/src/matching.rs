//! Does what is given for an import have the type that the module declares? And both types in words, if not.

use abi::layout::FuncRef;
use code::native_module::NativeModule;
use wasm::canonical::TypeRegistry;
use wasm::types::{CanonicalTypeIndex, ExternType, Limits64, words};

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
    if matches {
        Ok(())
    } else {
        Err((words::extern_type(declared, module.info()), describe_given(store, registry, given)))
    }
}

fn describe_given(store: &Store, registry: &TypeRegistry, given: &Import) -> String {
    match given {
        Import::Func(reference) => {
            // SAFETY: as in `import`.
            let type_id = unsafe { reference.as_ref().type_id };
            words::function(registry.get_func_type(CanonicalTypeIndex(type_id)).as_deref())
        }
        Import::Host(host) => words::function(Some(&host.ty)),
        Import::Table(id) => words::table(&store.table(*id).ty(), store.table(*id).len() as u64),
        Import::Memory(id) => words::memory(&store.memory(*id).ty(), store.memory(*id).pages()),
        Import::Global(id) => words::global(&store.global(*id).ty()),
    }
}
