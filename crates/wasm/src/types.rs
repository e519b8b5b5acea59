//! The types of the language: index spaces, value types, composite types and external types.

use std::fmt;

use crate::heap;

mod index;
pub mod words;

pub use index::{
    CanonicalTypeIndex, DataIndex, DefinedFuncIndex, DefinedGlobalIndex, DefinedMemoryIndex, DefinedTableIndex,
    ElemIndex, FuncIndex, GlobalIndex, LocalIndex, MemoryIndex, TableIndex, TagIndex, TypeIndex,
};

/// The type of one value: of a parameter, a result, a local, a global or an operand.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
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

impl ValType {
    /// `funcref`.
    pub const FUNCREF: ValType = ValType::Ref(RefType::FUNCREF);
    /// `externref`.
    pub const EXTERNREF: ValType = ValType::Ref(RefType::EXTERNREF);

    /// True for `i32`, `i64`, `f32`, `f64` and `v128`.
    pub fn is_numeric_or_vector(self) -> bool {
        !matches!(self, ValType::Ref(_))
    }

    /// True for every reference type.
    pub fn is_ref(self) -> bool {
        matches!(self, ValType::Ref(_))
    }

    /// True when a local of this type has a default value (zero or null).
    pub fn is_defaultable(self) -> bool {
        match self {
            ValType::Ref(r) => r.nullable,
            _ => true,
        }
    }
}

/// The type of a reference.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct RefType {
    /// Whether null belongs to the type.
    pub nullable: bool,
    /// What a non-null value refers to.
    pub heap: HeapType,
}

impl RefType {
    /// `funcref`, that is `(ref null func)`.
    pub const FUNCREF: RefType = RefType { nullable: true, heap: HeapType::Func };
    /// `externref`, that is `(ref null extern)`.
    pub const EXTERNREF: RefType = RefType { nullable: true, heap: HeapType::Extern };
}

/// What a reference points at.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum HeapType {
    /// Any function.
    Func,
    /// Any host value.
    Extern,
    /// Any internal value.
    Any,
    /// Any internal value that can be compared.
    Eq,
    /// A 31-bit integer.
    I31,
    /// Any struct.
    Struct,
    /// Any array.
    Array,
    /// The bottom of the internal hierarchy.
    None,
    /// The bottom of the function hierarchy.
    NoFunc,
    /// The bottom of the external hierarchy.
    NoExtern,
    /// Any exception.
    Exn,
    /// The bottom of the exception hierarchy.
    NoExn,
    /// A defined type, by its index in the module (in canonical types: by its canonical index).
    Concrete(TypeIndex),
}

/// The type of a function: what it takes and what it gives.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct FuncType {
    params: Box<[ValType]>,
    results: Box<[ValType]>,
}

impl FuncType {
    /// Makes a function type.
    pub fn new(params: impl Into<Box<[ValType]>>, results: impl Into<Box<[ValType]>>) -> FuncType {
        FuncType { params: params.into(), results: results.into() }
    }

    /// The types of the parameters, first to last.
    pub fn params(&self) -> &[ValType] {
        &self.params
    }

    /// The types of the results, first to last.
    pub fn results(&self) -> &[ValType] {
        &self.results
    }

    /// What it owns takes, in bytes.
    pub fn heap_bytes(&self) -> usize {
        heap::slice(&self.params) + heap::slice(&self.results)
    }
}

/// How a field is stored.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum StorageType {
    /// An 8-bit integer.
    I8,
    /// A 16-bit integer.
    I16,
    /// A whole value.
    Val(ValType),
}

/// One field of a struct, or the element of an array.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct FieldType {
    /// How it is stored.
    pub storage: StorageType,
    /// Whether it can be written after creation.
    pub mutable: bool,
}

/// The type of a struct.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct StructType {
    /// The fields, in order.
    pub fields: Box<[FieldType]>,
}

/// The type of an array.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ArrayType {
    /// The element.
    pub element: FieldType,
}

/// The structure of a defined type.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum CompositeType {
    /// A function.
    Func(FuncType),
    /// A struct.
    Struct(StructType),
    /// An array.
    Array(ArrayType),
}

/// A defined type with its place in the subtype hierarchy.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct SubType {
    /// A final type has no subtypes.
    pub is_final: bool,
    /// The declared supertype; Wasm 3.0 allows at most one.
    pub supertype: Option<TypeIndex>,
    /// What the type is.
    pub composite: CompositeType,
}

impl SubType {
    /// A final type without a supertype: what a plain `(type (func ..))` declares.
    pub fn final_func(ty: FuncType) -> SubType {
        SubType { is_final: true, supertype: None, composite: CompositeType::Func(ty) }
    }

    /// What it owns takes, in bytes.
    pub fn heap_bytes(&self) -> usize {
        match &self.composite {
            CompositeType::Func(ty) => ty.heap_bytes(),
            CompositeType::Struct(ty) => heap::slice(&ty.fields),
            CompositeType::Array(_) => 0,
        }
    }

    /// The function type, if this is one.
    pub fn as_func(&self) -> Option<&FuncType> {
        match &self.composite {
            CompositeType::Func(ty) => Some(ty),
            CompositeType::Struct(_) | CompositeType::Array(_) => None,
        }
    }
}

/// A recursion group: types that may refer to one another.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct RecGroup {
    /// The first type of the group.
    pub first: TypeIndex,
    /// How many types it has; zero is allowed.
    pub len: u32,
}

impl RecGroup {
    /// The positions of the group in `ModuleInfo::types`.
    pub fn range(&self) -> std::ops::Range<usize> {
        self.first.index()..self.first.index() + self.len as usize
    }
}

/// Bounds of a memory or table as an import may ask for them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Limits64 {
    /// At least this many.
    pub min: u64,
    /// At most this many.
    pub max: Option<u64>,
}

impl Limits64 {
    /// Whether something with these limits (and `size` now) can be given where `wanted` is asked
    /// for: spec, "Import matching".
    pub fn matches(&self, wanted: &Limits64) -> bool {
        self.min >= wanted.min
            && match (self.max, wanted.max) {
                (_, None) => true,
                (Some(have), Some(want)) => have <= want,
                (None, Some(_)) => false,
            }
    }
}

/// The type of a table.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct TableType {
    /// What its elements are.
    pub element: RefType,
    /// Whether it is indexed by `i64`.
    pub index64: bool,
    /// Elements at creation.
    pub min: u64,
    /// Most elements it may grow to.
    pub max: Option<u64>,
}

impl TableType {
    /// The bounds, in elements.
    pub fn limits(&self) -> Limits64 {
        Limits64 { min: self.min, max: self.max }
    }

    /// The type of an index into the table.
    pub fn index_type(&self) -> ValType {
        if self.index64 { ValType::I64 } else { ValType::I32 }
    }
}

/// The type of a linear memory.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct MemoryType {
    /// Whether it is indexed by `i64`.
    pub index64: bool,
    /// Whether threads can share it.
    pub shared: bool,
    /// Pages at creation.
    pub min: u64,
    /// Most pages it may grow to.
    pub max: Option<u64>,
    /// Size of a page in bytes as a power of two: 16, or 0 with custom page sizes.
    pub page_size_log2: u8,
}

impl MemoryType {
    /// The page size everyone has: 64 KiB.
    pub const DEFAULT_PAGE_SIZE_LOG2: u8 = 16;

    /// Bytes of a page.
    pub fn page_size(&self) -> u64 {
        1u64 << (self.page_size_log2 & 63)
    }

    /// Bytes at creation; `None` when they do not fit 64 bits.
    pub fn min_bytes(&self) -> Option<u64> {
        self.min.checked_mul(self.page_size())
    }

    /// The declared maximum in bytes, saturated at `u64::MAX`; `None` when there is none.
    pub fn max_bytes(&self) -> Option<u64> {
        self.max.map(|pages| pages.saturating_mul(self.page_size()))
    }

    /// The bounds, in pages.
    pub fn limits(&self) -> Limits64 {
        Limits64 { min: self.min, max: self.max }
    }

    /// The type of an address.
    pub fn index_type(&self) -> ValType {
        if self.index64 { ValType::I64 } else { ValType::I32 }
    }
}

/// The type of a global.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct GlobalType {
    /// What it holds.
    pub content: ValType,
    /// Whether it can be written.
    pub mutable: bool,
}

/// What a module asks for or gives away.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ExternType {
    /// A function of this type.
    Func(TypeIndex),
    /// A table.
    Table(TableType),
    /// A memory.
    Memory(MemoryType),
    /// A global.
    Global(GlobalType),
    /// A tag of this function type.
    Tag(TypeIndex),
}

/// An entity of a module, in the index space of its kind.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ExternIndex {
    /// A function.
    Func(FuncIndex),
    /// A table.
    Table(TableIndex),
    /// A memory.
    Memory(MemoryIndex),
    /// A global.
    Global(GlobalIndex),
    /// A tag.
    Tag(TagIndex),
}

impl fmt::Display for ValType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ValType::I32 => f.write_str("i32"),
            ValType::I64 => f.write_str("i64"),
            ValType::F32 => f.write_str("f32"),
            ValType::F64 => f.write_str("f64"),
            ValType::V128 => f.write_str("v128"),
            ValType::Ref(r) => r.fmt(f),
        }
    }
}

impl HeapType {
    /// The abbreviation of `(ref null HEAP)`, for the abstract heap types.
    fn shorthand(self) -> Option<&'static str> {
        Some(match self {
            HeapType::Func => "funcref",
            HeapType::Extern => "externref",
            HeapType::Any => "anyref",
            HeapType::Eq => "eqref",
            HeapType::I31 => "i31ref",
            HeapType::Struct => "structref",
            HeapType::Array => "arrayref",
            HeapType::None => "nullref",
            HeapType::NoFunc => "nullfuncref",
            HeapType::NoExtern => "nullexternref",
            HeapType::Exn => "exnref",
            HeapType::NoExn => "nullexnref",
            HeapType::Concrete(_) => return None,
        })
    }
}

impl fmt::Display for RefType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.heap.shorthand() {
            Some(short) if self.nullable => f.write_str(short),
            _ if self.nullable => write!(f, "(ref null {})", self.heap),
            _ => write!(f, "(ref {})", self.heap),
        }
    }
}

impl fmt::Display for HeapType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            HeapType::Func => "func",
            HeapType::Extern => "extern",
            HeapType::Any => "any",
            HeapType::Eq => "eq",
            HeapType::I31 => "i31",
            HeapType::Struct => "struct",
            HeapType::Array => "array",
            HeapType::None => "none",
            HeapType::NoFunc => "nofunc",
            HeapType::NoExtern => "noextern",
            HeapType::Exn => "exn",
            HeapType::NoExn => "noexn",
            HeapType::Concrete(index) => return write!(f, "{}", index.0),
        })
    }
}

fn write_list(f: &mut fmt::Formatter<'_>, types: &[ValType]) -> fmt::Result {
    f.write_str("(")?;
    for (i, ty) in types.iter().enumerate() {
        if i > 0 {
            f.write_str(", ")?;
        }
        write!(f, "{ty}")?;
    }
    f.write_str(")")
}

impl fmt::Display for FuncType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_list(f, &self.params)?;
        f.write_str(" -> ")?;
        write_list(f, &self.results)
    }
}

impl fmt::Display for Limits64 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.max {
            Some(max) => write!(f, "{} {max}", self.min),
            None => write!(f, "{}", self.min),
        }
    }
}

impl fmt::Display for TableType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let index = if self.index64 { "i64 " } else { "" };
        write!(f, "(table {index}{} {})", self.limits(), self.element)
    }
}

impl fmt::Display for MemoryType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let index = if self.index64 { "i64 " } else { "" };
        let shared = if self.shared { " shared" } else { "" };
        write!(f, "(memory {index}{}{shared}", self.limits())?;
        if self.page_size_log2 != MemoryType::DEFAULT_PAGE_SIZE_LOG2 {
            write!(f, " (pagesize {:#x})", self.page_size())?;
        }
        f.write_str(")")
    }
}

impl fmt::Display for GlobalType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.mutable { write!(f, "(global (mut {}))", self.content) } else { write!(f, "(global {})", self.content) }
    }
}

impl fmt::Display for ExternType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ExternType::Func(ty) => write!(f, "(func (type {}))", ty.0),
            ExternType::Table(ty) => ty.fmt(f),
            ExternType::Memory(ty) => ty.fmt(f),
            ExternType::Global(ty) => ty.fmt(f),
            ExternType::Tag(ty) => write!(f, "(tag (type {}))", ty.0),
        }
    }
}

#[cfg(test)]
mod tests;
