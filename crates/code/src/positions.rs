//! The position table of a code object in compressed form: most steps take two bytes instead of eight, and the table of a
//! very small function no allocation.

use abi::compiled::SourcePosition;
use wasm::heap;

#[cfg(test)]
mod tests;

/// Source positions, delta-coded: per entry the code-offset step as LEB128, then the step of the place as zigzag LEB128. A
/// place is 0 for none, and one more than the Wasm offset otherwise. Entries are in ascending order of code offset.
#[derive(Clone, Debug)]
pub struct Positions {
    bytes: Bytes,
}

/// Most bytes that lie in a [`Positions`] itself: as many as make it no larger than it must be for one more.
const SHORT: usize = 22;

/// The bytes of a table.
#[derive(Clone, Debug)]
enum Bytes {
    Short { len: u8, bytes: [u8; SHORT] },
    Long(Box<[u8]>),
}

impl Bytes {
    fn new(table: Vec<u8>) -> Bytes {
        let mut bytes = [0; SHORT];
        match bytes.get_mut(..table.len()) {
            Some(place) => {
                place.copy_from_slice(&table);
                Bytes::Short { len: table.len() as u8, bytes }
            }
            None => Bytes::Long(table.into()),
        }
    }

    fn get(&self) -> &[u8] {
        match self {
            Bytes::Short { len, bytes } => &bytes[..usize::from(*len)],
            Bytes::Long(bytes) => bytes,
        }
    }
}

impl Default for Positions {
    fn default() -> Positions {
        Positions::new(&[])
    }
}

impl Positions {
    /// Compresses a table.
    pub fn new(positions: &[SourcePosition]) -> Positions {
        let mut bytes = Vec::with_capacity(positions.len() * 3);
        let (mut last_code_offset, mut last_place) = (0_u32, 0_u32);
        for position in positions {
            let place = position.wasm_offset.wrapping_sub(SourcePosition::NONE);
            leb(&mut bytes, u64::from(position.code_offset.wrapping_sub(last_code_offset)));
            let step = i64::from(place) - i64::from(last_place);
            leb(&mut bytes, ((step << 1) ^ (step >> 63)) as u64);
            (last_code_offset, last_place) = (position.code_offset, place);
        }
        Positions { bytes: Bytes::new(bytes) }
    }

    /// All positions, in order.
    pub fn iter(&self) -> impl Iterator<Item = SourcePosition> + '_ {
        let (bytes, mut at) = (self.bytes.get(), 0);
        let (mut code_offset, mut place) = (0_u32, 0_u32);
        std::iter::from_fn(move || {
            if at >= bytes.len() {
                return None;
            }
            code_offset = code_offset.wrapping_add(unleb(bytes, &mut at) as u32);
            let coded = unleb(bytes, &mut at);
            let step = (coded >> 1) as i64 ^ -((coded & 1) as i64);
            place = (i64::from(place) + step) as u32;
            Some(SourcePosition { code_offset, wasm_offset: place.wrapping_add(SourcePosition::NONE) })
        })
    }

    /// The Wasm offset of the instruction that the code at `code_offset` belongs to.
    pub fn find(&self, code_offset: u32) -> Option<u32> {
        let position = self.iter().take_while(|position| position.code_offset <= code_offset).last()?;
        (position.wasm_offset != SourcePosition::NONE).then_some(position.wasm_offset)
    }

    /// What the table takes on the heap, in bytes.
    pub fn heap_bytes(&self) -> usize {
        match &self.bytes {
            Bytes::Short { .. } => 0,
            Bytes::Long(bytes) => heap::slice(bytes),
        }
    }
}

fn leb(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn unleb(bytes: &[u8], at: &mut usize) -> u64 {
    let mut value = 0;
    let mut shift = 0;
    while let Some(&byte) = bytes.get(*at) {
        *at += 1;
        value |= u64::from(byte & 0x7f) << (shift & 63);
        shift += 7;
        if byte < 0x80 {
            break;
        }
    }
    value
}
