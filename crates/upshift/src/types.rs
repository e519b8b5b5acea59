//! Types of values, in the words of the embedding API.

use std::fmt;

use wasm::canonical::TypeRegistry;
use wasm::types::{self as language, TypeIndex};

use crate::engine::Engine;
use crate::error::messages::panics;
use crate::values::Val;

mod external;
mod func;
#[cfg(test)]
mod tests;

pub use external::{
    ExportType, ExternType, GlobalType, ImportType, MemoryType, MemoryTypeBuilder, Mutability, TableType,
};
pub use func::FuncType;

/// The type of one value.
///
/// ```
/// use upshift::{RefType, ValType};
///
/// assert!(ValType::I32.is_num());
/// assert_eq!(ValType::FUNCREF.to_string(), "funcref");
/// assert!(ValType::Ref(RefType::NULLFUNCREF).matches(&ValType::FUNCREF));
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum ValType {
    /// 32-bit integer.
    I32,
    /// 64-bit integer.
    I64,
    /// 32-bit IEEE 754 number.
    F32,
    /// 64-bit IEEE 754 number.
    F64,
    /// 128-bit vector.
    V128,
    /// A reference.
    Ref(RefType),
}

macro_rules! is_type {
    ($($name:ident $variant:ident;)*) => {
        $(
            #[doc = concat!("Is it `ValType::", stringify!($variant), "`?")]
            pub fn $name(&self) -> bool {
                matches!(self, ValType::$variant)
            }
        )*
    };
}

impl ValType {
    /// `funcref`, that is `(ref null func)`.
    pub const FUNCREF: ValType = ValType::Ref(RefType::FUNCREF);
    /// `nullfuncref`, that is `(ref null nofunc)`.
    pub const NULLFUNCREF: ValType = ValType::Ref(RefType::NULLFUNCREF);
    /// `externref`, that is `(ref null extern)`.
    pub const EXTERNREF: ValType = ValType::Ref(RefType::EXTERNREF);
    /// `nullexternref`, that is `(ref null noextern)`.
    pub const NULLEXTERNREF: ValType = ValType::Ref(RefType::NULLEXTERNREF);

    is_type! {
        is_i32 I32;
        is_i64 I64;
        is_f32 F32;
        is_f64 F64;
        is_v128 V128;
    }

    /// Is it a number: `i32`, `i64`, `f32` or `f64`?
    pub fn is_num(&self) -> bool {
        matches!(self, ValType::I32 | ValType::I64 | ValType::F32 | ValType::F64)
    }

    /// Is it a reference type?
    pub fn is_ref(&self) -> bool {
        matches!(self, ValType::Ref(_))
    }

    /// Is it `funcref`?
    pub fn is_funcref(&self) -> bool {
        *self == ValType::FUNCREF
    }

    /// Is it `externref`?
    pub fn is_externref(&self) -> bool {
        *self == ValType::EXTERNREF
    }

    /// The reference type, if it is one.
    pub fn as_ref(&self) -> Option<&RefType> {
        if let ValType::Ref(ty) = self { Some(ty) } else { None }
    }

    /// The reference type.
    ///
    /// # Panics
    /// If it is none.
    pub fn unwrap_ref(&self) -> &RefType {
        self.as_ref().expect("not a reference type")
    }

    /// Is every value of this type one of `other`?
    ///
    /// # Panics
    /// When both name function types, of different engines.
    pub fn matches(&self, other: &ValType) -> bool {
        match (self, other) {
            (ValType::Ref(own), ValType::Ref(other)) => own.matches(other),
            _ => self == other,
        }
    }

    /// Zero or null, if the type has it.
    pub fn default_value(&self) -> Option<Val> {
        Val::default_for_ty(self)
    }

    /// From a type with canonical indices.
    pub(crate) fn from_wasm(engine: &Engine, ty: language::ValType) -> ValType {
        match ty {
            language::ValType::I32 => ValType::I32,
            language::ValType::I64 => ValType::I64,
            language::ValType::F32 => ValType::F32,
            language::ValType::F64 => ValType::F64,
            language::ValType::V128 => ValType::V128,
            language::ValType::Ref(ty) => ValType::Ref(RefType::from_wasm(engine, ty)),
        }
    }

    /// With canonical indices, which are good as long as `self`.
    pub(crate) fn to_wasm(&self) -> language::ValType {
        match self {
            ValType::I32 => language::ValType::I32,
            ValType::I64 => language::ValType::I64,
            ValType::F32 => language::ValType::F32,
            ValType::F64 => language::ValType::F64,
            ValType::V128 => language::ValType::V128,
            ValType::Ref(ty) => language::ValType::Ref(ty.to_wasm()),
        }
    }
}

impl fmt::Display for ValType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ValType::Ref(ty) => ty.fmt(f),
            number => number.to_wasm().fmt(f),
        }
    }
}

impl From<RefType> for ValType {
    fn from(ty: RefType) -> ValType {
        ValType::Ref(ty)
    }
}

/// The type of a reference: what it refers to, and whether it may be null.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct RefType {
    nullable: bool,
    heap: HeapType,
}

impl RefType {
    /// `funcref`, that is `(ref null func)`.
    pub const FUNCREF: RefType = RefType { nullable: true, heap: HeapType::Func };
    /// `nullfuncref`, that is `(ref null nofunc)`.
    pub const NULLFUNCREF: RefType = RefType { nullable: true, heap: HeapType::NoFunc };
    /// `externref`, that is `(ref null extern)`.
    pub const EXTERNREF: RefType = RefType { nullable: true, heap: HeapType::Extern };
    /// `nullexternref`, that is `(ref null noextern)`.
    pub const NULLEXTERNREF: RefType = RefType { nullable: true, heap: HeapType::NoExtern };

    /// The type of references to `heap`, null included or not.
    pub fn new(nullable: bool, heap: HeapType) -> RefType {
        RefType { nullable, heap }
    }

    /// Does null belong to it?
    pub fn is_nullable(&self) -> bool {
        self.nullable
    }

    /// What a reference that is not null refers to.
    pub fn heap_type(&self) -> &HeapType {
        &self.heap
    }

    /// Is every reference of this type one of `other`?
    ///
    /// # Panics
    /// When both name function types, of different engines.
    pub fn matches(&self, other: &RefType) -> bool {
        (other.nullable || !self.nullable) && self.heap.matches(&other.heap)
    }

    pub(crate) fn from_wasm(engine: &Engine, ty: language::RefType) -> RefType {
        RefType { nullable: ty.nullable, heap: HeapType::from_wasm(engine, ty.heap) }
    }

    pub(crate) fn to_wasm(&self) -> language::RefType {
        language::RefType { nullable: self.nullable, heap: self.heap.to_wasm() }
    }
}

impl fmt::Display for RefType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.heap {
            HeapType::ConcreteFunc(_) if self.nullable => write!(f, "(ref null {})", self.heap),
            HeapType::ConcreteFunc(_) => write!(f, "(ref {})", self.heap),
            _ => self.to_wasm().fmt(f),
        }
    }
}

/// What a reference refers to.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum HeapType {
    /// A value of the host.
    Extern,
    /// Nothing: below `Extern`.
    NoExtern,
    /// A function of any type.
    Func,
    /// A function of this type.
    ConcreteFunc(FuncType),
    /// Nothing: below all functions.
    NoFunc,
    /// Any internal value.
    Any,
    /// Any internal value that can be compared.
    Eq,
    /// A 31-bit integer.
    I31,
    /// A struct.
    Struct,
    /// An array.
    Array,
    /// Nothing: below all internal values.
    None,
    /// An exception.
    Exn,
    /// Nothing: below all exceptions.
    NoExn,
}

impl HeapType {
    /// Is it `HeapType::Extern`?
    pub fn is_extern(&self) -> bool {
        matches!(self, HeapType::Extern)
    }

    /// Is it `HeapType::Func`?
    pub fn is_func(&self) -> bool {
        matches!(self, HeapType::Func)
    }

    /// Is it `HeapType::NoFunc`?
    pub fn is_no_func(&self) -> bool {
        matches!(self, HeapType::NoFunc)
    }

    /// Does it name a type that a module or the host defined?
    pub fn is_concrete(&self) -> bool {
        self.as_concrete_func().is_some()
    }

    /// The function type that it names, if it does.
    pub fn as_concrete_func(&self) -> Option<&FuncType> {
        if let HeapType::ConcreteFunc(ty) = self { Some(ty) } else { None }
    }

    /// The top of its hierarchy.
    pub fn top(&self) -> HeapType {
        match self {
            HeapType::Extern | HeapType::NoExtern => HeapType::Extern,
            HeapType::Func | HeapType::ConcreteFunc(_) | HeapType::NoFunc => HeapType::Func,
            HeapType::Exn | HeapType::NoExn => HeapType::Exn,
            HeapType::Any | HeapType::Eq | HeapType::I31 | HeapType::Struct | HeapType::Array | HeapType::None => {
                HeapType::Any
            }
        }
    }

    /// Panics if it names a function type of another engine, whose index would mean something else in this one.
    pub(crate) fn assert_of_engine(&self, engine: &Engine) {
        let named = self.as_concrete_func();
        assert!(named.is_none_or(|ty| ty.engine().same(engine)), "{}", panics::TYPE_OF_ANOTHER_ENGINE);
    }

    /// Is everything of this type one of `other`?
    ///
    /// # Panics
    /// When both name function types, of different engines.
    pub fn matches(&self, other: &HeapType) -> bool {
        let reference = |heap: &HeapType| language::RefType { nullable: true, heap: heap.to_wasm() };
        let matches = |types: &TypeRegistry| types.ref_type_matches(reference(self), reference(other));
        match (self.as_concrete_func(), other.as_concrete_func()) {
            (Some(own), Some(other)) => own.matches(other),
            (Some(ty), None) | (None, Some(ty)) => matches(ty.engine().inner.types()),
            (None, None) => matches(&TypeRegistry::new()),
        }
    }

    fn from_wasm(engine: &Engine, heap: language::HeapType) -> HeapType {
        match heap {
            language::HeapType::Func => HeapType::Func,
            language::HeapType::Extern => HeapType::Extern,
            language::HeapType::Any => HeapType::Any,
            language::HeapType::Eq => HeapType::Eq,
            language::HeapType::I31 => HeapType::I31,
            language::HeapType::Struct => HeapType::Struct,
            language::HeapType::Array => HeapType::Array,
            language::HeapType::None => HeapType::None,
            language::HeapType::NoFunc => HeapType::NoFunc,
            language::HeapType::NoExtern => HeapType::NoExtern,
            language::HeapType::Exn => HeapType::Exn,
            language::HeapType::NoExn => HeapType::NoExn,
            language::HeapType::Concrete(index) => {
                let ty = engine.inner.types().get_func_type(language::CanonicalTypeIndex(index.0));
                // Structs and arrays come with garbage collection; until then modules that define them are refused.
                ty.map_or(HeapType::Any, |ty| HeapType::ConcreteFunc(FuncType::from_wasm(engine, &ty)))
            }
        }
    }

    fn to_wasm(&self) -> language::HeapType {
        match self {
            HeapType::Func => language::HeapType::Func,
            HeapType::Extern => language::HeapType::Extern,
            HeapType::Any => language::HeapType::Any,
            HeapType::Eq => language::HeapType::Eq,
            HeapType::I31 => language::HeapType::I31,
            HeapType::Struct => language::HeapType::Struct,
            HeapType::Array => language::HeapType::Array,
            HeapType::None => language::HeapType::None,
            HeapType::NoFunc => language::HeapType::NoFunc,
            HeapType::NoExtern => language::HeapType::NoExtern,
            HeapType::Exn => language::HeapType::Exn,
            HeapType::NoExn => language::HeapType::NoExn,
            HeapType::ConcreteFunc(ty) => language::HeapType::Concrete(TypeIndex(ty.type_id().0)),
        }
    }
}

impl fmt::Display for HeapType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HeapType::ConcreteFunc(ty) => write!(f, "(func {ty})"),
            abstract_type => abstract_type.to_wasm().fmt(f),
        }
    }
}

impl From<FuncType> for HeapType {
    fn from(ty: FuncType) -> HeapType {
        HeapType::ConcreteFunc(ty)
    }
}
