//! Values: any one (`Val`), any reference (`Ref`), vectors and references to values of the host.

use std::ptr::NonNull;

use runtime::store::Store as RuntimeStore;
use wasm::types as language;

use crate::error::messages::usage;
use crate::error::{Error, Result};
use crate::func::Func;
use crate::store::{AsContext, assert_same_store};
use crate::types::{HeapType, RefType, ValType};

mod externref;
#[cfg(test)]
mod tests;
mod v128;

pub use externref::{ExternRef, Rooted};
pub use v128::V128;

/// A value of any type.
///
/// ```
/// use upshift::Val;
///
/// let value = Val::from(1.5f64);
/// assert_eq!(value.f64(), Some(1.5));
/// assert_eq!(value.i32(), None);
/// ```
#[derive(Clone, Copy, Debug)]
pub enum Val {
    /// A 32-bit integer.
    I32(i32),
    /// A 64-bit integer.
    I64(i64),
    /// The bits of a 32-bit number, so that every NaN passes unchanged.
    F32(u32),
    /// The bits of a 64-bit number.
    F64(u64),
    /// A vector.
    V128(V128),
    /// A function, or null.
    FuncRef(Option<Func>),
    /// A value of the host, or null.
    ExternRef(Option<Rooted<ExternRef>>),
}

macro_rules! accessors {
    ($($what:literal $get:ident $unwrap:ident: $pattern:pat => $value:expr, $ty:ty;)*) => {
        $(
            #[doc = concat!("The value, if it is ", $what, ".")]
            pub fn $get(&self) -> Option<$ty> {
                if let $pattern = self { Some($value) } else { None }
            }

            #[doc = concat!("The value.\n\n# Panics\nUnless it is ", $what, ".")]
            pub fn $unwrap(&self) -> $ty {
                self.$get().expect(concat!("not ", $what))
            }
        )*
    };
}

impl Val {
    accessors! {
        "an `i32`" i32 unwrap_i32: Val::I32(value) => *value, i32;
        "an `i64`" i64 unwrap_i64: Val::I64(value) => *value, i64;
        "an `f32`" f32 unwrap_f32: Val::F32(bits) => f32::from_bits(*bits), f32;
        "an `f64`" f64 unwrap_f64: Val::F64(bits) => f64::from_bits(*bits), f64;
        "a `v128`" v128 unwrap_v128: Val::V128(value) => *value, V128;
        "a function reference" funcref unwrap_funcref: Val::FuncRef(value) => value.as_ref(), Option<&Func>;
        "a reference to a value of the host" externref unwrap_externref:
            Val::ExternRef(value) => value.as_ref(), Option<&Rooted<ExternRef>>;
    }

    /// The null of a heap type.
    ///
    /// # Panics
    /// For types other than those of functions and values of the host, of which there are no values yet.
    pub fn null_ref(heap: &HeapType) -> Val {
        Ref::null(heap).into()
    }

    /// The null of functions.
    pub const fn null_func_ref() -> Val {
        Val::FuncRef(None)
    }

    /// The null of values of the host.
    pub const fn null_extern_ref() -> Val {
        Val::ExternRef(None)
    }

    /// Zero or null, if the type has it.
    pub fn default_for_ty(ty: &ValType) -> Option<Val> {
        Some(match ty {
            ValType::I32 => Val::I32(0),
            ValType::I64 => Val::I64(0),
            ValType::F32 => Val::F32(0),
            ValType::F64 => Val::F64(0),
            ValType::V128 => Val::V128(V128::from(0)),
            ValType::Ref(ty) if ty.is_nullable() => Ref::try_null(ty.heap_type())?.into(),
            ValType::Ref(_) => return None,
        })
    }

    /// The most precise type of the value.
    ///
    /// # Errors
    /// When it is a reference to a value of another store.
    ///
    /// # Panics
    /// When it is a function of another store.
    pub fn ty(&self, store: impl AsContext) -> Result<ValType> {
        Ok(match self {
            Val::I32(_) => ValType::I32,
            Val::I64(_) => ValType::I64,
            Val::F32(_) => ValType::F32,
            Val::F64(_) => ValType::F64,
            Val::V128(_) => ValType::V128,
            Val::FuncRef(func) => ValType::Ref(Ref::Func(*func).ty(store)?),
            Val::ExternRef(value) => ValType::Ref(Ref::Extern(*value).ty(store)?),
        })
    }

    /// Is it a value of type `ty`?
    ///
    /// # Errors
    /// As for [`Val::ty`].
    ///
    /// # Panics
    /// As for [`Val::ty`].
    pub fn matches_ty(&self, store: impl AsContext, ty: &ValType) -> Result<bool> {
        Ok(self.ty(store)?.matches(ty))
    }

    /// The reference, if it is one.
    pub fn ref_(self) -> Option<Ref> {
        match self {
            Val::FuncRef(func) => Some(Ref::Func(func)),
            Val::ExternRef(value) => Some(Ref::Extern(value)),
            Val::I32(_) | Val::I64(_) | Val::F32(_) | Val::F64(_) | Val::V128(_) => None,
        }
    }

    /// Zero or null of a type with canonical indices; what has no null gets one nevertheless, to be written over.
    pub(crate) fn default_of(ty: &language::ValType) -> Val {
        match ty {
            language::ValType::I32 => Val::I32(0),
            language::ValType::I64 => Val::I64(0),
            language::ValType::F32 => Val::F32(0),
            language::ValType::F64 => Val::F64(0),
            language::ValType::V128 => Val::V128(V128::from(0)),
            language::ValType::Ref(ty) if is_function(ty.heap) => Val::FuncRef(None),
            language::ValType::Ref(_) => Val::ExternRef(None),
        }
    }

    /// The value as in a value slot, if it is of type `ty`, which has canonical indices.
    ///
    /// # Errors
    /// When it has another type.
    ///
    /// # Panics
    /// When it belongs to another store.
    pub(crate) fn to_slot(self, store: &RuntimeStore, ty: &language::ValType) -> Result<u128> {
        Ok(match (self, ty) {
            (Val::I32(value), language::ValType::I32) => value.cast_unsigned().into(),
            (Val::I64(value), language::ValType::I64) => value.cast_unsigned().into(),
            (Val::F32(bits), language::ValType::F32) => bits.into(),
            (Val::F64(bits), language::ValType::F64) => bits.into(),
            (Val::V128(value), language::ValType::V128) => value.as_u128(),
            (Val::FuncRef(func), language::ValType::Ref(ty)) => Ref::Func(func).to_element(store, ty)?.into(),
            (Val::ExternRef(value), language::ValType::Ref(ty)) => Ref::Extern(value).to_element(store, ty)?.into(),
            _ => return Err(mismatch(&ty.to_string(), self.kind())),
        })
    }

    /// A value of type `ty` from its slot.
    pub(crate) fn from_slot(bits: u128, ty: &language::ValType, store: &RuntimeStore) -> Val {
        // What lies above the value's width in its slot is unspecified, so each is cut to its width.
        match ty {
            language::ValType::I32 => Val::I32(bits as i32),
            language::ValType::I64 => Val::I64(bits as i64),
            language::ValType::F32 => Val::F32(bits as u32),
            language::ValType::F64 => Val::F64(bits as u64),
            language::ValType::V128 => Val::V128(V128::from(bits)),
            language::ValType::Ref(ty) => Ref::from_element(bits as u64, ty, store).into(),
        }
    }

    /// What it is, in words.
    fn kind(&self) -> &'static str {
        match self {
            Val::I32(_) => "i32",
            Val::I64(_) => "i64",
            Val::F32(_) => "f32",
            Val::F64(_) => "f64",
            Val::V128(_) => "v128",
            Val::FuncRef(func) => Ref::Func(*func).kind(),
            Val::ExternRef(value) => Ref::Extern(*value).kind(),
        }
    }
}

fn mismatch(expected: &str, given: &str) -> Error {
    usage::value_type(expected, given).into()
}

/// Is it in the hierarchy of functions? (Structs and arrays are not supported, so every defined type is a function.)
fn is_function(heap: language::HeapType) -> bool {
    matches!(heap, language::HeapType::Func | language::HeapType::NoFunc | language::HeapType::Concrete(_))
}

macro_rules! from_values {
    ($($ty:ty: $value:ident => $val:expr;)*) => {
        $(
            impl From<$ty> for Val {
                fn from($value: $ty) -> Val {
                    $val
                }
            }
        )*
    };
}

from_values! {
    i32: value => Val::I32(value);
    i64: value => Val::I64(value);
    f32: value => Val::F32(value.to_bits());
    f64: value => Val::F64(value.to_bits());
    u128: value => Val::V128(value.into());
    V128: value => Val::V128(value);
    Func: func => Val::FuncRef(Some(func));
    Option<Func>: func => Val::FuncRef(func);
    Rooted<ExternRef>: value => Val::ExternRef(Some(value));
    Option<Rooted<ExternRef>>: value => Val::ExternRef(value);
}

impl From<Ref> for Val {
    fn from(reference: Ref) -> Val {
        match reference {
            Ref::Func(func) => Val::FuncRef(func),
            Ref::Extern(value) => Val::ExternRef(value),
        }
    }
}

/// A reference of any type.
#[derive(Clone, Copy, Debug)]
pub enum Ref {
    /// A function, or null.
    Func(Option<Func>),
    /// A value of the host, or null.
    Extern(Option<Rooted<ExternRef>>),
}

impl Ref {
    accessors! {
        "a function reference" as_func unwrap_func: Ref::Func(func) => func.as_ref(), Option<&Func>;
        "a reference to a value of the host" as_extern unwrap_extern:
            Ref::Extern(value) => value.as_ref(), Option<&Rooted<ExternRef>>;
    }

    /// The null of a heap type.
    ///
    /// # Panics
    /// For types other than those of functions and values of the host, of which there are no values yet.
    pub fn null(heap: &HeapType) -> Ref {
        Ref::try_null(heap).expect("the null of a type that has values")
    }

    fn try_null(heap: &HeapType) -> Option<Ref> {
        match heap.top() {
            HeapType::Func => Some(Ref::Func(None)),
            HeapType::Extern => Some(Ref::Extern(None)),
            _ => None,
        }
    }

    /// Is it null?
    pub fn is_null(&self) -> bool {
        matches!(self, Ref::Func(None) | Ref::Extern(None))
    }

    /// Is it not null?
    pub fn is_non_null(&self) -> bool {
        !self.is_null()
    }

    /// Is it a function, or the null of functions?
    pub fn is_func(&self) -> bool {
        matches!(self, Ref::Func(_))
    }

    /// Is it a value of the host, or the null of those?
    pub fn is_extern(&self) -> bool {
        matches!(self, Ref::Extern(_))
    }

    /// The most precise type of the reference.
    ///
    /// # Errors
    /// When it is a reference to a value of another store.
    ///
    /// # Panics
    /// When it is a function of another store.
    pub fn ty(&self, store: impl AsContext) -> Result<RefType> {
        Ok(match self {
            Ref::Func(None) => RefType::NULLFUNCREF,
            Ref::Func(Some(func)) => RefType::new(false, HeapType::ConcreteFunc(func.ty(store))),
            Ref::Extern(None) => RefType::NULLEXTERNREF,
            Ref::Extern(Some(value)) => {
                value.check_store(&store.as_context().0.runtime)?;
                RefType::new(false, HeapType::Extern)
            }
        })
    }

    /// Is it a reference of type `ty`?
    ///
    /// # Errors
    /// As for [`Ref::ty`].
    ///
    /// # Panics
    /// As for [`Ref::ty`].
    pub fn matches_ty(&self, store: impl AsContext, ty: &RefType) -> Result<bool> {
        Ok(self.ty(store)?.matches(ty))
    }

    /// The reference as in a table, if it is of type `ty`, which has canonical indices.
    ///
    /// # Errors
    /// When it has another type.
    ///
    /// # Panics
    /// When it belongs to another store.
    pub(crate) fn to_element(self, store: &RuntimeStore, ty: &language::RefType) -> Result<u64> {
        let bits = match (self, ty.heap) {
            (Ref::Func(None), heap) if ty.nullable && is_function(heap) => 0,
            (Ref::Func(Some(func)), heap) => {
                assert_same_store(store, func.store_id());
                // SAFETY: a function of this store, which is alive.
                let type_id = unsafe { func.as_raw().as_ref().type_id };
                // Types are final without garbage collection, so only an equal one matches.
                let matches = match heap {
                    language::HeapType::Func => true,
                    language::HeapType::Concrete(index) => index.0 == type_id,
                    _ => false,
                };
                if !matches {
                    return Err(mismatch(&ty.to_string(), self.kind()));
                }
                func.as_raw().as_ptr() as u64
            }
            (Ref::Extern(None), language::HeapType::Extern | language::HeapType::NoExtern) if ty.nullable => 0,
            (Ref::Extern(Some(value)), language::HeapType::Extern) => value.to_raw(store).into(),
            _ => return Err(mismatch(&ty.to_string(), self.kind())),
        };
        Ok(bits)
    }

    /// A reference of type `ty` from a table of the store.
    pub(crate) fn from_element(bits: u64, ty: &language::RefType, store: &RuntimeStore) -> Ref {
        if is_function(ty.heap) {
            Ref::Func(NonNull::new(bits as *mut _).map(|raw| Func::from_raw(store, raw)))
        } else {
            Ref::Extern(Rooted::<ExternRef>::from_raw(store, bits as u32))
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Ref::Func(None) => "nullfuncref",
            Ref::Func(Some(_)) => "a function",
            Ref::Extern(None) => "nullexternref",
            Ref::Extern(Some(_)) => "externref",
        }
    }
}

impl From<Func> for Ref {
    fn from(func: Func) -> Ref {
        Ref::Func(Some(func))
    }
}

impl From<Option<Func>> for Ref {
    fn from(func: Option<Func>) -> Ref {
        Ref::Func(func)
    }
}

impl From<Rooted<ExternRef>> for Ref {
    fn from(value: Rooted<ExternRef>) -> Ref {
        Ref::Extern(Some(value))
    }
}

impl From<Option<Rooted<ExternRef>>> for Ref {
    fn from(value: Option<Rooted<ExternRef>>) -> Ref {
        Ref::Extern(value)
    }
}
