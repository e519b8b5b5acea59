//! `TypedFunc`: a function whose type was checked once, called without further checks.

use std::marker::PhantomData;
use std::mem::MaybeUninit;

use crate::error::{Error, Result};
use crate::func::Func;
use crate::store::{AsContextMut, StoreInner, assert_same_store};
use crate::wasm_ty::{WasmParams, WasmResults};

/// Slots for the values of the largest typed call.
const SLOTS: usize = 17;

/// A function of a known type. See [`Func::typed`].
#[derive(Debug)]
pub struct TypedFunc<Params, Results> {
    func: Func,
    /// The entry stub of the type; the function's store keeps it.
    stub: *const u8,
    _types: PhantomData<fn(Params) -> Results>,
}

// SAFETY: an address of machine code, which any thread may run with the store at hand.
unsafe impl<Params, Results> Send for TypedFunc<Params, Results> {}
// SAFETY: as above.
unsafe impl<Params, Results> Sync for TypedFunc<Params, Results> {}

impl<Params, Results> Copy for TypedFunc<Params, Results> {}

impl<Params, Results> Clone for TypedFunc<Params, Results> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<Params: WasmParams, Results: WasmResults> TypedFunc<Params, Results> {
    pub(crate) fn new(func: Func, stub: *const u8) -> TypedFunc<Params, Results> {
        TypedFunc { func, stub, _types: PhantomData }
    }

    /// Calls the function.
    ///
    /// # Errors
    /// A trap, or the error of a host function that it called.
    ///
    /// # Panics
    /// When the function, or a reference among the parameters, belongs to another store; and with the panic of a host
    /// function that it called.
    #[inline]
    pub fn call(&self, mut store: impl AsContextMut, params: Params) -> Result<Results> {
        let StoreInner { runtime: store, engine, .. } = store.as_context_mut().0;
        assert_same_store(store, self.func.store_id());
        let mut slots = [const { MaybeUninit::<u128>::uninit() }; SLOTS];
        let values = slots.as_mut_ptr().cast::<u128>();
        // SAFETY: there is a slot for every value of the largest tuples. The stub is that of the function's type, which was
        // checked to be the one that `Params` and `Results` stand for. The function belongs to the store.
        unsafe {
            params.store_to(store, values);
            runtime::call::call(store.context(), self.stub, self.func.as_raw().as_ref().callee(), values)
                .map_err(|raised| Error::from_raised(raised, engine))?;
            Ok(Results::load_from(store, values))
        }
    }

    /// The function without its type.
    pub fn func(&self) -> &Func {
        &self.func
    }
}
