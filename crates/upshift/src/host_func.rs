//! From a Rust closure to a function that Wasm can call.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use runtime::error::Failure;
use runtime::func::{HostContext, HostFunction, HostShim, StubSlot};

use crate::caller::Caller;
use crate::engine::Engine;
use crate::error::Result;
use crate::error::messages::{panics, usage};
use crate::store::StoreInner;
use crate::types::FuncType;
use crate::values::Val;
use crate::wasm_ty::{WasmRet, WasmTy};

/// A closure that can become a function of the host: up to 16 parameters that are [`WasmTy`], optionally with a [`Caller`]
/// in front, and a result that is [`WasmRet`].
pub trait IntoFunc<T: 'static, Params, Results>: Send + Sync + 'static {
    #[doc(hidden)]
    fn into_host_function(self, engine: &Engine) -> Result<Arc<HostFunction>>;
}

/// The closure of a function on values, and its type.
struct OnValues<F> {
    func: F,
    ty: wasm::types::FuncType,
}

/// Makes a host function of a closure on values.
pub(crate) fn of_values<T: 'static>(
    engine: &Engine,
    ty: &FuncType,
    func: impl Fn(Caller<'_, T>, &[Val], &mut [Val]) -> Result<()> + Send + Sync + 'static,
) -> Result<Arc<HostFunction>> {
    fn shim_of<T: 'static, F>(_: &F) -> HostShim
    where
        F: Fn(Caller<'_, T>, &[Val], &mut [Val]) -> Result<()> + Send + Sync + 'static,
    {
        values_shim::<T, F>
    }
    assert!(ty.engine().same(engine), "{}", panics::TYPE_OF_ANOTHER_ENGINE);
    let ty = ty.to_wasm();
    let shim = shim_of::<T, _>(&func);
    make(engine, ty.clone(), shim, Box::new(OnValues { func, ty }))
}

fn make(
    engine: &Engine,
    ty: wasm::types::FuncType,
    shim: HostShim,
    closure: Box<dyn Any + Send + Sync>,
) -> Result<Arc<HostFunction>> {
    let registration = Arc::new(engine.inner.types().register_func(&ty));
    let type_id = registration.ids()[0];
    let stub = engine.inner.exit_stub(&ty)?;
    let entry = StubSlot(stub.entry());
    let share = engine.inner.linkers().share(0);
    Ok(Arc::new(HostFunction { ty, type_id, registration, stub, entry, shim, closure, share }))
}

/// Runs the work of a host call: no panic leaves it, and its error waits to be raised.
///
/// # Safety
/// `context` is that of a host call in a store with data of type `T`.
#[inline]
unsafe fn invoke<T: 'static>(context: *mut HostContext, work: impl FnOnce(Caller<'_, T>) -> Result<()>) -> u64 {
    // SAFETY: promised by the caller, here and below: the exit stub has recorded its frame.
    if unsafe { runtime::host_call::leave((*context).store) } {
        return 1;
    }
    // SAFETY: promised by the caller. The store's Wasm has been left, so nobody else uses the store during the call.
    let (store, caller) = unsafe {
        let (data, caller) = runtime::host_call::caller(context);
        (&mut *data.cast::<StoreInner<T>>(), caller)
    };
    // SAFETY: the context was bound to an instance of this store, or to none.
    let outcome = catch_unwind(AssertUnwindSafe(|| work(unsafe { Caller::new(store, caller) })));
    let failure = match outcome {
        // SAFETY: as above.
        Ok(Ok(())) => return unsafe { runtime::host_call::come_back((*context).store, false) }.into(),
        Ok(Err(error)) => error.into_failure(),
        Err(panic) => Failure::Panic(panic),
    };
    // SAFETY: as above; the call came through the host trampoline.
    unsafe {
        runtime::call::set_pending((*context).store, failure);
        runtime::host_call::come_back((*context).store, true).into()
    }
}

/// The closure of the host function that is called.
///
/// # Safety
/// `context` is that of a call of a host function whose closure is an `F`.
unsafe fn closure<'a, F: 'static>(context: *mut HostContext) -> &'a F {
    // SAFETY: promised by the caller; checked again by type.
    let host = unsafe { HostFunction::of_context(context) };
    debug_assert!(host.closure.is::<F>());
    // SAFETY: the box holds an `F`, which the store keeps alive.
    unsafe { &*(&raw const *host.closure).cast::<F>() }
}

unsafe extern "C" fn values_shim<T: 'static, F>(context: *mut HostContext, slots: *mut u128) -> u64
where
    F: Fn(Caller<'_, T>, &[Val], &mut [Val]) -> Result<()> + Send + Sync + 'static,
{
    // SAFETY: the shim is paired with its closure in `of_values`.
    let on_values = unsafe { closure::<OnValues<F>>(context) };
    let ty = &on_values.ty;
    // SAFETY: the exit stub gives a slot for every parameter and result, and the context of the call.
    unsafe {
        invoke::<T>(context, |caller| {
            let (count, store) = (ty.params().len(), &mut caller.store.0.runtime as *mut runtime::store::Store);
            let params: Vec<Val> =
                (0..count).map(|at| Val::from_slot(*slots.add(at), &ty.params()[at], &*store)).collect();
            let mut results: Vec<Val> = ty.results().iter().map(Val::default_of).collect();
            (on_values.func)(caller, &params, &mut results)?;
            for (at, (result, ty)) in results.iter().zip(ty.results()).enumerate() {
                *slots.add(at) = result.to_slot(&*store, ty).map_err(|error| error.context(usage::host_result()))?;
            }
            Ok(())
        })
    }
}

macro_rules! closures {
    ($($($name:ident $index:tt)*;)*) => {
        $(
            impl<T: 'static, F, R, $($name,)*> IntoFunc<T, ($($name,)*), R> for F
            where
                F: Fn($($name),*) -> R + Send + Sync + 'static,
                R: WasmRet,
                $($name: WasmTy,)*
            {
                fn into_host_function(self, engine: &Engine) -> Result<Arc<HostFunction>> {
                    IntoFunc::<T, (Caller<'_, T>, $($name,)*), R>::into_host_function(
                        #[allow(non_snake_case, reason = "parameters named as their types")]
                        move |_: Caller<'_, T>, $($name: $name),*| self($($name),*),
                        engine,
                    )
                }
            }

            impl<T: 'static, F, R, $($name,)*> IntoFunc<T, (Caller<'_, T>, $($name,)*), R> for F
            where
                F: Fn(Caller<'_, T>, $($name),*) -> R + Send + Sync + 'static,
                R: WasmRet,
                $($name: WasmTy,)*
            {
                fn into_host_function(self, engine: &Engine) -> Result<Arc<HostFunction>> {
                    #[allow(unused_variables, non_snake_case, reason = "the closure without parameters")]
                    unsafe extern "C" fn shim<T, F, R, $($name,)*>(context: *mut HostContext, slots: *mut u128) -> u64
                    where
                        T: 'static,
                        F: Fn(Caller<'_, T>, $($name),*) -> R + Send + Sync + 'static,
                        R: WasmRet,
                        $($name: WasmTy,)*
                    {
                        // SAFETY: the exit stub of this type gives a slot for every parameter and result, and the context
                        // of the call; the shim is paired with its closure below.
                        unsafe {
                            invoke::<T>(context, |caller| {
                                let func = closure::<F>(context);
                                let store = &raw mut caller.store.0.runtime;
                                $(let $name = <$name as WasmTy>::load_from(&*store, slots.add($index));)*
                                func(caller, $($name),*).store_to(&mut *store, slots)
                            })
                        }
                    }
                    let ty = wasm::types::FuncType::new(
                        [$($name::valtype(),)*],
                        R::valtypes(),
                    );
                    make(engine, ty, shim::<T, F, R, $($name,)*>, Box::new(self))
                }
            }
        )*
    };
}

closures! {
    ;
    A1 0;
    A1 0 A2 1;
    A1 0 A2 1 A3 2;
    A1 0 A2 1 A3 2 A4 3;
    A1 0 A2 1 A3 2 A4 3 A5 4;
    A1 0 A2 1 A3 2 A4 3 A5 4 A6 5;
    A1 0 A2 1 A3 2 A4 3 A5 4 A6 5 A7 6;
    A1 0 A2 1 A3 2 A4 3 A5 4 A6 5 A7 6 A8 7;
    A1 0 A2 1 A3 2 A4 3 A5 4 A6 5 A7 6 A8 7 A9 8;
    A1 0 A2 1 A3 2 A4 3 A5 4 A6 5 A7 6 A8 7 A9 8 A10 9;
    A1 0 A2 1 A3 2 A4 3 A5 4 A6 5 A7 6 A8 7 A9 8 A10 9 A11 10;
    A1 0 A2 1 A3 2 A4 3 A5 4 A6 5 A7 6 A8 7 A9 8 A10 9 A11 10 A12 11;
    A1 0 A2 1 A3 2 A4 3 A5 4 A6 5 A7 6 A8 7 A9 8 A10 9 A11 10 A12 11 A13 12;
    A1 0 A2 1 A3 2 A4 3 A5 4 A6 5 A7 6 A8 7 A9 8 A10 9 A11 10 A12 11 A13 12 A14 13;
    A1 0 A2 1 A3 2 A4 3 A5 4 A6 5 A7 6 A8 7 A9 8 A10 9 A11 10 A12 11 A13 12 A14 13 A15 14;
    A1 0 A2 1 A3 2 A4 3 A5 4 A6 5 A7 6 A8 7 A9 8 A10 9 A11 10 A12 11 A13 12 A14 13 A15 14 A16 15;
}
