//! Copy-on-write images of a module's data segments: what a memory looks like right after instantiation, as a sealed
//! file whose pages instances share until they write.
//!
//! A module has an image only if nobody can tell the difference: all its active data segments for defined memory 0
//! have constant offsets and lie in the memory's minimum size, and nothing that could fail, or leak the instance, comes
//! before them.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use sys::image::MemoryImage;
use sys::pages::page_size;
use sys::reserve::Reservation;
use wasm::module::{DataMode, ElementMode, ModuleInfo};
use wasm::types::MemoryIndex;

/// Largest span of data that is worth an image, in bytes.
const MAX_SPAN: u64 = 1 << 30;

/// The initial contents of a module's memory 0.
#[derive(Debug)]
pub struct InitialImage {
    image: MemoryImage,
    /// Where in the memory the image lies; whole system pages.
    range: Range<usize>,
}

impl InitialImage {
    /// The image of a module, if it may have one. None also if the system refuses to make it.
    pub fn new(info: &ModuleInfo, wire_bytes: &[u8]) -> Option<Arc<InitialImage>> {
        let segments = segments(info)?;
        let first = segments.iter().map(|(offset, _)| *offset).min()?;
        let last = segments.iter().map(|(offset, data)| offset + data.len() as u64).max()?;
        let page = page_size() as u64;
        let (start, end) = (first / page * page, last.next_multiple_of(page));
        if end - start > MAX_SPAN {
            return None;
        }
        let mut contents = vec![0; (end - start) as usize];
        for (offset, data) in segments {
            let at = (offset - start) as usize;
            contents[at..at + data.len()].copy_from_slice(&wire_bytes[data]);
        }
        let image = MemoryImage::new(&contents).ok()?;
        Some(Arc::new(InitialImage { image, range: start as usize..end as usize }))
    }

    /// What it takes, in bytes: pages of a file in memory, which instances share until they write to them.
    pub fn bytes(&self) -> usize {
        self.image.len()
    }

    /// Maps the image into a new memory, whose pages are accessible there.
    pub(crate) fn map_into(&self, reservation: &Reservation) -> io::Result<()> {
        reservation.map_image(self.range.start, &self.image, 0..self.range.len())
    }
}

/// Offset and bytes of every active data segment, if they qualify for an image.
fn segments(info: &ModuleInfo) -> Option<Vec<(u64, Range<usize>)>> {
    let memory = MemoryIndex(info.num_imported_memories);
    let ty = info.memories.get(memory.index())?;
    let pages = ty.min_bytes()? / page_size() as u64 * page_size() as u64;
    let leaks = info
        .elements
        .iter()
        .any(|segment| matches!(segment.mode, ElementMode::Active { table, .. } if table.0 < info.num_imported_tables));
    if leaks {
        return None;
    }
    let mut found = Vec::new();
    for segment in &info.data {
        let DataMode::Active { memory: target, offset } = &segment.mode else { continue };
        let offset = offset.as_offset()?;
        let end = offset.checked_add(segment.range.len() as u64)?;
        if *target != memory || end > pages {
            return None;
        }
        if !segment.range.is_empty() {
            found.push((offset, segment.range.clone()));
        }
    }
    (!found.is_empty()).then_some(found)
}
