//! The Rust types that stand for Wasm values in typed calls, alone and in groups.

use wasm::types::{HeapType, RefType, ValType};

use crate::error::Result;
use crate::func::Func;
use crate::store::assert_same_store;
use crate::values::{ExternRef, Rooted, V128};
use runtime::store::Store;

/// A Rust type that stands for one Wasm value: `i32`, `u32`, `i64`, `u64`, `f32`, `f64`, [`V128`]; `Option<Func>` for
/// `funcref`, [`Func`] for `(ref func)`; `Option<Rooted<ExternRef>>` for `externref`, `Rooted<ExternRef>` for
/// `(ref extern)`.
///
/// # Safety
/// `store_to` and `load_from` must keep to the layout of value slots for the type that `valtype` names.
pub unsafe trait WasmTy: Send + Sized {
    #[doc(hidden)]
    fn valtype() -> ValType;

    /// # Safety
    /// `slot` is valid for writing 16 bytes.
    #[doc(hidden)]
    unsafe fn store_to(self, store: &mut Store, slot: *mut u128);

    /// # Safety
    /// `slot` holds a value of this type, that belongs to `store`.
    #[doc(hidden)]
    unsafe fn load_from(store: &Store, slot: *const u128) -> Self;
}

macro_rules! numbers {
    ($($rust:ty => $wasm:ident;)*) => {
        $(
            // SAFETY: a number lies at the start of its slot, in its own width.
            unsafe impl WasmTy for $rust {
                fn valtype() -> ValType {
                    ValType::$wasm
                }

                #[inline]
                unsafe fn store_to(self, _store: &mut Store, slot: *mut u128) {
                    // SAFETY: promised by the caller.
                    unsafe { slot.cast::<$rust>().write(self) };
                }

                #[inline]
                unsafe fn load_from(_store: &Store, slot: *const u128) -> $rust {
                    // SAFETY: promised by the caller.
                    unsafe { slot.cast::<$rust>().read() }
                }
            }
        )*
    };
}

numbers! {
    i32 => I32;
    u32 => I32;
    i64 => I64;
    u64 => I64;
    f32 => F32;
    f64 => F64;
}

// SAFETY: a vector fills its slot.
unsafe impl WasmTy for V128 {
    fn valtype() -> ValType {
        ValType::V128
    }

    unsafe fn store_to(self, _store: &mut Store, slot: *mut u128) {
        // SAFETY: promised by the caller.
        unsafe { slot.write(self.as_u128()) };
    }

    unsafe fn load_from(_store: &Store, slot: *const u128) -> V128 {
        // SAFETY: promised by the caller.
        V128::from(unsafe { slot.read() })
    }
}

// SAFETY: a function reference is the address of a `FuncRef`, or 0.
unsafe impl WasmTy for Option<Func> {
    fn valtype() -> ValType {
        ValType::Ref(RefType { nullable: true, heap: HeapType::Func })
    }

    unsafe fn store_to(self, store: &mut Store, slot: *mut u128) {
        let address = self.map_or(0, |func| {
            assert_same_store(store, func.store_id());
            func.as_raw().as_ptr() as u64
        });
        // SAFETY: promised by the caller.
        unsafe { slot.cast::<u64>().write(address) };
    }

    unsafe fn load_from(store: &Store, slot: *const u128) -> Option<Func> {
        // SAFETY: promised by the caller.
        let address = unsafe { slot.cast::<u64>().read() };
        Some(Func::from_raw(store, std::ptr::NonNull::new(address as *mut _)?))
    }
}

// SAFETY: a function reference is the address of a `FuncRef`, and of this type it is never 0.
unsafe impl WasmTy for Func {
    fn valtype() -> ValType {
        ValType::Ref(RefType { nullable: false, heap: HeapType::Func })
    }

    unsafe fn store_to(self, store: &mut Store, slot: *mut u128) {
        // SAFETY: promised by the caller; a function that may be null lies as one that may not.
        unsafe { WasmTy::store_to(Some(self), store, slot) };
    }

    unsafe fn load_from(store: &Store, slot: *const u128) -> Func {
        // SAFETY: promised by the caller, as above.
        let func = unsafe { <Option<Func> as WasmTy>::load_from(store, slot) };
        func.expect("the type has no null")
    }
}

// SAFETY: a host reference is its number in the store, or 0, in 32 bits.
unsafe impl WasmTy for Option<Rooted<ExternRef>> {
    fn valtype() -> ValType {
        ValType::Ref(RefType { nullable: true, heap: HeapType::Extern })
    }

    unsafe fn store_to(self, store: &mut Store, slot: *mut u128) {
        let reference = self.map_or(0, |value| value.to_raw(store));
        // SAFETY: promised by the caller.
        unsafe { slot.cast::<u32>().write(reference) };
    }

    unsafe fn load_from(store: &Store, slot: *const u128) -> Option<Rooted<ExternRef>> {
        // SAFETY: promised by the caller.
        Rooted::<ExternRef>::from_raw(store, unsafe { slot.cast::<u32>().read() })
    }
}

// SAFETY: a host reference is its number in the store, and of this type it is never 0, in 32 bits.
unsafe impl WasmTy for Rooted<ExternRef> {
    fn valtype() -> ValType {
        ValType::Ref(RefType { nullable: false, heap: HeapType::Extern })
    }

    unsafe fn store_to(self, store: &mut Store, slot: *mut u128) {
        // SAFETY: promised by the caller; a reference that may be null lies as one that may not.
        unsafe { WasmTy::store_to(Some(self), store, slot) };
    }

    unsafe fn load_from(store: &Store, slot: *const u128) -> Rooted<ExternRef> {
        // SAFETY: promised by the caller, as above.
        let value = unsafe { <Option<Rooted<ExternRef>> as WasmTy>::load_from(store, slot) };
        value.expect("the type has no null")
    }
}

/// The parameters of a typed call: one [`WasmTy`], or a tuple of up to 16.
///
/// # Safety
/// As for [`WasmTy`], one slot each.
pub unsafe trait WasmParams: Send {
    #[doc(hidden)]
    const COUNT: usize;

    #[doc(hidden)]
    fn valtypes() -> Vec<ValType>;

    /// # Safety
    /// `slots` is valid for writing `COUNT` slots.
    #[doc(hidden)]
    unsafe fn store_to(self, store: &mut Store, slots: *mut u128);
}

/// The results of a typed call: nothing, one [`WasmTy`], or a tuple of up to 16.
///
/// # Safety
/// As for [`WasmTy`], one slot each.
pub unsafe trait WasmResults: WasmParams {
    /// # Safety
    /// `slots` holds values of these types, that belong to `store`.
    #[doc(hidden)]
    unsafe fn load_from(store: &Store, slots: *const u128) -> Self;
}

// SAFETY: one value, one slot.
unsafe impl<A: WasmTy> WasmParams for A {
    const COUNT: usize = 1;

    fn valtypes() -> Vec<ValType> {
        vec![A::valtype()]
    }

    #[inline]
    unsafe fn store_to(self, store: &mut Store, slots: *mut u128) {
        // SAFETY: promised by the caller.
        unsafe { WasmTy::store_to(self, store, slots) };
    }
}

// SAFETY: one value, one slot.
unsafe impl<A: WasmTy> WasmResults for A {
    #[inline]
    unsafe fn load_from(store: &Store, slots: *const u128) -> A {
        // SAFETY: promised by the caller.
        unsafe { <A as WasmTy>::load_from(store, slots) }
    }
}

/// What a host function may return: results, or a [`Result`] of them.
///
/// # Safety
/// As for [`WasmParams`].
pub unsafe trait WasmRet {
    #[doc(hidden)]
    fn valtypes() -> Vec<ValType>;

    /// # Safety
    /// `slots` is valid for writing as many slots as there are results.
    #[doc(hidden)]
    unsafe fn store_to(self, store: &mut Store, slots: *mut u128) -> Result<()>;
}

// SAFETY: as the parameters are stored.
unsafe impl<A: WasmResults> WasmRet for A {
    fn valtypes() -> Vec<ValType> {
        <A as WasmParams>::valtypes()
    }

    #[inline]
    unsafe fn store_to(self, store: &mut Store, slots: *mut u128) -> Result<()> {
        // SAFETY: promised by the caller.
        unsafe { WasmParams::store_to(self, store, slots) };
        Ok(())
    }
}

// SAFETY: as the results are stored.
unsafe impl<A: WasmResults> WasmRet for Result<A> {
    fn valtypes() -> Vec<ValType> {
        <A as WasmParams>::valtypes()
    }

    #[inline]
    unsafe fn store_to(self, store: &mut Store, slots: *mut u128) -> Result<()> {
        // SAFETY: promised by the caller.
        unsafe { WasmParams::store_to(self?, store, slots) };
        Ok(())
    }
}

macro_rules! tuples {
    ($($count:literal => $($name:ident $index:tt)*;)*) => {
        $(
            // SAFETY: one slot per member, in order.
            #[allow(unused_variables, unused_unsafe, clippy::unused_unit, non_snake_case, reason = "the empty tuple")]
            unsafe impl<$($name: WasmTy,)*> WasmParams for ($($name,)*) {
                const COUNT: usize = $count;

                fn valtypes() -> Vec<ValType> {
                    vec![$($name::valtype(),)*]
                }

                #[inline]
                unsafe fn store_to(self, store: &mut Store, slots: *mut u128) {
                    // SAFETY: promised by the caller.
                    unsafe { $(WasmTy::store_to(self.$index, store, slots.add($index));)* }
                }
            }

            // SAFETY: one slot per member, in order.
            #[allow(unused_variables, unused_unsafe, clippy::unused_unit, reason = "the empty tuple")]
            unsafe impl<$($name: WasmTy,)*> WasmResults for ($($name,)*) {
                #[inline]
                unsafe fn load_from(store: &Store, slots: *const u128) -> Self {
                    // SAFETY: promised by the caller.
                    unsafe { ($(<$name as WasmTy>::load_from(store, slots.add($index)),)*) }
                }
            }
        )*
    };
}

tuples! {
    0 =>;
    1 => A 0;
    2 => A 0 B 1;
    3 => A 0 B 1 C 2;
    4 => A 0 B 1 C 2 D 3;
    5 => A 0 B 1 C 2 D 3 E 4;
    6 => A 0 B 1 C 2 D 3 E 4 F 5;
    7 => A 0 B 1 C 2 D 3 E 4 F 5 G 6;
    8 => A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7;
    9 => A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8;
    10 => A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9;
    11 => A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10;
    12 => A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11;
    13 => A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11 M 12;
    14 => A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11 M 12 N 13;
    15 => A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11 M 12 N 13 O 14;
    16 => A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11 M 12 N 13 O 14 P 15;
}
