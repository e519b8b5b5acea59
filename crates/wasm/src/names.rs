//! The name section: debug names, read when first asked for. A malformed section is never an
//! error of the module; what could be read before the fault is kept.

use crate::decode::reader::Reader;
use crate::heap;
use crate::types::{FuncIndex, LocalIndex};

/// The names a module carries for people to read.
#[derive(Debug, Default)]
pub struct Names {
    module: Option<Box<str>>,
    /// Sorted by index, each index once.
    functions: Vec<(u32, Box<str>)>,
    /// Sorted by function and local.
    locals: Vec<((u32, u32), Box<str>)>,
}

impl Names {
    /// Reads the contents of a name section.
    pub(crate) fn decode(bytes: &[u8]) -> Names {
        let mut names = Names::default();
        // A fault ends the reading; everything before it stays.
        let _ = names.read(&mut Reader::new(bytes, 0));
        // The first name of an index wins, and lookups need order.
        names.functions.sort_by_key(|entry| entry.0);
        names.functions.dedup_by_key(|entry| entry.0);
        names.locals.sort_by_key(|entry| entry.0);
        names.locals.dedup_by_key(|entry| entry.0);
        names
    }

    fn read(&mut self, reader: &mut Reader<'_>) -> Result<(), crate::decode::error::DecodeError> {
        while !reader.is_empty() {
            let id = reader.u8()?;
            let len = reader.var_u32()?;
            let mut part = reader.slice(len as usize)?;
            // A broken subsection does not spoil the next one.
            let _ = match id {
                0 => part.name("module name").map(|name| self.module = Some(name.into())),
                1 => read_map(&mut part, |index, name| self.functions.push((index, name))),
                2 => self.read_locals(&mut part),
                _ => Ok(()),
            };
        }
        Ok(())
    }

    fn read_locals(&mut self, part: &mut Reader<'_>) -> Result<(), crate::decode::error::DecodeError> {
        for _ in 0..part.var_u32()? {
            let function = part.var_u32()?;
            read_map(part, |local, name| self.locals.push(((function, local), name)))?;
        }
        Ok(())
    }

    /// What they take, in bytes.
    pub(crate) fn heap_bytes(&self) -> usize {
        let text = |name: &str| heap::slice(name.as_bytes());
        heap::vec(&self.functions)
            + heap::vec(&self.locals)
            + self.module.as_deref().map_or(0, text)
            + self.functions.iter().map(|(_, name)| text(name)).sum::<usize>()
            + self.locals.iter().map(|(_, name)| text(name)).sum::<usize>()
    }

    /// The name of the module itself.
    pub fn module(&self) -> Option<&str> {
        self.module.as_deref()
    }

    /// The name of a function.
    pub fn function(&self, index: FuncIndex) -> Option<&str> {
        let at = self.functions.binary_search_by_key(&index.0, |entry| entry.0).ok()?;
        Some(&self.functions[at].1)
    }

    /// The name of a local of a function.
    pub fn local(&self, function: FuncIndex, local: LocalIndex) -> Option<&str> {
        let key = (function.0, local.0);
        let at = self.locals.binary_search_by_key(&key, |entry| entry.0).ok()?;
        Some(&self.locals[at].1)
    }
}

/// Reads `count (index name)*`.
fn read_map(
    part: &mut Reader<'_>,
    mut add: impl FnMut(u32, Box<str>),
) -> Result<(), crate::decode::error::DecodeError> {
    for _ in 0..part.var_u32()? {
        let index = part.var_u32()?;
        add(index, part.name("name")?.into());
    }
    Ok(())
}

#[cfg(test)]
mod tests;
