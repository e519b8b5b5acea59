//! `Func`: a function of a store, from Wasm or from the host.

use std::ptr::NonNull;
use std::sync::Arc;

use runtime::difference::of_functions;
use runtime::func::{FuncRef, HostFunction};
use runtime::ids::{InstanceId, StoreId};
use runtime::store::Store as RuntimeStore;
use wasm::canonical::TypeRegistry;
use wasm::types::words::{self, Words};
use wasm::types::{self as language, CanonicalTypeIndex, FuncIndex};

use crate::caller::Caller;
use crate::error::messages::usage;
use crate::error::{Error, Result, UsageError, difference};
use crate::host_func;
pub use crate::host_func::IntoFunc;
use crate::store::{AsContext, AsContextMut, StoreContext, StoreContextMut, StoreInner, assert_same_store};
use crate::typed_func::TypedFunc;
use crate::types::FuncType;
use crate::values::Val;
pub use crate::wasm_ty::{WasmParams, WasmResults, WasmRet, WasmTy};

/// A function of a store. A handle; the function lives as long as its store.
///
/// ```
/// use upshift::{Caller, Engine, Func, Store};
///
/// # fn main() -> upshift::Result<()> {
/// let mut store = Store::new(&Engine::default(), 40);
/// let add = Func::wrap(&mut store, |caller: Caller<'_, i32>, n: i32| *caller.data() + n);
/// assert_eq!(add.typed::<i32, i32>(&store)?.call(&mut store, 2)?, 42);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Func {
    store: StoreId,
    raw: NonNull<FuncRef>,
}

// SAFETY: the reference is only followed with its store at hand, which one thread has at a time.
unsafe impl Send for Func {}
// SAFETY: as above.
unsafe impl Sync for Func {}

impl Func {
    /// Makes a function of the host from a closure that takes and gives any values. The closure must fill `results` with
    /// values of the types that `ty` names, which is checked.
    ///
    /// # Panics
    /// When the engine's code memory is full, or the type belongs to another engine.
    pub fn new<T: 'static>(
        mut store: impl AsContextMut<Data = T>,
        ty: FuncType,
        func: impl Fn(Caller<'_, T>, &[Val], &mut [Val]) -> Result<()> + Send + Sync + 'static,
    ) -> Func {
        let mut store = store.as_context_mut();
        let function = host_func::of_values(&store.0.engine, &ty, func).expect("code memory for a stub");
        Func::of_host(&mut store, function)
    }

    /// Makes a function of the host from a closure of up to 16 parameters that are [`WasmTy`], optionally with a
    /// [`Caller`] in front, which returns a [`WasmRet`].
    ///
    /// # Panics
    /// When the engine's code memory is full.
    pub fn wrap<T: 'static, Params, Results>(
        mut store: impl AsContextMut<Data = T>,
        func: impl IntoFunc<T, Params, Results>,
    ) -> Func {
        let mut store = store.as_context_mut();
        let function = func.into_host_function(&store.0.engine).expect("code memory for a stub");
        Func::of_host(&mut store, function)
    }

    pub(crate) fn of_host<T>(store: &mut StoreContextMut<'_, T>, function: Arc<HostFunction>) -> Func {
        let raw = runtime::host_call::add_host_function(&mut store.0.runtime, function);
        Func { store: store.0.runtime.id(), raw: NonNull::new(raw).expect("a reference to a box") }
    }

    pub(crate) fn from_raw(store: &RuntimeStore, raw: NonNull<FuncRef>) -> Func {
        Func { store: store.id(), raw }
    }

    pub(crate) fn as_raw(&self) -> NonNull<FuncRef> {
        self.raw
    }

    pub(crate) fn store_id(&self) -> StoreId {
        self.store
    }

    /// The function's type.
    ///
    /// # Panics
    /// When the function belongs to another store.
    pub fn ty(&self, store: impl AsContext) -> FuncType {
        let store = store.as_context();
        FuncType::from_wasm(&store.0.engine, &self.wasm_type(&store))
    }

    /// Is it a function of type `ty`?
    ///
    /// # Panics
    /// When the function belongs to another store, or the type to another engine.
    pub fn matches_ty(&self, store: impl AsContext, ty: &FuncType) -> bool {
        self.ty(store).matches(ty)
    }

    fn type_id(&self, store: &RuntimeStore) -> CanonicalTypeIndex {
        assert_same_store(store, self.store);
        // SAFETY: a function of this store, which is alive.
        CanonicalTypeIndex(unsafe { self.raw.as_ref().type_id })
    }

    fn wasm_type<T>(&self, store: &StoreContext<'_, T>) -> Arc<language::FuncType> {
        store.0.engine.inner.types().func_type(self.type_id(&store.0.runtime))
    }

    /// Calls the function with any values.
    ///
    /// # Errors
    /// When there are too few or too many parameters or results, or a parameter has the wrong type; and as for
    /// [`TypedFunc::call`].
    ///
    /// # Panics
    /// When the function or a value belongs to another store.
    pub fn call(&self, mut store: impl AsContextMut, params: &[Val], results: &mut [Val]) -> Result<()> {
        let store = store.as_context_mut();
        let ty = self.wasm_type(&store.as_context());
        if params.len() != ty.params().len() || results.len() != ty.results().len() {
            let (takes, gives) = (ty.params().len(), ty.results().len());
            let words = Words::of_registry(store.0.engine.inner.types()).signature_of(&ty);
            return Err(usage::argument_count(takes, gives, words, params.len(), results.len()).into());
        }
        let stub = entry_stub(store.0, self.type_id(&store.0.runtime), &ty)?;
        let runtime = &mut store.0.runtime;
        let mut values = vec![0u128; params.len().max(results.len()).max(1)];
        for ((slot, param), ty) in values.iter_mut().zip(params).zip(ty.params()) {
            *slot = param.to_slot(runtime, ty)?;
        }
        // SAFETY: the stub is that of the function's type, every value was checked to be of its type and store, and there
        // is a slot for every parameter and result.
        unsafe { runtime::call::call(runtime.context(), stub, self.raw.as_ref().callee(), values.as_mut_ptr()) }
            .map_err(|raised| Error::from_raised(raised, &store.0.engine))?;
        for ((result, &bits), ty) in results.iter_mut().zip(&values).zip(ty.results()) {
            *result = Val::from_slot(bits, ty, runtime);
        }
        Ok(())
    }

    /// The function with its type, for fast calls.
    ///
    /// # Errors
    /// When the function has another type.
    ///
    /// # Panics
    /// When the function belongs to another store.
    pub fn typed<Params: WasmParams, Results: WasmResults>(
        &self,
        store: impl AsContext,
    ) -> Result<TypedFunc<Params, Results>> {
        self.typed_export(store.as_context(), None)
    }

    /// As above, for a function that is exported under a name.
    pub(crate) fn typed_export<T: 'static, Params: WasmParams, Results: WasmResults>(
        &self,
        store: StoreContext<'_, T>,
        name: Option<&str>,
    ) -> Result<TypedFunc<Params, Results>> {
        let ty = self.wasm_type(&store);
        let wanted = language::FuncType::new(Params::valtypes(), <Results as WasmParams>::valtypes());
        if *ty != wanted {
            return Err(wrong_type(store.0.engine.inner.types(), name, &ty, &wanted).into());
        }
        Ok(TypedFunc::new(*self, entry_stub(store.0, self.type_id(&store.0.runtime), &ty)?))
    }

    /// Runs the start function of an instance.
    pub(crate) fn call_start<T>(
        store: &mut StoreContextMut<'_, T>,
        instance: InstanceId,
        start: FuncIndex,
    ) -> Result<()> {
        let module = store.0.runtime.instance(instance).module();
        let type_id = module.types().id(module.info().functions[start.index()]);
        let stub = entry_stub(store.0, type_id, &wasm::types::FuncType::new([], []))?;
        let runtime = &mut store.0.runtime;
        let function = runtime.instance(instance).callee(start);
        let mut values = [0u128];
        // SAFETY: validation gave start functions the type `() -> ()`, and the instance is of this store.
        unsafe { runtime::call::call(runtime.context(), stub, function, values.as_mut_ptr()) }
            .map_err(|raised| Error::from_raised(raised, &store.0.engine))
    }
}

/// The entry stub for a type, which is that of a function of the store. The address is good as long as the store.
fn entry_stub<T>(store: &StoreInner<T>, id: CanonicalTypeIndex, ty: &language::FuncType) -> Result<*const u8> {
    let held = store.runtime.entry_stubs();
    match held.get(id) {
        Some(stub) => Ok(stub),
        None => Ok(held.hold(id, store.engine.inner.entry_stub(ty)?)),
    }
}

/// The error of a function that was asked for by another type than its own.
#[cold]
fn wrong_type(
    types: &TypeRegistry,
    name: Option<&str>,
    ty: &language::FuncType,
    wanted: &language::FuncType,
) -> UsageError {
    let words = Words::of_registry(types);
    let (given, asked) = (words.signature_of(ty), words.signature_of(wanted));
    let error = match name {
        Some(name) => usage::export_type(words::name(name), given, asked),
        None => usage::function_type(given, asked),
    };
    error.with_note(difference::in_words(&of_functions(&words, wanted, ty)))
}
