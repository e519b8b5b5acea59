//! What is known of a module once it is decoded: everything but the operators of its bodies.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::OnceLock;

use crate::compile_imports::{CompileTimeImport, CompileTimeImports};
use crate::const_expr::ConstExpr;
use crate::heap;
use crate::names::Names;
use crate::types::{
    DefinedFuncIndex, DefinedGlobalIndex, DefinedMemoryIndex, DefinedTableIndex, ExternIndex, ExternType, FuncIndex,
    FuncType, GlobalIndex, GlobalType, MemoryIndex, MemoryType, RecGroup, RefType, SubType, TableIndex, TableType,
    TypeIndex,
};

/// Something the module asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Import {
    /// The name of the module it is asked from.
    pub module: Box<str>,
    /// Its name there.
    pub name: Box<str>,
    /// What it must be.
    pub ty: ExternType,
    /// Where that is declared, in bytes from the start of the module.
    pub offset: usize,
}

/// Something the module gives away.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Export {
    /// Its name.
    pub name: Box<str>,
    /// What it is.
    pub index: ExternIndex,
}

/// What a defined table is filled with at creation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TableInit {
    /// Null references.
    Null,
    /// The value of an expression.
    Expr(ConstExpr),
}

/// Where an element segment goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ElementMode {
    /// Nowhere until `table.init`.
    Passive,
    /// Nowhere ever; it only declares functions for `ref.func`.
    Declared,
    /// Into a table at instantiation.
    Active {
        /// The table.
        table: TableIndex,
        /// The first element written.
        offset: ConstExpr,
    },
}

/// What an element segment holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ElementItems {
    /// Functions of the module.
    Functions(Box<[FuncIndex]>),
    /// Expressions that give references.
    Expressions(Box<[ConstExpr]>),
}

impl ElementItems {
    /// How many references there are.
    pub fn len(&self) -> usize {
        match self {
            ElementItems::Functions(items) => items.len(),
            ElementItems::Expressions(items) => items.len(),
        }
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// An element segment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ElementSegment {
    /// Where it goes.
    pub mode: ElementMode,
    /// The type of its references.
    pub ty: RefType,
    /// The references.
    pub items: ElementItems,
}

/// Where a data segment goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DataMode {
    /// Nowhere until `memory.init`.
    Passive,
    /// Into a memory at instantiation.
    Active {
        /// The memory.
        memory: MemoryIndex,
        /// The address of its first byte.
        offset: ConstExpr,
    },
}

/// A data segment; its bytes stay in the wire bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DataSegment {
    /// Where it goes.
    pub mode: DataMode,
    /// Its bytes, as a range of the wire bytes.
    pub range: Range<usize>,
}

/// A custom section.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CustomSection {
    /// Its name.
    pub name: Box<str>,
    /// Its contents after the name, as a range of the wire bytes.
    pub range: Range<usize>,
}

/// The contents of a decoded module. It does not change once it is made.
///
/// Index spaces put imports first, so `functions[i]` is the type of `FuncIndex(i)`, and what
/// belongs to the defined ones only (`bodies`, `table_inits`, `global_inits`) is indexed by the
/// `Defined*Index` of its kind.
#[derive(Debug, Default)]
pub struct ModuleInfo {
    /// The defined types of the type section, flat.
    pub types: Vec<SubType>,
    /// The recursion groups that partition `types`.
    pub rec_groups: Vec<RecGroup>,
    /// What the module asks for, in order.
    pub imports: Vec<Import>,
    /// The type of every function.
    pub functions: Vec<TypeIndex>,
    /// The type of every table.
    pub tables: Vec<TableType>,
    /// The initial contents of every defined table.
    pub table_inits: Vec<TableInit>,
    /// The type of every memory.
    pub memories: Vec<MemoryType>,
    /// The type of every global.
    pub globals: Vec<GlobalType>,
    /// The initial value of every defined global.
    pub global_inits: Vec<ConstExpr>,
    /// The type of every tag.
    pub tags: Vec<TypeIndex>,
    /// How many of `functions` are imported.
    pub num_imported_functions: u32,
    /// How many of `tables` are imported.
    pub num_imported_tables: u32,
    /// How many of `memories` are imported.
    pub num_imported_memories: u32,
    /// How many of `globals` are imported.
    pub num_imported_globals: u32,
    /// How many of `tags` are imported.
    pub num_imported_tags: u32,
    /// What the module gives away, in order.
    pub exports: Vec<Export>,
    /// The function called at the end of instantiation.
    pub start: Option<FuncIndex>,
    /// The element segments.
    pub elements: Vec<ElementSegment>,
    /// The data segments.
    pub data: Vec<DataSegment>,
    /// The body of every defined function as a range of the wire bytes: the declarations of the
    /// locals, then the operators. The size in front of a body is not part of it.
    pub bodies: Vec<Range<usize>>,
    /// The contents of the code section, as a range of the wire bytes.
    pub code_section: Option<Range<usize>>,
    /// The custom sections, in order.
    pub custom_sections: Vec<CustomSection>,
    /// The functions that can become references: exported, in an element segment, or in a
    /// constant `ref.func`. Sorted, each once. (A `ref.func` in a body may name only these.)
    pub escaped_functions: Vec<FuncIndex>,
    /// What answers imports at compile time; set when that was checked.
    pub(crate) answers: OnceLock<CompileTimeImports>,
    pub(crate) export_map: HashMap<Box<str>, ExternIndex>,
    pub(crate) names: OnceLock<Names>,
}

/// Positions in a list of all entities of a kind, as indices of the defined ones.
macro_rules! defined_indices {
    ($($defined_index:ident, $index:ident, $is_imported:ident: $Defined:ident, $Index:ident, $imported:ident;)*) => {$(
        #[doc = concat!("The index among the defined ones; `None` when it is imported.")]
        #[inline]
        pub fn $defined_index(&self, index: $Index) -> Option<$Defined> {
            index.0.checked_sub(self.$imported).map($Defined)
        }

        #[doc = concat!("The index in the whole index space.")]
        #[inline]
        pub fn $index(&self, index: $Defined) -> $Index {
            $Index(self.$imported.saturating_add(index.0))
        }

        #[doc = concat!("Whether it is imported.")]
        #[inline]
        pub fn $is_imported(&self, index: $Index) -> bool {
            index.0 < self.$imported
        }
    )*};
}

impl ModuleInfo {
    /// The export called `name`.
    pub fn export(&self, name: &str) -> Option<ExternIndex> {
        self.export_map.get(name).copied()
    }

    /// The type of a function.
    ///
    /// # Panics
    /// If `index` is not a function of this module.
    pub fn func_type(&self, index: FuncIndex) -> &FuncType {
        let ty = self.functions[index.index()];
        self.type_func(ty).expect("decoding checked that functions have function types")
    }

    /// A function type of the type section; `None` when there is none with that index.
    pub fn type_func(&self, index: TypeIndex) -> Option<&FuncType> {
        self.types.get(index.index())?.as_func()
    }

    /// How many functions have a body.
    pub fn num_defined_functions(&self) -> u32 {
        (self.functions.len() as u32).saturating_sub(self.num_imported_functions)
    }

    defined_indices! {
        defined_func_index, func_index, is_imported_func: DefinedFuncIndex, FuncIndex, num_imported_functions;
        defined_table_index, table_index, is_imported_table: DefinedTableIndex, TableIndex, num_imported_tables;
        defined_memory_index, memory_index, is_imported_memory: DefinedMemoryIndex, MemoryIndex, num_imported_memories;
        defined_global_index, global_index, is_imported_global: DefinedGlobalIndex, GlobalIndex, num_imported_globals;
    }

    /// What an export or import index stands for.
    ///
    /// # Panics
    /// If `index` is not an entity of this module.
    pub fn extern_type(&self, index: ExternIndex) -> ExternType {
        match index {
            ExternIndex::Func(i) => ExternType::Func(self.functions[i.index()]),
            ExternIndex::Table(i) => ExternType::Table(self.tables[i.index()]),
            ExternIndex::Memory(i) => ExternType::Memory(self.memories[i.index()]),
            ExternIndex::Global(i) => ExternType::Global(self.globals[i.index()]),
            ExternIndex::Tag(i) => ExternType::Tag(self.tags[i.index()]),
        }
    }

    /// What answered an import when the module was compiled; nothing for an ordinary import.
    pub fn compile_time_import(&self, import: &Import) -> Option<CompileTimeImport> {
        self.answers.get()?.find(&import.module, &import.name)
    }

    /// Whether a function can become a reference.
    pub fn is_escaped(&self, index: FuncIndex) -> bool {
        self.escaped_functions.binary_search(&index).is_ok()
    }

    /// The contents of the first custom section called `name`.
    pub fn custom_section<'a>(&self, wire_bytes: &'a [u8], name: &str) -> Option<&'a [u8]> {
        let section = self.custom_sections.iter().find(|section| &*section.name == name)?;
        wire_bytes.get(section.range.clone())
    }

    /// The names of the name section, decoded at the first call. `wire_bytes` must be the bytes
    /// the module was decoded from.
    pub fn names(&self, wire_bytes: &[u8]) -> &Names {
        self.names.get_or_init(|| Names::decode(self.custom_section(wire_bytes, "name").unwrap_or_default()))
    }

    /// The name of a function in the name section.
    pub fn function_name(&self, wire_bytes: &[u8], index: FuncIndex) -> Option<&str> {
        self.names(wire_bytes).function(index)
    }
}

impl ModuleInfo {
    /// What it owns takes, in bytes. Looks at every type, import, export and segment.
    pub fn heap_bytes(&self) -> usize {
        let lists = [
            heap::vec(&self.types),
            heap::vec(&self.rec_groups),
            heap::vec(&self.imports),
            heap::vec(&self.functions),
            heap::vec(&self.tables),
            heap::vec(&self.table_inits),
            heap::vec(&self.memories),
            heap::vec(&self.globals),
            heap::vec(&self.global_inits),
            heap::vec(&self.tags),
            heap::vec(&self.exports),
            heap::vec(&self.elements),
            heap::vec(&self.data),
            heap::vec(&self.bodies),
            heap::vec(&self.custom_sections),
            heap::vec(&self.escaped_functions),
            heap::map(&self.export_map),
        ];
        let later = [
            self.answers.get().map_or(0, CompileTimeImports::heap_bytes),
            self.names.get().map_or(0, Names::heap_bytes),
        ];
        let parts = [self.texts(), self.expressions(), self.types_bytes()];
        lists.iter().chain(&later).chain(&parts).sum()
    }

    fn texts(&self) -> usize {
        let text = |text: &str| heap::slice(text.as_bytes());
        self.imports.iter().map(|import| text(&import.module) + text(&import.name)).sum::<usize>()
            // Once in the list, and once in the map.
            + self.exports.iter().map(|export| 2 * text(&export.name)).sum::<usize>()
            + self.custom_sections.iter().map(|section| text(&section.name)).sum::<usize>()
    }

    fn expressions(&self) -> usize {
        let tables = self.table_inits.iter().map(|init| match init {
            TableInit::Null => 0,
            TableInit::Expr(expr) => expr.heap_bytes(),
        });
        let elements = self.elements.iter().map(|segment| {
            let items = match &segment.items {
                ElementItems::Functions(items) => heap::slice(items),
                ElementItems::Expressions(items) => {
                    heap::slice(items) + items.iter().map(ConstExpr::heap_bytes).sum::<usize>()
                }
            };
            items + if let ElementMode::Active { offset, .. } = &segment.mode { offset.heap_bytes() } else { 0 }
        });
        let data = self.data.iter().map(|segment| match &segment.mode {
            DataMode::Passive => 0,
            DataMode::Active { offset, .. } => offset.heap_bytes(),
        });
        let globals = self.global_inits.iter().map(ConstExpr::heap_bytes);
        tables.chain(elements).chain(data).chain(globals).sum()
    }

    fn types_bytes(&self) -> usize {
        self.types.iter().map(SubType::heap_bytes).sum()
    }
}
