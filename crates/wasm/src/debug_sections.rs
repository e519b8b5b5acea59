//! Custom sections that tell a debugger where to look further: the URL of a source map, the URL of DWARF in another file.

use crate::decode::reader::Reader;
use crate::module::ModuleInfo;

#[cfg(test)]
mod tests;

impl ModuleInfo {
    /// The URL of the module's source map: the text in its section `sourceMappingURL`. None if there is no such section or
    /// it is malformed. `wire_bytes` must be the bytes the module was decoded from.
    pub fn source_map_url<'a>(&self, wire_bytes: &'a [u8]) -> Option<&'a str> {
        text(self.custom_section(wire_bytes, "sourceMappingURL")?)
    }

    /// The URL of the file that holds the module's DWARF, from its section `external_debug_info`; as for
    /// [`ModuleInfo::source_map_url`].
    pub fn external_debug_info<'a>(&self, wire_bytes: &'a [u8]) -> Option<&'a str> {
        text(self.custom_section(wire_bytes, "external_debug_info")?)
    }
}

/// A section that is a text with its length in front.
fn text(section: &[u8]) -> Option<&str> {
    Reader::new(section, 0).name("URL").ok()
}
