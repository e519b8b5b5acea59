//! What baseline code writes down as it runs, and how the optimizing tier gets to read it.
//!
//! A module has one *profile*: a block of memory that all its instances share and that
//! [`InstanceHeader::profile`](crate::layout::InstanceHeader::profile) points to. Each function that the baseline tier
//! compiles has a region in it:
//! ```text
//! region -> FunctionProfile                          budget
//!           u32                x direct call sites   how often the call was executed
//!           IndirectSite       x indirect call sites (8-aligned)
//! ```
//! A compiler numbers the bytes of a region from 0 and lists in [`ProfileTable::fixups`] where the code names one; the code
//! manager adds the region's place in the profile when the code gets its own. Counts are plain memory written by many
//! threads: some get lost, none does harm. They wrap.

use std::mem::{offset_of, size_of};

use wasm::heap;
use wasm::types::{DefinedFuncIndex, FuncIndex};

/// Most targets that a site of an indirect call remembers.
pub const MAX_TARGETS: usize = 4;

/// Largest body, in bytes, that the optimizing tier inlines; see [`counts_calls_of`].
pub const MAX_INLINED: usize = 500;

/// Does baseline code count the direct calls of a function with a body of `len` bytes? Not where nothing follows from the
/// count: each costs 11 bytes of code, and time.
pub fn counts_calls_of(len: usize) -> bool {
    len <= MAX_INLINED
}

/// What a function's region starts with.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct FunctionProfile {
    /// What may still be spent before tier-up is considered; negative when it is spent.
    pub budget: i32,
    /// Keeps the sites 8-aligned.
    pub reserved: u32,
}

/// One target of an indirect call.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct Target {
    /// Distance from the caller's instance context to the function reference, truncated. For a function of the caller's
    /// own instance that is the offset [`InstanceLayout::func_ref`](crate::layout::InstanceLayout::func_ref); 0 is no target.
    pub distance: u32,
    /// How often it was called.
    pub count: u32,
}

/// The site of a `call_indirect` or `call_ref`.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct IndirectSite {
    /// The targets in the order of their first call.
    pub targets: [Target; MAX_TARGETS],
    /// Calls of any further target.
    pub other: u32,
    /// Keeps the next site 8-aligned.
    pub reserved: u32,
}

const _: () = {
    assert!(size_of::<FunctionProfile>() == 8 && offset_of!(FunctionProfile, budget) == 0);
    assert!(size_of::<Target>() == 8 && offset_of!(Target, count) == 4);
    assert!(size_of::<IndirectSite>() == 40 && offset_of!(IndirectSite, other) == 32);
};

/// The kind of a call site.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SiteKind {
    /// A count of 4 bytes.
    Direct,
    /// An [`IndirectSite`].
    Indirect,
}

/// A call site of a function.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CallSite {
    /// Offset of the call operator in the module.
    pub wasm_offset: u32,
    /// Place of its counts in the function's region.
    pub place: u32,
    /// What is there.
    pub kind: SiteKind,
}

/// What compiled code needs of the profile.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ProfileTable {
    /// Bytes of the function's region, a multiple of 8; 0 when the code keeps no profile.
    pub size: u32,
    /// Offsets in the code of little-endian 32-bit displacements to which the region's place is added.
    pub fixups: Vec<u32>,
    /// The call sites that are counted, by ascending Wasm offset.
    pub sites: Vec<CallSite>,
}

impl ProfileTable {
    /// What it owns, in bytes.
    pub fn heap_bytes(&self) -> usize {
        heap::vec(&self.fixups) + heap::vec(&self.sites)
    }
}

/// What is subtracted from the budget when a function of `code_len` bytes of baseline code is entered: roughly the bytes
/// that one pass through it executes.
pub fn entry_cost(code_len: u32) -> i32 {
    (40 + code_len / 2).min(MAX_COST) as i32
}

/// What is subtracted at a back-edge that spans `code_len` bytes of baseline code.
pub fn loop_cost(code_len: u32) -> i32 {
    (20 + code_len).min(MAX_COST) as i32
}

/// One step never spends more: a pass through a huge function or loop, such as an interpreter's, executes a small part of it.
const MAX_COST: u32 = 2 << 10;

/// What one call site has seen: a copy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SiteFeedback {
    /// Offset of the call operator in the module.
    pub wasm_offset: u32,
    /// Executions in all.
    pub count: u32,
    /// For an indirect call, its targets that are functions of the caller's own instance, and how often each was called, by
    /// falling count. They may be fewer calls than `count`.
    pub targets: [Option<(FuncIndex, u32)>; MAX_TARGETS],
}

/// What a function's calls have seen: a copy.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FunctionFeedback {
    /// The sites, by ascending Wasm offset.
    pub sites: Vec<SiteFeedback>,
}

impl FunctionFeedback {
    /// The site of the call operator at this offset of the module.
    pub fn site(&self, wasm_offset: u32) -> Option<&SiteFeedback> {
        let at = self.sites.binary_search_by_key(&wasm_offset, |site| site.wasm_offset).ok()?;
        Some(&self.sites[at])
    }
}

/// Who can tell what the functions of a module have seen so far.
pub trait FeedbackSource: Sync {
    /// A copy of a function's feedback; none when it has never had baseline code that keeps a profile.
    fn feedback(&self, function: DefinedFuncIndex) -> Option<FunctionFeedback>;

    /// May the body of this function be read? With lazy validation, only one that is known to be valid may.
    fn is_valid(&self, function: DefinedFuncIndex) -> bool {
        let _ = function;
        true
    }
}
