//! Does what is given for an import have the type that the module declares? And if not: both types, and what differs.

use code::native_module::NativeModule;
use wasm::types::words::{self, Words};
use wasm::types::{CanonicalTypeIndex, ExternType, FuncType, GlobalType, MemoryType, TableType, TypeIndex};

use crate::difference::{self, Difference};
use crate::func::HostFunction;
use crate::import::Import;
use crate::store::Store;

/// Why an import does not fit.
#[derive(Clone, Debug)]
pub struct Mismatch {
    /// The declared type, in words.
    pub expected: String,
    /// The given type, in words.
    pub given: String,
    /// What differs.
    pub difference: Difference,
}

/// Checks one import.
///
/// # Errors
/// When what is given does not match.
pub fn import(store: &Store, module: &NativeModule, declared: ExternType, given: &Import) -> Result<(), Box<Mismatch>> {
    let types = module.types();
    let registry = types.registry();
    let words = Words::of_registry(registry);
    let difference = match (declared, given) {
        (ExternType::Func(ty), Import::Func(function)) => {
            // SAFETY: the caller checked that the function belongs to the store, which is alive.
            let type_id = unsafe { (*function.as_ptr()).type_id };
            of_functions(module, ty, CanonicalTypeIndex(type_id))
        }
        (ExternType::Func(ty), Import::Host(function)) => of_functions(module, ty, function.type_id),
        (ExternType::Table(ty), Import::Table(id)) => {
            let expected = TableType { element: types.canonical_ref_type(ty.element), ..ty };
            difference::of_tables(&words, &expected, &table_now(store, *id))
        }
        (ExternType::Memory(ty), Import::Memory(id)) => difference::of_memories(&ty, &memory_now(store, *id)),
        (ExternType::Global(ty), Import::Global(id)) => {
            let given = store.global(*id).ty();
            let expected = GlobalType { content: types.canonical_val_type(ty.content), ..ty };
            let matches = || registry.val_type_matches(given.content, expected.content);
            difference::of_globals(&words, &expected, &given, matches)
        }
        _ => Some(Difference::Kind),
    };
    let Some(difference) = difference else { return Ok(()) };
    Err(mismatch(module, declared, describe(store, &words, given), difference))
}

/// Checks one import that is given a host function of no store in particular.
///
/// # Errors
/// When it does not match.
pub fn host_function(module: &NativeModule, declared: ExternType, given: &HostFunction) -> Result<(), Box<Mismatch>> {
    let difference = match declared {
        ExternType::Func(ty) => of_functions(module, ty, given.type_id),
        _ => Some(Difference::Kind),
    };
    let Some(difference) = difference else { return Ok(()) };
    let given = Words::of_registry(module.types().registry()).function(Some(&given.ty));
    Err(mismatch(module, declared, given, difference))
}

#[cold]
fn mismatch(module: &NativeModule, declared: ExternType, given: String, difference: Difference) -> Box<Mismatch> {
    let expected = Words::of_module(module.info()).extern_type(declared);
    Box::new(Mismatch { expected, given, difference })
}

fn of_functions(module: &NativeModule, declared: TypeIndex, given: CanonicalTypeIndex) -> Option<Difference> {
    let (types, registry) = (module.types(), module.types().registry());
    let expected = types.id(declared);
    if registry.is_subtype(given, expected) {
        return None;
    }
    let of = |index| registry.get_func_type(index).map_or_else(|| FuncType::new([], []), |ty| FuncType::clone(&ty));
    Some(difference::of_functions(&Words::of_registry(registry), &of(expected), &of(given)))
}

/// The type of a table with its size now.
fn table_now(store: &Store, id: crate::ids::TableId) -> TableType {
    let table = store.table(id);
    TableType { min: table.len() as u64, ..table.ty() }
}

/// The type of a memory with its size now.
fn memory_now(store: &Store, id: crate::ids::MemoryId) -> MemoryType {
    let memory = store.memory(id);
    MemoryType { min: memory.pages(), ..memory.ty() }
}

fn describe(store: &Store, words: &Words<'_>, given: &Import) -> String {
    match given {
        Import::Func(reference) => {
            // SAFETY: as in `import`.
            let type_id = unsafe { reference.as_ref().type_id };
            words.extern_type(ExternType::Func(TypeIndex(type_id)))
        }
        Import::Host(host) => words.function(Some(&host.ty)),
        Import::Table(id) => {
            let ty = table_now(store, *id);
            words.table(&ty, ty.min)
        }
        Import::Memory(id) => {
            let ty = memory_now(store, *id);
            words::memory(&ty, ty.min)
        }
        Import::Global(id) => words.global(&store.global(*id).ty()),
    }
}
