//! The calling convention of all compiled code, as a pure function from a function type to locations.
//!
//! It is Cranelift's `tail` convention restricted to its plain parts (see `docs/architecture.md`):
//! - integer arguments (the callee's context first, then the result buffer if there is one, then the parameters) go to
//!   [`INT_PARAMS`], floats and vectors to `xmm0..xmm7`; what does not fit goes to the stack, left to right, in slots of
//!   8 bytes (16, and 16-aligned, for `v128`). The callee pops them; their total is a multiple of 16.
//! - results go to [`INT_RESULTS`] and `xmm0..xmm7`. If one of them does not fit, *all* results go to a buffer of
//!   16-byte slots whose address is an ordinary argument after the context.
//! - callee-saved are `rbx r12 r13 r14 r15 rbp`; no vector register is.

#[cfg(not(target_arch = "x86_64"))]
compile_error!("Upshift's calling convention is defined for x86-64 only");

use wasm::types::{FuncType, HeapType, RefType, ValType};

use crate::layout::VALUE_SLOT;

#[cfg(test)]
mod tests;

/// Hardware numbers of the integer argument registers: rdi rsi rdx rcx r8 r9.
pub const INT_PARAMS: [u8; 6] = [7, 6, 2, 1, 8, 9];

/// Hardware numbers of the integer result registers: rax rcx rdx rsi rdi r8 r9 r10.
pub const INT_RESULTS: [u8; 8] = [0, 1, 2, 6, 7, 8, 9, 10];

/// Number of vector registers used for arguments, and for results: xmm0 upwards.
pub const VECTOR_REGISTERS: u8 = 8;

/// The machine's view of a value type.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum MachineType {
    /// 32-bit integer; the upper half of its register is unspecified.
    I32,
    /// 64-bit integer or address.
    I64,
    /// 32-bit float.
    F32,
    /// 64-bit float.
    F64,
    /// 128-bit vector.
    V128,
}

impl MachineType {
    /// The machine type of a value type. References to functions are addresses, all others 32-bit offsets; a concrete
    /// type is a function type here (the only kind there is before GC).
    pub fn of(ty: ValType) -> MachineType {
        match ty {
            ValType::I32 => MachineType::I32,
            ValType::I64 => MachineType::I64,
            ValType::F32 => MachineType::F32,
            ValType::F64 => MachineType::F64,
            ValType::V128 => MachineType::V128,
            ValType::Ref(reference) => MachineType::of_reference(reference),
        }
    }

    fn of_reference(reference: RefType) -> MachineType {
        match reference.heap {
            HeapType::Func | HeapType::NoFunc | HeapType::Concrete(_) => MachineType::I64,
            _ => MachineType::I32,
        }
    }

    /// Is it passed in an integer register?
    pub fn is_int(self) -> bool {
        matches!(self, MachineType::I32 | MachineType::I64)
    }
}

/// Where one value is at a call.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Location {
    /// In the integer register with this hardware number.
    Int(u8),
    /// In the vector register with this number.
    Vector(u8),
    /// On the stack, this many bytes above the first stack argument: at callee entry the first stack argument is at
    /// `[rsp + 8]`.
    Stack(u32),
    /// In the result buffer, at this offset.
    Buffer(u32),
}

/// The locations of one signature.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signature {
    /// Location of the callee's context.
    pub context: Location,
    /// Location of the result buffer's address, if results go there.
    pub result_buffer: Option<Location>,
    /// Type and location of each parameter.
    pub params: Vec<(MachineType, Location)>,
    /// Type and location of each result.
    pub results: Vec<(MachineType, Location)>,
    /// Bytes of stack arguments, a multiple of 16; the callee pops them.
    pub stack_bytes: u32,
}

/// Do these results go to a buffer?
pub fn results_need_buffer(results: &[ValType]) -> bool {
    let ints = results.iter().filter(|&&ty| MachineType::of(ty).is_int()).count();
    ints > INT_RESULTS.len() || results.len() - ints > usize::from(VECTOR_REGISTERS)
}

/// The locations of all values at a call of a function of type `ty`.
pub fn assign(ty: &FuncType) -> Signature {
    let mut cursor = Cursor::default();
    let context = cursor.place(MachineType::I64);
    let buffered = results_need_buffer(ty.results());
    let result_buffer = buffered.then(|| cursor.place(MachineType::I64));
    let place = |&ty: &ValType| {
        let ty = MachineType::of(ty);
        (ty, cursor.place(ty))
    };
    let params = ty.params().iter().map(place).collect();
    let results = if buffered { buffer_slots(ty.results()) } else { register_results(ty.results()) };
    Signature { context, result_buffer, params, results, stack_bytes: cursor.stack.next_multiple_of(16) }
}

/// Walks the argument registers, then the stack.
#[derive(Default)]
struct Cursor {
    ints: usize,
    vectors: u8,
    stack: u32,
}

impl Cursor {
    fn place(&mut self, ty: MachineType) -> Location {
        if ty.is_int() {
            if let Some(&register) = INT_PARAMS.get(self.ints) {
                self.ints += 1;
                return Location::Int(register);
            }
        } else if self.vectors < VECTOR_REGISTERS {
            self.vectors += 1;
            return Location::Vector(self.vectors - 1);
        }
        let size = if ty == MachineType::V128 { 16 } else { 8 };
        let offset = self.stack.next_multiple_of(size);
        self.stack = offset + size;
        Location::Stack(offset)
    }
}

fn register_results(results: &[ValType]) -> Vec<(MachineType, Location)> {
    let (mut ints, mut vectors) = (INT_RESULTS.iter(), 0..VECTOR_REGISTERS);
    let place = |&ty: &ValType| {
        let ty = MachineType::of(ty);
        let location = match ty.is_int() {
            true => ints.next().map(|&register| Location::Int(register)),
            false => vectors.next().map(Location::Vector),
        };
        (ty, location.expect("results_need_buffer counted the registers"))
    };
    results.iter().map(place).collect()
}

fn buffer_slots(results: &[ValType]) -> Vec<(MachineType, Location)> {
    let slot = |(index, &ty)| (MachineType::of(ty), Location::Buffer((index * VALUE_SLOT) as u32));
    results.iter().enumerate().map(slot).collect()
}
