//! Types of what modules import and export.

use std::fmt;

use engine::module::NativeModule;
use wasm::compile_imports::CompileTimeImport;
use wasm::types as language;

use super::{FuncType, RefType, ValType};
use crate::engine::Engine;
use crate::error::Result;
use crate::error::messages::usage;

/// Whether a global can be written.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Mutability {
    /// It cannot.
    Const,
    /// It can.
    Var,
}

impl Mutability {
    /// Is it `Mutability::Const`?
    pub fn is_const(&self) -> bool {
        *self == Mutability::Const
    }

    /// Is it `Mutability::Var`?
    pub fn is_var(&self) -> bool {
        *self == Mutability::Var
    }
}

/// The type of a global.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct GlobalType {
    content: ValType,
    mutability: Mutability,
}

impl GlobalType {
    /// The type of globals with this content.
    pub fn new(content: ValType, mutability: Mutability) -> GlobalType {
        GlobalType { content, mutability }
    }

    /// The type of the value.
    pub fn content(&self) -> &ValType {
        &self.content
    }

    /// Can it be written?
    pub fn mutability(&self) -> Mutability {
        self.mutability
    }

    /// From a type with canonical indices.
    pub(crate) fn from_wasm(engine: &Engine, ty: language::GlobalType) -> GlobalType {
        let mutability = if ty.mutable { Mutability::Var } else { Mutability::Const };
        GlobalType { content: ValType::from_wasm(engine, ty.content), mutability }
    }

    pub(crate) fn to_wasm(&self) -> language::GlobalType {
        language::GlobalType { content: self.content.to_wasm(), mutable: self.mutability.is_var() }
    }
}

impl fmt::Display for GlobalType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mutability {
            Mutability::Const => write!(f, "(global {})", self.content),
            Mutability::Var => write!(f, "(global (mut {}))", self.content),
        }
    }
}

/// The type of a table: what it holds, and how large it is, in elements.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct TableType {
    element: RefType,
    index64: bool,
    min: u64,
    max: Option<u64>,
}

impl TableType {
    /// The type of tables indexed by `i32`, of `min` elements at first and `max` at most.
    pub fn new(element: RefType, min: u32, max: Option<u32>) -> TableType {
        TableType { element, index64: false, min: min.into(), max: max.map(Into::into) }
    }

    /// The type of tables indexed by `i64`.
    pub fn new64(element: RefType, min: u64, max: Option<u64>) -> TableType {
        TableType { element, index64: true, min, max }
    }

    /// Is the table indexed by `i64`?
    pub fn is_64(&self) -> bool {
        self.index64
    }

    /// The type of the elements.
    pub fn element(&self) -> &RefType {
        &self.element
    }

    /// Elements at first.
    pub fn minimum(&self) -> u64 {
        self.min
    }

    /// Elements at most.
    pub fn maximum(&self) -> Option<u64> {
        self.max
    }

    /// From a type with canonical indices.
    pub(crate) fn from_wasm(engine: &Engine, ty: language::TableType) -> TableType {
        let language::TableType { element, index64, min, max } = ty;
        TableType { element: RefType::from_wasm(engine, element), index64, min, max }
    }

    pub(crate) fn to_wasm(&self) -> language::TableType {
        let TableType { element, index64, min, max } = self;
        language::TableType { element: element.to_wasm(), index64: *index64, min: *min, max: *max }
    }
}

impl fmt::Display for TableType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let index = if self.index64 { "i64 " } else { "" };
        let limits = language::Limits64 { min: self.min, max: self.max };
        write!(f, "(table {index}{limits} {})", self.element)
    }
}

/// The type of a linear memory: how large it is, in pages.
///
/// ```
/// use upshift::MemoryType;
///
/// let ty = MemoryType::new(1, Some(4));
/// assert_eq!((ty.minimum(), ty.maximum(), ty.page_size()), (1, Some(4), 65536));
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct MemoryType(language::MemoryType);

impl MemoryType {
    /// The type of memories addressed by `i32`, of `minimum` pages of 64 KiB at first and `maximum` at most.
    ///
    /// # Panics
    /// When the maximum is less than the minimum or more than 65,536, or the minimum is.
    pub fn new(minimum: u32, maximum: Option<u32>) -> MemoryType {
        let ty = MemoryType::builder().min(minimum.into()).max(maximum.map(Into::into)).build();
        ty.expect("limits of a memory type")
    }

    /// The type of memories addressed by `i64`.
    ///
    /// # Panics
    /// When the maximum is less than the minimum or more than 2^48, or the minimum is.
    pub fn new64(minimum: u64, maximum: Option<u64>) -> MemoryType {
        let ty = MemoryType::builder().memory64(true).min(minimum).max(maximum).build();
        ty.expect("limits of a memory type")
    }

    /// For a type with all options.
    pub fn builder() -> MemoryTypeBuilder {
        MemoryTypeBuilder::new()
    }

    /// Is the memory addressed by `i64`?
    pub fn is_64(&self) -> bool {
        self.0.index64
    }

    /// Can threads share the memory?
    pub fn is_shared(&self) -> bool {
        self.0.shared
    }

    /// Pages at first.
    pub fn minimum(&self) -> u64 {
        self.0.min
    }

    /// Pages at most.
    pub fn maximum(&self) -> Option<u64> {
        self.0.max
    }

    /// Bytes of a page.
    pub fn page_size(&self) -> u64 {
        self.0.page_size()
    }

    /// Bytes of a page, as a power of two.
    pub fn page_size_log2(&self) -> u8 {
        self.0.page_size_log2
    }

    pub(crate) fn from_wasm(ty: language::MemoryType) -> MemoryType {
        MemoryType(ty)
    }

    pub(crate) fn to_wasm(&self) -> language::MemoryType {
        self.0
    }
}

impl fmt::Display for MemoryType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Makes a [`MemoryType`]. It starts as the type of a memory without pages or maximum, addressed by `i32`.
#[derive(Clone, Debug)]
pub struct MemoryTypeBuilder(language::MemoryType);

impl Default for MemoryTypeBuilder {
    fn default() -> MemoryTypeBuilder {
        MemoryTypeBuilder(language::MemoryType {
            index64: false,
            shared: false,
            min: 0,
            max: None,
            page_size_log2: language::MemoryType::DEFAULT_PAGE_SIZE_LOG2,
        })
    }
}

impl MemoryTypeBuilder {
    /// A builder of the type `(memory 0)`.
    pub fn new() -> MemoryTypeBuilder {
        MemoryTypeBuilder::default()
    }

    /// Pages at first.
    pub fn min(&mut self, minimum: u64) -> &mut MemoryTypeBuilder {
        self.0.min = minimum;
        self
    }

    /// Pages at most.
    pub fn max(&mut self, maximum: Option<u64>) -> &mut MemoryTypeBuilder {
        self.0.max = maximum;
        self
    }

    /// Is the memory addressed by `i64`?
    pub fn memory64(&mut self, memory64: bool) -> &mut MemoryTypeBuilder {
        self.0.index64 = memory64;
        self
    }

    /// Bytes of a page, as a power of two: 16, or 0 for pages of one byte.
    pub fn page_size_log2(&mut self, page_size_log2: u8) -> &mut MemoryTypeBuilder {
        self.0.page_size_log2 = page_size_log2;
        self
    }

    /// The type.
    ///
    /// # Errors
    /// When the limits are not in order or out of range, or there is no such page size.
    pub fn build(&self) -> Result<MemoryType> {
        let ty = self.0;
        crate::ensure!(
            ty.page_size_log2 == 0 || ty.page_size_log2 == language::MemoryType::DEFAULT_PAGE_SIZE_LOG2,
            usage::page_size(ty.page_size_log2)
        );
        let bits = if ty.index64 { 64 } else { 32 };
        let most = 1u64.checked_shl(bits - u32::from(ty.page_size_log2)).unwrap_or(u64::MAX);
        crate::ensure!(ty.min.max(ty.max.unwrap_or(0)) <= most, usage::memory_type_limit(bits, most));
        crate::ensure!(ty.max.is_none_or(|max| ty.min <= max), usage::memory_type_order());
        Ok(MemoryType(ty))
    }
}

/// The type of an item that modules import or export.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum ExternType {
    /// A function.
    Func(FuncType),
    /// A global.
    Global(GlobalType),
    /// A table.
    Table(TableType),
    /// A memory.
    Memory(MemoryType),
}

macro_rules! kinds {
    ($($get:ident $unwrap:ident $variant:ident $ty:ident;)*) => {
        impl ExternType {
            $(
                #[doc = concat!("The [`", stringify!($ty), "`], if it is one.")]
                pub fn $get(&self) -> Option<&$ty> {
                    if let ExternType::$variant(ty) = self { Some(ty) } else { None }
                }

                #[doc = concat!("The [`", stringify!($ty), "`].\n\n# Panics\nIf it is none.")]
                pub fn $unwrap(&self) -> &$ty {
                    self.$get().expect(concat!("not a ", stringify!($ty)))
                }
            )*
        }

        $(
            impl From<$ty> for ExternType {
                fn from(ty: $ty) -> ExternType {
                    ExternType::$variant(ty)
                }
            }
        )*
    };
}

kinds! {
    func unwrap_func Func FuncType;
    global unwrap_global Global GlobalType;
    table unwrap_table Table TableType;
    memory unwrap_memory Memory MemoryType;
}

impl ExternType {
    /// From a type of a module. None for a tag: modules with tags are refused, as exceptions are not supported.
    pub(crate) fn of_module(engine: &Engine, module: &NativeModule, ty: language::ExternType) -> Option<ExternType> {
        let types = module.types();
        Some(match ty {
            language::ExternType::Func(index) => {
                let ty = types.registry().func_type(types.id(index));
                ExternType::Func(FuncType::from_wasm(engine, &ty))
            }
            language::ExternType::Table(ty) => {
                let element = types.canonical_ref_type(ty.element);
                ExternType::Table(TableType::from_wasm(engine, language::TableType { element, ..ty }))
            }
            language::ExternType::Memory(ty) => ExternType::Memory(MemoryType::from_wasm(ty)),
            language::ExternType::Global(ty) => {
                let content = types.canonical_val_type(ty.content);
                ExternType::Global(GlobalType::from_wasm(engine, language::GlobalType { content, ..ty }))
            }
            language::ExternType::Tag(_) => return None,
        })
    }
}

impl fmt::Display for ExternType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ExternType::Func(ty) => write!(f, "function {ty}"),
            ExternType::Global(ty) => ty.fmt(f),
            ExternType::Table(ty) => ty.fmt(f),
            ExternType::Memory(ty) => ty.fmt(f),
        }
    }
}

/// An import of a module.
#[derive(Clone, Debug)]
pub struct ImportType<'module> {
    module: &'module str,
    name: &'module str,
    ty: ExternType,
    answer: Option<CompileTimeImport>,
}

impl<'module> ImportType<'module> {
    pub(crate) fn new(
        module: &'module str,
        name: &'module str,
        ty: ExternType,
        answer: Option<CompileTimeImport>,
    ) -> ImportType<'module> {
        ImportType { module, name, ty, answer }
    }

    /// The module part of its name.
    pub fn module(&self) -> &'module str {
        self.module
    }

    /// The field part of its name.
    pub fn name(&self) -> &'module str {
        self.name
    }

    /// The type that the module declares.
    pub fn ty(&self) -> ExternType {
        self.ty.clone()
    }

    /// What answered the import when the module was compiled: see [`CompileOptions`](crate::CompileOptions). None for an
    /// ordinary import.
    pub fn compile_time(&self) -> Option<CompileTimeImport> {
        self.answer
    }
}

/// An export of a module.
#[derive(Clone, Debug)]
pub struct ExportType<'module> {
    name: &'module str,
    ty: ExternType,
}

impl<'module> ExportType<'module> {
    pub(crate) fn new(name: &'module str, ty: ExternType) -> ExportType<'module> {
        ExportType { name, ty }
    }

    /// Its name.
    pub fn name(&self) -> &'module str {
        self.name
    }

    /// Its type.
    pub fn ty(&self) -> ExternType {
        self.ty.clone()
    }
}
