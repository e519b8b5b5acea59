//! From the imports of a module to the items of their names; and, where there is none, to what may have been meant.
//!
//! Imports are taken in the module's order, each looked up and then checked, so that the first that is wrong is the one
//! reported, whatever is wrong with it. Suggestions are made after that, of the names that are defined:
//! 1. a field of the import's module with a near name;
//! 2. if nothing has the import's module name: the near module name, with the same field if it has it;
//! 3. the same field in another module;
//! 4. the module names there are, if they are few.

use runtime::matching;
use runtime::store::Store as RuntimeStore;
use wasm::types::words;

use super::Linker;
use crate::error::messages::phrases;
use crate::error::{Error, LinkError, Result, nearest_name};
use crate::instance::Definition;
use crate::module::Module;

/// Names of further missing imports in a message, and of modules.
const NAMED: usize = 3;

impl<T: 'static> Linker<T> {
    /// The items of all imports. Without a store, items of stores are not checked.
    ///
    /// # Errors
    /// The first import, in the module's order, that is not defined or has another type than declared.
    ///
    /// # Panics
    /// When an item belongs to another store.
    pub(super) fn resolve(&self, module: &Module, store: Option<&RuntimeStore>) -> Result<Vec<&Definition>> {
        let native = module.native();
        let imports = native.info().imports.iter().enumerate();
        let resolve = imports.map(|(index, import)| {
            let item = self.find(&import.module, &import.name).ok_or_else(|| self.unknown(module, index))?;
            let checked = match (item, store) {
                (Definition::Host(function), _) => matching::host_function(native, import.ty, function),
                (item, Some(store)) => matching::import(store, native, import.ty, &item.to_import(store)),
                (Definition::Extern(_), None) => Ok(()),
            };
            checked.map_err(|mismatch| LinkError::mismatch(native.info(), index, *mismatch))?;
            Ok(item)
        });
        resolve.collect()
    }

    /// The error of import number `index`, which is not defined.
    #[cold]
    fn unknown(&self, module: &Module, index: usize) -> Error {
        let info = module.native().info();
        let import = &info.imports[index];
        let Some(ty) = module.imports().nth(index) else {
            // Modules with tags, which are no items yet, are refused when they are decoded.
            return Error::msg(phrases::undefined(&import.name));
        };
        let is_module_known = self.items.contains_key(&*import.module);
        LinkError::unknown(info, index, &ty, is_module_known)
            .with_notes(self.suggest(&import.module, &import.name))
            .with_notes(self.also_missing(module, index))
            .into()
    }

    /// What may have been meant by a name that is not defined.
    pub(super) fn suggest(&self, module: &str, name: &str) -> Option<String> {
        if self.items.is_empty() {
            return Some(phrases::nothing_defined());
        }
        if let Some(fields) = self.items.get(module) {
            let near = nearest_name(name, fields.keys().map(|name| &**name));
            return near.map(|near| phrases::did_you_mean(path(module, near))).or_else(|| self.elsewhere(name, module));
        }
        let near = nearest_name(module, self.items.keys().map(|name| &**name));
        if let Some(near) = near {
            let has_field = self.find(near, name).is_some();
            let field = if has_field { Some(name) } else { self.near_field(near, name) };
            return Some(match field {
                Some(field) => phrases::did_you_mean(path(near, field)),
                None => phrases::module_near(words::name(module), words::name(near)),
            });
        }
        self.elsewhere(name, module).or_else(|| self.modules(module))
    }

    fn near_field(&self, module: &str, name: &str) -> Option<&str> {
        nearest_name(name, self.items.get(module)?.keys().map(|name| &**name))
    }

    /// The same field in another module: of several, the first by name.
    fn elsewhere(&self, name: &str, module: &str) -> Option<String> {
        let others = self.items.iter().filter(|(other, fields)| &***other != module && fields.contains_key(name));
        let other = others.map(|(other, _)| &**other).min()?;
        Some(phrases::elsewhere(path(other, name)))
    }

    fn modules(&self, module: &str) -> Option<String> {
        if self.items.len() > NAMED {
            return None;
        }
        let mut names: Vec<String> = self.items.keys().map(|name| format!("`{}`", words::name(name))).collect();
        names.sort_unstable();
        Some(phrases::modules(words::name(module), names.join(", ")))
    }

    /// The imports behind number `index` that are not defined either.
    fn also_missing(&self, module: &Module, index: usize) -> Option<String> {
        let behind = module.native().info().imports.iter().skip(index + 1);
        let missing = behind.filter(|import| self.find(&import.module, &import.name).is_none());
        let mut count = 0usize;
        let mut paths = Vec::new();
        for import in missing {
            count += 1;
            if paths.len() < NAMED {
                paths.push(format!("`{}`", path(&import.module, &import.name)));
            }
        }
        let more = if count > NAMED { ", ..." } else { "" };
        match count {
            0 => None,
            1 => Some(phrases::one_more_missing(&paths[0])),
            _ => Some(phrases::more_missing(count, format!("{}{more}", paths.join(", ")))),
        }
    }
}

/// Both parts of a name.
fn path(module: &str, name: &str) -> String {
    format!("{}::{}", words::name(module), words::name(name))
}
