//! `CompileOptions`: what a module is compiled with, beyond its engine's configuration.

use wasm::compile_imports::CompileTimeImports;

pub use wasm::compile_imports::{Builtin, BuiltinSet, BuiltinType, CompileTimeImport};

/// Imports that are answered when a module is compiled, as `WebAssemblyCompileOptions` has them in JavaScript.
///
/// An answered import must be declared with the type of what answers it; if it is not, there is no module but a
/// [`CompileError`](crate::CompileError) of kind [`Import`](crate::CompileErrorKind::Import). A module that is not valid
/// fails with its first fault all the same, whatever its imports. [`ImportType::compile_time`](crate::ImportType::compile_time)
/// then says what answers an import. The values still come from whoever makes an instance, as for any import: this crate
/// has no strings of JavaScript.
///
/// Modules of the same bytes with different options are different modules, in the module cache too.
///
/// ```
/// use upshift::{Builtin, BuiltinSet, CompileErrorKind, CompileError, CompileOptions, CompileTimeImport, Engine, Module};
///
/// # fn main() -> upshift::Result<()> {
/// let engine = Engine::default();
/// let mut options = CompileOptions::new();
/// options.builtins(BuiltinSet::JsString).string_constants(Some("'"));
/// let text = r#"(module
///     (import "wasm:js-string" "length" (func (param externref) (result i32)))
///     (import "'" "hello" (global (ref extern)))
///     (import "env" "f" (func)))"#;
/// let module = Module::new_with(&engine, text, &options)?;
/// let answers: Vec<Option<CompileTimeImport>> = module.imports().map(|import| import.compile_time()).collect();
/// let length = CompileTimeImport::Builtin(Builtin::Length);
/// assert_eq!(answers, [Some(length), Some(CompileTimeImport::StringConstant), None]);
///
/// let wrong = r#"(module (import "wasm:js-string" "length" (func (param i32))))"#;
/// let error = Module::new_with(&engine, wrong, &options).unwrap_err();
/// let fault = error.downcast_ref::<CompileError>().unwrap();
/// assert_eq!((fault.kind(), fault.import_index()), (CompileErrorKind::Import, Some(0)));
/// assert!(Module::new(&engine, wrong).is_ok(), "an ordinary import, if nobody answers it");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct CompileOptions {
    pub(crate) imports: CompileTimeImports,
}

impl CompileOptions {
    /// Answers nothing.
    pub fn new() -> CompileOptions {
        CompileOptions::default()
    }

    /// Answers imports of a set's builtins. Names that the set does not have stay ordinary imports.
    pub fn builtins(&mut self, set: BuiltinSet) -> &mut CompileOptions {
        self.imports.enable(set);
        self
    }

    /// Answers all imports from this module name: each is a string constant, the string being its field name.
    pub fn string_constants(&mut self, module: Option<&str>) -> &mut CompileOptions {
        self.imports.set_string_constants(module);
        self
    }
}
