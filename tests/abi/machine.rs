//! Making code executable, and running it.

use sys::code_memory::CodeMemory;

/// Code begins on a cache line.
const ALIGNMENT: usize = 64;

/// Pieces of machine code in executable memory.
pub struct Placed {
    memory: CodeMemory,
    offsets: Vec<usize>,
}

impl Placed {
    /// Places pieces of code, one behind the other.
    pub fn new(pieces: &[&[u8]]) -> Placed {
        let room = |piece: &&[u8]| piece.len().next_multiple_of(ALIGNMENT);
        let memory = CodeMemory::new(pieces.iter().map(room).sum()).expect("memory for a little code");
        let mut offsets = Vec::new();
        let mut end = 0;
        for piece in pieces {
            // SAFETY: the memory is new, and its address is not known outside this function.
            unsafe { memory.write(end, piece) }.expect("the memory was made to measure");
            offsets.push(end);
            end += room(piece);
        }
        Placed { memory, offsets }
    }

    /// The address of a piece.
    pub fn address(&self, piece: usize) -> *const u8 {
        self.memory.executable_base().wrapping_add(self.offsets[piece])
    }

    /// Calls a piece as a C function without arguments.
    ///
    /// # Safety
    /// The piece is such a function, and what it refers to is alive.
    pub unsafe fn run(&self, piece: usize) {
        // SAFETY: the address is that of complete code, which is such a function as the caller promises.
        let function: extern "sysv64" fn() = unsafe { std::mem::transmute(self.address(piece)) };
        function();
    }
}
