//! External types in words, as errors about imports say them.

use std::borrow::Cow;

use super::{
    CanonicalTypeIndex, ExternType, FuncType, GlobalType, HeapType, MemoryType, RefType, TableType, TypeIndex, ValType,
};
use crate::canonical::TypeRegistry;
use crate::module::ModuleInfo;

/// As many characters of a name as an error shows. Names may be as long as the limits allow, and come from the module.
const MAX_NAME: usize = 100;

/// Puts types into words, and knows which function types the indices in them stand for.
#[derive(Clone, Copy, Debug)]
pub struct Words<'a>(Source<'a>);

#[derive(Clone, Copy, Debug)]
enum Source<'a> {
    Module(&'a ModuleInfo),
    Registry(&'a TypeRegistry),
}

impl<'a> Words<'a> {
    /// For types as a module declares them.
    pub fn of_module(info: &'a ModuleInfo) -> Words<'a> {
        Words(Source::Module(info))
    }

    /// For types with canonical indices.
    pub fn of_registry(registry: &'a TypeRegistry) -> Words<'a> {
        Words(Source::Registry(registry))
    }

    fn find(&self, index: TypeIndex) -> Option<FuncType> {
        match self.0 {
            Source::Module(info) => info.type_func(index).cloned(),
            Source::Registry(registry) => Some(FuncType::clone(&*registry.get_func_type(CanonicalTypeIndex(index.0))?)),
        }
    }

    /// The type of an import or export.
    pub fn extern_type(&self, ty: ExternType) -> String {
        match ty {
            ExternType::Func(ty) => self.function(self.find(ty).as_ref()),
            ExternType::Table(ty) => self.table(&ty, ty.min),
            ExternType::Memory(ty) => memory(&ty, ty.min),
            ExternType::Global(ty) => self.global(&ty),
            ExternType::Tag(TypeIndex(index)) => format!("tag of type {index}"),
        }
    }

    /// A function, whose type may be unknown.
    pub fn function(&self, ty: Option<&FuncType>) -> String {
        ty.map_or_else(|| "function".to_string(), |ty| format!("function {}", self.signature_of(ty)))
    }

    /// What a function takes and gives.
    pub fn signature_of(&self, ty: &FuncType) -> String {
        self.signature(ty, true)
    }

    /// A table that has `min` elements now.
    pub fn table(&self, ty: &TableType, min: u64) -> String {
        let wide = if ty.index64 { "64-bit " } else { "" };
        format!("{wide}table of {} {}", limits(min, ty.max), self.val_type(ValType::Ref(ty.element)))
    }

    /// A global.
    pub fn global(&self, ty: &GlobalType) -> String {
        let mutability = if ty.mutable { "mutable" } else { "immutable" };
        format!("{mutability} global of type {}", self.val_type(ty.content))
    }

    /// A value.
    pub fn val_type(&self, ty: ValType) -> String {
        self.value(ty, true)
    }

    /// With `inside`, function types behind references are spelt out; theirs are not, since types may be recursive.
    fn signature(&self, ty: &FuncType, inside: bool) -> String {
        let list = |types: &[ValType]| types.iter().map(|&ty| self.value(ty, inside)).collect::<Vec<_>>().join(", ");
        format!("({}) -> ({})", list(ty.params()), list(ty.results()))
    }

    fn value(&self, ty: ValType, inside: bool) -> String {
        if let ValType::Ref(RefType { nullable, heap: HeapType::Concrete(index) }) = ty
            && inside
            && let Some(func) = self.find(index)
        {
            let null = if nullable { "null " } else { "" };
            return format!("(ref {null}(func {}))", self.signature(&func, false));
        }
        ty.to_string()
    }
}

/// A memory that has `min` pages now.
pub fn memory(ty: &MemoryType, min: u64) -> String {
    let wide = if ty.index64 { "64-bit " } else { "" };
    let shared = if ty.shared { "shared " } else { "" };
    let page = if ty.page_size_log2 == MemoryType::DEFAULT_PAGE_SIZE_LOG2 {
        String::new()
    } else {
        format!(" of {} bytes", ty.page_size())
    };
    format!("{shared}{wide}memory of {} pages{page}", limits(min, ty.max))
}

fn limits(min: u64, max: Option<u64>) -> String {
    max.map_or_else(|| format!("{min}.."), |max| format!("{min}..={max}"))
}

/// A name as an error shows it: cut when it is very long.
pub fn name(name: &str) -> Cow<'_, str> {
    match name.char_indices().nth(MAX_NAME) {
        None => Cow::Borrowed(name),
        Some((end, _)) => Cow::Owned(format!("{}...", &name[..end])),
    }
}
