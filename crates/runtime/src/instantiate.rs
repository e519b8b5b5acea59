//! Instantiation, in the order in which the specification lets it be observed.
//!
//! 1. Imports are checked against their declared types; the first mismatch is the error.
//! 2. The module's own memories, tables and globals are made. If a memory has not the guard that the module's code
//!    assumes, the variant with checks takes the code's place.
//! 3. The context is filled: imports, definitions, function references. From here on the instance is in the store, and
//!    stays even if a later step fails, since references to its functions may have got out.
//! 4. Tables get their initial values, then active element segments are applied in order, then active data segments. What
//!    was written before a trap stays written.
//! 5. The start function is the caller's to run, after this.

use std::sync::Arc;

use abi::layout::{FuncImport, HostContext, InstanceHeader};
use abi::memory::MemoryStyle;
use abi::trap::TrapReason;
use code::native_module::NativeModule;
use wasm::module::{DataMode, ElementMode, ModuleInfo, TableInit};
use wasm::types::{
    DataIndex, DefinedGlobalIndex, DefinedMemoryIndex, DefinedTableIndex, ElemIndex, FuncIndex, GlobalIndex,
    GlobalType, TableIndex, TableType,
};

use crate::builtins;
use crate::context_memory::ContextMemory;
use crate::emptied::Emptied;
use crate::error::ResourceError;
use crate::evaluate::Evaluator;
use crate::global::Global;
use crate::host_call;
use crate::ids::{GlobalId, InstanceId, MemoryId, TableId};
use crate::import::Import;
use crate::instance::Instance;
use crate::matching::{self, Mismatch};
use crate::references;
use crate::store::Store;
use crate::trampolines::builtin_table;

/// Why there is no instance.
#[derive(Debug)]
pub enum InstantiateError {
    /// The import at this position has another type than declared.
    Import {
        /// Position in the module's imports.
        index: usize,
        /// Both types, and what differs.
        mismatch: Box<Mismatch>,
    },
    /// Not as many imports were given as the module declares.
    Count {
        /// Declared.
        expected: usize,
        /// Given.
        given: usize,
    },
    /// A memory, table or instance could not be made.
    Resource(ResourceError),
    /// A segment did not fit.
    Trap(TrapReason),
    /// There is no code memory for the variant with checks; the message says so.
    Compile(String),
}

impl From<ResourceError> for InstantiateError {
    fn from(error: ResourceError) -> InstantiateError {
        InstantiateError::Resource(error)
    }
}

/// Checks that the imports have the declared types.
///
/// # Errors
/// The first that has not.
pub fn check_imports(store: &Store, module: &NativeModule, imports: &[Import]) -> Result<(), InstantiateError> {
    let declared = &module.info().imports;
    if declared.len() != imports.len() {
        return Err(InstantiateError::Count { expected: declared.len(), given: imports.len() });
    }
    for (index, (declared, given)) in declared.iter().zip(imports).enumerate() {
        matching::import(store, module, declared.ty, given)
            .map_err(|mismatch| InstantiateError::Import { index, mismatch })?;
    }
    Ok(())
}

/// Instantiates a module whose imports passed [`check_imports`] and belong to the store. The start function is not run.
///
/// # Errors
/// When resources are refused, or a segment does not fit.
pub fn instantiate(
    store: &mut Store,
    module: &Arc<NativeModule>,
    imports: &[Import],
) -> Result<InstanceId, InstantiateError> {
    let have = store.instances.len();
    store.check_count("instances", have, |counts| counts.instances)?;
    let given = Given::new(imports);
    let marks = (store.memories.len(), store.tables.len());
    let made = make_memories(store, module, &given).and_then(|(module, memories)| {
        let tables = make_tables(store, &module, &given)?;
        Ok((module, memories, tables))
    });
    let (module, memories, tables) = match made {
        Ok(made) => made,
        Err(error) => {
            store.give_up(marks.0, marks.1);
            return Err(error);
        }
    };
    let id = add_instance(store, module, memories, tables, &given);
    initialize(store, id)?;
    Ok(id)
}

/// The imports by kind.
#[derive(Default)]
struct Given<'a> {
    functions: Vec<&'a Import>,
    tables: Vec<TableId>,
    memories: Vec<MemoryId>,
    globals: Vec<GlobalId>,
}

impl<'a> Given<'a> {
    fn new(imports: &'a [Import]) -> Given<'a> {
        let mut given = Given::default();
        for import in imports {
            match import {
                Import::Func(_) | Import::Host(_) => given.functions.push(import),
                Import::Table(id) => given.tables.push(*id),
                Import::Memory(id) => given.memories.push(*id),
                Import::Global(id) => given.globals.push(*id),
            }
        }
        given
    }
}

type Made = (Arc<NativeModule>, Box<[MemoryId]>);

/// Makes the module's own memories and picks the variant of its code that suits all it has.
fn make_memories(store: &mut Store, module: &Arc<NativeModule>, given: &Given<'_>) -> Result<Made, InstantiateError> {
    let info = module.info();
    let mut memories = given.memories.clone();
    let own = &info.memories[info.num_imported_memories as usize..];
    for (position, &ty) in own.iter().enumerate() {
        let image = if position == 0 { store.environment().hooks.image(module) } else { None };
        memories.push(store.new_memory(ty, image)?);
    }
    let module = if lacks_guard(store, module, &memories) {
        let variant = store.environment().hooks.checked_variant(module);
        variant.map_err(|error| InstantiateError::Compile(error.to_string()))?
    } else {
        Arc::clone(module)
    };
    Ok((module, memories.into()))
}

/// Has one of these memories, the module's first ones, not the guard that the module's code assumes?
fn lacks_guard(store: &Store, module: &NativeModule, memories: &[MemoryId]) -> bool {
    memories
        .iter()
        .zip(module.memories())
        .any(|(&id, &assumed)| assumed == MemoryStyle::Guarded && store.memory(id).style() == MemoryStyle::Checked)
}

/// Will an instance with these imports, which belong to the store, run the variant of the module that checks memory
/// accesses? It may also for memories of its own, if the system refuses them their guards.
pub fn needs_checks(store: &Store, module: &NativeModule, imports: &[Import]) -> bool {
    lacks_guard(store, module, &Given::new(imports).memories)
}

fn make_tables(
    store: &mut Store,
    module: &NativeModule,
    given: &Given<'_>,
) -> Result<Box<[TableId]>, InstantiateError> {
    let info = module.info();
    let mut tables = given.tables.clone();
    for &ty in &info.tables[info.num_imported_tables as usize..] {
        let element = module.types().canonical_ref_type(ty.element);
        tables.push(store.new_table(TableType { element, ..ty }, 0)?);
    }
    Ok(tables.into())
}

/// Fills the context and puts the instance into the store.
fn add_instance(
    store: &mut Store,
    module: Arc<NativeModule>,
    memories: Box<[MemoryId]>,
    tables: Box<[TableId]>,
    given: &Given<'_>,
) -> InstanceId {
    let shared = store.environment().hooks.references(&module);
    let context = references::new_context(&module, shared.as_deref());
    place_definitions(store, &module, &context, &memories, &tables);
    let id = InstanceId(store.instances.len() as u32);
    let mut instance = Box::new(Instance {
        id,
        module,
        context,
        memories,
        tables,
        globals: given.globals.clone().into(),
        host_contexts: Box::default(),
        emptied_data: Emptied::default(),
        emptied_elements: Emptied::default(),
    });
    let header = InstanceHeader {
        store: store.context(),
        builtins: builtin_table(),
        code_table: instance.module.table().as_ptr(),
        type_ids: instance.module.type_ids().as_ptr(),
        instance: (&raw mut *instance).cast(),
        profile: instance.module.profile_base(),
    };
    // SAFETY: every context starts with a header.
    unsafe { *instance.context.at::<InstanceHeader>(0) = header };
    fill_functions(store, &mut instance, &given.functions);
    make_globals(store, &mut instance);
    let bytes = instance.bytes();
    store.instances.push(instance);
    store.tally(|usage| usage.instances += bytes);
    id
}

fn place_definitions(
    store: &mut Store,
    module: &NativeModule,
    context: &ContextMemory,
    memories: &[MemoryId],
    tables: &[TableId],
) {
    let (info, layout) = (module.info(), module.layout());
    for (position, &id) in memories.iter().enumerate() {
        match position.checked_sub(info.num_imported_memories as usize) {
            Some(own) => {
                let at = context.at(layout.defined_memory(DefinedMemoryIndex::new(own)));
                store.memory_mut(id).place_at(at);
            }
            None => {
                let definition = store.memory(id).definition();
                Instance::import_pointer(context, layout.memory(wasm::types::MemoryIndex::new(position)), definition);
            }
        }
    }
    for (position, &id) in tables.iter().enumerate() {
        match position.checked_sub(info.num_imported_tables as usize) {
            Some(own) => {
                let at = context.at(layout.defined_table(DefinedTableIndex::new(own)));
                store.table_mut(id).place_at(at);
            }
            None => {
                let definition = store.table(id).definition();
                Instance::import_pointer(context, layout.table(TableIndex::new(position)), definition);
            }
        }
    }
}

/// Fills the imported functions and the function references.
fn fill_functions(store: &mut Store, instance: &mut Instance, functions: &[&Import]) {
    let module = Arc::clone(&instance.module);
    let (info, layout, vmctx) = (module.info(), module.layout(), instance.vmctx());
    instance.host_contexts = bind_host_functions(store, functions, vmctx);
    let mut bound = instance.host_contexts.iter().map(|context| (&raw const *context).cast_mut().cast::<u8>());
    for (position, import) in functions.iter().enumerate() {
        let slot = match import {
            Import::Host(function) => function.slot(),
            // SAFETY: the reference belongs to this store.
            Import::Func(function) => unsafe { function.as_ref().slot },
            Import::Table(_) | Import::Memory(_) | Import::Global(_) => continue,
        };
        let vmctx = match wasm_context(import) {
            Some(vmctx) => vmctx,
            None => bound.next().expect("there is a bound context per host function"),
        };
        let at = instance.context.at(layout.func_import(FuncIndex::new(position)));
        // SAFETY: the layout has an import here.
        unsafe { *at = FuncImport { slot, vmctx } };
    }
    // Imported functions come first in the index space, and in this list.
    for &function in info.escaped_functions.iter().take_while(|function| info.is_imported_func(**function)) {
        let is_host = wasm_context(functions[function.index()]).is_none();
        // SAFETY: just written.
        let callee = unsafe { *instance.context.at(layout.func_import(function)) };
        references::write_imported(&instance.context, &module, function, callee, is_host);
    }
}

/// The context of an imported Wasm function; none for a host function, which gets one bound to the importer.
fn wasm_context(import: &Import) -> Option<*mut u8> {
    match import {
        // SAFETY: the reference belongs to the store that is instantiating.
        Import::Func(function) => unsafe { (function.as_ref().is_host == 0).then(|| function.as_ref().callee().vmctx) },
        Import::Host(_) | Import::Table(_) | Import::Memory(_) | Import::Global(_) => None,
    }
}

fn bind_host_functions(store: &mut Store, functions: &[&Import], caller: *mut u8) -> Box<[HostContext]> {
    let mut contexts = Vec::new();
    for import in functions {
        match import {
            Import::Host(function) => {
                contexts.push(host_call::context(function, store.context(), caller));
                store.hold_function(function);
            }
            Import::Func(function) if wasm_context(import).is_none() => {
                // SAFETY: a host function's reference has a host context, in the same store.
                let context = unsafe { &*function.as_ref().callee().vmctx.cast::<HostContext>() };
                contexts.push(HostContext { caller, ..*context });
            }
            Import::Func(_) | Import::Table(_) | Import::Memory(_) | Import::Global(_) => {}
        }
    }
    contexts.into()
}

/// Makes the module's own globals, in order, and fills in the pointers of the imported ones.
fn make_globals(store: &mut Store, instance: &mut Instance) {
    let module = Arc::clone(&instance.module);
    let (info, layout) = (module.info(), module.layout());
    let mut globals = std::mem::take(&mut instance.globals).into_vec();
    for (position, &id) in globals.iter().enumerate() {
        let cell = store.global(id).cell();
        Instance::import_pointer(&instance.context, layout.global(GlobalIndex::new(position)), cell);
    }
    for (own, init) in info.global_inits.iter().enumerate() {
        let bits = Evaluator { store, instance, globals: &globals }.bits(init);
        let ty = info.globals[info.num_imported_globals as usize + own];
        let ty = GlobalType { content: module.types().canonical_val_type(ty.content), ..ty };
        let mut global = Global::defined(ty, instance.context.at(layout.defined_global(DefinedGlobalIndex::new(own))));
        global.set(bits);
        globals.push(store.add_global(global));
    }
    instance.globals = globals.into();
}

/// Initial values of tables, then element segments, then data segments.
fn initialize(store: &mut Store, id: InstanceId) -> Result<(), InstantiateError> {
    // The instance is boxed: it stays where it is while the store's memories and tables change.
    let instance: *mut Instance = &raw mut *store.instances[id.0 as usize];
    // SAFETY: nothing below touches the store's list of instances.
    let instance = unsafe { &mut *instance };
    let module = Arc::clone(&instance.module);
    let info = module.info();
    for (own, init) in info.table_inits.iter().enumerate() {
        if let TableInit::Expr(init) = init {
            let value = Evaluator::of(store, instance).bits(init) as u64;
            let table = instance.tables[info.num_imported_tables as usize + own];
            let len = store.table(table).len() as u64;
            store.table_mut(table).fill(0, value, len).map_err(InstantiateError::Trap)?;
        }
    }
    for (position, segment) in info.elements.iter().enumerate() {
        let elem = ElemIndex::new(position);
        match &segment.mode {
            ElementMode::Active { table, offset } => {
                let offset = Evaluator::of(store, instance).offset(offset);
                let len = segment.items.len() as u32;
                builtins::table_init_from(instance, store, (*table, elem), (offset, 0, len))
                    .map_err(InstantiateError::Trap)?;
            }
            ElementMode::Declared | ElementMode::Passive => {}
        }
        instance.emptied_elements.apply(position + 1);
    }
    apply_data(store, instance, info)
}

fn apply_data(store: &mut Store, instance: &mut Instance, info: &ModuleInfo) -> Result<(), InstantiateError> {
    let own = info.num_imported_memories as usize;
    if instance.memories.get(own).is_some_and(|&id| store.memory(id).has_image()) {
        // It has all active segments in it.
        instance.emptied_data.apply(info.data.len());
        return Ok(());
    }
    for (position, segment) in info.data.iter().enumerate() {
        if let DataMode::Active { memory, offset } = &segment.mode {
            let offset = Evaluator::of(store, instance).offset(offset);
            // Segments lie in the module, whose size has 32 bits.
            let len = segment.range.len() as u32;
            builtins::memory_init_from(instance, store, (*memory, DataIndex::new(position)), (offset, 0, len))
                .map_err(InstantiateError::Trap)?;
        }
        instance.emptied_data.apply(position + 1);
    }
    Ok(())
}
