//! The tables that go with the code: traps, positions, and what the profile needs. Offsets are from the start of the body
//! until [`Tables::finish`] puts the prologue in front.

use abi::compiled::{SourcePosition, TrapSite};
use abi::feedback::{CallSite, FunctionProfile, IndirectSite, ProfileTable, SiteKind};
use abi::trap::TrapReason;

/// Tables in the making.
#[derive(Default)]
pub(crate) struct Tables {
    traps: Vec<TrapSite>,
    positions: Vec<SourcePosition>,
    /// Where 32-bit displacements are that name a place in the function's region of the profile.
    fixups: Vec<u32>,
    sites: Vec<CallSite>,
    /// Bytes of the region so far.
    region: u32,
}

/// Bytes of a direct site's count.
const COUNT: u32 = 4;

impl Tables {
    pub(crate) fn clear(&mut self) {
        self.traps.clear();
        self.positions.clear();
        self.fixups.clear();
        self.sites.clear();
        self.region = 0;
    }

    #[inline]
    pub(crate) fn add_trap(&mut self, offset: u32, reason: TrapReason) {
        self.traps.push(TrapSite { offset, reason });
    }

    #[inline]
    pub(crate) fn add_position(&mut self, code_offset: u32, wasm_offset: u32) {
        if self.positions.last().is_none_or(|last| last.wasm_offset != wasm_offset) {
            self.positions.push(SourcePosition { code_offset, wasm_offset });
        }
    }

    /// The displacement at this offset of the code names a place of the region.
    pub(crate) fn add_fixup(&mut self, offset: u32) {
        self.fixups.push(offset);
    }

    /// Makes a site for the call operator at `wasm_offset`; gives its place in the region.
    pub(crate) fn add_site(&mut self, wasm_offset: u32, kind: SiteKind) -> u32 {
        let (size, alignment) = match kind {
            SiteKind::Direct => (COUNT, COUNT),
            SiteKind::Indirect => (size_of::<IndirectSite>() as u32, 8),
        };
        let place = self.region.max(size_of::<FunctionProfile>() as u32).next_multiple_of(alignment);
        self.region = place + size;
        self.sites.push(CallSite { wasm_offset, place, kind });
        place
    }

    /// Moves every offset behind a prologue of this many bytes, and gives the finished tables; the profile's is empty if
    /// the code keeps none.
    pub(crate) fn finish(&self, prologue: u32, prologue_fixups: &[u32], profile: bool) -> Finished {
        let traps = self.traps.iter().map(|site| TrapSite { offset: site.offset + prologue, ..*site });
        let positions = self
            .positions
            .iter()
            .map(|position| SourcePosition { code_offset: position.code_offset + prologue, ..*position });
        let profile = match profile {
            false => ProfileTable::default(),
            true => ProfileTable {
                size: self.region.max(size_of::<FunctionProfile>() as u32).next_multiple_of(8),
                fixups: prologue_fixups.iter().copied().chain(self.fixups.iter().map(|at| at + prologue)).collect(),
                sites: self.sites.clone(),
            },
        };
        Finished { traps: traps.collect(), positions: positions.collect(), profile }
    }
}

/// Tables as [`abi::compiled::CompiledCode`] has them.
pub(crate) struct Finished {
    pub(crate) traps: Vec<TrapSite>,
    pub(crate) positions: Vec<SourcePosition>,
    pub(crate) profile: ProfileTable,
}
