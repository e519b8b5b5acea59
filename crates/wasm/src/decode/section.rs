//! The contents of each section, read into `ModuleInfo`. Rules of validation that need types are
//! the validator's; here are the format, the limits, and the proposals that are refused by name.

use super::error::{DecodeError, DecodeErrorKind};
use super::reader::Reader;
use crate::features::{Feature, Features};
use crate::limits::Limits;
use crate::module::{CustomSection, Export, Import, ModuleInfo, TableInit};
use crate::types::{
    ArrayType, CompositeType, ExternIndex, ExternType, FieldType, FuncIndex, FuncType, GlobalIndex, GlobalType,
    HeapType, MemoryIndex, MemoryType, RecGroup, RefType, StorageType, StructType, SubType, TableIndex, TableType,
    TagIndex, TypeIndex, ValType,
};

mod segments;

type Result<T> = std::result::Result<T, DecodeError>;

/// The sections in the order a module must have them; custom sections are anywhere.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum SectionKind {
    Type,
    Import,
    Function,
    Table,
    Memory,
    Tag,
    Global,
    Export,
    Start,
    Element,
    DataCount,
    Code,
    Data,
}

impl SectionKind {
    /// The id byte of the code section.
    pub(crate) const CODE_ID: u8 = 10;

    /// The section with this id byte; custom sections (0) are not among them.
    pub(crate) fn from_id(id: u8) -> Option<SectionKind> {
        Some(match id {
            1 => SectionKind::Type,
            2 => SectionKind::Import,
            3 => SectionKind::Function,
            4 => SectionKind::Table,
            5 => SectionKind::Memory,
            6 => SectionKind::Global,
            7 => SectionKind::Export,
            8 => SectionKind::Start,
            9 => SectionKind::Element,
            SectionKind::CODE_ID => SectionKind::Code,
            11 => SectionKind::Data,
            12 => SectionKind::DataCount,
            13 => SectionKind::Tag,
            _ => return None,
        })
    }
}

/// Refuses the types of proposals that are off.
pub(crate) fn check_val_type(features: &Features, ty: ValType, at: usize) -> Result<()> {
    match ty {
        ValType::Ref(ty) => check_heap_type(features, ty.heap, at),
        ValType::I32 | ValType::I64 | ValType::F32 | ValType::F64 | ValType::V128 => Ok(()),
    }
}

/// Refuses the heap types of proposals that are off.
pub(crate) fn check_heap_type(features: &Features, heap: HeapType, at: usize) -> Result<()> {
    match heap {
        HeapType::Func | HeapType::Extern | HeapType::Concrete(_) => Ok(()),
        HeapType::Any
        | HeapType::Eq
        | HeapType::I31
        | HeapType::Struct
        | HeapType::Array
        | HeapType::None
        | HeapType::NoFunc
        | HeapType::NoExtern => require(features, Feature::Gc, at),
        HeapType::Exn | HeapType::NoExn => require(features, Feature::Exceptions, at),
    }
}

/// An error that names `feature`, unless it is on.
pub(crate) fn require(features: &Features, feature: Feature, at: usize) -> Result<()> {
    if features.contains(feature) { Ok(()) } else { Err(refused(feature, at)) }
}

/// The error of a proposal that is off.
#[cold]
pub(crate) fn refused(feature: Feature, at: usize) -> DecodeError {
    let state = if feature.supported() { "enabled" } else { "supported" };
    let message = format!("the {feature} proposal is not {state}");
    DecodeError::new(DecodeErrorKind::Unsupported(feature), at, message)
}

/// The error of a count past its limit.
#[cold]
pub(crate) fn too_many(what: &str, count: u64, limit: u64, at: usize) -> DecodeError {
    DecodeError::new(DecodeErrorKind::Limit, at, format!("{what} count of {count} exceeds limit of {limit}"))
}

/// Reads one section into a module.
pub(crate) struct SectionReader<'a, 'm> {
    pub(crate) reader: Reader<'a>,
    pub(crate) info: &'m mut ModuleInfo,
    pub(crate) features: &'m Features,
    pub(crate) limits: &'m Limits,
}

impl SectionReader<'_, '_> {
    /// Reads the whole section. Code has its own way, see `stream`.
    pub(crate) fn read(&mut self, kind: SectionKind) -> Result<()> {
        match kind {
            SectionKind::Type => self.types()?,
            SectionKind::Import => self.imports()?,
            SectionKind::Function => self.functions()?,
            SectionKind::Table => self.tables()?,
            SectionKind::Memory => self.memories()?,
            SectionKind::Tag => self.tags()?,
            SectionKind::Global => self.globals()?,
            SectionKind::Export => self.exports()?,
            SectionKind::Start => self.info.start = Some(FuncIndex(self.reader.var_u32()?)),
            SectionKind::Element => self.elements()?,
            SectionKind::Data => self.data()?,
            // The number is kept by the caller, the code section read by it.
            SectionKind::DataCount | SectionKind::Code => {
                self.reader.var_u32()?;
            }
        }
        if self.reader.is_empty() {
            return Ok(());
        }
        let message = "section size mismatch: unexpected data at the end of the section";
        Err(DecodeError::malformed(self.reader.offset(), message))
    }

    /// Reads a custom section, of which only the name has a form.
    pub(crate) fn custom(&mut self) -> Result<()> {
        let name = self.name("custom section name")?;
        let start = self.reader.offset();
        let range = start..start + self.reader.remaining();
        self.info.custom_sections.push(CustomSection { name, range });
        Ok(())
    }

    /// Reads a count and checks that with the `already` ones it is within its limit.
    fn count(&mut self, what: &str, already: usize, limit: u32) -> Result<u32> {
        let at = self.reader.offset();
        let count = self.reader.var_u32()?;
        let total = already as u64 + u64::from(count);
        if total > u64::from(limit) {
            return Err(too_many(what, total, limit.into(), at));
        }
        Ok(count)
    }

    /// How many items to reserve room for: no more than the bytes left could hold.
    fn room(&self, count: u32) -> usize {
        (count as usize).min(self.reader.remaining())
    }

    fn name(&mut self, what: &str) -> Result<Box<str>> {
        let at = self.reader.offset();
        let name = self.reader.name(what)?;
        if name.len() > self.limits.string_size as usize {
            let limit = self.limits.string_size.into();
            return Err(too_many(&format!("{what} byte"), name.len() as u64, limit, at));
        }
        Ok(name.into())
    }

    fn types(&mut self) -> Result<()> {
        let count = self.count("type", 0, self.limits.types)?;
        self.info.types.reserve(self.room(count));
        self.info.rec_groups.reserve(self.room(count));
        for _ in 0..count {
            let first = TypeIndex::new(self.info.types.len());
            let at = self.reader.offset();
            let len = if self.reader.peek() == Some(0x4e) {
                self.reader.u8()?;
                require(self.features, Feature::Gc, at)?;
                self.count("type", self.info.types.len(), self.limits.types)?
            } else {
                1
            };
            for _ in 0..len {
                let ty = self.sub_type()?;
                self.info.types.push(ty);
            }
            self.info.rec_groups.push(RecGroup { first, len });
        }
        Ok(())
    }

    fn sub_type(&mut self) -> Result<SubType> {
        let at = self.reader.offset();
        let form = self.reader.u8()?;
        if form != 0x50 && form != 0x4f {
            let composite = self.composite_type(form, at)?;
            return Ok(SubType { is_final: true, supertype: None, composite });
        }
        require(self.features, Feature::Gc, at)?;
        let is_final = form == 0x4f;
        let at = self.reader.offset();
        let supertype = match self.reader.var_u32()? {
            0 => None,
            1 => Some(TypeIndex(self.reader.var_u32()?)),
            _ => return Err(DecodeError::invalid(at, "multiple supertypes not supported")),
        };
        let at = self.reader.offset();
        let form = self.reader.u8()?;
        let composite = self.composite_type(form, at)?;
        Ok(SubType { is_final, supertype, composite })
    }

    fn composite_type(&mut self, form: u8, at: usize) -> Result<CompositeType> {
        match form {
            0x60 => {
                let params = self.val_types("function parameter", self.limits.params)?;
                let results = self.val_types("function result", self.limits.results)?;
                Ok(CompositeType::Func(FuncType::new(params, results)))
            }
            0x5f => {
                require(self.features, Feature::Gc, at)?;
                let count = self.count("struct field", 0, self.limits.struct_fields)?;
                let fields = (0..count).map(|_| self.field_type()).collect::<Result<_>>()?;
                Ok(CompositeType::Struct(StructType { fields }))
            }
            0x5e => {
                require(self.features, Feature::Gc, at)?;
                Ok(CompositeType::Array(ArrayType { element: self.field_type()? }))
            }
            _ => Err(DecodeError::malformed(at, format!("malformed type form {form:#04x}"))),
        }
    }

    fn val_types(&mut self, what: &str, limit: u32) -> Result<Box<[ValType]>> {
        let count = self.count(what, 0, limit)?;
        (0..count).map(|_| self.val_type()).collect()
    }

    fn val_type(&mut self) -> Result<ValType> {
        let at = self.reader.offset();
        let ty = self.reader.val_type()?;
        check_val_type(self.features, ty, at)?;
        Ok(ty)
    }

    fn ref_type(&mut self) -> Result<RefType> {
        let at = self.reader.offset();
        let ty = self.reader.ref_type()?;
        check_heap_type(self.features, ty.heap, at)?;
        Ok(ty)
    }

    fn field_type(&mut self) -> Result<FieldType> {
        let storage = match self.reader.peek() {
            Some(0x78) => {
                self.reader.u8()?;
                StorageType::I8
            }
            Some(0x77) => {
                self.reader.u8()?;
                StorageType::I16
            }
            _ => StorageType::Val(self.val_type()?),
        };
        Ok(FieldType { storage, mutable: self.mutability()? })
    }

    fn mutability(&mut self) -> Result<bool> {
        let at = self.reader.offset();
        match self.reader.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(DecodeError::malformed(at, "malformed mutability")),
        }
    }

    fn global_type(&mut self) -> Result<GlobalType> {
        Ok(GlobalType { content: self.val_type()?, mutable: self.mutability()? })
    }

    fn table_type(&mut self) -> Result<TableType> {
        let element = self.ref_type()?;
        let at = self.reader.offset();
        let flags = self.reader.u8()?;
        if flags & !0b101 != 0 {
            return Err(DecodeError::malformed(at, "malformed table limits flags"));
        }
        let min = self.reader.var_u64()?;
        let max = if flags & 1 != 0 { Some(self.reader.var_u64()?) } else { None };
        Ok(TableType { element, index64: flags & 4 != 0, min, max })
    }

    fn memory_type(&mut self) -> Result<MemoryType> {
        let at = self.reader.offset();
        let flags = self.reader.u8()?;
        if flags & !0b1111 != 0 {
            return Err(DecodeError::malformed(at, "malformed memory limits flags"));
        }
        let shared = flags & 2 != 0;
        if shared {
            require(self.features, Feature::Threads, at)?;
        }
        let min = self.reader.var_u64()?;
        let max = if flags & 1 != 0 { Some(self.reader.var_u64()?) } else { None };
        let page_size_log2 = if flags & 8 != 0 {
            let at = self.reader.offset();
            match u8::try_from(self.reader.var_u32()?) {
                Ok(log2) if log2 < 64 => log2,
                _ => return Err(DecodeError::malformed(at, "invalid custom page size")),
            }
        } else {
            MemoryType::DEFAULT_PAGE_SIZE_LOG2
        };
        Ok(MemoryType { index64: flags & 4 != 0, shared, min, max, page_size_log2 })
    }

    /// A tag: an attribute byte, then a function type.
    fn tag_type(&mut self) -> Result<TypeIndex> {
        let at = self.reader.offset();
        require(self.features, Feature::Exceptions, at)?;
        match self.reader.u8()? {
            0 => Ok(TypeIndex(self.reader.var_u32()?)),
            _ => Err(DecodeError::malformed(at, "malformed tag attribute")),
        }
    }

    fn imports(&mut self) -> Result<()> {
        let count = self.count("import", 0, self.limits.imports)?;
        self.info.imports.reserve(self.room(count));
        for _ in 0..count {
            let module = self.name("import module name")?;
            let name = self.name("import field name")?;
            let at = self.reader.offset();
            let ty = match self.reader.u8()? {
                0 => ExternType::Func(TypeIndex(self.reader.var_u32()?)),
                1 => ExternType::Table(self.table_type()?),
                2 => ExternType::Memory(self.memory_type()?),
                3 => ExternType::Global(self.global_type()?),
                4 => ExternType::Tag(self.tag_type()?),
                _ => return Err(DecodeError::malformed(at, "malformed import kind")),
            };
            self.add_import(ty, at)?;
            self.info.imports.push(Import { module, name, ty, offset: at });
        }
        Ok(())
    }

    /// Puts an import at the end of its index space.
    fn add_import(&mut self, ty: ExternType, at: usize) -> Result<()> {
        let info = &mut *self.info;
        let (what, count, limit) = match ty {
            ExternType::Func(ty) => {
                info.functions.push(ty);
                info.num_imported_functions += 1;
                ("function", info.num_imported_functions, self.limits.total_functions)
            }
            ExternType::Table(ty) => {
                info.tables.push(ty);
                info.num_imported_tables += 1;
                ("table", info.num_imported_tables, self.limits.tables)
            }
            ExternType::Memory(ty) => {
                info.memories.push(ty);
                info.num_imported_memories += 1;
                ("memory", info.num_imported_memories, self.limits.memories)
            }
            ExternType::Global(ty) => {
                info.globals.push(ty);
                info.num_imported_globals += 1;
                ("global", info.num_imported_globals, self.limits.globals)
            }
            ExternType::Tag(ty) => {
                info.tags.push(ty);
                info.num_imported_tags += 1;
                ("tag", info.num_imported_tags, self.limits.tags)
            }
        };
        if count > limit {
            return Err(too_many(what, count.into(), limit.into(), at));
        }
        self.check_one(Feature::MultiMemory, self.info.memories.len(), at)?;
        self.check_one(Feature::ReferenceTypes, self.info.tables.len(), at)
    }

    /// One memory and one table were all there could be, before the proposals for more.
    fn check_one(&self, for_more: Feature, count: usize, at: usize) -> Result<()> {
        if count > 1 { require(self.features, for_more, at) } else { Ok(()) }
    }

    fn functions(&mut self) -> Result<()> {
        let at = self.reader.offset();
        let count = self.count("function", 0, self.limits.functions)?;
        let total = self.info.functions.len() as u64 + u64::from(count);
        if total > u64::from(self.limits.total_functions) {
            return Err(too_many("function", total, self.limits.total_functions.into(), at));
        }
        self.info.functions.reserve(self.room(count));
        for _ in 0..count {
            self.info.functions.push(TypeIndex(self.reader.var_u32()?));
        }
        Ok(())
    }

    fn tables(&mut self) -> Result<()> {
        let at = self.reader.offset();
        let count = self.count("table", self.info.tables.len(), self.limits.tables)?;
        self.check_one(Feature::ReferenceTypes, self.info.tables.len() + count as usize, at)?;
        for _ in 0..count {
            let has_init = self.reader.peek() == Some(0x40);
            if has_init {
                self.reader.u8()?;
                let at = self.reader.offset();
                if self.reader.u8()? != 0 {
                    return Err(DecodeError::malformed(at, "malformed table"));
                }
            }
            let ty = self.table_type()?;
            let init = if has_init { TableInit::Expr(self.const_expr()?) } else { TableInit::Null };
            self.info.tables.push(ty);
            self.info.table_inits.push(init);
        }
        Ok(())
    }

    fn memories(&mut self) -> Result<()> {
        let at = self.reader.offset();
        let count = self.count("memory", self.info.memories.len(), self.limits.memories)?;
        self.check_one(Feature::MultiMemory, self.info.memories.len() + count as usize, at)?;
        for _ in 0..count {
            let ty = self.memory_type()?;
            self.info.memories.push(ty);
        }
        Ok(())
    }

    fn tags(&mut self) -> Result<()> {
        let count = self.count("tag", self.info.tags.len(), self.limits.tags)?;
        for _ in 0..count {
            let ty = self.tag_type()?;
            self.info.tags.push(ty);
        }
        Ok(())
    }

    fn globals(&mut self) -> Result<()> {
        let count = self.count("global", self.info.globals.len(), self.limits.globals)?;
        self.info.globals.reserve(self.room(count));
        for _ in 0..count {
            let ty = self.global_type()?;
            let init = self.const_expr()?;
            self.info.globals.push(ty);
            self.info.global_inits.push(init);
        }
        Ok(())
    }

    fn exports(&mut self) -> Result<()> {
        let count = self.count("export", 0, self.limits.exports)?;
        self.info.exports.reserve(self.room(count));
        for _ in 0..count {
            let name_at = self.reader.offset();
            let name = self.name("export name")?;
            let at = self.reader.offset();
            let kind = self.reader.u8()?;
            let index = self.reader.var_u32()?;
            let index = match kind {
                0 => ExternIndex::Func(FuncIndex(index)),
                1 => ExternIndex::Table(TableIndex(index)),
                2 => ExternIndex::Memory(MemoryIndex(index)),
                3 => ExternIndex::Global(GlobalIndex(index)),
                4 => ExternIndex::Tag(TagIndex(index)),
                _ => return Err(DecodeError::malformed(at, "malformed export kind")),
            };
            if let ExternIndex::Func(func) = index {
                self.info.escaped_functions.push(func);
            }
            if self.info.export_map.insert(name.clone(), index).is_some() {
                let message = format!("duplicate export name `{name}` already defined");
                return Err(DecodeError::invalid(name_at, message));
            }
            self.info.exports.push(Export { name, index });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
