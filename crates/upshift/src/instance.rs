//! `Instance`: a module in a store.

use std::marker::PhantomData;
use std::sync::Arc;

use runtime::func::HostFunction;
use runtime::ids::{InstanceId, StoreId};
use runtime::import::Import;
use runtime::instantiate::check_imports;
use wasm::types::ExternIndex;
use wasm::types::words;

use crate::engine::Engine;
use crate::error::messages::{panics, phrases, usage};
use crate::error::{Error, Result, nearest_name};
use crate::externals::{Export, Extern};
use crate::func::{Func, WasmParams, WasmResults};
use crate::global::Global;
use crate::memory::Memory;
use crate::module::{Module, ModuleExport, prepare};
use crate::store::{AsContext, AsContextMut, StoreContextMut, assert_same_store};
use crate::table::Table;
use crate::typed_func::TypedFunc;

/// A module in a store. A handle; the instance lives as long as its store.
///
/// ```
/// use upshift::{Engine, Instance, Module, Store};
///
/// # fn main() -> upshift::Result<()> {
/// let engine = Engine::default();
/// let module = Module::new(&engine, r#"(module (func (export "answer") (result i32) i32.const 42))"#)?;
/// let mut store = Store::new(&engine, ());
/// let instance = Instance::new(&mut store, &module, &[])?;
/// let answer = instance.get_typed_func::<(), i32>(&mut store, "answer")?;
/// assert_eq!(answer.call(&mut store, ())?, 42);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Instance {
    store: StoreId,
    id: InstanceId,
}

impl Instance {
    /// Instantiates a module with its imports in the order in which it declares them, and runs its start function.
    ///
    /// # Errors
    /// When there are too few or too many imports: a [`UsageError`](crate::UsageError). When an import has another type
    /// than declared: a [`LinkError`](crate::LinkError) about the first such, before anything is made or asked of a
    /// limiter. When memory or the like cannot be had: a [`RuntimeError`](crate::RuntimeError). When a segment or the
    /// start function traps: a [`Trap`](crate::Trap).
    ///
    /// # Panics
    /// When an import belongs to another store, or the module to another engine.
    pub fn new(mut store: impl AsContextMut, module: &Module, imports: &[Extern]) -> Result<Instance> {
        let mut store = store.as_context_mut();
        let imports: Vec<Import> = imports.iter().map(|item| item.to_import(&store.0.runtime)).collect();
        Instance::of_imports(&mut store, module, &imports)
    }

    /// As [`Instance::new`], but what can be done without the store (the image of the module's memory, code) is done in the
    /// background first; then the thread that polls makes the instance. Needs no executor: the future can be polled by any.
    ///
    /// # Errors
    /// As for [`Instance::new`].
    ///
    /// # Panics
    /// As [`Instance::new`] does.
    ///
    /// ```
    /// use upshift::{Engine, Instance, Module, Result, Store};
    ///
    /// async fn run(engine: &Engine, wasm: &[u8]) -> Result<i32> {
    ///     let module = Module::compile_async(engine, wasm).await?;
    ///     let mut store = Store::new(engine, ());
    ///     let instance = Instance::new_async(&mut store, &module, &[]).await?;
    ///     instance.get_typed_func::<(), i32>(&mut store, "answer")?.call(&mut store, ())
    /// }
    /// ```
    pub async fn new_async(mut store: impl AsContextMut, module: &Module, imports: &[Extern]) -> Result<Instance> {
        prepare(module, needs_checks(&mut store, module, imports.iter().map(|&item| Definition::Extern(item)))).await;
        Instance::new(store, module, imports)
    }

    pub(crate) fn of_imports<T>(
        store: &mut StoreContextMut<'_, T>,
        module: &Module,
        imports: &[Import],
    ) -> Result<Instance> {
        assert!(module.engine().same(&store.0.engine), "{}", panics::MODULE_AND_STORE);
        let checked = check_imports(&store.0.runtime, module.native(), imports);
        if checked.is_err() {
            store.0.engine.inner.not_instantiated(module.native());
        }
        checked.map_err(|error| Error::from_instantiate(error, module))?;
        Instance::of_checked_imports(store, module, imports)
    }

    /// As above, with imports that were found to have their declared types.
    pub(crate) fn of_checked_imports<T>(
        store: &mut StoreContextMut<'_, T>,
        module: &Module,
        imports: &[Import],
    ) -> Result<Instance> {
        let (runtime, native, engine) = (&mut store.0.runtime, module.native(), &store.0.engine.inner);
        let made = engine.instantiate(runtime, native, imports, module.given_url());
        let id = made.map_err(|error| Error::from_instantiate(error, module))?;
        let instance = Instance { store: runtime.id(), id };
        if let Some(start) = native.info().start {
            // A start function needs no reference for Wasm, so it is reached by number.
            Func::call_start(store, id, start)?;
        }
        Ok(instance)
    }

    pub(crate) fn from_id(store: &runtime::store::Store, id: InstanceId) -> Instance {
        Instance { store: store.id(), id }
    }

    /// The export of this name.
    ///
    /// # Panics
    /// When the instance belongs to another store.
    pub fn get_export(&self, mut store: impl AsContextMut, name: &str) -> Option<Extern> {
        self.export(&store.as_context_mut().0.runtime, name)
    }

    pub(crate) fn export(&self, store: &runtime::store::Store, name: &str) -> Option<Extern> {
        assert_same_store(store, self.store);
        let index = store.instance(self.id).module().info().export(name)?;
        Extern::of_instance(store, self.id, index)
    }

    /// The export that was found in the instance's module before; `None` when it is one of another module.
    ///
    /// # Panics
    /// When the instance belongs to another store.
    pub fn get_module_export(&self, mut store: impl AsContextMut, export: &ModuleExport) -> Option<Extern> {
        let store = &store.as_context_mut().0.runtime;
        assert_same_store(store, self.store);
        let index = export.index_in(store.instance(self.id).module())?;
        Extern::of_instance(store, self.id, index)
    }

    /// The exported function of this name.
    ///
    /// # Panics
    /// When the instance belongs to another store.
    pub fn get_func(&self, store: impl AsContextMut, name: &str) -> Option<Func> {
        self.get_export(store, name)?.into_func()
    }

    /// The exported function of this name, if it has this type.
    ///
    /// # Errors
    /// When there is no such function, or it has another type: a [`UsageError`](crate::UsageError) that names the nearest
    /// function, or both types and what differs first.
    ///
    /// # Panics
    /// When the instance belongs to another store.
    pub fn get_typed_func<Params: WasmParams, Results: WasmResults>(
        &self,
        mut store: impl AsContextMut,
        name: &str,
    ) -> Result<TypedFunc<Params, Results>> {
        let mut store = store.as_context_mut();
        let func = self.require_func(&mut store, name)?;
        func.typed_export(store.as_context(), Some(name))
    }

    /// The exported function of this name.
    ///
    /// # Errors
    /// When there is no such function: a [`UsageError`](crate::UsageError) that names the nearest one.
    ///
    /// # Panics
    /// When the instance belongs to another store.
    pub fn require_func(&self, mut store: impl AsContextMut, name: &str) -> Result<Func> {
        let store = store.as_context_mut();
        let runtime = &store.0.runtime;
        match self.export(runtime, name) {
            Some(Extern::Func(func)) => Ok(func),
            Some(other) => {
                let given = match other {
                    Extern::Memory(_) => "a memory",
                    Extern::Table(_) => "a table",
                    Extern::Func(_) | Extern::Global(_) => "a global",
                };
                Err(usage::export_kind(words::name(name), given).into())
            }
            None => {
                let info = runtime.instance(self.id).module().info();
                let functions = info.exports.iter().filter(|export| matches!(export.index, ExternIndex::Func(_)));
                let near = nearest_name(name, functions.map(|export| &*export.name));
                let note = near.map(|near| phrases::did_you_mean(words::name(near)));
                Err(usage::no_such_function(words::name(name)).with_note(note).into())
            }
        }
    }

    /// The exported memory of this name.
    ///
    /// # Panics
    /// When the instance belongs to another store.
    pub fn get_memory(&self, store: impl AsContextMut, name: &str) -> Option<Memory> {
        self.get_export(store, name)?.into_memory()
    }

    /// The exported table of this name.
    ///
    /// # Panics
    /// When the instance belongs to another store.
    pub fn get_table(&self, store: impl AsContextMut, name: &str) -> Option<Table> {
        self.get_export(store, name)?.into_table()
    }

    /// The exported global of this name.
    ///
    /// # Panics
    /// When the instance belongs to another store.
    pub fn get_global(&self, store: impl AsContextMut, name: &str) -> Option<Global> {
        self.get_export(store, name)?.into_global()
    }

    /// All exports, in the module's order.
    ///
    /// # Panics
    /// When the instance belongs to another store.
    pub fn exports<'a, T: 'static>(
        &self,
        store: impl Into<StoreContextMut<'a, T>>,
    ) -> impl ExactSizeIterator<Item = Export<'a>> {
        let store: &'a runtime::store::Store = &store.into().0.runtime;
        assert_same_store(store, self.store);
        let exports = &store.instance(self.id).module().info().exports;
        let items: Vec<Export<'a>> = exports
            .iter()
            .filter_map(|export| Some(Export::new(&export.name, Extern::of_instance(store, self.id, export.index)?)))
            .collect();
        items.into_iter()
    }

    /// The module.
    ///
    /// # Panics
    /// When the instance belongs to another store.
    pub fn module(&self, store: impl AsContext) -> Module {
        let store = store.as_context();
        assert_same_store(&store.0.runtime, self.store);
        let (engine, runtime) = (&store.0.engine, &store.0.runtime);
        let native = runtime.instance(self.id).module();
        Module::from_store(engine, native, engine.inner.given_url(runtime, native))
    }
}

/// Will an instance with these imports run the variant of its module that checks memory accesses?
fn needs_checks(store: &mut impl AsContextMut, module: &Module, imports: impl Iterator<Item = Definition>) -> bool {
    let store = &store.as_context_mut().0.runtime;
    let imports: Vec<Import> = imports.map(|item| item.to_import(store)).collect();
    runtime::instantiate::needs_checks(store, module.native(), &imports)
}

/// What a linker found for one import: an item of a store, or a host function for any store.
#[derive(Clone, Debug)]
pub(crate) enum Definition {
    Extern(Extern),
    Host(Arc<HostFunction>),
}

impl Definition {
    pub(crate) fn to_import(&self, store: &runtime::store::Store) -> Import {
        match self {
            Definition::Extern(item) => item.to_import(store),
            Definition::Host(function) => Import::Host(Arc::clone(function)),
        }
    }
}

/// A module with all its imports found, ready to be instantiated many times.
#[derive(Debug)]
pub struct InstancePre<T> {
    module: Module,
    imports: Arc<[Definition]>,
    _data: PhantomData<fn() -> T>,
}

impl<T> Clone for InstancePre<T> {
    fn clone(&self) -> InstancePre<T> {
        InstancePre { module: self.module.clone(), imports: Arc::clone(&self.imports), _data: PhantomData }
    }
}

impl<T: 'static> InstancePre<T> {
    pub(crate) fn new(module: &Module, imports: Vec<Definition>) -> InstancePre<T> {
        InstancePre { module: module.clone(), imports: imports.into(), _data: PhantomData }
    }

    /// Instantiates the module.
    ///
    /// # Errors
    /// As for [`Instance::new`].
    ///
    /// # Panics
    /// When an import belongs to another store, or the module to another engine.
    pub fn instantiate(&self, mut store: impl AsContextMut<Data = T>) -> Result<Instance> {
        let mut store = store.as_context_mut();
        let imports: Vec<Import> = self.imports.iter().map(|item| item.to_import(&store.0.runtime)).collect();
        Instance::of_imports(&mut store, &self.module, &imports)
    }

    /// As [`InstancePre::instantiate`], with the preparations of [`Instance::new_async`].
    ///
    /// # Errors
    /// As for [`Instance::new`].
    ///
    /// # Panics
    /// As [`InstancePre::instantiate`] does.
    pub async fn instantiate_async(&self, mut store: impl AsContextMut<Data = T>) -> Result<Instance> {
        prepare(&self.module, needs_checks(&mut store, &self.module, self.imports.iter().cloned())).await;
        self.instantiate(store)
    }

    /// The module.
    pub fn module(&self) -> &Module {
        &self.module
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        self.module.engine()
    }
}
