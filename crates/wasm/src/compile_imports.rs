//! Compile-time imports: imports that whoever compiles a module answers at once, so that code can be made for them.
//!
//! 1. Whoever compiles says what it answers: sets of builtins by name, and a module name all of whose imports are string
//!    constants. That is a [`CompileTimeImports`], a value that can be part of a key.
//! 2. [`CompileTimeImports::check`] looks at the imports of a module that is decoded and valid, in their order, and
//!    refuses the first that names something answered but declares another type. What is not answered stays an ordinary
//!    import, whatever its module is called: an unknown name in a set's module too.
//! 3. [`CompileTimeImports::find`] says of any names what answers them, and
//!    [`ModuleInfo::compile_time_import`] of an import what answered it.
//!
//! The order is that of the JavaScript interface ("validate builtins and imported string for a WebAssembly module"): a
//! module that is not valid fails with its first fault, whatever its imports; only then are these looked at. So the
//! answer depends on the bytes and the options alone, not on how the bytes came.
//!
//! A string constant matches what `(global (ref extern))` matches: an immutable global of type `(ref extern)` or
//! `externref` (proposal `js-string-builtins`, "String constants", "Details").

use std::sync::Arc;

use crate::decode::error::{DecodeError, DecodeErrorKind};
use crate::heap;
use crate::module::{Import, ModuleInfo};
use crate::types::words::{self, Words};
use crate::types::{ExternType, GlobalType, HeapType, RefType, ValType};

mod builtin;
#[cfg(test)]
mod tests;

pub use builtin::{Builtin, BuiltinSet, BuiltinType};

/// What a compilation answers of a module's imports. Cheap to clone; equal when it answers the same.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct CompileTimeImports {
    /// A bit for each set, by its position in [`BuiltinSet::ALL`].
    sets: u8,
    string_constants: Option<Arc<str>>,
}

/// What answers an import.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum CompileTimeImport {
    /// A builtin function.
    Builtin(Builtin),
    /// A global that holds the import's field name as a string.
    StringConstant,
}

impl CompileTimeImports {
    /// Answers nothing.
    pub const NONE: CompileTimeImports = CompileTimeImports { sets: 0, string_constants: None };

    /// Answers nothing.
    pub fn new() -> CompileTimeImports {
        CompileTimeImports::NONE
    }

    /// Switches a set of builtins on.
    pub fn enable(&mut self, set: BuiltinSet) {
        self.sets |= bit(set);
    }

    /// Is a set of builtins on?
    pub fn is_enabled(&self, set: BuiltinSet) -> bool {
        self.sets & bit(set) != 0
    }

    /// Takes all imports from this module name as string constants; `None` takes none.
    pub fn set_string_constants(&mut self, module: Option<&str>) {
        self.string_constants = module.map(Arc::from);
    }

    /// The module name all of whose imports are string constants.
    pub fn string_constants(&self) -> Option<&str> {
        self.string_constants.as_deref()
    }

    /// Does it answer nothing at all?
    pub fn is_empty(&self) -> bool {
        *self == CompileTimeImports::NONE
    }

    /// What it owns takes, in bytes, though clones share it.
    pub fn heap_bytes(&self) -> usize {
        self.string_constants.as_ref().map_or(0, |name| heap::shared(&**name))
    }

    /// What answers an import of these names, if anything does. The name of string constants goes before sets.
    pub fn find(&self, module: &str, name: &str) -> Option<CompileTimeImport> {
        if self.string_constants.as_deref() == Some(module) {
            return Some(CompileTimeImport::StringConstant);
        }
        Builtin::find(|set| self.is_enabled(set), module, name).map(CompileTimeImport::Builtin)
    }

    /// Checks that the imports that are answered have the types of what answers them, and has the module remember what
    /// answers them. To be called once, with a module that is known to be valid, as far as it is validated before it runs.
    ///
    /// # Errors
    /// The first import that has another type: kind [`DecodeErrorKind::Import`], at the offset of its declared type.
    pub fn check(&self, info: &ModuleInfo) -> Result<(), DecodeError> {
        if self.is_empty() {
            return Ok(());
        }
        let mut imports = info.imports.iter().enumerate();
        imports.try_for_each(|(index, import)| self.check_import(info, index, import))?;
        info.answers.get_or_init(|| self.clone());
        Ok(())
    }

    fn check_import(&self, info: &ModuleInfo, index: usize, import: &Import) -> Result<(), DecodeError> {
        let (what, expected) = match self.find(&import.module, &import.name) {
            None => return Ok(()),
            Some(CompileTimeImport::Builtin(builtin)) => match import.ty {
                ExternType::Func(ty) if builtin.has_type(info, ty) => return Ok(()),
                _ => ("builtin", format!("function {builtin}")),
            },
            Some(CompileTimeImport::StringConstant) => match import.ty {
                ExternType::Global(ty) if is_string_global(ty) => return Ok(()),
                _ => ("string constant", "immutable global of type (ref extern)".to_string()),
            },
        };
        let declared = Words::of_module(info).extern_type(import.ty);
        // Types may differ in what their words do not say.
        let exactly = if declared == expected { ", final and in a recursion group of its own" } else { "" };
        let (module, name) = (words::name(&import.module), words::name(&import.name));
        let message = format!(
            "incompatible type for the {what} `{module}::{name}`: declared {declared}, required {expected}{exactly}"
        );
        let kind = DecodeErrorKind::Import { index: index as u32 };
        Err(DecodeError::new(kind, import.offset, message))
    }
}

/// Does the type of a string constant, `(global (ref extern))`, match this one?
fn is_string_global(ty: GlobalType) -> bool {
    !ty.mutable && matches!(ty.content, ValType::Ref(RefType { heap: HeapType::Extern, .. }))
}

fn bit(set: BuiltinSet) -> u8 {
    match set {
        BuiltinSet::JsString => 1,
    }
}
