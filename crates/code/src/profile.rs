//! The profile of a module: budgets and call counts that baseline code writes, and their copies for those who decide. The
//! format is that of `abi::feedback`.
//!
//! The memory is zeroed, never moves, and is as large as the code of the module could ever need; of a large module only
//! address space is taken until regions are handed out. A function keeps its region when its code is flushed, so that code
//! compiled again goes on where the old one was.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::io;
use std::mem::offset_of;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use abi::feedback::{CallSite, FunctionProfile, IndirectSite, MAX_TARGETS, ProfileTable, SiteKind, Target};
use sys::pages::page_size;
use sys::reserve::Reservation;
use wasm::heap;
use wasm::module::ModuleInfo;
use wasm::types::DefinedFuncIndex;

#[cfg(test)]
mod tests;

/// Largest profile that is allocated at once; a larger one is reserved.
const SMALL: usize = 16 << 10;

/// Least memory that is committed at once.
const STEP: usize = 64 << 10;

/// Displacements in code have 32 bits with a sign.
const LARGEST: usize = (1 << 31) - (64 << 10);

/// The profile of one module.
#[derive(Debug)]
pub(crate) struct Profile {
    memory: Memory,
    state: Mutex<Regions>,
}

#[derive(Debug)]
enum Memory {
    Small(Block),
    Reserved(Reservation),
}

/// Zeroed, 16-aligned memory of the heap.
#[derive(Debug)]
struct Block {
    start: NonNull<u8>,
    layout: Layout,
}

// SAFETY: plain memory, which is accessed atomically or by compiled code.
unsafe impl Send for Block {}
// SAFETY: as above.
unsafe impl Sync for Block {}

impl Drop for Block {
    fn drop(&mut self) {
        // SAFETY: allocated in `Profile::new` with this layout.
        unsafe { dealloc(self.start.as_ptr(), self.layout) };
    }
}

#[derive(Debug)]
struct Regions {
    /// For each function: the number of its region, counted from 1; 0 is none.
    numbers: Vec<u32>,
    regions: Vec<Region>,
    /// Where the next region will be.
    next: usize,
    /// Bytes that are accessible.
    committed: usize,
}

#[derive(Debug)]
struct Region {
    place: u32,
    size: u32,
    sites: Box<[CallSite]>,
}

/// One call site as it is in memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum SiteCounts {
    Direct(u32),
    Indirect { targets: [(u32, u32); MAX_TARGETS], other: u32 },
}

/// Bytes that the regions of a module's functions can take at most: its smallest call has two bytes, and an indirect
/// one takes the most room.
fn bound(info: &ModuleInfo) -> usize {
    let code: usize = info.bodies.iter().map(|body| body.len() / 2 * size_of::<IndirectSite>() + 8).sum();
    (code + info.bodies.len() * size_of::<FunctionProfile>()).min(LARGEST)
}

impl Profile {
    pub(crate) fn new(info: &ModuleInfo) -> io::Result<Profile> {
        let size = bound(info);
        let (memory, committed) = if size <= SMALL {
            let layout = Layout::from_size_align(size.max(16), 16).map_err(io::Error::other)?;
            // SAFETY: the layout is not empty.
            let start = NonNull::new(unsafe { alloc_zeroed(layout) }).unwrap_or_else(|| handle_alloc_error(layout));
            (Memory::Small(Block { start, layout }), layout.size())
        } else {
            (Memory::Reserved(Reservation::new(size)?), 0)
        };
        let numbers = vec![0; info.bodies.len()];
        let state = Mutex::new(Regions { numbers, regions: Vec::new(), next: 0, committed });
        Ok(Profile { memory, state })
    }

    /// Where the profile begins; stays the same.
    pub(crate) fn base(&self) -> *mut u8 {
        match &self.memory {
            Memory::Small(block) => block.start.as_ptr(),
            Memory::Reserved(reservation) => reservation.as_ptr(),
        }
    }

    /// Bytes handed out.
    pub(crate) fn used(&self) -> usize {
        self.lock().next
    }

    /// What it takes, in bytes: what was handed out, in whole pages, and the bookkeeping.
    pub(crate) fn memory_bytes(&self) -> usize {
        let state = self.lock();
        let regions = match &self.memory {
            Memory::Small(block) => heap::block(block.layout.size()),
            Memory::Reserved(_) => state.next.next_multiple_of(page_size()),
        };
        let sites = state.regions.iter().map(|region| heap::slice(&region.sites)).sum::<usize>();
        regions + heap::vec(&state.numbers) + heap::vec(&state.regions) + sites
    }

    /// The place of a function's region: the one it has, or a new one whose budget is `budget`.
    ///
    /// # Errors
    /// When the system refuses memory, or the module's regions pass 2 GiB.
    pub(crate) fn place(&self, function: DefinedFuncIndex, table: &ProfileTable, budget: i32) -> io::Result<u32> {
        let mut state = self.lock();
        if let Some(region) = state.find(function)
            && region.size >= table.size
        {
            return Ok(region.place);
        }
        let place = state.next;
        let end = place.checked_add(table.size.next_multiple_of(8) as usize).ok_or(io::ErrorKind::OutOfMemory)?;
        self.commit(&mut state, end)?;
        state.next = end;
        let region = Region { place: place as u32, size: table.size, sites: table.sites.as_slice().into() };
        state.regions.push(region);
        let number = state.regions.len() as u32;
        if let Some(known) = state.numbers.get_mut(function.index()) {
            *known = number;
        }
        self.budget_at(place as u32).store(budget, Ordering::Relaxed);
        Ok(place as u32)
    }

    fn commit(&self, state: &mut Regions, end: usize) -> io::Result<()> {
        if end <= state.committed {
            return Ok(());
        }
        let Memory::Reserved(reservation) = &self.memory else { return Err(io::ErrorKind::OutOfMemory.into()) };
        if end > reservation.len() {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        let step = state.committed.max(STEP);
        let target = (state.committed + step).max(end.next_multiple_of(STEP)).min(reservation.len());
        reservation.commit(state.committed, target - state.committed)?;
        state.committed = target;
        Ok(())
    }

    /// The budget left of a function; none if it has no region.
    pub(crate) fn budget(&self, function: DefinedFuncIndex) -> Option<i32> {
        let place = self.lock().find(function)?.place;
        Some(self.budget_at(place).load(Ordering::Relaxed))
    }

    /// Gives a function a new budget, if it has a region.
    pub(crate) fn set_budget(&self, function: DefinedFuncIndex, budget: i32) {
        let place = self.lock().find(function).map(|region| region.place);
        if let Some(place) = place {
            self.budget_at(place).store(budget, Ordering::Relaxed);
        }
    }

    /// Calls `each` with every site of a function, by ascending Wasm offset. False if it has no region.
    pub(crate) fn each_site(&self, function: DefinedFuncIndex, mut each: impl FnMut(u32, SiteCounts)) -> bool {
        let state = self.lock();
        let Some(region) = state.find(function) else { return false };
        for site in &region.sites {
            each(site.wasm_offset, self.counts(region.place + site.place, site.kind));
        }
        true
    }

    /// The counts of the site of a function at a Wasm offset.
    pub(crate) fn site(&self, function: DefinedFuncIndex, wasm_offset: u32) -> Option<SiteCounts> {
        let state = self.lock();
        let region = state.find(function)?;
        let at = region.sites.binary_search_by_key(&wasm_offset, |site| site.wasm_offset).ok()?;
        Some(self.counts(region.place + region.sites[at].place, region.sites[at].kind))
    }

    fn counts(&self, at: u32, kind: SiteKind) -> SiteCounts {
        let load = |offset: usize| self.word(at as usize + offset).load(Ordering::Relaxed);
        match kind {
            SiteKind::Direct => SiteCounts::Direct(load(0)),
            SiteKind::Indirect => SiteCounts::Indirect {
                targets: std::array::from_fn(|target| {
                    let at = target * size_of::<Target>();
                    (load(at + offset_of!(Target, distance)), load(at + offset_of!(Target, count)))
                }),
                other: load(offset_of!(IndirectSite, other)),
            },
        }
    }

    fn word(&self, at: usize) -> &AtomicU32 {
        debug_assert!(at.is_multiple_of(4));
        // SAFETY: every place that gets here lies in a region, whose size its compiler counted, so in accessible memory
        // of ours; compiled code accesses it by single instructions on aligned words.
        unsafe { AtomicU32::from_ptr(self.base().add(at).cast()) }
    }

    fn budget_at(&self, place: u32) -> &AtomicI32 {
        let at = place as usize + offset_of!(FunctionProfile, budget);
        // SAFETY: as in `word`.
        unsafe { AtomicI32::from_ptr(self.base().add(at).cast()) }
    }

    fn lock(&self) -> MutexGuard<'_, Regions> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Regions {
    fn find(&self, function: DefinedFuncIndex) -> Option<&Region> {
        let number = *self.numbers.get(function.index())?;
        self.regions.get((number as usize).checked_sub(1)?)
    }
}
