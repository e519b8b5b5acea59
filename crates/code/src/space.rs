//! `CodeSpace`: the executable memory of an engine. Code is added here and given back when its `Code` is dropped.
//!
//! The life of a code object:
//! 1. [`CodeSpace::add`] takes a range, writes header and code through the writable view, and sets the start bit: the
//!    code exists and can be found by address, but nothing leads to it.
//! 2. Publishing is the owner's work (a store into a code-table slot, see `native_module`).
//! 3. Dropping the `Code` clears the start bit, gives the range back, and returns whole free pages to the system.

use std::fmt;
use std::io;
use std::ops::Range;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use abi::compiled::CompiledCode;
use sys::code_memory::{CodeMemory, Strategy, synchronize_cores};
use sys::pages::page_size;
use wasm::heap;

use crate::allocator::{Allocator, GRANULE};
use crate::code::{Code, CodeKind};
use crate::lookup::StartMap;

#[cfg(test)]
mod tests;

/// Bytes in front of the first instruction: the address of the `Code`, its distance from here to the first instruction, and
/// its length. So an address in no code is told apart without a look at a `Code`, which another thread may be freeing.
const HEADER: usize = 16;

/// Why code could not be added.
#[derive(Debug)]
pub enum SpaceError {
    /// The region has no free range of this many bytes.
    Full {
        /// Bytes asked for.
        wanted: usize,
        /// Bytes of the region in use.
        used: usize,
    },
    /// The code asks for an alignment above the granule.
    Alignment(u32),
    /// The system refused memory.
    System(io::Error),
}

impl fmt::Display for SpaceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SpaceError::Full { wanted, used } => {
                write!(f, "code memory is full: {wanted} bytes wanted, {used} in use; raise Config::code_memory_size")
            }
            SpaceError::Alignment(alignment) => write!(f, "code alignment {alignment} is not supported"),
            SpaceError::System(error) => write!(f, "cannot write code memory: {error}"),
        }
    }
}

impl std::error::Error for SpaceError {}

/// Most bytes of a region: granules are numbered by 32 bits.
const MOST: usize = GRANULE << 32;

/// Memory is taken this many bytes at a time, which saves most system calls and page faults.
const CHUNK: usize = 64 << 10;

/// Which bytes of the region are whose.
struct State {
    allocator: Allocator,
    /// One bit per chunk: is there memory behind all its pages?
    committed: Vec<u64>,
}

impl State {
    fn is_committed(&self, chunk: usize) -> bool {
        self.committed.get(chunk / 64).is_some_and(|word| word >> (chunk % 64) & 1 != 0)
    }

    fn set_committed(&mut self, chunk: usize, committed: bool) {
        let bit = 1 << (chunk % 64);
        match self.committed.get_mut(chunk / 64) {
            Some(word) if committed => *word |= bit,
            Some(word) => *word &= !bit,
            None if committed => {
                self.committed.resize(chunk / 64 + 1, 0);
                self.committed[chunk / 64] = bit;
            }
            None => {}
        }
    }
}

/// One reserved region of executable memory, mapped once for running and once for writing.
pub struct CodeSpace {
    memory: CodeMemory,
    starts: StartMap,
    state: Mutex<State>,
    /// Above this offset no code has ever been.
    touched: AtomicUsize,
    /// Bytes that code objects take.
    code_bytes: AtomicUsize,
    /// Bytes of machine code that nothing leads to any more.
    retired_bytes: AtomicUsize,
    /// Bytes of machine code ever retired.
    ever_retired: AtomicU64,
}

impl fmt::Debug for CodeSpace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CodeSpace").field("used", &self.used()).field("size", &self.memory.len()).finish()
    }
}

impl CodeSpace {
    /// Reserves a region of `bytes`, at most 256 GiB; memory is taken as code is added. If the address space has no such gap, smaller
    /// powers of two are tried down to 16 MiB, and half of what there is stays free for others.
    ///
    /// # Errors
    /// What the system said to the smallest try.
    pub fn new(bytes: usize) -> io::Result<Arc<CodeSpace>> {
        CodeSpace::preferring(bytes, Strategy::DualMapped)
    }

    /// The same, in memory that comes from where `strategy` says, if the system allows it.
    ///
    /// # Errors
    /// As for [`CodeSpace::new`].
    pub fn preferring(bytes: usize, strategy: Strategy) -> io::Result<Arc<CodeSpace>> {
        let bytes = bytes.min(MOST);
        let reserve = |size| CodeMemory::preferring(size, strategy);
        let smallest = bytes.min(16 << 20);
        let mut size = bytes;
        let mut memory = reserve(size);
        while memory.is_err() && size / 2 >= smallest.max(1) {
            size /= 2;
            memory = reserve(size);
        }
        let mut memory = memory?;
        if size < bytes && size / 2 >= smallest {
            drop(memory);
            memory = reserve(size / 2)?;
        }
        let starts = StartMap::new(memory.len());
        let state = Mutex::new(State { allocator: Allocator::new(memory.len()), committed: Vec::new() });
        let counts = [const { AtomicUsize::new(0) }; 3];
        let [touched, code_bytes, retired_bytes] = counts;
        let ever_retired = AtomicU64::new(0);
        Ok(Arc::new(CodeSpace { memory, starts, state, touched, code_bytes, retired_bytes, ever_retired }))
    }

    /// Writes a code object into the region. It can be found by address from now on.
    ///
    /// # Errors
    /// When the region is full or the system refuses memory.
    pub fn add(self: &Arc<Self>, compiled: CompiledCode, kind: CodeKind) -> Result<Arc<Code>, SpaceError> {
        if compiled.alignment as usize > GRANULE {
            return Err(SpaceError::Alignment(compiled.alignment));
        }
        let Ok(len) = u32::try_from(compiled.bytes.len()) else {
            return Err(SpaceError::Full { wanted: compiled.bytes.len(), used: self.used() });
        };
        // Code that wants more than 16 bytes of alignment starts at the next granule.
        let lead = if compiled.alignment as usize > HEADER { GRANULE } else { HEADER };
        let range = self.allocate(lead + compiled.bytes.len())?;
        let touched = self.touched.fetch_max(range.end, Ordering::Relaxed);
        self.code_bytes.fetch_add(range.len(), Ordering::Relaxed);
        let placement = Placement {
            space: Arc::clone(self),
            // They fit, as the region is no larger than `MOST`, and the code shorter than 4 GiB.
            first: (range.start / GRANULE) as u32,
            granules: (range.len() / GRANULE) as u32,
            lead: lead as u32,
            len,
        };
        self.write(range.start + lead, &compiled.bytes)?;
        let code = Arc::new(Code::new(placement, kind, compiled));
        let mut header = [0; HEADER];
        header[..8].copy_from_slice(&(Arc::as_ptr(&code) as usize).to_ne_bytes());
        header[8..12].copy_from_slice(&(lead as u32).to_ne_bytes());
        header[12..].copy_from_slice(&len.to_ne_bytes());
        self.write(range.start, &header)?;
        if range.start < touched {
            // Other code may have run here. This processor would do without, its manual does not promise it for two
            // mappings; so where the kernel has no such barrier, go on.
            let _ = synchronize_cores();
        }
        self.starts.set(range.start);
        Ok(code)
    }

    /// The code object that contains the address. Lock-free and async-signal-safe.
    ///
    /// # Safety
    /// The caller found `pc` in a program counter or as a return address on the stack of a thread whose store keeps the
    /// code alive, and uses the result no longer than that holds.
    pub unsafe fn lookup(&self, pc: usize) -> Option<NonNull<Code>> {
        let offset = pc.checked_sub(self.base())?;
        if offset >= self.memory.len() {
            return None;
        }
        let start = self.starts.find(offset)?;
        let header = (self.base() + start) as *const u8;
        // SAFETY: a set bit means that `add` wrote a header at this start; if its code is being freed, the bytes are still
        // those of mapped memory, and say nothing about `pc`, which is in code that is alive or in none.
        let (code, lead, len) = unsafe {
            (header.cast::<*mut Code>().read(), header.add(8).cast::<u32>().read(), header.add(12).cast::<u32>().read())
        };
        let first = start + lead as usize;
        if (first..first + len as usize).contains(&offset) { NonNull::new(code) } else { None }
    }

    /// Does the address lie in this region?
    pub fn contains(&self, pc: usize) -> bool {
        pc.wrapping_sub(self.base()) < self.memory.len()
    }

    /// Bytes in use.
    pub fn used(&self) -> usize {
        self.lock().allocator.used()
    }

    /// Bytes in use by code objects: functions, and stubs at the border to the host.
    pub fn code_bytes(&self) -> usize {
        self.code_bytes.load(Ordering::Relaxed)
    }

    /// Bytes of machine code among them that nothing leads to any more.
    pub fn retired_bytes(&self) -> usize {
        self.retired_bytes.load(Ordering::Relaxed)
    }

    /// Bytes of machine code ever retired: a clock by which to say how much has been since some time.
    pub fn ever_retired(&self) -> u64 {
        self.ever_retired.load(Ordering::Relaxed)
    }

    pub(crate) fn add_retired(&self, bytes: usize) {
        self.retired_bytes.fetch_add(bytes, Ordering::Relaxed);
        self.ever_retired.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(crate) fn sub_retired(&self, bytes: usize) {
        self.retired_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Bytes of memory behind the region now. Costs a system call.
    ///
    /// # Errors
    /// What the system says.
    pub fn resident_bytes(&self) -> io::Result<u64> {
        self.memory.resident_bytes()
    }

    /// What the region's bookkeeping takes on the heap, in bytes.
    pub fn heap_bytes(&self) -> usize {
        let state = self.lock();
        self.starts.heap_bytes() + state.allocator.heap_bytes() + heap::vec(&state.committed)
    }

    /// Size of the region in bytes.
    pub fn size(&self) -> usize {
        self.memory.len()
    }

    pub(crate) fn base(&self) -> usize {
        self.memory.executable_base() as usize
    }

    /// Takes a free range, with memory behind all its pages, so that writing it cannot fault.
    pub(crate) fn allocate(&self, size: usize) -> Result<Range<usize>, SpaceError> {
        let mut state = self.lock();
        let used = state.allocator.used();
        let range = state.allocator.allocate(size).ok_or(SpaceError::Full { wanted: size, used })?;
        for chunk in range.start / CHUNK..range.end.div_ceil(CHUNK) {
            if state.is_committed(chunk) {
                continue;
            }
            let start = chunk * CHUNK;
            if let Err(error) = self.memory.commit(start, CHUNK.min(self.memory.len() - start)) {
                self.give_back(&mut state, range);
                return Err(SpaceError::System(error));
            }
            state.set_committed(chunk, true);
        }
        Ok(range)
    }

    /// Writes into a range that the caller got from [`CodeSpace::allocate`] and has not given back.
    pub(crate) fn write(&self, offset: usize, bytes: &[u8]) -> Result<(), SpaceError> {
        // SAFETY: the range belongs to the caller alone, and no code in it is reachable yet.
        unsafe { self.memory.write(offset, bytes) }.map_err(SpaceError::System)
    }

    /// Gives a range back, with the memory of the pages that became free.
    pub(crate) fn release(&self, range: Range<usize>) {
        self.give_back(&mut self.lock(), range);
    }

    fn give_back(&self, state: &mut State, range: Range<usize>) {
        let free = state.allocator.free(range.clone());
        let page = page_size();
        // Only chunks that this range touched are news; what lay free around them was given back before. In a chunk that
        // is still in use, that holds for its pages.
        let (first, last) = (range.start / CHUNK * CHUNK, range.end.next_multiple_of(CHUNK).min(self.memory.len()));
        let start = match first >= free.start {
            true => first,
            false => (range.start / page * page).max(free.start.next_multiple_of(page)),
        };
        let end = match last <= free.end {
            true => last,
            false => range.end.next_multiple_of(page).min(free.end / page * page),
        };
        if start < end {
            for chunk in start / CHUNK..end.div_ceil(CHUNK) {
                state.set_committed(chunk, false);
            }
            // A refusal costs memory, not correctness: the range is free either way.
            // SAFETY: the pages lie in a free range, and the lock keeps it free meanwhile.
            let _ = unsafe { self.memory.free_pages(start, end - start) };
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The range that a code object occupies; given back when dropped. As there is one for each function, it is kept small.
#[derive(Debug)]
pub struct Placement {
    space: Arc<CodeSpace>,
    /// The range's first granule, and its granules: header, code and padding.
    first: u32,
    granules: u32,
    /// Bytes of the range in front of the first instruction.
    lead: u32,
    /// Bytes of machine code.
    len: u32,
}

impl Placement {
    /// Address of the first instruction.
    pub fn start(&self) -> usize {
        self.space.base() + self.range().start + self.lead as usize
    }

    /// Bytes of machine code.
    pub fn len(&self) -> usize {
        self.len as usize
    }

    /// Is there no code?
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes of the region that it takes.
    pub fn footprint(&self) -> usize {
        self.range().len()
    }

    /// The region.
    pub fn space(&self) -> &CodeSpace {
        &self.space
    }

    /// The range, from the start of the region.
    fn range(&self) -> Range<usize> {
        let start = self.first as usize * GRANULE;
        start..start + self.granules as usize * GRANULE
    }
}

impl Drop for Placement {
    fn drop(&mut self) {
        let range = self.range();
        self.space.starts.clear(range.start);
        self.space.code_bytes.fetch_sub(range.len(), Ordering::Relaxed);
        self.space.release(range);
    }
}
