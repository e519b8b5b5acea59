//! Exports of a module that were looked up once, for many instances.

use std::sync::{Arc, Weak};

use engine::module::NativeModule;
use wasm::types::ExternIndex;

use super::Module;

/// An export of a module, found by [`Module::get_export_index`] once. [`Instance::get_module_export`] then gets it from an
/// instance without comparing names.
///
/// ```
/// use upshift::{Engine, Instance, Module, Store};
///
/// # fn main() -> upshift::Result<()> {
/// let engine = Engine::default();
/// let module = Module::new(&engine, r#"(module (func (export "f") (result i32) i32.const 42))"#)?;
/// let f = module.get_export_index("f").unwrap();
/// let mut store = Store::new(&engine, ());
/// for _ in 0..3 {
///     let instance = Instance::new(&mut store, &module, &[])?;
///     let f = instance.get_module_export(&mut store, &f).unwrap().into_func().unwrap();
///     assert_eq!(f.typed::<(), i32>(&store)?.call(&mut store, ())?, 42);
/// }
/// # Ok(())
/// # }
/// ```
///
/// [`Instance::get_module_export`]: crate::Instance::get_module_export
#[derive(Clone, Debug)]
pub struct ModuleExport {
    /// Weak, so that code goes when its module does, but the address is not used again.
    module: Weak<NativeModule>,
    index: ExternIndex,
}

impl ModuleExport {
    /// The index of the item, if the export is one of `module`.
    pub(crate) fn index_in(&self, module: &Arc<NativeModule>) -> Option<ExternIndex> {
        std::ptr::eq(self.module.as_ptr(), Arc::as_ptr(module)).then_some(self.index)
    }
}

impl Module {
    /// The export of this name, to be found in instances quickly.
    pub fn get_export_index(&self, name: &str) -> Option<ModuleExport> {
        let index = self.native().info().export(name)?;
        Some(ModuleExport { module: Arc::downgrade(self.native()), index })
    }
}
