//! The position table of a code object in compressed form: most steps take two bytes instead of eight.

use abi::compiled::SourcePosition;

#[cfg(test)]
mod tests;

/// Source positions, delta-coded: per entry the code-offset step as LEB128, then the step of `wasm_offset` as zigzag
/// LEB128. Entries are in ascending order of code offset.
#[derive(Clone, Default, Debug)]
pub struct Positions {
    bytes: Box<[u8]>,
}

impl Positions {
    /// Compresses a table.
    pub fn new(positions: &[SourcePosition]) -> Positions {
        let mut bytes = Vec::with_capacity(positions.len() * 3);
        let mut last = SourcePosition { code_offset: 0, wasm_offset: 0 };
        for position in positions {
            leb(&mut bytes, u64::from(position.code_offset.wrapping_sub(last.code_offset)));
            let step = i64::from(position.wasm_offset) - i64::from(last.wasm_offset);
            leb(&mut bytes, ((step << 1) ^ (step >> 63)) as u64);
            last = *position;
        }
        Positions { bytes: bytes.into() }
    }

    /// All positions, in order.
    pub fn iter(&self) -> impl Iterator<Item = SourcePosition> + '_ {
        let mut at = 0;
        let mut last = SourcePosition { code_offset: 0, wasm_offset: 0 };
        std::iter::from_fn(move || {
            if at >= self.bytes.len() {
                return None;
            }
            let code_step = unleb(&self.bytes, &mut at);
            let coded = unleb(&self.bytes, &mut at);
            let step = (coded >> 1) as i64 ^ -((coded & 1) as i64);
            last.code_offset = last.code_offset.wrapping_add(code_step as u32);
            last.wasm_offset = (i64::from(last.wasm_offset) + step) as u32;
            Some(last)
        })
    }

    /// The Wasm offset of the instruction that the code at `code_offset` belongs to.
    pub fn find(&self, code_offset: u32) -> Option<u32> {
        let position = self.iter().take_while(|position| position.code_offset <= code_offset).last()?;
        (position.wasm_offset != SourcePosition::NONE).then_some(position.wasm_offset)
    }

    /// Bytes that the table takes.
    pub fn size(&self) -> usize {
        self.bytes.len()
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
