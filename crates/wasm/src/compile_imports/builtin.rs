//! The builtins, as a table: names and types, by set.
//!
//! Source: the WebAssembly JavaScript Interface, section "String Builtins", and the proposal `js-string-builtins`. The
//! two differ in the result of `fromCodePoint`, which is `(ref extern)` here, as in the proposal and in every engine.

use std::fmt;

use crate::module::ModuleInfo;
use crate::types::{CompositeType, HeapType, RefType, StorageType, SubType, TypeIndex, ValType};

/// A set of builtins, which a compilation can switch on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum BuiltinSet {
    /// `js-string`: operations on the strings of JavaScript.
    JsString,
}

impl BuiltinSet {
    /// Every set.
    pub const ALL: &'static [BuiltinSet] = &[BuiltinSet::JsString];

    /// The name by which it is switched on.
    pub fn name(self) -> &'static str {
        match self {
            BuiltinSet::JsString => "js-string",
        }
    }

    /// The module name under which its builtins are imported.
    pub fn module(self) -> &'static str {
        match self {
            BuiltinSet::JsString => "wasm:js-string",
        }
    }

    /// The set of this name; `None` when there is none, which the JavaScript interface says is to be ignored.
    pub fn from_name(name: &str) -> Option<BuiltinSet> {
        BuiltinSet::ALL.iter().copied().find(|set| set.name() == name)
    }
}

/// A type in a builtin's signature.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BuiltinType {
    /// `i32`.
    I32,
    /// `externref`: a string, if all is well.
    Extern,
    /// `(ref extern)`.
    NonNullExtern,
    /// A nullable reference to a mutable array of `i16` whose type is a recursion group of its own.
    CharCodes,
}

macro_rules! builtins {
    ($($variant:ident $set:ident $name:literal ($($param:ident)*) -> $result:ident;)*) => {
        /// A function that a set of builtins provides.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[non_exhaustive]
        pub enum Builtin {
            $( #[doc = concat!("`", $name, "`.")] $variant, )*
        }

        impl Builtin {
            /// Every builtin of every set.
            pub const ALL: &'static [Builtin] = &[$( Builtin::$variant, )*];

            /// The set it belongs to.
            pub fn set(self) -> BuiltinSet {
                match self { $( Builtin::$variant => BuiltinSet::$set, )* }
            }

            /// The name under which it is imported.
            pub fn name(self) -> &'static str {
                match self { $( Builtin::$variant => $name, )* }
            }

            /// What it takes.
            pub fn params(self) -> &'static [BuiltinType] {
                match self { $( Builtin::$variant => &[$( BuiltinType::$param ),*], )* }
            }

            /// What it gives.
            pub fn result(self) -> BuiltinType {
                match self { $( Builtin::$variant => BuiltinType::$result, )* }
            }
        }
    };
}

builtins! {
    Cast JsString "cast" (Extern) -> NonNullExtern;
    Test JsString "test" (Extern) -> I32;
    FromCharCodeArray JsString "fromCharCodeArray" (CharCodes I32 I32) -> NonNullExtern;
    IntoCharCodeArray JsString "intoCharCodeArray" (Extern CharCodes I32) -> I32;
    FromCharCode JsString "fromCharCode" (I32) -> NonNullExtern;
    FromCodePoint JsString "fromCodePoint" (I32) -> NonNullExtern;
    CharCodeAt JsString "charCodeAt" (Extern I32) -> I32;
    CodePointAt JsString "codePointAt" (Extern I32) -> I32;
    Length JsString "length" (Extern) -> I32;
    Concat JsString "concat" (Extern Extern) -> NonNullExtern;
    Substring JsString "substring" (Extern I32 I32) -> NonNullExtern;
    Equals JsString "equals" (Extern Extern) -> I32;
    Compare JsString "compare" (Extern Extern) -> I32;
}

impl Builtin {
    /// The builtin that the sets accepted by `enabled` provide under a module and field name.
    pub fn find(enabled: impl Fn(BuiltinSet) -> bool, module: &str, name: &str) -> Option<Builtin> {
        // Most module names are of no set: they are told apart first.
        let set = BuiltinSet::ALL.iter().copied().find(|set| set.module() == module)?;
        if !enabled(set) {
            return None;
        }
        Builtin::ALL.iter().copied().find(|builtin| builtin.set() == set && builtin.name() == name)
    }

    /// Is a module's type the type of this builtin? Function types of builtins are final and stand alone in their
    /// recursion groups, so nothing but an equal type matches.
    pub fn has_type(self, info: &ModuleInfo, ty: TypeIndex) -> bool {
        let Some(CompositeType::Func(func)) = lone_final(info, ty).map(|ty| &ty.composite) else { return false };
        let params = self.params();
        func.params().len() == params.len()
            && func.params().iter().zip(params).all(|(&ty, builtin)| builtin.is(info, ty))
            && matches!(func.results(), [result] if self.result().is(info, *result))
    }
}

impl BuiltinType {
    fn is(self, info: &ModuleInfo, ty: ValType) -> bool {
        match self {
            BuiltinType::I32 => ty == ValType::I32,
            BuiltinType::Extern => ty == ValType::EXTERNREF,
            BuiltinType::NonNullExtern => ty == ValType::Ref(RefType { nullable: false, heap: HeapType::Extern }),
            BuiltinType::CharCodes => match ty {
                ValType::Ref(RefType { nullable: true, heap: HeapType::Concrete(array) }) => is_char_codes(info, array),
                _ => false,
            },
        }
    }
}

fn is_char_codes(info: &ModuleInfo, ty: TypeIndex) -> bool {
    let Some(CompositeType::Array(array)) = lone_final(info, ty).map(|ty| &ty.composite) else { return false };
    array.element.storage == StorageType::I16 && array.element.mutable
}

/// A type that is final, without a supertype, and alone in its recursion group: as if declared outside of any.
fn lone_final(info: &ModuleInfo, ty: TypeIndex) -> Option<&SubType> {
    let sub = info.types.get(ty.index())?;
    let behind = info.rec_groups.partition_point(|group| group.first <= ty);
    // Empty groups may begin at the same type: the one that holds it is the last.
    let group = info.rec_groups.get(behind.checked_sub(1)?)?;
    (sub.is_final && sub.supertype.is_none() && group.first == ty && group.len == 1).then_some(sub)
}

impl fmt::Display for BuiltinType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BuiltinType::I32 => "i32",
            BuiltinType::Extern => "externref",
            BuiltinType::NonNullExtern => "(ref extern)",
            BuiltinType::CharCodes => "(ref null (array (mut i16)))",
        })
    }
}

/// The type, as [`FuncType`](crate::types::FuncType) shows types.
impl fmt::Display for Builtin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(")?;
        for (position, param) in self.params().iter().enumerate() {
            if position > 0 {
                f.write_str(", ")?;
            }
            param.fmt(f)?;
        }
        write!(f, ") -> ({})", self.result())
    }
}
