//! The sections of a binary module, as they follow each other in the file.

use std::ops::Range;

/// A section: what it is, and where its contents are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Section {
    /// Its number in the binary format.
    pub(crate) id: u8,
    /// The name of a custom section, else the section's own name.
    pub(crate) name: String,
    /// Bytes of the module that hold its contents; without a custom section's name.
    pub(crate) contents: Range<usize>,
    /// Entries, for sections that are lists.
    pub(crate) count: Option<u32>,
}

const NAMES: [&str; 14] = [
    "custom",
    "type",
    "import",
    "function",
    "table",
    "memory",
    "global",
    "export",
    "start",
    "element",
    "code",
    "data",
    "data count",
    "tag",
];

/// The sections of a module. Stops at the first that is cut off, which no valid module has.
pub(crate) fn sections(module: &[u8]) -> Vec<Section> {
    let mut reader = Reader { bytes: module, at: 8 };
    let mut sections = Vec::new();
    while let Some(section) = reader.section() {
        sections.push(section);
    }
    sections
}

/// Has the module a start function?
pub(crate) fn has_start(module: &[u8]) -> bool {
    sections(module).iter().any(|section| section.id == 8)
}

/// One field of the producers section, e.g. `language`, with its values and their versions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Producer {
    pub(crate) field: String,
    pub(crate) values: Vec<(String, String)>,
}

/// The contents of a producers section, as far as they can be read.
/// Source: WebAssembly tool conventions, `ProducersSection.md`.
pub(crate) fn producers(contents: &[u8]) -> Vec<Producer> {
    let mut reader = Reader { bytes: contents, at: 0 };
    let mut fields = Vec::new();
    for _ in 0..reader.number().unwrap_or(0) {
        let (Some(field), Some(count)) = (reader.name(), reader.number()) else { break };
        let mut values = Vec::new();
        for _ in 0..count {
            let (Some(name), Some(version)) = (reader.name(), reader.name()) else { break };
            values.push((name, version));
        }
        fields.push(Producer { field, values });
    }
    fields
}

/// Reads numbers and names; `None` at the end of the bytes.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    /// A LEB128 number of 32 bits.
    fn number(&mut self) -> Option<u32> {
        let mut value: u32 = 0;
        for shift in (0..35).step_by(7) {
            let byte = self.byte()?;
            value |= u32::from(byte & 0x7f).checked_shl(shift)?;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn name(&mut self) -> Option<String> {
        let len = self.number()? as usize;
        let end = self.at.checked_add(len)?;
        let name = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(String::from_utf8_lossy(name).into_owned())
    }

    fn section(&mut self) -> Option<Section> {
        let id = self.byte()?;
        let len = self.number()? as usize;
        let end = self.at.checked_add(len).filter(|&end| end <= self.bytes.len())?;
        let known = NAMES.get(usize::from(id)).copied().unwrap_or("unknown");
        let name = if id == 0 { self.name()? } else { known.to_string() };
        let contents = self.at..end;
        let is_list = matches!(id, 1..=7 | 9..=11 | 13);
        let count = if is_list { self.number() } else { None };
        self.at = end;
        Some(Section { id, name, contents, count })
    }
}

#[cfg(test)]
mod tests;
