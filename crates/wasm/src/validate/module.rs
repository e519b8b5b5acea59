//! Module-level rules, section by section, and what the slow validator needs to know of a module.

use std::ops::Range;
use std::sync::OnceLock;

use wasmparser::{BinaryReader, Encoding, FunctionBody, Validator, ValidatorResources, WasmFeatures};

use super::{convert, sections};
use crate::decode::error::DecodeError;
use crate::decode::section::SectionKind;
use crate::features::Features;
use crate::module::ModuleInfo;

type Result<T> = std::result::Result<T, DecodeError>;

/// A section and the place of its contents.
pub(super) type Place = (SectionKind, Range<usize>);

/// Checks the rules between sections while a module is decoded.
pub(crate) struct ModuleValidator {
    slow: Slow,
    features: Features,
    /// The sections so far but the data, whose number has a section of its own: bodies look into all of them.
    sections: Vec<Place>,
}

impl ModuleValidator {
    pub(crate) fn new(features: &Features) -> ModuleValidator {
        let slow = Slow::new(convert::features(features));
        ModuleValidator { slow, features: *features, sections: Vec::new() }
    }

    /// The module begins.
    pub(crate) fn header(&mut self) -> Result<()> {
        self.slow.header()
    }

    /// Checks a section that has been decoded into `info`; its contents lie at `range` of `bytes`.
    pub(crate) fn section(
        &mut self,
        kind: SectionKind,
        info: &ModuleInfo,
        bytes: &[u8],
        range: Range<usize>,
    ) -> Result<()> {
        if kind != SectionKind::Data {
            self.sections.push((kind, range.clone()));
        }
        // No later section needs the slow validator to have seen one of these.
        if sections::is_surely_valid(kind, info, &self.features) { Ok(()) } else { self.walk(kind, bytes, range) }
    }

    /// Checks a section by the slow validator, which says what is wrong in it. Code has its own methods.
    pub(crate) fn walk(&mut self, kind: SectionKind, bytes: &[u8], range: Range<usize>) -> Result<()> {
        self.slow.section(kind, bytes, range)
    }

    /// The sections so far that bodies look into.
    pub(super) fn sections(&self) -> &[Place] {
        &self.sections
    }
}

/// The slow validator.
struct Slow {
    validator: Validator,
    features: WasmFeatures,
}

impl Slow {
    fn new(features: WasmFeatures) -> Slow {
        Slow { validator: Validator::new_with_features(features), features }
    }

    fn header(&mut self) -> Result<()> {
        self.validator.version(1, Encoding::Module, &(0..8)).map_err(convert::error)
    }

    fn section(&mut self, kind: SectionKind, bytes: &[u8], range: Range<usize>) -> Result<()> {
        let contents = bytes.get(range.clone()).unwrap_or_default();
        let reader = || BinaryReader::new_features(contents, range.start as u64, self.features);
        let place = range.start as u64..range.end as u64;
        let v = &mut self.validator;
        macro_rules! check {
            ($reader:ident, $method:ident) => {
                wasmparser::$reader::new(reader()).and_then(|section| v.$method(&section))
            };
        }
        match kind {
            SectionKind::Type => check!(TypeSectionReader, type_section),
            SectionKind::Import => check!(ImportSectionReader, import_section),
            SectionKind::Function => check!(FunctionSectionReader, function_section),
            SectionKind::Table => check!(TableSectionReader, table_section),
            SectionKind::Memory => check!(MemorySectionReader, memory_section),
            SectionKind::Tag => check!(TagSectionReader, tag_section),
            SectionKind::Global => check!(GlobalSectionReader, global_section),
            SectionKind::Export => check!(ExportSectionReader, export_section),
            SectionKind::Element => check!(ElementSectionReader, element_section),
            SectionKind::Data => check!(DataSectionReader, data_section),
            SectionKind::Start => reader().read_var_u32().and_then(|func| v.start_section(func, &place)),
            SectionKind::DataCount => reader().read_var_u32().and_then(|count| v.data_count_section(count, &place)),
            SectionKind::Code => Ok(()),
        }
        .map_err(convert::error)
    }

    /// What bodies are checked against. The module must have a body.
    fn resources(mut self) -> Result<ValidatorResources> {
        self.validator.code_section_start(&(0..0)).map_err(convert::error)?;
        // Any body will do: only what all bodies share is kept.
        let body = FunctionBody::new(BinaryReader::new_features(&[], 0, self.features));
        Ok(self.validator.code_section_entry(&body).map_err(convert::error)?.resources)
    }
}

/// What the slow validator needs of a module, made when the first body has to be worded. By a validator of its own, from the
/// bytes: the one that checks sections goes on with those behind the code meanwhile.
pub(super) struct Resources {
    sections: Box<[Place]>,
    ready: OnceLock<Result<ValidatorResources>>,
}

impl Resources {
    /// Of a module with these sections before its code.
    pub(super) fn new(sections: &[Place]) -> Resources {
        Resources { sections: sections.into(), ready: OnceLock::new() }
    }

    /// What bodies are checked against. `bytes` must be those of the module, which must have a body.
    pub(super) fn get(&self, bytes: &[u8], features: WasmFeatures) -> Result<ValidatorResources> {
        let make = || {
            let mut slow = Slow::new(features);
            slow.header()?;
            for (kind, range) in &self.sections {
                slow.section(*kind, bytes, range.clone())?;
            }
            slow.resources()
        };
        self.ready.get_or_init(make).clone()
    }
}
