//! `Linker`: names for what modules import.

use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::Arc;

use runtime::func::HostFunction;
use runtime::import::Import;
use runtime::usage::Share;
use wasm::heap;

use crate::caller::Caller;
use crate::compile_options::CompileOptions;
use crate::engine::Engine;
use crate::error::Result;
use crate::error::messages::{self, panics, usage};
use crate::externals::Extern;
use crate::func::Func;
use crate::host_func::{self, IntoFunc};
use crate::instance::{Definition, Instance, InstancePre};
use crate::module::Module;
use crate::store::{AsContext, AsContextMut};
use crate::types::{ExternType, FuncType, ImportType};
use crate::values::Val;
use crate::{Global, GlobalType, Memory, Ref, Table};

mod resolve;
#[cfg(test)]
mod tests;

/// Two-level names (`module`, `name`) and the items behind them.
///
/// ```
/// use upshift::{Engine, Linker, Module, Store};
///
/// # fn main() -> upshift::Result<()> {
/// let engine = Engine::default();
/// let mut linker = Linker::new(&engine);
/// linker.func_wrap("host", "double", |n: i32| n * 2)?;
/// let module = Module::new(
///     &engine,
///     r#"(module
///         (import "host" "double" (func $double (param i32) (result i32)))
///         (func (export "run") (result i32) (call $double (i32.const 21))))"#,
/// )?;
/// let mut store = Store::new(&engine, ());
/// let instance = linker.instantiate(&mut store, &module)?;
/// let run = instance.get_typed_func::<(), i32>(&mut store, "run")?;
/// assert_eq!(run.call(&mut store, ())?, 42);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Linker<T> {
    engine: Engine,
    items: HashMap<Arc<str>, HashMap<Arc<str>, Definition>>,
    allow_shadowing: bool,
    /// What it takes, its functions apart, which count themselves.
    share: Share,
    _data: PhantomData<fn() -> T>,
}

impl<T> Clone for Linker<T> {
    fn clone(&self) -> Linker<T> {
        let Linker { engine, items, allow_shadowing, share, _data } = self;
        let (engine, items, share) = (engine.clone(), items.clone(), share.twin());
        Linker { engine, items, allow_shadowing: *allow_shadowing, share, _data: PhantomData }
    }
}

impl<T: 'static> Linker<T> {
    /// A linker without names.
    pub fn new(engine: &Engine) -> Linker<T> {
        let share = engine.inner.linkers().share(0);
        Linker { engine: engine.clone(), items: HashMap::new(), allow_shadowing: false, share, _data: PhantomData }
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// May a name be defined again? If not, which is the default, doing so is an error.
    pub fn allow_shadowing(&mut self, allow: bool) -> &mut Linker<T> {
        self.allow_shadowing = allow;
        self
    }

    /// Defines a name as an item of a store.
    ///
    /// # Errors
    /// When the name is defined already.
    pub fn define(
        &mut self,
        _store: impl AsContext<Data = T>,
        module: &str,
        name: &str,
        item: impl Into<Extern>,
    ) -> Result<&mut Linker<T>> {
        self.insert(module, name, Definition::Extern(item.into()))
    }

    /// Defines a name as a host function of any values; see [`Func::new`].
    ///
    /// # Errors
    /// When the name is defined already, or the engine's code memory is full.
    ///
    /// # Panics
    /// When the type belongs to another engine.
    pub fn func_new(
        &mut self,
        module: &str,
        name: &str,
        ty: FuncType,
        func: impl Fn(Caller<'_, T>, &[Val], &mut [Val]) -> Result<()> + Send + Sync + 'static,
    ) -> Result<&mut Linker<T>> {
        let function = host_func::of_values(&self.engine, &ty, func)?;
        self.insert(module, name, Definition::Host(function))
    }

    /// Defines a name as a host function; see [`Func::wrap`].
    ///
    /// # Errors
    /// When the name is defined already, or the engine's code memory is full.
    pub fn func_wrap<Params, Results>(
        &mut self,
        module: &str,
        name: &str,
        func: impl IntoFunc<T, Params, Results>,
    ) -> Result<&mut Linker<T>> {
        let function = func.into_host_function(&self.engine)?;
        self.insert(module, name, Definition::Host(function))
    }

    /// Defines all exports of an instance under a module name.
    ///
    /// # Errors
    /// When a name is defined already.
    ///
    /// # Panics
    /// When the instance belongs to another store.
    pub fn instance(
        &mut self,
        mut store: impl AsContextMut<Data = T>,
        module: &str,
        instance: Instance,
    ) -> Result<&mut Linker<T>> {
        let mut store = store.as_context_mut();
        let exports: Vec<(String, Extern)> =
            instance.exports(&mut store).map(|export| (export.name().to_string(), export.into_extern())).collect();
        for (name, item) in exports {
            self.insert(module, &name, Definition::Extern(item))?;
        }
        Ok(self)
    }

    /// Instantiates a module and defines its exports under a module name. A WASI command (a module that exports `_start`)
    /// is not run.
    ///
    /// # Errors
    /// As for [`Linker::instantiate`] and [`Linker::instance`].
    pub fn module(
        &mut self,
        mut store: impl AsContextMut<Data = T>,
        name: &str,
        module: &Module,
    ) -> Result<&mut Linker<T>> {
        let instance = self.instantiate(&mut store, module)?;
        if let Some(initialize) = instance.get_func(&mut store, "_initialize") {
            initialize.typed::<(), ()>(&store)?.call(&mut store, ())?;
        }
        self.instance(store, name, instance)
    }

    /// Defines a name as what another one stands for.
    ///
    /// # Errors
    /// When the other name is not defined, or this one is.
    pub fn alias(&mut self, module: &str, name: &str, as_module: &str, as_name: &str) -> Result<&mut Linker<T>> {
        let item = self.find(module, name).cloned();
        let item = item.ok_or_else(|| usage::no_such_item(module, name).with_note(self.suggest(module, name)))?;
        self.insert(as_module, as_name, item)
    }

    /// Defines all names of a module under another module name.
    ///
    /// # Errors
    /// When a name is defined already.
    pub fn alias_module(&mut self, module: &str, as_module: &str) -> Result<()> {
        let items = self.items.get(module).cloned().unwrap_or_default();
        items.into_iter().try_for_each(|(name, item)| self.insert(as_module, &name, item).map(drop))
    }

    /// Every import of `module` that is not defined becomes a function that traps when it is called.
    ///
    /// # Errors
    /// When such an import is not a function, or the engine's code memory is full.
    pub fn define_unknown_imports_as_traps(&mut self, module: &Module) -> Result<()> {
        for import in module.imports() {
            if self.find(import.module(), import.name()).is_some() {
                continue;
            }
            let ExternType::Func(ty) = import.ty() else {
                return Err(usage::only_functions_trap(import.module(), import.name(), import.ty()).into());
            };
            let called = messages::runtime::undefined_import(import.module(), import.name());
            self.func_new(import.module(), import.name(), ty, move |_, _, _| Err(called.clone().into()))?;
        }
        Ok(())
    }

    /// Every import of `module` that is not defined becomes an item of its type: functions return zeros and nulls, and
    /// memories, tables and globals are new, and zero or null.
    ///
    /// # Errors
    /// When an item cannot be made.
    pub fn define_unknown_imports_as_default_values(
        &mut self,
        mut store: impl AsContextMut<Data = T>,
        module: &Module,
    ) -> Result<()> {
        for import in module.imports() {
            if self.find(import.module(), import.name()).is_some() {
                continue;
            }
            let item: Extern = match import.ty() {
                ExternType::Func(ty) => {
                    self.func_new(import.module(), import.name(), ty, |_, _, _| Ok(()))?;
                    continue;
                }
                ExternType::Memory(ty) => Memory::new(&mut store, ty)?.into(),
                ExternType::Table(ty) => {
                    let null = Ref::null(ty.element().heap_type());
                    Table::new(&mut store, ty, null)?.into()
                }
                ExternType::Global(ty) => {
                    let zero = default_value(&ty)?;
                    Global::new(&mut store, ty, zero)?.into()
                }
            };
            self.insert(import.module(), import.name(), Definition::Extern(item))?;
        }
        Ok(())
    }

    /// Instantiates a module with the items of its imports' names, and runs its start function.
    ///
    /// Imports are looked up and checked one by one, in the module's order, before anything is made or asked of a
    /// limiter. So of several that are wrong, in whatever way, the first is the error.
    ///
    /// # Errors
    /// When an import is not defined or has another type than declared: a [`LinkError`](crate::LinkError) that says what
    /// was expected, and the nearest name that is defined. And as for [`Instance::new`].
    ///
    /// # Panics
    /// When an item belongs to another store, or the module to another engine.
    pub fn instantiate(&self, mut store: impl AsContextMut<Data = T>, module: &Module) -> Result<Instance> {
        self.assert_module_of_engine(module);
        self.assert_of_engine(&mut store);
        let mut store = store.as_context_mut();
        let definitions = self.resolve(module, Some(&store.0.runtime))?;
        let imports: Vec<Import> = definitions.iter().map(|item| item.to_import(&store.0.runtime)).collect();
        Instance::of_checked_imports(&mut store, module, &imports)
    }

    /// As [`Linker::instantiate`], with the preparations of [`Instance::new_async`].
    ///
    /// # Errors
    /// As for [`Linker::instantiate`].
    ///
    /// # Panics
    /// As [`Linker::instantiate`] does.
    pub async fn instantiate_async(&self, mut store: impl AsContextMut<Data = T>, module: &Module) -> Result<Instance> {
        self.instantiate_pre(module)?.instantiate_async(store.as_context_mut()).await
    }

    /// From bytes, in the binary or the text format, to a module and its instance, as JavaScript's
    /// `WebAssembly.instantiate` does: compiles as [`Module::compile_async`], then instantiates.
    ///
    /// # Errors
    /// As for [`Module::new`] and [`Linker::instantiate`].
    ///
    /// # Panics
    /// When an item belongs to another store, or the store to another engine.
    ///
    /// ```
    /// use upshift::{Engine, Linker, Result, Store};
    ///
    /// async fn run(engine: &Engine, wasm: &[u8]) -> Result<()> {
    ///     let mut store = Store::new(engine, ());
    ///     let linker = Linker::new(engine);
    ///     let (module, instance) = linker.instantiate_bytes_async(&mut store, wasm).await?;
    ///     println!("{} exports", module.exports().len());
    ///     instance.get_typed_func::<(), ()>(&mut store, "main")?.call(&mut store, ())
    /// }
    /// ```
    pub async fn instantiate_bytes_async(
        &self,
        store: impl AsContextMut<Data = T>,
        bytes: impl Into<Vec<u8>>,
    ) -> Result<(Module, Instance)> {
        self.instantiate_bytes_async_with(store, bytes, &CompileOptions::new()).await
    }

    /// The same, with options for the compilation.
    ///
    /// # Errors
    /// As for [`Module::new_with`] and [`Linker::instantiate`].
    ///
    /// # Panics
    /// As [`Linker::instantiate`] does.
    pub async fn instantiate_bytes_async_with(
        &self,
        store: impl AsContextMut<Data = T>,
        bytes: impl Into<Vec<u8>>,
        options: &CompileOptions,
    ) -> Result<(Module, Instance)> {
        let module = Module::compile_async_with(&self.engine, bytes, options).await?;
        let instance = self.instantiate_async(store, &module).await?;
        Ok((module, instance))
    }

    /// Finds the imports of a module once, for many instantiations.
    ///
    /// # Errors
    /// When an import is not defined, or is a host function of another type than declared: a
    /// [`LinkError`](crate::LinkError). Items of a store are checked when the module is instantiated.
    ///
    /// # Panics
    /// When the module belongs to another engine.
    pub fn instantiate_pre(&self, module: &Module) -> Result<InstancePre<T>> {
        self.assert_module_of_engine(module);
        Ok(InstancePre::new(module, self.resolve(module, None)?.into_iter().cloned().collect()))
    }

    /// The item of a name. A host function becomes one of the store.
    ///
    /// # Panics
    /// When the store belongs to another engine.
    pub fn get(&self, mut store: impl AsContextMut<Data = T>, module: &str, name: &str) -> Option<Extern> {
        self.assert_of_engine(&mut store);
        Some(item_in(&mut store, self.find(module, name)?))
    }

    /// The item of an import's name.
    pub fn get_by_import(&self, store: impl AsContextMut<Data = T>, import: &ImportType<'_>) -> Option<Extern> {
        self.get(store, import.module(), import.name())
    }

    /// All names with their items, sorted by module, then name. Host functions become ones of the store, each when the
    /// iterator comes to it.
    ///
    /// # Panics
    /// When the store belongs to another engine.
    pub fn iter<'a: 'p, 'p>(
        &'a self,
        mut store: impl AsContextMut<Data = T> + 'p,
    ) -> impl Iterator<Item = (&'a str, &'a str, Extern)> + 'p {
        self.assert_of_engine(&mut store);
        let mut items: Vec<(&str, &str, &Definition)> = self
            .items
            .iter()
            .flat_map(|(module, names)| names.iter().map(move |(name, item)| (&**module, &**name, item)))
            .collect();
        items.sort_unstable_by_key(|&(module, name, _)| (module, name));
        items.into_iter().map(move |(module, name, item)| (module, name, item_in(&mut store, item)))
    }

    /// What a module name stands for when it is run: its function without a name; else its `_start`, as WASI commands have
    /// it; else a function that does nothing.
    ///
    /// # Errors
    /// When the item is no function.
    ///
    /// # Panics
    /// When the store belongs to another engine, or the engine's code memory is full.
    pub fn get_default(&self, mut store: impl AsContextMut<Data = T>, module: &str) -> Result<Func> {
        for name in ["", "_start"] {
            if let Some(item) = self.get(&mut store, module, name) {
                return item.into_func().ok_or_else(|| usage::default_kind(module, name).into());
            }
        }
        Ok(Func::wrap(store, || {}))
    }

    fn assert_of_engine(&self, store: &mut impl AsContextMut<Data = T>) {
        let engine = &store.as_context_mut().0.engine;
        assert!(self.engine.same(engine), "{}", panics::LINKER_AND_STORE);
    }

    fn assert_module_of_engine(&self, module: &Module) {
        assert!(self.engine.same(module.engine()), "{}", panics::LINKER_AND_MODULE);
    }

    fn find(&self, module: &str, name: &str) -> Option<&Definition> {
        self.items.get(module)?.get(name)
    }

    fn insert(&mut self, module: &str, name: &str, item: Definition) -> Result<&mut Linker<T>> {
        if !self.items.contains_key(module) {
            let before = heap::map(&self.items);
            self.items.insert(module.into(), HashMap::new());
            self.share.add(heap::map(&self.items) - before + heap::shared(module));
        }
        let names = self.items.get_mut(module).expect("just inserted");
        if !self.allow_shadowing && names.contains_key(name) {
            return Err(usage::defined_twice(module, name).into());
        }
        if let Definition::Host(function) = &item {
            function.count();
        }
        let before = heap::map(names);
        if names.insert(name.into(), item).is_none() {
            self.share.add(heap::map(names) - before + heap::shared(name));
        }
        Ok(self)
    }
}

/// The item of a definition. A host function becomes one of the store.
fn item_in(store: &mut impl AsContextMut, item: &Definition) -> Extern {
    match item {
        Definition::Extern(item) => *item,
        Definition::Host(function) => {
            Func::of_host(&mut store.as_context_mut(), Arc::<HostFunction>::clone(function)).into()
        }
    }
}

fn default_value(ty: &GlobalType) -> Result<Val> {
    Val::default_for_ty(ty.content()).ok_or_else(|| usage::no_default_value(ty.content()).into())
}
