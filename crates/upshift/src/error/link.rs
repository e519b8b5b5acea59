//! `LinkError`: an import for which there is nothing, or the wrong thing.

use std::any::Any;
use std::fmt;

use runtime::difference::Difference;
use runtime::matching::Mismatch;
use wasm::module::{Import, ModuleInfo};
use wasm::types as language;
use wasm::types::words::{self, Words};

use super::difference;
use super::messages::{LinkErrorKind, link as make, phrases};
use crate::types::{ExternType, ImportType};

/// An import of a module for which nothing was defined, or that was given something of another type than the module
/// declares. Of several, the first in the module's order.
///
/// It is shown in one line: the message, then notes that may help. [`LinkError::notes`] gives these one by one.
///
/// ```
/// use upshift::{Engine, LinkError, LinkErrorKind, Linker, Module, Store};
///
/// let engine = Engine::default();
/// let mut linker = Linker::new(&engine);
/// linker.func_wrap("env", "print_line", |_: i32, _: i32| {}).unwrap();
/// let module = Module::new(&engine, r#"(module (import "env" "println" (func (param i32 i32))))"#).unwrap();
/// let error = linker.instantiate(Store::new(&engine, ()), &module).unwrap_err();
/// let fault = error.downcast_ref::<LinkError>().unwrap();
/// assert_eq!(fault.kind(), LinkErrorKind::UnknownImport);
/// assert_eq!((fault.module(), fault.name()), ("env", "println"));
/// assert_eq!(fault.notes().collect::<Vec<_>>(), ["did you mean `env::print_line`?"]);
/// ```
#[derive(Clone, Debug)]
pub struct LinkError {
    kind: LinkErrorKind,
    /// The message, with the names of the import.
    text: String,
    /// The message without them.
    fault: String,
    notes: Vec<String>,
    index: usize,
    module: String,
    name: String,
    expected: String,
    given: Option<String>,
    unknown: Option<UnknownImportError>,
}

impl LinkError {
    pub(super) fn new(kind: LinkErrorKind, text: String) -> LinkError {
        let (fault, module, name, expected) = (String::new(), String::new(), String::new(), String::new());
        let (notes, index, given, unknown) = (Vec::new(), 0, None, None);
        LinkError { kind, text, fault, notes, index, module, name, expected, given, unknown }
    }

    /// Import number `index` has another type than declared.
    pub(crate) fn mismatch(info: &ModuleInfo, index: usize, mismatch: Mismatch) -> LinkError {
        let Mismatch { expected, given, difference } = mismatch;
        let declared = &info.imports[index];
        let maker = match declared.ty {
            _ if difference == Difference::Kind => make::wrong_kind,
            language::ExternType::Func(_) | language::ExternType::Tag(_) => make::wrong_function,
            language::ExternType::Table(_) => make::wrong_table,
            language::ExternType::Memory(_) => make::wrong_memory,
            language::ExternType::Global(_) => make::wrong_global,
        };
        let fault = phrases::mismatch(&expected, &given);
        let (module, name) = (words::name(&declared.module), words::name(&declared.name));
        let mut error = maker(module, name, &fault).of(declared, index, fault, expected);
        error.given = Some(given);
        error.with_notes(difference::in_words(&difference))
    }

    /// Nothing is defined for import number `index`. `is_module_known` says whether anything is under its module name.
    pub(crate) fn unknown(
        info: &ModuleInfo,
        index: usize,
        import: &ImportType<'_>,
        is_module_known: bool,
    ) -> LinkError {
        let declared = &info.imports[index];
        let expected = Words::of_module(info).extern_type(declared.ty);
        let fault = phrases::undefined(&expected);
        let (module, name) = (words::name(&declared.module), words::name(&declared.name));
        let maker = if is_module_known { make::unknown_import } else { make::unknown_module };
        let mut error = maker(module, name, &fault).of(declared, index, fault, expected);
        error.unknown = Some(UnknownImportError::new(import, error.text.clone()));
        error
    }

    fn of(mut self, import: &Import, index: usize, fault: String, expected: String) -> LinkError {
        (self.module, self.name) = (import.module.to_string(), import.name.to_string());
        (self.index, self.fault, self.expected) = (index, fault, expected);
        self
    }

    /// The same, with more to say behind it.
    #[must_use]
    pub(crate) fn with_notes(mut self, notes: impl IntoIterator<Item = String>) -> LinkError {
        self.notes.extend(notes);
        self
    }

    /// What kind of fault it is.
    pub fn kind(&self) -> LinkErrorKind {
        self.kind
    }

    /// The position of the import among those of its module, from 0.
    pub fn import_index(&self) -> usize {
        self.index
    }

    /// The module part of the import's name.
    pub fn module(&self) -> &str {
        &self.module
    }

    /// The field part of the import's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The type that the module declares, in words.
    pub fn expected(&self) -> &str {
        &self.expected
    }

    /// The type of what was given, in words; none when nothing was.
    pub fn given(&self) -> Option<&str> {
        self.given.as_deref()
    }

    /// What is wrong, with the names of the import and without the notes.
    pub fn message(&self) -> &str {
        &self.text
    }

    /// What may help: the first difference between the types, the nearest names that exist, what else is missing.
    pub fn notes(&self) -> impl ExactSizeIterator<Item = &str> {
        self.notes.iter().map(String::as_str)
    }

    /// The message as the JavaScript interface has it, which puts the import in front by number and names.
    pub(super) fn for_script(&self) -> String {
        let (module, name) = (words::name(&self.module), words::name(&self.name));
        let mut text = format!("{}: {}", phrases::import_place(self.index, module, name), self.fault);
        for note in &self.notes {
            text.push_str("; ");
            text.push_str(note);
        }
        text
    }

    /// What else a downcast may look for.
    pub(super) fn other_value(value: &dyn Any) -> Option<&dyn Any> {
        Some(value.downcast_ref::<LinkError>()?.unknown.as_ref()?)
    }

    pub(super) fn other_value_mut(value: &mut dyn Any) -> Option<&mut dyn Any> {
        Some(value.downcast_mut::<LinkError>()?.unknown.as_mut()?)
    }

    pub(super) fn into_other_value(value: Box<dyn Any>) -> Option<Box<dyn Any>> {
        let error = value.downcast::<LinkError>().ok()?;
        Some(Box::new(error.unknown?))
    }
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        self.notes.iter().try_for_each(|note| write!(f, "; {note}"))
    }
}

impl std::error::Error for LinkError {}

/// An import for which nothing was defined: what a downcast finds beside the [`LinkError`] that says so.
#[derive(Clone, Debug)]
pub struct UnknownImportError {
    module: String,
    name: String,
    ty: ExternType,
    text: String,
}

impl UnknownImportError {
    fn new(import: &ImportType<'_>, text: String) -> UnknownImportError {
        UnknownImportError { module: import.module().into(), name: import.name().into(), ty: import.ty(), text }
    }

    /// The module part of the import's name.
    pub fn module(&self) -> &str {
        &self.module
    }

    /// The field part of the import's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The type that the module declares.
    pub fn ty(&self) -> ExternType {
        self.ty.clone()
    }
}

impl fmt::Display for UnknownImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for UnknownImportError {}
